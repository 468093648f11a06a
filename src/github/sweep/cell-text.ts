import type { JsonObject, JsonValue } from '../../base/json.ts'
import type { CellResult } from '../../run/sweep/cell.ts'

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
