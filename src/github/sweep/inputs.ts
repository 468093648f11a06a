import type { JsonObject } from '../../base/json.ts'
import type { Layer } from '../../run/configure/layers.ts'
import type { Target } from '../../run/find/definition.ts'
import type { Cell } from '../../run/sweep/cell.ts'
import { readConfiguration, readMapping } from '../inputs/configuration.ts'
import { inputFault, type InputFault } from '../inputs/faults.ts'
import { followInputs, targetOf } from '../inputs/read.ts'
import {
  readChecked,
  type ConnectionInputs,
  type InputSources,
  type ReadInputs,
} from '../inputs/read-checked.ts'
import { baselineFaults, targetFaults } from '../inputs/rules.ts'
import { inputTables, type InputValues, type RawInputs } from '../inputs/table.ts'
import { expandMatrix } from './matrix.ts'

/** The inputs of sweep/. */
export interface SweepInputs extends ConnectionInputs, ReturnType<typeof sweepInputs> {
  readonly target: Target
  readonly cells: readonly Cell[]
  /** Lowest precedence first: the file, then the input. */
  readonly configuration: readonly Layer[]
  readonly parameters: Layer | undefined
}

/**
 * Reads and checks the inputs of sweep/.
 *
 * @throws {InputFaults} with every fault that was found, in the order of the action's file.
 */
export async function readSweepInputs(sources: InputSources): Promise<ReadInputs<SweepInputs>> {
  return readChecked(inputTables.sweep, sources, async ({ raw, values, workspace, redact }) => {
    const path = inputTables.sweep.schema.shape['configuration-file'].safeParse(
      raw['configuration-file'],
    ).data
    const context = { workspace, readFile: sources.readFile, redact }
    const configuration = await readConfiguration(path, raw.configuration, context)
    const parameters = await readMapping('parameters', raw.parameters, context)
    const matrix = await readMapping('matrix', raw.matrix, context)
    const { cells, faults } = cellsOf(matrix.layers[0])
    const target = values && targetOf(values)
    return {
      faults: [
        ...targetFaults(raw),
        ...matrixFaults(raw),
        ...matrix.faults,
        ...faults,
        ...parameters.faults,
        ...configuration.faults,
        ...nameFaults(configuration.layers),
        ...baselineFaults(raw, values?.expect),
      ],
      inputs: values &&
        target && {
          ...sweepInputs(values),
          target,
          cells,
          configuration: configuration.layers,
          parameters: parameters.layers[0],
        },
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
function nameFaults(layers: readonly Layer[]): InputFault[] {
  const named = layers.some(({ value }) => (value['run_name'] ?? null) !== null)
  return named
    ? [inputFault('configuration', 'run_name is not allowed: each run of a sweep gets its own name')]
    : []
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

function cellOf(values: JsonObject, number: number, { source, value, locate }: Layer): Cell {
  // What only `include` says stands somewhere in its list.
  const inMatrix = ([key = '', ...rest]: readonly string[]): readonly string[] =>
    Object.hasOwn(value, key) ? [key, ...rest] : ['include']
  return {
    number,
    values,
    parameters: { source, value: values, locate: (path) => locate?.(inMatrix(path)) },
  }
}
