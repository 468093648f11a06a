import type { Run, StepState } from '../zenml/model.ts'

/**
 * How long a run has been there, or how long it took if it has ended: milliseconds from its creation, by the server's
 * clock. The step may have joined it late, and the runner's clock may be minutes away.
 *
 * @param serverNow milliseconds since the epoch; undefined where the server has not said
 */
export function ageOf({ created, endTime }: Run, serverNow: number | undefined): number {
  const until = endTime ?? serverNow
  return created === undefined || until === undefined ? 0 : Math.max(0, until - created)
}

/**
 * From a run's creation until nothing of it ran any more, in milliseconds: the steps of a failed run may go on after
 * its end. Undefined where the server does not say.
 */
export function durationOf(
  { created, endTime }: Partial<Pick<Run, 'created' | 'endTime'>> = {},
  steps: readonly StepState[],
): number | undefined {
  if (created === undefined || endTime === undefined) return undefined
  const ends = steps.map(({ startTime, durationMs }) => (startTime ?? created) + (durationMs ?? 0))
  // As arguments of one call, so many numbers as a run may have steps would be too much for the stack.
  const last = ends.reduce((latest, end) => Math.max(latest, end), endTime)
  return Math.max(0, last - created)
}
