import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/** Node's timers take no more, 24.8 days, and fire at once instead. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Real time and real chance. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted()
    try {
      for (let leftMs = ms; leftMs > 0; leftMs -= LONGEST_TIMER_MS) {
        await delay(Math.min(leftMs, LONGEST_TIMER_MS), undefined, { signal })
      }
    } catch (error) {
      // Node wraps the reason; callers compare it.
      throw signal?.aborted === true ? signal.reason : error
    }
  },
  random: () => Math.random(),
}

/** A signal that is aborted after so many milliseconds, or never where no timer reaches so far. */
export function timeLimit(ms: number): AbortSignal {
  return ms > LONGEST_TIMER_MS
    ? new AbortController().signal
    : AbortSignal.timeout(Math.max(0, Math.ceil(ms)))
}
