import { sortedJson } from '../../base/json.ts'
import { assemble, type Assembled } from '../configure/assemble.ts'
import { ConfigurationError } from '../errors.ts'
import type { Reporter } from '../events.ts'
import type { FoundTarget } from '../find/target.ts'
import type { Expectation } from '../outcome/evaluate-expectations.ts'
import type { ExpectedName } from '../configure/check/expected-names.ts'
import type { Cell, Rank } from './cell.ts'
import type { Overrides } from '../configure/merge.ts'

export interface ConfiguredCell {
  readonly cell: Cell
  readonly configuration: Assembled
}

export interface CellsRequest {
  readonly cells: readonly Cell[]
  readonly overrides: Omit<Overrides, 'cell'>
  readonly expectations?: readonly Expectation[]
  readonly rank: Rank | undefined
}

/** Of many cells, these are named. */
const MOST_NAMED = 8

/**
 * Merges and checks what each cell's run is to be given. What is alike in several cells is said once, with their numbers.
 *
 * @throws ConfigurationError with all that is wrong with any of them
 */
export function configureCells(
  { cells, overrides, expectations = [], rank }: CellsRequest,
  { definition, server }: FoundTarget,
  reporter: Reporter,
): ConfiguredCell[] {
  const expected: ExpectedName[] = expectations.map(({ name }) => ({ input: 'expect', name }))
  if (rank !== undefined) expected.push({ input: 'rank', name: rank.name })
  const configured: ConfiguredCell[] = []
  const faults = new Map<string, { readonly withoutValues: string; readonly numbers: number[] }>()
  const warnings = new Map<string, number[]>()
  const bodies = new Map<string, number[]>()
  for (const cell of cells) {
    try {
      const given = { ...overrides, cell: cell.parameters }
      const configuration = assemble(given, definition, server.version, expected)
      configured.push({ cell, configuration })
      noteIn(bodies, sortedJson(configuration.body), cell.number)
      for (const warning of configuration.warnings) noteIn(warnings, warning, cell.number)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      for (const [index, fault] of error.faults.entries()) {
        const known = faults.get(fault)
        if (known !== undefined) known.numbers.push(cell.number)
        else
          faults.set(fault, {
            withoutValues: error.faultsWithoutValues[index] ?? '',
            numbers: [cell.number],
          })
      }
    }
  }
  const alike: string[] = []
  for (const numbers of bodies.values()) {
    if (numbers.length === 1) continue
    alike.push(`matrix: cells ${listed(numbers)} give the run the same values; keep one of them`)
  }
  if (faults.size + alike.length > 0) {
    const all = [...faults]
    throw new ConfigurationError(
      [...all.map(([line, { numbers }]) => named(line, numbers, cells.length)), ...alike],
      [...all.map(([, { withoutValues, numbers }]) => named(withoutValues, numbers, cells.length)), ...alike],
    )
  }
  const unchecked = configured[0]?.configuration.unchecked
  const shown = [...warnings].map(([line, numbers]) => named(line, numbers, cells.length))
  reporter.tell({
    kind: 'cells-configured',
    cells: cells.length,
    rankedBy: rank?.name,
    warnings: shown,
    unchecked,
  })
  return configured
}

function noteIn(map: Map<string, number[]>, key: string, number: number): void {
  const numbers = map.get(key)
  if (numbers === undefined) map.set(key, [number])
  else numbers.push(number)
}

/** What is so in all cells needs no numbers. */
function named(line: string, numbers: readonly number[], all: number): string {
  if (numbers.length === all) return line
  return `${line} (${numbers.length === 1 ? 'cell' : 'cells'} ${listed(numbers)})`
}

function listed(numbers: readonly number[]): string {
  const left = numbers.length - MOST_NAMED
  return `${numbers.slice(0, MOST_NAMED).join(', ')}${left > 0 ? ` and ${left} more` : ''}`
}
