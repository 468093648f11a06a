import type { ConnectionInputs } from '../../github/inputs/connection.ts'
import { readGithubToken, readSavedComment } from '../../github/comment/comment-state.ts'
import type { Environment } from '../../github/workflow/environment.ts'
import type { WorkflowLog } from '../../github/log/workflow-log.ts'
import { commentOfSaved } from '../../github/comment/comment.ts'
import { RunRecorder } from '../../github/run-recorder.ts'
import { isSummaryDue } from '../../github/post-step-quick-exit.ts'
import { isSummaryWritten, readStartedRun } from '../../github/post-step-state.ts'
import { addToSummary, writeSummary } from '../../github/page/summary.ts'
import type { RunRecord } from '../../github/run-record.ts'
import { systemClock } from '../../base/system-clock.ts'
import { surroundings } from '../audience.ts'

/** A comment is worth no more of the time that the runner gives a post step. */
const COMMENT_LIMIT_MS = 30_000

/** What became of the run of a step that ended early, as far as that is known. */
export interface EarlyEnd {
  readonly sentence: string
  /** ZenML's last known state; empty if there is none. */
  readonly status: string
  /** Where nothing was left to see to: a main that ended by itself has said as much. */
  readonly isSaid?: true
}

export const NOTHING_SENT: EarlyEnd = {
  sentence: 'The step ended early, before a run was started',
  status: '',
  isSaid: true,
}

/** Of a step that waits for a run that something else started. @param name what the inputs name it by */
export function notLookedUp(name: string): EarlyEnd {
  const sentence = `The step ended early, before the run "${name}" could be looked up. It was left as it is`
  return { sentence, status: '', isSaid: true }
}

/** Of a sweep of which no run is left to see to. */
export const NOTHING_LEFT: EarlyEnd = {
  sentence: 'The step ended early, before it could report on its runs',
  status: '',
  isSaid: true,
}

const UNKNOWN: EarlyEnd = { sentence: 'The step ended early, before it could report on its run', status: '' }

/** Whether main was to write a summary or a comment and did not get to it. */
export function isReportDue(env: Environment): boolean {
  return isSummaryDue(env) || readSavedComment(env)?.isWritten === false
}

/**
 * Brings the summary and the comment to the truth, whether main has written them or did not get to it: neither may say
 * for ever that the run goes on.
 *
 * @param ended undefined where main had left nothing to see to
 */
export async function reportEarlyEnd(
  ended: EarlyEnd | undefined,
  authorities: ConnectionInputs['authorities'],
  env: Environment,
  log: WorkflowLog,
): Promise<void> {
  const hasNews = ended !== undefined && ended.isSaid !== true
  if (isSummaryDue(env)) await summarize(ended ?? UNKNOWN, env, log)
  else if (isSummaryWritten(env) && hasNews) await addToSummary(ended.sentence, log)
  const saved = readSavedComment(env)
  if (saved === undefined) return
  // The table of a sweep is not kept, and says more than what is known here.
  if (saved.isWritten && (!hasNews || saved.action === 'sweep')) return
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  const news = newsOf(saved.record, ended)
  const comment = commentOfSaved(saved, news, {
    ...surroundings(authorities, env, log),
    token: readGithubToken(env, mask),
  })
  await comment.update(withEnd(saved.record, ended, news), AbortSignal.timeout(COMMENT_LIMIT_MS))
}

/** How a run ended that main had lost from sight. One that completed was not judged, so that stays unknown. */
const ENDS: ReadonlyMap<string, RunRecord['conclusion']> = new Map([
  ['stopped', 'stopped'],
  ['failed', 'failed'],
])

/** What main has not said already, of "it" in place of the run by its name. */
function newsOf({ error = '', runName = '' }: RunRecord, ended: EarlyEnd | undefined): string {
  const { sentence = '' } = ended ?? {}
  return error.includes(sentence.replace(`The run "${runName}" `, '')) ? '' : sentence
}

/** What main itself said comes first: it says why the step ended. */
function withEnd(record: RunRecord, ended: EarlyEnd | undefined, news: string): RunRecord {
  if (ended === undefined) return record
  const { status } = ended
  return {
    ...record,
    conclusion: record.conclusion === 'lost' ? (ENDS.get(status) ?? 'lost') : record.conclusion,
    // Empty where nobody knows it: what main saw last may be long over.
    status,
    error: [record.error, news].filter(Boolean).join('\n'),
  }
}

async function summarize({ sentence, status }: EarlyEnd, env: Environment, log: WorkflowLog): Promise<void> {
  const started = readStartedRun(env)
  const recorder = new RunRecorder(systemClock)
  recorder.end({ conclusion: 'cancelled', status, error: sentence, failedStep: undefined })
  const { id: runId, name: runName, url: runUrl } = started ?? {}
  await writeSummary({ ...recorder.record, runId, runName, runUrl, durationMs: undefined }, log)
}
