import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../base/clock.ts'
import type { Deadline } from '../base/deadline.ts'
import { isZenmlError, type ZenmlError } from '../zenml/errors.ts'
import { backoffMs, isPassing, retryAfterOf } from '../zenml/retry.ts'
import type { Reporter } from './events.ts'

export interface AskDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks about runs until the server answers or the time is up: without an answer nothing may be sent again.
 *
 * @param ask is given a client that tries once
 * @param isFinal whether a failure is not to be asked again; default: all but passing ones
 * @throws ZenmlError if it does not answer in time
 */
export async function retryUntilAnswered<Answer>(
  ask: (client: ZenmlClient) => Promise<Answer>,
  deadline: Deadline,
  deps: AskDependencies,
  isFinal: (error: ZenmlError) => boolean = (error) => !isPassing(error),
): Promise<Answer> {
  const once = deps.client.with({ retries: 'none' })
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(once)
    } catch (error) {
      if (!isZenmlError(error) || isFinal(error) || deadline.isOver) throw error
      await pauseAfter(error, attempt, deadline, deps)
    }
  }
}

/**
 * Tells of a failure, and waits as long as its server asks for, or else longer with each attempt; never past the deadline.
 *
 * @param attempt from 1 on
 */
export async function pauseAfter(
  error: ZenmlError,
  attempt: number,
  deadline: Deadline,
  { clock, reporter, signal }: AskDependencies,
): Promise<void> {
  const asked = backoffMs(attempt, clock.random(), { atLeastMs: retryAfterOf(error) })
  const waitMs = Math.min(asked, deadline.leftMs)
  reporter.tell({ kind: 'retry', line: error.message, waitMs })
  await clock.sleep(waitMs, signal)
}
