import type { ExceptionInfo, Log } from '../../zenml/step-detail.ts'
import { cutAtSpace } from '../../base/cut.ts'
import type { LogTail } from '../facts.ts'
import { plainLine } from './traceback.ts'

/** What is known of the exception whose log it is; undefined if nothing is. */
type Noted = ExceptionInfo | undefined

/** The longest line that is told whole. */
const MOST_LINE = 5_000

/**
 * Servers cut a log after so many entries, and do not say that they did, nor what the number is. It is 20,000 before
 * 0.94, later 50,000 unless `ZENML_LOGS_MAX_ENTRIES_PER_REQUEST` says otherwise; people set round numbers. A log in
 * Datadog has its newest 1,000 entries, one elsewhere its oldest.
 */
const FEWEST_OF_A_CUT_LOG = 1_000
const ROUND_NUMBERS = [500, 1_024] as const

/** What ZenML writes last of all into the log of a step that an exception ended (from 0.85 on). */
const ZENML_EXCEPTION = 'An exception has occurred.'
/** Records of others that may follow it, as from threads that still ran. */
const MOST_AFTERWARDS = 20

export const NO_LOG: LogTail = { lines: [], left: undefined, missing: undefined }

/** ZenML's own record of the exception that ended the step; undefined if the log has none. */
export function recordOfException({ records }: Log): string | undefined {
  return records.findLast((record) => record.startsWith(ZENML_EXCEPTION))
}

/**
 * Why what the server gave of a log is not all of it up to its end, as a clause; undefined if it is.
 *
 * @param noted what ZenML noted of the exception that ended it: then the log should end in ZenML's own record of it
 */
export function whyCut(log: Log, noted: Noted): string | undefined {
  const { records, entries, breaksOff } = log
  if (breaksOff) return 'the server gives only the beginning of the log, not its end'
  const end = records.slice(-1 - MOST_AFTERWARDS)
  if (entries === undefined || end.some((record) => record.startsWith(ZENML_EXCEPTION))) return undefined
  if (entries < FEWEST_OF_A_CUT_LOG) return undefined
  if (noted?.message !== undefined || noted?.traceback !== undefined) {
    return `the server gives only the first ${entries} entries of the log, not its end`
  }
  if (!isRound(entries)) return undefined
  return `the server gives exactly ${entries} entries of the log, so its end may be cut off`
}

/** A whole log of that many entries is less likely than one that was cut there. */
function isRound(entries: number): boolean {
  return entries >= FEWEST_OF_A_CUT_LOG && ROUND_NUMBERS.some((number) => entries % number === 0)
}

/** The last lines of a log, unless its end is not there. */
export function tailOf(log: Log, noted: Noted, most: number): LogTail {
  const missing = whyCut(log, noted)
  if (missing !== undefined) return { ...NO_LOG, missing }
  const lines = log.records.flatMap((record) => withoutEmptyEnd(record).split('\n'))
  if (lines.length === 0) return { ...NO_LOG, left: 0, missing: 'the log is empty' }
  const shown = lines.slice(-most).map(boundedLine)
  // One that was cut at its beginning has more of them than the server tells.
  const left = isRound(log.entries ?? 0) ? undefined : lines.length - shown.length
  return { lines: shown, left, missing: undefined }
}

/** Cut where it is long, and never in the middle of a word, which may be a secret. */
export function boundedLine(line: string): string {
  // A pattern should not run over megabytes of a progress bar, and half a word may be half a secret.
  const end = line.slice(-2 * MOST_LINE)
  const text = end.length < line.length ? end.replace(/^\S*\s?/, '…') : end
  return cutAtSpace(plainLine(text), MOST_LINE)
}

/** By hand: the time of a pattern such as /\n+$/ grows with the square of the empty lines. */
export function withoutEmptyEnd(text: string): string {
  let end = text.length
  while (text[end - 1] === '\n') end -= 1
  return text.slice(0, end)
}
