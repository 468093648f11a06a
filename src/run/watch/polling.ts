import { durationAt, hazard } from './lognormal.ts'
import type { Usual } from '../facts.ts'

export interface PollMoment {
  /** Since the run was created, or the wait began. */
  readonly elapsedMs: number
  /** The user's own interval, taken as it is. */
  readonly fixedMs: number | undefined
  readonly usual: Usual | undefined
  /** Uniform in [0, 1): spreads the jobs of a matrix. */
  readonly random: number
}

const SHORTEST_MS = 1_000

/** Without a history: a twentieth of the time gone by, so that the end is seen late by at most 5 % of the run. */
const LONGEST_MS = 15_000
const SHARE_OF_ELAPSED = 0.05

/**
 * How many milliseconds sooner the end must be seen for one more request to be worth it. Of the policies that keep
 * this price everywhere, the one below needs the fewest requests for its lag; 38 is what sees the end of a run
 * of ten minutes within 1.8 seconds, and of an hour within 4.5 (bench/polling.ts).
 */
const WORTH_MS = 38

/** A run can also fail long before its time, and people wait for that. */
const LONGEST_BEFORE_USUAL_MS = 60_000
const LONGEST_SHARE_OF_MEDIAN = 0.1

/** What fails soon, as a wrong set-up does, is seen in at most two and a half times the time it took. */
const LONGEST_SHARE_OF_ELAPSED = 1.5

/** In spreads: one run in 160 takes longer, and of those the history tells little. */
const OVERDUE = 2.5

const JITTER = 0.1

/** Milliseconds until the next look at a run: rarely while its end is far, often when it is near. */
export function nextPollMs({ elapsedMs, fixedMs, usual, random }: PollMoment): number {
  if (fixedMs !== undefined) return fixedMs
  const base = usual === undefined ? byElapsed(elapsedMs) : byHistory(elapsedMs, usual)
  return Math.round(Math.max(SHORTEST_MS, base * (1 - JITTER + 2 * JITTER * random)))
}

function byElapsed(elapsedMs: number): number {
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, elapsedMs * SHARE_OF_ELAPSED))
}

/**
 * A run that ends within an interval τ is seen τ/2 late on average. So the interval that costs least, lateness and
 * requests together, is √(2 · worth / hazard), with the hazard in its middle, since it grows while nobody looks.
 */
function byHistory(elapsedMs: number, usual: Usual): number {
  const overdueFrom = durationAt(usual, OVERDUE)
  const longest = Math.min(
    LONGEST_BEFORE_USUAL_MS,
    Math.max(SHORTEST_MS, usual.medianMs * LONGEST_SHARE_OF_MEDIAN),
    Math.max(SHORTEST_MS, elapsedMs * LONGEST_SHARE_OF_ELAPSED),
  )
  const within = (ms: number): number => {
    const middle = Math.min(elapsedMs + ms / 2, overdueFrom)
    return Math.min(longest, Math.sqrt((2 * WORTH_MS) / hazard(usual, middle)))
  }
  const interval = within(within(within(longest)))
  return elapsedMs <= overdueFrom ? interval : Math.max(interval, byElapsed(elapsedMs - overdueFrom))
}
