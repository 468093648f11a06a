import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { Deadline } from '../../base/deadline.ts'
import { isDeeperThan, sortedByKey, type JsonObject, type JsonValue } from '../../base/json.ts'
import { isMissingRoute } from '../../zenml/errors.ts'
import type { ChildRun, Run, RunParts, RunReference, StepMetadata, StepState } from '../../zenml/model.ts'
import {
  hasFailedOrStopped,
  isPreempted,
  isStepFinished,
  isStepReused,
  runPhase,
} from '../../zenml/status.ts'
import type { RunDetail, StepDetail } from '../../zenml/step-detail.ts'
import { withoutOrigin } from '../origin.ts'
import { durationOf } from '../run-duration.ts'
import type { Retries } from '../../zenml/retry.ts'
import { readBestEffort, type Reading, type ReadingDependencies } from '../best-effort-read.ts'
import { insisting } from '../failure-tolerance.ts'
import { lastAttempts } from './step-attempts.ts'
import { readParts } from '../watch/read-steps.ts'
import type { ArtifactInfo, RunDetails } from '../facts.ts'

export interface Collected {
  readonly details: RunDetails
  /** Hydrated; undefined if it could not be read as it ended. */
  readonly run: RunDetail | undefined
  /** Why the metadata is not complete; undefined if it is. */
  readonly unread: string | undefined
  /** Whether it is certain that no step has started. */
  readonly startedNone: boolean
  /** As far as they could be read. */
  readonly childRuns: readonly ChildRun[]
}

export interface CollectDependencies extends ReadingDependencies {
  readonly clock: Pick<Clock, 'sleep' | 'elapsed'>
  /** How long the server may be away while something is read that a verdict depends on; three minutes at least. */
  readonly lostAfterMs?: number | undefined
}

export interface CollectOptions {
  /** The run as it was seen to have ended; undefined if nobody saw that. */
  readonly ended: Run | undefined
  /** Whether something depends on the metadata: all of it is then read, with more patience and with retries. */
  readonly thoroughly: boolean
}

/** How many steps' metadata and outputs are read if nothing depends on them. */
const MOST_STEPS = 1_000
/** What the client reads at most. */
const MOST_STEPS_THOROUGHLY = 20_000
/** How much of them is kept: about 3 KB for each of 20,000 steps. The page that goes beyond it may have 32 MB more. */
const MOST_MEGABYTES = 64

/** A copy of the database that answers some of the requests is mostly not further behind. */
const CATCH_UP_MS = 3_000

/** What a server leaves out of what an account may not see. */
const HIDDEN = "the account may not read it, or the server's answer was not usable"

const LEFT_OUT = 'the server left them out'

const OUTDATED = 'the server gave it as it was before the run ended'

const TIME_LIMIT_MS = 20_000
const TIME_LIMIT_THOROUGHLY_MS = 180_000

/**
 * Reads what there is to know of a run at its end. What cannot be read is named in `missing`.
 *
 * @throws the signal's reason if it was aborted
 */
