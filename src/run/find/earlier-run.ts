import type { ZenmlClient } from '../../zenml/client.ts'
import { isNotFound, isZenmlError, type ZenmlError } from '../../zenml/errors.ts'
import type { ChildRun, Definition, Run, RunParts } from '../../zenml/model.ts'
import { hasFailedOrStopped, isBeingStopped, runPhase } from '../../zenml/status.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'
import { pipelineOf, stepNamePrefix, type Requester } from '../start/run-name.ts'
import { isFrom } from '../start/own-run.ts'
import { goingChildRuns } from '../watch/going-child-runs.ts'
import { unfinishedSteps } from '../watch/is-over.ts'
import { readParts } from '../watch/read-steps.ts'

/** How many earlier attempts are looked through; one request each. */
const MOST_ATTEMPTS = 10

/** A run that an earlier attempt of a step left. */
export interface LeftRun {
  readonly run: Run
  readonly name: string
  readonly attempt: number
}

export type EarlierRun =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'one' } & LeftRun)
  | { readonly kind: 'several'; readonly names: readonly string[] }
  /** All there are were started from another template or snapshot. */
  | { readonly kind: 'foreign'; readonly names: readonly string[] }

/** What earlier attempts of the same step left that were given the same: the newest attempt's first. */
export async function findEarlierRuns(
  client: ZenmlClient,
  requester: Requester,
  definition: Definition,
): Promise<LeftRun[]> {
  const projectId = definition.project?.id
  const left: LeftRun[] = []
  const oldest = Math.max(1, requester.attempt - MOST_ATTEMPTS)
  for (let attempt = requester.attempt - 1; attempt >= oldest; attempt -= 1) {
    const prefix = stepNamePrefix({ ...requester, attempt }, pipelineOf(definition))
    const runs = await client.runsByPrefix(prefix, projectId)
    left.push(...runs.map((run) => ({ run, name: run.name ?? run.id, attempt })))
  }
  return left
}

/**
 * The one of them that is worth taking up: it goes on, or has completed. A failed or stopped one is what a re-run is for.
 * Where several match, guessing would be worse than a new run. A run that says that it was started from something else is
 * none of this step's.
 */
export function chooseEarlierRun(left: readonly LeftRun[], definition: Definition): EarlierRun {
  const origins = [definition.id, definition.sourceSnapshotId]
  const worth = left.filter(({ run }) => isWorthTaking(run))
  const matches = worth.filter(({ run }) => isFrom(run, origins) !== false)
  const [match, ...others] = matches
  if (match !== undefined) {
    return others.length === 0
      ? { kind: 'one', ...match }
      : { kind: 'several', names: matches.map(({ name }) => name) }
  }
  return worth.length === 0 ? { kind: 'none' } : { kind: 'foreign', names: worth.map(({ name }) => name) }
}

const TIME_LIMIT_MS = 10_000

/** Names of the runs that come to no good end, but whose steps or child runs may still run. */
export async function stillEnding(left: readonly LeftRun[], deps: ReadingDependencies): Promise<string[]> {
  const limit = deps.timeLimit(TIME_LIMIT_MS)
  const names: string[] = []
  // One after the other: each may have child runs, which are read side by side.
  for (const { run, name } of left) if (await isStillEnding(run, deps, limit)) names.push(name)
  return names
}

/** In some modes ZenML says of a failed run that it is not in progress, whatever runs of it; before 0.85 it says nothing. */
async function isStillEnding(run: Run, deps: ReadingDependencies, limit: AbortSignal): Promise<boolean> {
  if (!hasFailedOrStopped(run.status)) return isBeingStopped(run.status)
  if (run.inProgress === true && runPhase(run.status) === 'failed') return true
  const read = await readBestEffort((client) => mayHavePartsGoingOn(client, run), deps, limit)
  return 'missing' in read || read.value
}

/** Of child runs that failed or were stopped, for one run. */
const MOST_READ = 500

/**
 * Whether steps or child runs of a run still run, also those of a child run that failed or was stopped; or may, where there
 * are more of these than are read.
 *
 * @throws ZenmlError where nothing that was read goes on, and not everything could be read
 */
export async function mayHavePartsGoingOn(client: ZenmlClient, run: Run): Promise<boolean> {
  const seen = { goingOn: false, graphs: 0, failures: [] as ZenmlError[] }
  const note = ({ steps, childRuns }: Pick<RunParts, 'steps' | 'childRuns'>): readonly ChildRun[] => {
    seen.goingOn ||= unfinishedSteps(steps).length > 0 || childRuns.some(isUnfinished)
    return childRuns
  }
  await goingChildRuns(note(await readParts(client, run)), async ({ id }) => {
    seen.graphs += 1
    if (seen.goingOn || seen.failures.length > 0 || seen.graphs > MOST_READ) return []
    try {
      return note(await client.dag(id))
    } catch (error) {
      if (!isZenmlError(error)) throw error
      if (!isNotFound(error)) seen.failures.push(error)
      return []
    }
  })
  const [failure] = seen.failures
  if (!seen.goingOn && failure !== undefined) throw failure
  return seen.goingOn || seen.graphs > MOST_READ
}

/** Whoever would start the same again takes a state that nobody knows for one that goes on. */
function isUnfinished({ status }: ChildRun): boolean {
  return ['going-on', 'unknown'].includes(runPhase(status))
}

function isWorthTaking({ status }: Run): boolean {
  const phase = runPhase(status)
  return phase === 'succeeded' || (phase === 'going-on' && !isBeingStopped(status))
}
