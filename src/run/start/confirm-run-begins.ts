import type { ZenmlClient } from '../../zenml/client.ts'
import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../base/deadline.ts'
import type { TransportError } from '../../http/transport-error.ts'
import { AnswerError, isZenmlError } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import { isAtLeast } from '../../zenml/version.ts'
import { RunError } from '../errors.ts'
import { FailureTolerance } from '../failure-tolerance.ts'
import type { Reporter } from '../events.ts'
import { stopRun } from '../stop/stop-run.ts'

/** Why a run that is there may never begin. */
export interface Doubt {
  /** What the server said to the trigger, or why it said nothing. */
  readonly detail: string
  /** Whether the server most likely did not finish the request: a 5xx, or it was at work on it and gave no run. */
  readonly isServerError: boolean
  /** Whether ZenML refused the start: then a run that is not under way yet never will be. */
  readonly isRefusal?: boolean
}

export function doubtAfter(error: AnswerError | TransportError): Doubt {
  return { detail: error.message, isServerError: error instanceof AnswerError && error.status >= 500 }
}

export interface ConfirmationRequest {
  readonly run: Run
  readonly name: string
  readonly doubt: Doubt
  /** Whether a run shows that the server handed it to its executor (from ZenML 0.96 on). */
  readonly showsHandOver: boolean
  /** By then the run must have begun, or be seen to have been handed over. */
  readonly deadline: Deadline
  /** What ZenML shows as the reason where the run is ended. */
  readonly reason: string
}

export interface ConfirmationDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
}

/** What became of a run that was there although its trigger had failed. */
export type Confirmation =
  /** It begins, or has begun; or nothing speaks against it. */
  | { readonly kind: 'alive'; readonly run: Run }
  /** It was never handed over and is ended for good: another one may be started. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'gone' }

/** Between a run's creation and its hand-over lies at most a request to the control plane, which has a time limit. */
const HAND_OVER_MS = 180_000

/** Both times are taken one right after the other when the run is made; a hand-over takes a transaction at least. */
const MADE_WITHIN_MS = 2

const PAUSE_MS = 10_000

/** For ending it, once that is decided. */
const END_MS = 60_000

/**
 * Finds out whether a run begins whose trigger failed: a server makes the run before it has asked the control plane
 * and handed the run to its executor, and a failure in between leaves it `initializing` for ever. One that shows no
 * hand-over after three minutes is ended. Where a server does not show it, a slow build of an image looks the same:
 * then it is ended at the deadline.
 *
 * @throws RunError if it was ended because the time was over, or could not be ended
 * @throws ZenmlError if the server does not say
 * @throws the signal's reason if it was aborted
 */
export async function confirmRunBegins(
  request: ConfirmationRequest,
  deps: ConfirmationDependencies,
): Promise<Confirmation> {
  const { clock, reporter, signal } = deps
  const { deadline, name } = request
  const since = clock.elapsed()
  const tolerance = new FailureTolerance(clock)
  let { run } = request
  for (let looks = 1; ; looks += 1) {
    if (await isUnderWay(run, request, deps)) return { kind: 'alive', run }
    if (deadline.isOver) return endLate(run, request, deps)
    const isLate = clock.elapsed() - since >= HAND_OVER_MS
    if (isLate && shownHandOver(run, request) === 'missing') return end(run, request, deps)
    if (looks === 1) reporter.tell({ kind: 'dispatch-awaited', name, untilMs: deadline.leftMs })
    await clock.sleep(Math.min(PAUSE_MS, deadline.leftMs), signal)
    const newest = await look(run, tolerance, request, deps)
    if (newest === undefined) return { kind: 'gone' }
    run = newest
  }
}

/** Whether a run of a server of this version shows that it was handed over. */
export function showsHandOver(version: string): boolean {
  return /^\d/.test(version) && isAtLeast(version, 0, 96)
}