export async function collectDetails(
  reference: RunReference,
  options: CollectOptions,
  deps: CollectDependencies,
): Promise<Collected> {
  const { run, parts, hydrated: own, behind } = await readAll(reference, options, deps)
  const { steps: states, childRuns = [] } = valueOf(parts) ?? {}
  const hydrated = await completed(own, reference, options, deps)
  const missing = hydrated.missing === undefined ? [] : [hydrated.missing]
  if (behind.steps > 0) {
    const all = Math.max(states?.length ?? 0, hydrated.steps.length)
    missing.push(`metadata and artifacts of ${behind.steps} of ${all} steps: ${LEFT_OUT}`)
  }
  const detail = behind.run ? undefined : valueOf(run)
  if (detail?.metadata === undefined) {
    const why = 'missing' in run ? run.missing : behind.run ? OUTDATED : HIDDEN
    missing.unshift(`the run's own metadata: ${why}`)
  }
  const counted = lastAttempts(hydrated.steps)
  const hidden = counted.filter(({ metadata }) => metadata === undefined).length
  if (hidden > 0) missing.push(`metadata of ${hidden} of ${counted.length} steps: ${HIDDEN}`)
  const steps = states ?? hydrated.steps.map(({ state }) => state)
  const unread = missing.length === 0 ? undefined : missing.join('; ')
  if ('missing' in parts) missing.push(`the steps that did not start: ${parts.missing}`)
  missing.push(...hiddenArtifacts(counted))
  const startedNone = !behind.run && hasStartedNone(states, hydrated)
  return {
    run: detail,
    details: {
      durationMs: durationOf(startedNone ? withAnEnd(detail) : detail, steps),
      steps,
      metadata: withoutRepeats(withoutOrigin(detail?.metadata ?? {}), hydrated.steps),
      stepMetadata: stepMetadataOf(counted.filter(isResultOf(detail))),
      artifacts: counted.flatMap(artifactsOf),
      curated: curatedOf(detail),
      reused: reusedOf(detail, counted),
      missing,
    },
    unread,
    startedNone,
    childRuns,
  }
}

/** The server gives a run no end that failed before any step; its last change is that it failed. */
function withAnEnd(run: RunDetail | undefined): RunDetail | undefined {
  return run && { ...run, endTime: run.endTime ?? run.updated }
}

interface ReadDetails {
  readonly steps: readonly StepDetail[]
  readonly missing: string | undefined
}

function hasStartedNone(states: readonly StepState[] | undefined, hydrated: ReadDetails): boolean {
  if (states !== undefined) return states.every(({ status }) => status === undefined)
  return hydrated.missing === undefined && hydrated.steps.length === 0
}

/** Of a replay with what the steps logged that it took over. */
async function completed(
  read: ReadDetails,
  reference: RunReference,
  options: CollectOptions,
  deps: CollectDependencies,
): Promise<ReadDetails> {
  if (!read.steps.some(isReused)) return read
  const { withOriginals } = await import('./reused-steps.ts')
  const { retries, limit } = patience(options, deps)
  const { steps, missing } = await withOriginals(read.steps, reference, { retries, limit }, deps)
  const clauses = [read.missing, missing].filter((clause) => clause !== undefined)
  return { steps, missing: clauses.length === 0 ? undefined : clauses.join('; ') }
}

function isReused({ state }: StepDetail): boolean {
  return isStepReused(state.status)
}

function reusedOf(run: RunDetail | undefined, steps: readonly StepDetail[]): RunDetails['reused'] {
  const names = steps.filter(isReused).map(({ state }) => state.name)
  return names.length === 0 ? undefined : { from: run?.originalRun, steps: names }
}

interface ReadAll {
  readonly run: Reading<RunDetail>
  readonly parts: Reading<Pick<RunParts, 'steps' | 'childRuns'>>
  readonly hydrated: ReadDetails
  /** What of it is as it was before the run ended: the run, and so many steps. */
  readonly behind: { readonly run: boolean; readonly steps: number }
}

function valueOf<Value>(reading: Reading<Value>): Value | undefined {
  return 'value' in reading ? reading.value : undefined
}

/** How often, and for how long at most, something is asked for. */
interface Patience {
  readonly retries: Retries
  /** The same for the graph, which an older server says at once that it does not have. */
  readonly graphRetries: Retries
  readonly limit: AbortSignal
}

function patience(
  { thoroughly, ended }: CollectOptions,
  { clock, timeLimit, lostAfterMs = 0 }: CollectDependencies,
): Patience {
  if (!thoroughly) {
    // That a step was cancelled makes a run red that ZenML calls completed.
    const isJudgedBySteps = ended?.isDynamic === false && runPhase(ended.status) === 'succeeded'
    const graphRetries = isJudgedBySteps ? 'few' : 'none'
    return { retries: 'none', graphRetries, limit: timeLimit(TIME_LIMIT_MS) }
  }
  const mostMs = Math.max(TIME_LIMIT_THOROUGHLY_MS, lostAfterMs)
  const deadline = new Deadline(clock, mostMs)
  return {
    retries: insisting(clock, deadline),
    graphRetries: insisting(clock, deadline, isMissingRoute),
    limit: timeLimit(mostMs),
  }
}

