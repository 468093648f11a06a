import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { CellResult, SweepResult } from '../../run/sweep/cell.ts'

/** What a cell varies, in one line of plain text: `train.learning_rate: 0.1, train.epochs: 5`. */
export function valuesText(values: JsonObject): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${valueText(value)}`)
    .join(', ')
}

/** A text as it is, anything else as JSON. */
export function valueText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** How a cell came to its end, in words; a cell whose turn never came is `not started`. */
export function endText({ outcome }: Pick<CellResult, 'outcome'>): string {
  if (outcome === undefined) return 'not started'
  const { conclusion, error } = outcome
  if (conclusion === 'expectation-missed') return 'not as expected'
  if (conclusion === 'timed-out') return 'timed out'
  if (conclusion === 'lost') return 'outcome unknown'
  return error === undefined ? 'completed' : conclusion
}

/** Each has its reason, which may name all that its run logged. */
const MOST_UNRANKED = 3

/**
 * Which cells may be better than the best, as nobody can rank them, and why; empty if all could be ranked.
 *
 * @param shown how a text that is not trusted stands there
 */
export function unrankedText(
  { best, cells, unranked, rank }: SweepResult,
  shown: (text: string) => string,
): string {
  if (best === undefined || rank === undefined || unranked.length === 0) return ''
  const told = unranked
    .slice(0, MOST_UNRANKED)
    .map((each) => `cell ${each.cell.number}: ${shown(each.rank.problem)}`)
  const left = unranked.length - told.length
  const which = [...told, ...(left > 0 ? [`and ${left} more`] : [])].join('; ')
  return `${unranked.length} of ${cells.length} cells could not be ranked by ${shown(rank.name)}, and may be better: ${which}`
}
