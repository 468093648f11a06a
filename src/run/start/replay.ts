import type { ZenmlClient } from '../../zenml/client.ts'
import { runUrl } from '../../zenml/run-link.ts'
import type { Definition, Run } from '../../zenml/model.ts'
import { isZenmlError } from '../../zenml/errors.ts'
import { runPhase } from '../../zenml/status.ts'
import { isAtLeast } from '../../zenml/version.ts'
import type { Foreseen, ReplayPlan } from '../facts.ts'
import { chooseEarlierRun, findEarlierRuns, mayHavePartsGoingOn, type LeftRun } from '../find/earlier-run.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'
import type { FoundTarget } from '../find/target.ts'
import { isFrom } from './own-run.ts'
import type { Requester } from './run-name.ts'

/** What a re-run of the job would do, were it no dry run. */
export async function foreseeReplay(
  requester: Requester,
  target: FoundTarget,
  deps: ReadingDependencies,
): Promise<Foreseen> {
  const left = await findEarlierRuns(deps.client, requester, target.definition)
  const found = chooseEarlierRun(left, target.definition)
  switch (found.kind) {
    case 'one':
      return { kind: 'take-up', name: found.name, attempt: found.attempt, status: found.run.status }
    case 'several':
      return { kind: 'new', why: `Several runs of earlier attempts match (${found.names.join(', ')})` }
    case 'foreign': {
      const names = found.names.join(', ')
      return { kind: 'new', why: `Runs of earlier attempts (${names}) used another template or snapshot` }
    }
    case 'none':
      return planReplay(left, target, deps)
  }
}

/**
 * Which run a re-run of the job replays, where no run of an earlier attempt goes on or has completed: the only one of the
 * newest attempt that left any, if it failed. Its name says that it was given the same.
 *
 * @param left what earlier attempts left, the newest first
 */
export async function planReplay(
  left: readonly LeftRun[],
  { server, definition, project }: FoundTarget,
  deps: ReadingDependencies,
): Promise<ReplayPlan> {
  const { client } = deps
  const [newest] = left
  if (newest === undefined) return { kind: 'new', why: 'No earlier attempt has a run with the same inputs' }
  const { run, name, attempt } = newest
  const others = left.filter((each) => each.attempt === attempt && each !== newest)
  if (others.length > 0) {
    const names = [newest, ...others].map((each) => each.name).join(', ')
    return { kind: 'new', why: `Several runs of attempt ${attempt} have the same inputs (${names})` }
  }
  const what = `The run ${name} of attempt ${attempt}`
  if (runPhase(run.status) !== 'failed') {
    return { kind: 'new', why: `${what} is ${run.status}, and only a failed run is replayed` }
  }
  if (run.inProgress === true) return { kind: 'new', why: `${what} ${STILL_RUNNING}` }
  if (!isSurelyFrom(run, definition)) {
    return {
      kind: 'new',
      why: `${what} failed, but nothing shows that it used the same template or snapshot`,
    }
  }
  if (!canReplay(server.version)) {
    return {
      kind: 'new',
      why: `${what} failed, but resume: replay needs ZenML 0.95 or newer (this server: ${server.version})`,
    }
  }
  const obstacle = (await partsObstacle(run, deps)) ?? (await modelObstacle(run, client))
  if (obstacle !== undefined) return { kind: 'new', why: `${what} ${obstacle}` }
  return { kind: 'replay', id: run.id, name, attempt, url: runUrl(client.serverUrl, server, run.id, project) }
}

/** Longer than for a warning: where this is not known, every step runs again. */
const TIME_LIMIT_MS = 60_000

const STILL_RUNNING = 'failed, but some of its steps or child runs may still be running'

/** A run that failed is not said to be in progress by ZenML where its mode stops it at the first failure (0.85 and newer). */
async function partsObstacle(run: Run, deps: ReadingDependencies): Promise<string | undefined> {
  const limit = deps.timeLimit(TIME_LIMIT_MS)
  const ask = (client: ZenmlClient): Promise<boolean> => mayHavePartsGoingOn(client, run)
  const read = await readBestEffort(ask, deps, limit, { retries: 'few' })
  if ('value' in read) return read.value ? STILL_RUNNING : undefined
  return `failed, but whether its steps or child runs are still running is not known: ${read.missing}`
}

/**
 * ZenML gives a replay a model version of its own, without what the steps made that it skips (seen on 0.98.0): what would be
 * promoted then is empty.
 */
async function modelObstacle({ id, modelVersionId }: Run, client: ZenmlClient): Promise<string | undefined> {
  try {
    const hasOne = modelVersionId !== undefined || (await client.models.versionIdsOfRun(id)).length > 0
    return hasOne ? 'failed, but it has a model version, which a replay would not complete' : undefined
  } catch (error) {
    if (!isZenmlError(error)) throw error
    return `failed, but whether it has a model version is not known: ${error.message}`
  }
}

function canReplay(version: string): boolean {
  return /^\d/.test(version) && isAtLeast(version, 0, 95)
}

/** A replay of a template's run no longer names the template, only its snapshot (seen on 0.98.0). */
function isSurelyFrom(run: Run, { kind, id, sourceSnapshotId }: Definition): boolean {
  return isFrom(run, kind === 'template' ? [id, sourceSnapshotId] : [id]) === true
}
