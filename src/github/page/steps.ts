import type { StepState } from '../../zenml/model.ts'
import type { RecordedStep, RunRecord } from '../run-record.ts'
import { isComputed, reusedText } from '../replay-text.ts'
import { amount, blocks, code, escapeMarkdown, fold, grouped, table } from './markdown.ts'
import { shownDuration } from '../../base/duration-text.ts'

const MOST_ROWS = 200

/** A longer table is folded, so that what comes below it is found on a phone. */
const MOST_OPEN_ROWS = 25

const MAX_NAME_LENGTH = 80
const BAR_LENGTH = 5

/** There are fewer in ZenML; a server may write anything. */
const MOST_STATES = 15

const SYMBOLS: ReadonlyMap<string, string> = new Map([
  ['completed', '✅'],
  ['cached', '♻️'],
  ['skipped', '⏭️'],
  ['failed', '❌'],
  ['stopped', '🛑'],
  ['cancelled', '🛑'],
  ['stopping', '🛑'],
  ['retried', '🔁'],
  ['retrying', '🔁'],
])

const NOT_STARTED = 'not started'

/** The steps of a run, those that a replay reused, and whether they are as they ended. */
export function stepsText(record: RunRecord): string {
  return blocks(tableText(record.steps), reusedLine(record), lastSeenText(record))
}

function reusedLine({ details }: RunRecord): string {
  if (details?.reused === undefined) return ''
  return `${reusedText(details.reused, (name) => code(name, MAX_NAME_LENGTH))}.`
}

/** In the order of their start; of a great many the failed ones and the first, and how many more. */
function tableText(steps: readonly RecordedStep[]): string {
  if (steps.length === 0) return ''
  const shown = chosen(steps)
  const totalMs = steps.reduce((sum, step) => sum + timeOf(step), 0)
  const rows = shown.map((step) => row(step, totalMs))
  const body = table(['Step', 'State', 'Share'], rows)
  const more = moreText(steps, new Set(shown))
  if (rows.length <= MOST_OPEN_ROWS) return blocks(body, more)
  const title =
    more === '' ? `The ${amount(rows.length, 'step')}` : `${rows.length} of ${amount(steps.length, 'step')}`
  return blocks(fold(title, body), more)
}

/** What was seen last is not how it ended. */
function lastSeenText({ conclusion, steps, details }: RunRecord): string {
  if (conclusion === undefined || details !== undefined || steps.length === 0) return ''
  return 'The steps are shown as they were last seen.'
}

/** The order of a table and a timeline: as they started; those that did not start come last. */
export function inOrderOfStart<T extends StepState>(steps: readonly T[]): T[] {
  const start = ({ startTime }: StepState): number => startTime ?? Number.MAX_VALUE
  return steps.toSorted((a, b) => start(a) - start(b))
}

function chosen(steps: readonly RecordedStep[]): RecordedStep[] {
  const ordered = inOrderOfStart(steps)
  const failed = ordered.filter(({ status }) => status === 'failed').slice(0, MOST_ROWS)
  const others = ordered.filter(({ status }) => status !== 'failed').slice(0, MOST_ROWS - failed.length)
  const kept = new Set([...failed, ...others])
  return ordered.filter((step) => kept.has(step))
}

function row(step: RecordedStep, totalMs: number): string[] {
  const { name, status = NOT_STARTED } = step
  const symbol = status === NOT_STARTED ? '⚪' : (SYMBOLS.get(status) ?? '⏳')
  return [
    `${symbol} ${escapeMarkdown(name, MAX_NAME_LENGTH)}`,
    stateOf(step),
    totalMs === 0 || timeOf(step) === 0 ? '' : share(timeOf(step) / totalMs),
  ]
}

/** Such as `completed in 42 s` or `failed after 2 min 5 s, attempt 2`. */
function stateOf({ status = NOT_STARTED, durationMs, attempt = 1 }: RecordedStep): string {
  const word = status === 'completed' ? 'in' : 'after'
  const took = durationMs === undefined || !isComputed(status) ? '' : ` ${word} ${shownDuration(durationMs)}`
  return `${escapeMarkdown(status, MAX_NAME_LENGTH)}${took}${attempt > 1 ? `, attempt ${attempt}` : ''}`
}

function timeOf({ durationMs, status = NOT_STARTED }: StepState): number {
  return isComputed(status) ? Math.max(0, durationMs ?? 0) : 0
}

function share(part: number): string {
  const percent = part < 0.01 ? '<1' : Math.round(part * 100).toString()
  const full = Math.round(part * BAR_LENGTH)
  return `${'▰'.repeat(full)}${'▱'.repeat(BAR_LENGTH - full)}\u00a0${escapeMarkdown(percent)}\u00a0%`
}

function moreText(steps: readonly StepState[], shown: ReadonlySet<StepState>): string {
  const left = steps.filter((step) => !shown.has(step))
  if (left.length === 0) return ''
  const states = new Map<string, number>()
  for (const { status = NOT_STARTED } of left) states.set(status, (states.get(status) ?? 0) + 1)
  const counted = [...states].toSorted(([, a], [, b]) => b - a)
  const named = counted.slice(0, MOST_STATES).map(([state, count]) => {
    return `${grouped(count)} ${escapeMarkdown(state, MAX_NAME_LENGTH)}`
  })
  const others = counted.slice(MOST_STATES).reduce((sum, [, count]) => sum + count, 0)
  const rest = others > 0 ? [`${grouped(others)} in other states`] : []
  const verb = left.length === 1 ? 'is' : 'are'
  return `${amount(left.length, 'more step')} ${verb} not shown: ${[...named, ...rest].join(', ')}.`
}