/** Once more where something of it is behind. */
async function readAll(
  reference: RunReference,
  options: CollectOptions,
  deps: CollectDependencies,
): Promise<ReadAll> {
  const { thoroughly, ended } = options
  const { retries, graphRetries, limit } = patience(options, deps)
  const read = async (mayGoOn: boolean): Promise<ReadAll> => {
    const [run, parts, hydrated] = await Promise.all([
      readBestEffort((client) => client.runDetail(reference.id), deps, limit, { retries }),
      readBestEffort((client) => readParts(client, reference), deps, limit, { retries: graphRetries }),
      readStepDetails(reference, thoroughly, deps, { limit, retries }),
    ])
    const isOutdated = ended !== undefined && 'value' in run && run.value.status !== ended.status
    const steps = countLacked(valueOf(parts)?.steps ?? [], hydrated, ended, mayGoOn)
    const behind = { run: isOutdated, steps }
    return { run, parts, hydrated, behind }
  }
  const first = await read(false)
  const isBehind = first.behind.run || first.behind.steps > 0
  if (!isBehind && !mayBeginLate(ended, first)) return first
  await deps.clock.sleep(CATCH_UP_MS, deps.signal)
  const again = await read(true)
  // What is complete is not given up for a reading that failed.
  return isBehind || isComplete(again) ? again : first
}

function isComplete({ run, parts, hydrated }: ReadAll): boolean {
  return 'value' in run && 'value' in parts && hydrated.missing === undefined
}

/** Up to 0.93, what the code of a dynamic pipeline submitted before it failed starts a moment later (seen on 0.92.0). */
function mayBeginLate(ended: Run | undefined, { parts }: ReadAll): boolean {
  const hasFailed = ended?.isDynamic === true && runPhase(ended.status) === 'failed'
  return hasFailed && valueOf(parts)?.steps.length === 0
}

/**
 * How many of the started steps a list lacks that says that it has them all, or are there only as they were before
 * they ended.
 *
 * @param known those of the graph
 * @param mayGoOn whether steps that run are believed to, where the run did not complete: unless its mode is
 *   continue_on_failure, and of a dynamic one, ZenML says that nothing of it does (`_check_if_run_in_progress`, from 0.85 on)
 */
function countLacked(
  known: readonly StepState[],
  { steps, missing }: ReadDetails,
  ended: Run | undefined,
  mayGoOn: boolean,
): number {
  const listed = new Map(steps.map(({ state }) => [state.id, state]))
  const lacked = known.filter(({ id, status }) => {
    if (missing !== undefined || id === undefined || status === undefined) return false
    return isStepFinished(status) ? !isStepFinished(listed.get(id)?.status ?? 'unknown') : !listed.has(id)
  })
  // Steps may go on where a run failed or was stopped, unless the server says that nothing of it does.
  const phase = ended === undefined ? 'going-on' : runPhase(ended.status)
  const allEnded = phase === 'succeeded' || (ended?.inProgress === false && !mayGoOn)
  const goingOn = [...known, ...listed.values()].filter(
    ({ status }) =>
      allEnded &&
      status !== undefined &&
      runPhase(status) === 'going-on' &&
      // A preempted step may stay so for good.
      !(mayGoOn && status === 'cancelling'),
  )
  return new Set([...lacked, ...goingOn].map(({ id }) => id)).size
}

