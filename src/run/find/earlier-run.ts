import type { ZenmlClient } from '../../zenml/client.ts'
import type { Definition, Run } from '../../zenml/model.ts'
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
  const are = await Promise.all(left.map(async ({ run }) => isStillEnding(run, deps, limit)))
  return left.filter((_, index) => are[index]).map(({ name }) => name)
}

/** In some modes ZenML says of a failed run that it is not in progress, whatever runs of it; before 0.85 it says nothing. */
async function isStillEnding(run: Run, deps: ReadingDependencies, limit: AbortSignal): Promise<boolean> {
  if (!hasFailedOrStopped(run.status)) return isBeingStopped(run.status)
  if (run.inProgress === true && runPhase(run.status) === 'failed') return true
  const read = await readBestEffort(async (client) => hasPartsGoingOn(run, client), deps, limit)
  return 'missing' in read || read.value
}

/**
 * Whether steps or child runs of a run still run, also those of a child run that failed or was stopped.
 *
 * @throws ZenmlError where that cannot be read
 */
export async function hasPartsGoingOn(run: Run, client: ZenmlClient): Promise<boolean> {
  const { steps, childRuns } = await readParts(client, run)
  let doStepsRun = unfinishedSteps(steps).length > 0
  const going = await goingChildRuns(childRuns, async ({ id }) => {
    const ended = await client.dag(id)
    doStepsRun ||= unfinishedSteps(ended.steps).length > 0
    return ended.childRuns
  })
  return doStepsRun || going.length > 0
}

function isWorthTaking({ status }: Run): boolean {
  const phase = runPhase(status)
  return phase === 'succeeded' || (phase === 'going-on' && !isBeingStopped(status))
}
