import { isJsonList, type JsonObject, type JsonValue } from '../../base/json.ts'
import type { Layer } from '../../run/configure/layers.ts'
import type { Cell } from '../../run/sweep/cell.ts'
import { readMapping } from '../inputs/configuration.ts'
import { inputFault, type InputFault } from '../inputs/faults.ts'
import { followInputs, readWork, type Work } from '../inputs/read.ts'
import {
  readChecked,
  type ConnectionInputs,
  type InputSources,
  type ReadInputs,
} from '../inputs/read-checked.ts'
import { baselineFaults } from '../inputs/rules-between-inputs.ts'
import { inputTables, type InputValues, type RawInputs } from '../inputs/table.ts'
import { expandMatrix } from './matrix.ts'

/** The inputs of sweep/. */
export interface SweepInputs extends ConnectionInputs, Work, ReturnType<typeof sweepInputs> {
  readonly cells: readonly Cell[]
}

/**
 * Reads and checks the inputs of sweep/.
 *
 * @throws {InputFaults} with every fault that was found, in the order of the action's file.
 */
export async function readSweepInputs(sources: InputSources): Promise<ReadInputs<SweepInputs>> {
  return readChecked(inputTables.sweep, sources, async (given) => {
    const { raw, values, redact } = given
    const { faults, notices, warnings, layers, work } = await readWork(given, sources)
    const matrix = await readMapping('matrix', raw.matrix, { redact })
    const { cells, faults: cellFaults } = cellsOf(matrix.layers[0])
    return {
      faults: [
        ...faults,
        ...matrixFaults(raw),
        ...matrix.faults,
        ...cellFaults,
        ...layers.flatMap(nameFaults),
        ...baselineFaults(raw, values?.expect),
      ],
      notices,
      warnings,
      inputs: values && work && { ...sweepInputs(values), ...work, cells },
    }
  })
}

function sweepInputs(values: InputValues<'sweep'>) {
  return {
    ...followInputs(values),
    tags: values.tags,
    /** Undefined: as ZenML decides. */
    enableCache: values['enable-cache'],
    maxParallel: values['max-parallel'],
    failFast: values['fail-fast'],
    rank: values.rank,
    expectAll: values['expect-all'],
    /** Limit of each run; undefined: none. `timeoutMs` is that of the whole. */
    runTimeoutMs: values['run-timeout'],
    /** Limit of the time until a run is started. */
    triggerTimeoutMs: values['trigger-timeout'],
    resume: values.resume,
    /** Whether each run says in ZenML where it came from. */
    noteOrigin: values['note-origin'],
  }
}

function matrixFaults(raw: RawInputs): InputFault[] {
  if (raw.matrix !== undefined) return []
  return [inputFault('matrix', 'missing; write what varies, such as train.learning_rate: [0.1, 0.01]')]
}

/** Each run has a name of its own, so one for all cannot be. */
function nameFaults({ source, value }: Layer): InputFault[] {
  if ((value['run_name'] ?? null) === null) return []
  const [input = source] = source.split(':')
  return [inputFault(input, 'run_name is not allowed: each run of a sweep gets its own name')]
}

function cellsOf(matrix: Layer | undefined): {
  readonly cells: readonly Cell[]
  readonly faults: InputFault[]
} {
  if (matrix === undefined) return { cells: [], faults: [] }
  const expanded = expandMatrix(matrix.value)
  if (expanded.problems !== undefined) {
    return { cells: [], faults: expanded.problems.map((problem) => inputFault('matrix', problem)) }
  }
  return { cells: expanded.cells.map((values, index) => cellOf(values, index + 1, matrix)), faults: [] }
}

function cellOf(values: JsonObject, number: number, { source, value, locate, isFloat }: Layer): Cell {
  // What only `include` says stands somewhere in its list.
  const inMatrix = ([key = '', ...rest]: readonly string[]): readonly string[] =>
    Object.hasOwn(value, key) ? [key, ...rest] : ['include']
  return {
    number,
    values,
    parameters: {
      source,
      value: values,
      locate: (path) => locate?.(inMatrix(path)),
      isFloat: ([key = '', ...inside]) =>
        inside.length === 0 &&
        indexesOf(value[key], values[key]).some((index) => isFloat?.([key, index]) === true),
    },
  }
}

/** At which numbers of a list a value stands. */
function indexesOf(list: JsonValue | undefined, value: JsonValue | undefined): string[] {
  if (!isJsonList(list)) return []
  return [...list.entries()].filter(([, item]) => item === value).map(([index]) => String(index))
}
