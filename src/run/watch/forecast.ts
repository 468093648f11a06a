import { durationAt, standing, survival } from './lognormal.ts'
import type { Forecast, Usual } from '../facts.ts'

/** In spreads: nine runs of ten are over by then. */
const SLOW = 1.2816

/**
 * When the end is to be expected, rounded as coarsely as such a guess deserves.
 *
 * Of the runs that took as long as this one so far, half are over after the time that is told as left: at first the
 * median less the time gone by, and never nothing while the run goes on.
 *
 * @param elapsedMs since the run was created
 */
export function forecast(usual: Usual, elapsedMs: number): Forecast {
  if (elapsedMs > durationAt(usual, SLOW)) {
    return { kind: 'slower-than-usual', byMs: rounded(elapsedMs - usual.medianMs) }
  }
  const half = survival(standing(usual, elapsedMs)) / 2
  return { kind: 'left', ms: rounded(durationAt(usual, standingOf(half)) - elapsedMs) }
}

/** The standing at which only this share of runs goes on; between 0 and 3 for what is asked here. */
function standingOf(share: number): number {
  let [low, high] = [-1, 4]
  for (let turn = 0; turn < 30; turn += 1) {
    const middle = (low + high) / 2
    if (survival(middle) > share) low = middle
    else high = middle
  }
  return low
}

/** Steps of 10 s below two minutes, 30 s below ten, a minute below an hour, then five minutes; at least one. */
function rounded(ms: number): number {
  const step = ms < 120_000 ? 10_000 : ms < 600_000 ? 30_000 : ms < 3_600_000 ? 60_000 : 300_000
  return Math.max(1, Math.round(ms / step)) * step
}