/** Whether a run has begun, or was handed over to be; or nothing speaks against it. */
export async function isUnderWay(
  run: Run,
  request: Pick<ConfirmationRequest, 'doubt' | 'showsHandOver'>,
  deps: ConfirmationDependencies,
): Promise<boolean> {
  if (hasBegun(run)) return true
  const handOver = shownHandOver(run, request)
  if (handOver !== 'unknown') return handOver === 'done'
  const { isServerError, isRefusal = false } = request.doubt
  return !(isServerError || isRefusal) || hasRunnerLog(run, deps)
}

function shownHandOver(
  run: Run,
  { showsHandOver }: Pick<ConfirmationRequest, 'showsHandOver'>,
): ReturnType<typeof handOverOf> {
  return showsHandOver ? handOverOf(run) : 'unknown'
}

function hasBegun({ status, statusReason }: Run): boolean {
  return status !== 'initializing' || statusReason !== undefined
}

/**
 * From 0.96 on the hand-over is the first change of a run after it was made (seen on 0.96.1 and 0.98.0; ZenML means to
 * set a reason as well, but does not store it). A database with times of whole seconds shows it only if the second
 * has changed.
 */
function handOverOf({ created, updated }: Run): 'done' | 'missing' | 'unknown' {
  if (created === undefined || updated === undefined) return 'unknown'
  if (updated - created > MADE_WITHIN_MS) return 'done'
  return created % 1_000 === 0 && updated % 1_000 === 0 ? 'unknown' : 'missing'
}

/** What starts the run has said something, so it was handed over. */
async function hasRunnerLog(run: Run, { client }: ConfirmationDependencies): Promise<boolean> {
  try {
    const { records } = await client.with({ retries: 'none' }).runnerLog(run.id)
    return records.some((record) => record.trim() !== '')
  } catch (error) {
    if (!isZenmlError(error)) throw error
    return false
  }
}

/** The run as it is now, or as it was where the server does not say it; undefined if there is none any more. */
async function look(
  run: Run,
  tolerance: FailureTolerance,
  { deadline }: ConfirmationRequest,
  { client }: ConfirmationDependencies,
): Promise<Run | undefined> {
  try {
    const newest = await client.with({ retries: 'none' }).run(run.id, { hydrate: false })
    tolerance.answered()
    return newest
  } catch (error) {
    if (!isZenmlError(error)) throw error
    if (tolerance.isGone(error)) return undefined
    if (tolerance.isFinal(error) || deadline.isOver) throw error
    return run
  }
}

async function endLate(
  run: Run,
  request: ConfirmationRequest,
  deps: ConfirmationDependencies,
): Promise<Confirmation> {
  const ended = await end(run, request, deps)
  if (ended.kind !== 'ended') return ended
  throw new RunError(
    `No run could be started within trigger-timeout. The server created the run "${request.name}" and then failed: ` +
      `${request.doubt.detail}. The run never began, so it was ended. Run the step again`,
    'timed-out',
  )
}

/** Ends it, and reads that it has ended by our hand and not by its own. */
async function end(
  run: Run,
  request: ConfirmationRequest,
  deps: ConfirmationDependencies,
): Promise<Confirmation> {
  const { client, clock, signal } = deps
  const { reason, name } = request
  const stopped = await stopRun(
    { runId: run.id, status: run.status, graceful: false, reason, deadline: new Deadline(clock, END_MS) },
    { client, clock, signal },
  )
  if (stopped.kind === 'gone') return { kind: 'gone' }
  const last = await client.run(run.id, { hydrate: false })
  const isOurs = last.status === 'failed' && (last.statusReason ?? reason) === reason
  if (stopped.kind === 'ended' && isOurs) return { kind: 'ended' }
  // It began, or ended by itself, at the last moment.
  if (hasBegun(last) && !isOurs) return { kind: 'alive', run: last }
  const why = 'why' in stopped ? stopped.why : `it was ${last.status} when last seen`
  throw new RunError(
    `The server created the run "${name}" and then failed (${request.doubt.detail}). It could not be ended: ${why}. ` +
      'Look at it before you start another',
    'lost',
  )
}