async function readStepDetails(
  run: RunReference,
  thoroughly: boolean,
  deps: ReadingDependencies,
  { limit, retries }: Pick<Patience, 'limit' | 'retries'>,
): Promise<ReadDetails> {
  const most = thoroughly ? MOST_STEPS_THOROUGHLY : MOST_STEPS
  const steps: StepDetail[] = []
  let [received, total, kept] = [0, 0, 0]
  const whyStopped = (): string | undefined => {
    if (received >= most) return 'too many to be read'
    if (kept < MOST_MEGABYTES * 1024 * 1024) return undefined
    return `too large; at most ${MOST_MEGABYTES} MB are read`
  }
  const read = await readBestEffort(
    async (client) => {
      for await (const page of client.stepDetails(run)) {
        for (const step of page.steps) {
          steps.push(step)
          kept += sizeOf(step)
        }
        received = page.received
        total = page.total
        if (whyStopped() !== undefined) return
      }
    },
    deps,
    limit,
    { retries },
  )
  const left = total - received
  const which = received === 0 ? 'the steps' : `${left} of ${total} steps`
  if ('missing' in read) return { steps, missing: `metadata and artifacts of ${which}: ${read.missing}` }
  if (left <= 0) return { steps, missing: undefined }
  return {
    steps,
    missing: `metadata and artifacts of ${which}: ${whyStopped() ?? LEFT_OUT}`,
  }
}

/** About how many bytes something takes. Without recursion: a server may nest its values as deeply as it likes. */
function sizeOf(whole: object): number {
  let size = 0
  const left: unknown[] = [whole]
  while (left.length > 0) {
    const value = left.pop()
    size += typeof value === 'string' ? value.length : 16
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value)) for (const key of Object.keys(value)) size += key.length
    for (const inner of Array.isArray(value) ? value : Object.values(value)) left.push(inner)
  }
  return size
}

/** What is nested more deeply is not compared: that would end in an overflow of the stack. */
const MAX_DEPTH = 200

/**
 * The run's own metadata: 0.74 repeats that of its steps beside it, of all attempts, as `step::key`. Only a value that a
 * step has as well is such a repeat: anybody may log a name with `::` in it for the run itself.
 */
function withoutRepeats(ofRun: JsonObject, steps: readonly StepDetail[]): JsonObject {
  const ofSteps = new Map<string, JsonValue[]>()
  for (const { state, metadata = {} } of steps) {
    for (const [key, value] of Object.entries(metadata)) {
      const name = `${state.name}::${key}`
      const values = ofSteps.get(name) ?? []
      values.push(value)
      ofSteps.set(name, values)
    }
  }
  const own = Object.entries(ofRun).filter(
    ([name, value]) =>
      isDeeperThan(MAX_DEPTH, value) ||
      ofSteps.get(name)?.some((each) => isDeepStrictEqual(each, value)) !== true,
  )
  return sortedByKey(Object.fromEntries(own))
}

/** A run of a dynamic pipeline may complete although a step failed, and what that logged before is no result of the run. */
function isResultOf(run: RunDetail | undefined): (step: StepDetail) => boolean {
  const hasCompleted = run !== undefined && runPhase(run.status) === 'succeeded'
  return ({ state: { status = '' } }) => !hasCompleted || !(hasFailedOrStopped(status) || isPreempted(status))
}

/** @param steps one attempt of each */
function stepMetadataOf(steps: readonly StepDetail[]): StepMetadata[] {
  return steps.flatMap(({ state, metadata = {} }) =>
    Object.keys(metadata).length === 0 ? [] : [{ step: state.name, metadata: sortedByKey(metadata) }],
  )
}

function artifactsOf({ state, outputs }: StepDetail): ArtifactInfo[] {
  return outputs.map(({ permissionDenied: _, ...output }) => ({ step: state.name, ...output }))
}

function curatedOf(run: RunDetail | undefined): RunDetail['curated'] {
  return run?.curated ?? []
}

/** Of how many artifacts there is only the id, as one clause; none where all can be seen. */
function hiddenArtifacts(steps: readonly StepDetail[]): string[] {
  const hidden = steps.flatMap(({ outputs }) => outputs).filter(({ permissionDenied }) => permissionDenied)
  if (hidden.length === 0) return []
  const which = hidden.length === 1 ? '1 artifact' : `${hidden.length} artifacts`
  return [`names, versions and addresses of ${which}: the account needs permission to read artifacts`]
}
