import type { Conclusion } from '../../run/conclusion.ts'
import { code, escapeMarkdown, grouped, link } from './markdown.ts'
import type { Requested, RunRecord } from '../run-record.ts'
import { shownDuration } from '../../base/duration-text.ts'

const SYMBOLS: Readonly<Record<Conclusion, string>> = {
  completed: '✅',
  started: '🚀',
  running: '⏳',
  failed: '❌',
  stopped: '🛑',
  'timed-out': '⏰',
  cancelled: '🚫',
  lost: '❓',
  'expectation-missed': '📉',
  'dry-run': '🧪',
  resolved: '✅',
}

/** How each of them reads; a conclusion that is missing here is a word of its own. */
const WORDS: Partial<Readonly<Record<Conclusion, string>>> = {
  'timed-out': 'timed out',
  lost: 'outcome unknown',
  running: 'still running',
  'expectation-missed': 'completed, but not as expected',
  'dry-run': 'dry run, nothing was started',
  resolved: 'its question was answered',
}

const MAX_NAME_LENGTH = 300

/** Such as `### ✅ ZenML run of training: completed`; while the step goes on, with the run's own state. */
export function heading(record: RunRecord): string {
  const { conclusion, notDone, status, pipeline, cells } = record
  const noun = cells === undefined ? 'ZenML run' : 'ZenML sweep'
  const subject = pipeline === undefined ? noun : `${noun} of ${escapeMarkdown(pipeline, MAX_NAME_LENGTH)}`
  if (conclusion !== undefined && notDone !== undefined) return `### ${SYMBOLS[conclusion]} ${notDone}`
  if (conclusion !== undefined) {
    return `### ${symbolOf(record, conclusion)} ${subject}: ${wordOf(record, conclusion)}`
  }
  return `### ⏳ ${subject}: ${status === '' ? 'starting' : escapeMarkdown(status, MAX_NAME_LENGTH)}`
}

/** Of a run that had ended before it was left to itself, it is that which counts. */
function symbolOf({ overBefore }: RunRecord, conclusion: Conclusion): string {
  return SYMBOLS[overBefore === undefined ? conclusion : OVER_BEFORE[overBefore]]
}

const OVER_BEFORE = { succeeded: 'completed', failed: 'failed', stopped: 'stopped' } as const

function wordOf(record: RunRecord, conclusion: Conclusion): string {
  if (record.overBefore !== undefined) return `already ${OVER_BEFORE[record.overBefore]}`
  if (conclusion === 'running' && isUnseen(record)) return 'may still be running'
  const { sweep } = record
  const isCut = sweep !== undefined && sweep.completed < sweep.cells.length
  if (conclusion === 'expectation-missed' && isCut) return 'not as expected'
  return WORDS[conclusion] ?? conclusion
}

/** Link, duration and what is usual, in one line; of a run that was not started what it would have been of. */
export function headLine(record: RunRecord): string {
  const { runName, runId, runUrl, durationMs, usual, conclusion } = record
  const name = runName ?? runId
  if (name === undefined) return record.notDone === undefined ? '' : requestText(record)
  return [
    link(name, runUrl, MAX_NAME_LENGTH),
    ...(conclusion === 'started' || durationMs === undefined ? [] : [`**${shownDuration(durationMs)}**`]),
    ...(usual === undefined ? [] : [`usually ${shownDuration(usual.medianMs)}`]),
    ...stateText(record),
    ...cacheShare(record),
  ].join(' · ')
}

/** What the inputs name, where it was not found, as after a failed login; else its pipeline: the line below names it. */
function requestText({ definition, pipeline, requested }: RunRecord): string {
  if (definition !== undefined)
    return pipeline === undefined ? '' : `Pipeline ${code(pipeline, MAX_NAME_LENGTH)}`
  return requested === undefined ? '' : `Requested: ${namedText(requested)}`
}

const NOUNS = { snapshot: 'snapshot', template: 'run template', run: 'run' } as const

function namedText(requested: Requested): string {
  const { kind } = requested
  if (kind === 'pipeline') return `pipeline ${code(requested.pipeline, MAX_NAME_LENGTH)}`
  const pipeline = kind === 'run' ? undefined : requested.pipeline
  const of = pipeline === undefined ? '' : ` of the pipeline ${code(pipeline, MAX_NAME_LENGTH)}`
  return `${NOUNS[kind]} ${code(requested.reference, MAX_NAME_LENGTH)}${of}`
}

/** ZenML's state where it says something that the conclusion does not. */
export function stateText(record: RunRecord): string[] {
  const state = code(record.status, MAX_NAME_LENGTH)
  if (isUnseen(record)) return [`last seen ${state}`]
  return tellsMore(record) ? [`${state} in ZenML`] : []
}

/** Whether its state is one that may be over by now. */
function isUnseen({ conclusion, status, unseenMs }: RunRecord): boolean {
  return status !== '' && (conclusion === 'lost' || (conclusion === 'running' && unseenMs !== undefined))
}

function tellsMore({ conclusion, status }: RunRecord): boolean {
  if (status === '' || conclusion === undefined || conclusion === status) return false
  return !(conclusion === 'expectation-missed' && status === 'completed')
}

function cacheShare({ counts, conclusion }: RunRecord): string[] {
  if (counts === undefined || counts.cached === 0) return []
  if (counts.cached < counts.total)
    return [`${grouped(counts.cached)} of ${grouped(counts.total)} steps cached`]
  return conclusion === 'completed' ? ['every step was cached, so nothing was computed'] : []
}
