import type { Deadline } from '../../base/deadline.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { RunError } from '../errors.ts'

/** What can be limited in time. */
interface Limited {
  readonly client: ZenmlClient
  /** Gives a signal that is aborted after so many milliseconds of real time. */
  readonly timeLimit: (ms: number) => AbortSignal
  readonly signal?: AbortSignal | undefined
}

/**
 * Work that comes before the trigger, under its limit: a server that answers nothing must not hold the step for long.
 *
 * @throws RunError once the time is over
 */
export async function within<Deps extends Limited, T>(
  { leftMs }: Deadline,
  deps: Deps,
  work: (limited: Deps) => Promise<T>,
): Promise<T> {
  const { client, signal, timeLimit } = deps
  const limit = timeLimit(leftMs)
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
  try {
    return await work({ ...deps, client: client.with({ signal: either }) })
  } catch (error) {
    if (!limit.aborted) throw error
    signal?.throwIfAborted()
    const told = 'time ran out while looking up what to run. Nothing was started'
    throw new RunError(`No run could be started within trigger-timeout: ${told}`, 'timed-out')
  }
}
