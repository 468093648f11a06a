import type { Run, RunParts, RunReference, StepState } from '../../zenml/model.ts'
import { hasFailedOrStopped, runPhase } from '../../zenml/status.ts'
import { readBestEffort } from '../best-effort-read.ts'
import { goingChildRuns } from '../watch/going-child-runs.ts'
import { isBetweenSteps, startableSteps, unfinishedSteps } from '../watch/is-over.ts'
import { readParts } from '../watch/read-steps.ts'
import type { CollectDependencies, Collected } from './collect.ts'
import type { Cause } from './conclude.ts'
import { explainRun, notedFault, type ExplainDependencies, type FailureExplainer } from './explain-failure.ts'
import { collectWithLate } from './late-values.ts'
import { preemptedSteps } from './preempted-steps.ts'

/** What is known of a run that has ended. */
export interface EndedRun extends Pick<Collected, 'details' | 'unread'> {
  readonly cause: Cause
  /** Steps that somebody or something ended: ZenML calls a run without a failed or stopped one completed. */
  readonly preempted: readonly string[]
}

export interface ReadEndedRunOptions {
  /** Whether a verdict depends on what is read, should the run have completed. */
  readonly isJudged: boolean
  /** Of the values that the verdict needs, as in a condition. */
  readonly names: readonly string[]
}

/**
 * Reads and tells at a run's end what there is to know of it: why steps failed, why it failed before any, and all
 * details. Nothing of it can fail.
 *
 * @param run as it was last seen; undefined if it was ended from here, so that nobody needs to ask why
 * @throws the signal's reason if it was aborted
 */
export async function readEndedRun(
  reference: RunReference,
  run: Run | undefined,
  options: ReadEndedRunOptions,
  explainer: FailureExplainer,
  deps: ReadEndedRunDependencies,
): Promise<EndedRun> {
  try {
    return await readAndTell(reference, run, options, explainer, deps)
  } catch (error) {
    if (run !== undefined && deps.signal?.aborted === true) await tellInHurry(reference, run, deps)
    throw error
  }
}

type ReadEndedRunDependencies = ExplainDependencies & CollectDependencies

async function readAndTell(
  reference: RunReference,
  run: Run | undefined,
  { isJudged, names }: ReadEndedRunOptions,
  explainer: FailureExplainer,
  deps: ReadEndedRunDependencies,
): Promise<EndedRun> {
  const thoroughly = isJudged && run !== undefined && runPhase(run.status) === 'succeeded'
  const needed = thoroughly ? names : []
  const collected = await collectWithLate(reference, { thoroughly, ended: run }, needed, deps)
  const { details, unread } = collected
  await explainer.explain(details.steps.filter(isFailed))
  const cause = await findCause(run, collected, explainer, deps)
  deps.reporter.tell({ kind: 'details', details, unread })
  if (run !== undefined)
    await tellGoingOn(run, { steps: details.steps, childRuns: collected.childRuns }, deps)
  return { details, unread, cause, preempted: preemptedSteps(run, details.steps) }
}

/**
 * A failed branch ends no other one, and whoever answers a question with abort, or ends a run whose machine is gone, ends
 * neither the steps beside it nor what it has called.
 */
async function tellGoingOn(
  run: Run,
  { steps, childRuns }: Pick<RunParts, 'steps' | 'childRuns'>,
  { reporter, ...deps }: Pick<ReadEndedRunDependencies, 'reporter' | 'client' | 'timeLimit' | 'signal'>,
  given?: AbortSignal,
): Promise<void> {
  const { status } = run
  if (!hasFailedOrStopped(status)) return
  const limit = given ?? deps.timeLimit(TIME_LIMIT_MS)
  let left = MOST_GRAPHS
  const below: string[] = []
  const children = await goingChildRuns(childRuns, async ({ id, name, status: ofChild }) => {
    if (left-- <= 0) return []
    const read = await readBestEffort((client) => client.dag(id), deps, limit)
    if ('missing' in read) return []
    // They may have died with the process that would have said so.
    const doubt = runPhase(ofChild) === 'failed' ? ', when ZenML last heard of it' : ''
    below.push(...unfinishedSteps(read.value.steps).map((step) => `${step} of the child run ${name}${doubt}`))
    return read.value.childRuns
  })
  const named = children.map(({ name }) => `the child run ${name}`)
  const goingOn = [...unfinishedSteps(steps), ...named, ...below]
  if (goingOn.length > 0) reporter.tell({ kind: 'left-going-on', status, steps: goingOn })
  else if (isBetweenSteps(run, steps, deps.client.serverNow, steps.length + childRuns.length > 0))
    reporter.tell({ kind: 'left-startable', status, steps: startableSteps(steps) })
}

/** What goes on is good to know, but the outcome does not wait for it. */
const TIME_LIMIT_MS = 10_000
/** Of child runs that failed or were stopped; Node takes more requests that listen to one signal for a leak, and says so. */
const MOST_GRAPHS = 10

/** Of the seconds that a cancelled workflow leaves. */
const IN_HURRY_MS = 2_500

/** The workflow is cancelled before all was read, and nothing else says that steps go on. */
async function tellInHurry(
  reference: RunReference,
  run: Run,
  { client, timeLimit, reporter }: ReadEndedRunDependencies,
): Promise<void> {
  if (runPhase(run.status) === 'succeeded') return
  const limit = timeLimit(IN_HURRY_MS)
  const read = await readBestEffort((each) => readParts(each, reference), { client, timeLimit }, limit)
  if ('value' in read) await tellGoingOn(run, read.value, { reporter, client, timeLimit }, limit)
}

async function findCause(
  run: Run | undefined,
  collected: Collected,
  explainer: FailureExplainer,
  deps: ExplainDependencies,
): Promise<Cause> {
  const ofSteps = causeOf(collected.details.steps, explainer)
  const failedByItself = run !== undefined && ['failed', 'unknown'].includes(runPhase(run.status))
  if (ofSteps.kind !== 'unknown' || !failedByItself) return ofSteps
  const { run: detail, startedNone: beforeSteps } = collected
  if (beforeSteps) {
    const failure = await explainRun(detail ?? run, deps)
    deps.reporter.tell({ kind: 'run-failed', failure })
    return { kind: 'run', fault: failure.fault, reason: failure.reason, beforeSteps }
  }
  // The code of a dynamic pipeline can fail between its steps.
  const fault = notedFault(detail?.exception)
  return fault === undefined ? ofSteps : { kind: 'run', fault, reason: run.statusReason, beforeSteps }
}

function isFailed({ status }: StepState): boolean {
  return status === 'failed'
}

/** A step that failed and succeeded when it was tried again is no cause, where the steps could be read once more. */
export function causeOf(steps: readonly StepState[], { failures }: FailureExplainer): Cause {
  const failed = new Set(steps.filter(isFailed).map(({ name }) => name))
  const told = failures.map(({ step }) => step)
  // What failed in a child run made the run fail, though it is in none of its steps.
  const inChildRuns = failures.filter(({ isInChildRun }) => isInChildRun).map(({ step }) => step)
  const names = steps.length === 0 ? new Set(told) : new Set([...failed, ...inChildRuns])
  const step = told.find((name) => names.has(name)) ?? [...names][0]
  if (step === undefined) return { kind: 'unknown' }
  const fault = failures.findLast((failure) => failure.step === step)?.fault
  return { kind: 'step', step, fault, others: names.size - 1 }
}
