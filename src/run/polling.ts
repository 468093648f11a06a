/** The adaptive interval: short runs are seen to end at once, long ones cost the server little. */
const SHORTEST_MS = 1_000
const LONGEST_MS = 15_000

/** A twentieth of the time gone by: the end is noticed late by at most 5 % of the run. */
const SHARE_OF_ELAPSED = 0.05

const JITTER = 0.2

/**
 * Milliseconds until the next look at a run.
 *
 * @param elapsedMs since the wait began
 * @param fixedMs the user's own interval, taken as it is
 * @param random uniform in [0, 1): spreads the jobs of a matrix
 */
export function nextPollMs(elapsedMs: number, fixedMs: number | undefined, random: number): number {
  if (fixedMs !== undefined) return fixedMs
  const base = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, elapsedMs * SHARE_OF_ELAPSED))
  return Math.round(base * (1 - JITTER + 2 * JITTER * random))
}
