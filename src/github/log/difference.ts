import type { DifferenceLine } from '../../run/configure/difference.ts'
import { cut } from '../../base/printable.ts'

/** A log or summary with more is not read. */
const MAX_LINES = 200
const MAX_LINE_LENGTH = 300

/** The lines of a difference as `diff` writes them; a long one is cut, and what is left out is said. */
export function shownDifference(lines: readonly DifferenceLine[]): string[] {
  const left = lines.length - MAX_LINES
  const shown = lines.slice(0, MAX_LINES).map(({ mark, text }) => cut(`${mark} ${text}`, MAX_LINE_LENGTH))
  return left > 0 ? [...shown, `  (${left} lines left out)`] : shown
}
