import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/** Real time and real chance. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted()
    try {
      await delay(ms, undefined, { signal })
    } catch (error) {
      // Node wraps the reason; callers compare it.
      throw signal?.aborted === true ? signal.reason : error
    }
  },
  random: () => Math.random(),
}
