import { mulberry32 } from '../simulator/clock.ts'
import type { StepSpec } from '../simulator/index.ts'

/** A step that takes as many seconds as its parameter says. */
export const sweptStep: StepSpec = {
  name: 'train',
  seconds: 1,
  parameters: { seconds: { default: 1, jsonSchema: { type: 'number' } } },
  effect: ({ seconds }) => ({ seconds: Number(seconds), metadata: { seconds: Number(seconds) } }),
}

/** How long a real server takes for a trigger. */
export const TRIGGER_SECONDS = 1

/** How much runs of one pipeline differ, and the seed they are drawn with. */
const SPREAD = 0.15
const SEED = 6

/** Draws as many seconds from a lognormal distribution around the median; all differ, and are the same each time. */
export function drawSeconds(median: number, count: number, seed = SEED): number[] {
  let state = seed
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0
    return mulberry32(state)
  }
  // Box and Muller's way to a normal distribution.
  const draw = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Array.from({ length: count }, () => Number((median * Math.exp(SPREAD * draw())).toFixed(3)))
}

/** The inputs of a sweep over these, all at once unless told otherwise. */
export function sweepInputs(
  seconds: readonly number[],
  maxParallel = seconds.length,
): Record<string, string> {
  const matrix = JSON.stringify({ 'train.seconds': seconds })
  return { pipeline: 'bench', matrix, 'max-parallel': String(maxParallel) }
}

/** The inputs of the main action for one such run. */
export function stepInputs(seconds: number): Record<string, string> {
  return { pipeline: 'bench', parameters: `train.seconds: ${seconds}` }
}
