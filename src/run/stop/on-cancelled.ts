import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../base/deadline.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import type { Named, Run, ServerInfo } from '../../zenml/model.ts'
import { runUrl } from '../../zenml/run-link.ts'
import { ageOf } from '../run-duration.ts'
import type { Outcome } from '../conclusion.ts'
import type { Reporter } from '../events.ts'
import type { StopMode, RecoveryJournal, PlannedRun, StartedRun } from '../recovery-journal.ts'
import { stopModeOf, isInLastMinutes, type TimePolicy } from '../job-time-limit.ts'
import { findAndStop } from './find-and-stop.ts'
import { lateStartLeftMs } from './late-start.ts'
import { stopReason } from './stop-reason.ts'

/** What becomes of the run when the job is cancelled, or GitHub ends it for its time. */
export interface CancelPolicy extends TimePolicy {
  readonly onCancel: StopMode
  /** For so many milliseconds a run is watched that ends because the step is aborted; default: what the runner leaves. */
  readonly abortMs?: number | undefined
  /** Aborted when the job is cancelled meanwhile, so that no more is left than the runner leaves. */
  readonly hurry?: AbortSignal | undefined
  /** Page of the workflow run, or empty; ZenML shows it as the reason where a run has to be marked as failed. */
  readonly workflowRunUrl: string
}

interface CancelDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly journal: RecoveryJournal
  readonly timeLimit: (ms: number) => AbortSignal
  /** Undefined where nothing is known of it. */
  readonly place: Place | undefined
  /** Whether something was sent that need not have been refused. */
  readonly mayHaveStarted: boolean
}

/** Where a run is, for the address of its page. */
export interface Place {
  readonly server: ServerInfo
  readonly project: Named | undefined
}

/** What became of a run that was started, or found, and of the step. */
interface Cancelled {
  readonly run: StartedRun | undefined
  readonly outcome: Omit<Outcome, 'failedStep'>
}

/** The runner sends its second signal 7.5 s after the first, and kills soon after; all must be said before. */
const CANCEL_BUDGET_MS = 5_500

/** Of the budget of a job that is cancelled: for looking up a run whose answer is outstanding. The rest is for stopping it. */
const CANCEL_LOOK_UP_MS = 2_500

/** On top of the budget: a request that is under way when it is spent is cut off only then. */
const CANCEL_GRACE_MS = 700

/** Whether the cancellation is the end of the job's time, for which the run was to be handed over. */
export function isHandedOver(policy: CancelPolicy): boolean {
  return policy.onTimeout === 'hand-over' && isInLastMinutes(policy)
}

/** What ended a step that GitHub's limit for its job ended, as a sentence without its full stop. */
export function jobTimeIsUp({ onTimeout }: TimePolicy): string {
  return `The job's time is up: GitHub ends a job on a hosted runner after six hours (on-timeout: ${onTimeout})`
}

/**
 * Sees to the run of a job that is being cancelled: as `onCancel` says, or, in the last minutes of a job, as `onTimeout` says.
 * One that it has to find first is told of as if it had just been started, before it is ended.
 *
 * @param run what was started, or what was sent if the answer is outstanding
 */
export async function onCancelled(
  run: StartedRun | PlannedRun,
  policy: CancelPolicy,
  { client, clock, reporter, journal, timeLimit, place, mayHaveStarted }: CancelDependencies,
): Promise<Cancelled> {
  const { abortMs = CANCEL_BUDGET_MS, onCancel, onTimeout, workflowRunUrl } = policy
  const isJobEnd = isInLastMinutes(policy)
  const mode = isJobEnd ? stopModeOf(onTimeout) : onCancel
  if (mode !== 'keep-running') {
    const runId = 'id' in run ? run.id : undefined
    reporter.tell({ kind: 'stopping', timeoutMs: undefined, mode, runId, forMs: abortMs })
  }
  if (isJobEnd) journal.stopping(mode)
  const onFound = (seen: Run): string | undefined => {
    const url = place && runUrl(client.serverUrl, place.server, seen.id, place.project)
    const ageMs = ageOf(seen, client.serverNow)
    reporter.tell({ kind: 'started', run: seen, url, ageMs, adopted: true })
    return url
  }
  const isInHurry = policy.abortMs === undefined || !mayHaveStarted || 'id' in run
  const lookUpMs = isInHurry ? CANCEL_LOOK_UP_MS : lateStartLeftMs(run.sentAt, clock.now())
  const signal = limitOf(abortMs, policy, timeLimit)
  const cleanedUp = await findAndStop(
    {
      run,
      mode,
      reason: stopReason('The workflow step was cancelled', workflowRunUrl),
      lookUpUntil: new Deadline(clock, lookUpMs),
      deadline: new Deadline(clock, abortMs),
      onFound,
    },
    { client: client.with({ signal }), clock, timeLimit, signal, journal },
  )
  const { found, status, sentence, settled } = cleanedUp
  if (settled) journal.settled()
  // The server may be at work on it still, and show it later.
  const isInDoubt = found === 'none' ? mayHaveStarted : found !== 'ours'
  const remark = isInDoubt ? 'in-doubt' : undefined
  const outcome: Cancelled['outcome'] = isJobEnd
    ? { conclusion: 'timed-out', status, remark, error: `${jobTimeIsUp(policy)}. ${sentence}` }
    : { conclusion: 'cancelled', status, remark, error: `Cancelled. ${sentence}` }
  return { run: cleanedUp.run, outcome }
}

/** Aborted after so long, or sooner where the job is cancelled meanwhile. */
function limitOf(
  ms: number,
  { abortMs, hurry }: CancelPolicy,
  timeLimit: CancelDependencies['timeLimit'],
): AbortSignal {
  const limit = timeLimit(ms + CANCEL_GRACE_MS)
  if (abortMs === undefined || hurry === undefined) return limit
  const over = new AbortController()
  const begin = (): void => {
    timeLimit(CANCEL_BUDGET_MS + CANCEL_GRACE_MS).addEventListener('abort', () => over.abort())
  }
  hurry.addEventListener('abort', begin, { once: true, signal: limit })
  return AbortSignal.any([limit, over.signal])
}
