import type { Deadline } from '../../base/deadline.ts'
import { isBeingStopped } from '../../zenml/status.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'
import type { RecoveryJournal, StartedRun } from '../recovery-journal.ts'

export interface SeenNowDependencies extends ReadingDependencies {
  /** Undefined in a post step, which has no other after it. */
  readonly journal?: Pick<RecoveryJournal, 'started'> | undefined
}

/** Of the time that is left, for a look that a slow server may not hold up. */
const SHARE = 5
const LOOK_MS = 10_000

/**
 * A run as a look just before its stop shows it. Whether it waits for a person must be known from before it is asked to
 * stop: then both are `stopping`, but no process is left that could end the one that had paused (seen on 0.98.0). Best
 * effort: the run as it was known, where the server does not answer at once.
 *
 * @throws the signal's reason if it was aborted
 */
export async function asSeenNow(
  run: StartedRun,
  deadline: Deadline,
  deps: SeenNowDependencies,
): Promise<StartedRun> {
  if (!run.isDynamic) return run
  const limit = deps.timeLimit(Math.min(deadline.leftMs / SHARE, LOOK_MS))
  const read = await readBestEffort((client) => client.run(run.id, { hydrate: false }), deps, limit)
  // Somebody has asked it to stop: what is known from before counts.
  if (!('value' in read) || isBeingStopped(read.value.status)) return run
  const seen = { ...run, status: read.value.status }
  if (isPaused(seen) === isPaused(run)) return seen
  try {
    deps.journal?.started(seen)
  } catch {
    // A state that cannot be saved is no reason not to stop the run.
  }
  return seen
}

function isPaused({ status }: StartedRun): boolean {
  return status === 'paused'
}
