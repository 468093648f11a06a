import type { Usual } from '../facts.ts'

/*
 * How long runs of one definition take is spread like a lognormal distribution: what slows a run down (a busy
 * machine, more data) multiplies its time.
 */

/** How far a duration lies from the median, in spreads; minus infinity for none. */
export function standing({ medianMs, spread }: Usual, durationMs: number): number {
  return Math.log(Math.max(0, durationMs) / medianMs) / spread
}

/** The duration that lies so many spreads from the median, in milliseconds. */
export function durationAt({ medianMs, spread }: Usual, z: number): number {
  return medianMs * Math.exp(z * spread)
}

/** Share of runs that still go on at this standing. Relative error below 2e-7, in the far tail too. */
export function survival(z: number): number {
  const tail = upperTail(Math.abs(z))
  return z >= 0 ? tail : 1 - tail
}

/** Probability per millisecond that a run which still goes on after so long ends now. */
export function hazard(usual: Usual, durationMs: number): number {
  const z = standing(usual, durationMs)
  if (z === Number.NEGATIVE_INFINITY) return 0
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  return density / (survival(z) * usual.spread * durationMs)
}

/** A Chebyshev fit to erfc(x) ("Numerical Recipes in C", erfcc), highest power first. */
const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
  1.00002368, -1.26551223,
]

function upperTail(z: number): number {
  const x = z / Math.SQRT2
  const t = 1 / (1 + x / 2)
  return (t * Math.exp(-x * x + ERFC.reduce((sum, coefficient) => sum * t + coefficient, 0))) / 2
}
