import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import type { Deadline } from '../zenml/deadline.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { isPassing, retryAfterOf } from '../zenml/retry.ts'
import { endRun, type Ended, type EndMode } from './end-run.ts'
import type { PlannedRun, StartedRun } from './journal.ts'
import { isOwnRun } from './own-run.ts'

export interface CleanUpRequest {
  /** Undefined if this step started nothing itself, but took up a run. */
  readonly planned: PlannedRun | undefined
  /** Undefined if the answer to the trigger was never seen. */
  readonly started: StartedRun | undefined
  readonly mode: EndMode
  readonly reason: string
  /** A request that was sent may still start a run until then. */
  readonly lookUpUntil: Deadline
  /** After it nothing more is asked. */
  readonly deadline: Deadline
}

export interface CleanUpDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
}

const LOOK_UP_PAUSE_MS = 500
const LONGEST_LOOK_UP_PAUSE_MS = 5_000

/**
 * Ends the run of a step that could not end it in order: by its id, or, where only the sending is known, by its
 * name. It never starts anything.
 */
export async function cleanUp(request: CleanUpRequest, deps: CleanUpDependencies): Promise<Ended> {
  const { planned, started, mode, reason, deadline } = request
  if (started !== undefined) return endRun({ run: started, mode, reason, deadline }, deps)
  if (planned === undefined) return { settled: true, status: '', sentence: 'No run was started' }
  const found = await lookUp(planned, request, deps)
  if (found === undefined) {
    return {
      settled: false,
      status: '',
      sentence: `No run named "${planned.name}" is on the server. The request to start it was sent, so look once more later if in doubt`,
    }
  }
  if (found === 'unknown') {
    return {
      settled: false,
      status: '',
      sentence: `Whether the run "${planned.name}" was started is not known, because the server could not be asked. If it was, it goes on under this name`,
    }
  }
  return endRun({ run: found, mode, reason, deadline }, deps)
}

async function lookUp(
  planned: PlannedRun,
  { lookUpUntil, deadline }: CleanUpRequest,
  { client, clock, signal }: CleanUpDependencies,
): Promise<StartedRun | 'unknown' | undefined> {
  const once = client.with({ retries: false, signal })
  let answered = false
  try {
    for (let pauseMs = LOOK_UP_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_LOOK_UP_PAUSE_MS)) {
      try {
        const runs = await once.runsByName(planned.name, planned.projectId)
        const own = runs.find((run) => isOwnRun(run, planned))
        if (own !== undefined) {
          const { id, projectId, status } = own
          return { id, projectId, name: planned.name, url: undefined, status }
        }
        answered = true
      } catch (error) {
        if (!isZenmlError(error)) throw error
        if (!isPassing(error)) return 'unknown'
        pauseMs = Math.max(pauseMs, retryAfterOf(error))
      }
      const leftMs = answered ? Math.min(lookUpUntil.leftMs, deadline.leftMs) : deadline.leftMs
      if (pauseMs > leftMs) break
      await clock.sleep(pauseMs, signal)
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
  return answered ? undefined : 'unknown'
}
