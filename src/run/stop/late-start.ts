import type { PlannedRun } from '../recovery-journal.ts'

/** A request that the server took may still start a run so long after it was sent. */
const LATE_START_MS = 90_000
/** Also where much more time seems to have passed: the clock may have been set on. */
const LEAST_LATE_START_MS = 15_000

/**
 * For how many milliseconds what was sent may still start a run. Two processes share no clock but the one that can be set,
 * so what it says is believed within limits.
 *
 * @param sentAt undefined where it is not known
 */
export function lateStartLeftMs(sentAt: PlannedRun['sentAt'] | undefined, now: number): number {
  return Math.min(LATE_START_MS, Math.max(LEAST_LATE_START_MS, (sentAt ?? now) + LATE_START_MS - now))
}
