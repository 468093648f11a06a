import type { Run, StepState } from '../../zenml/model.ts'
import { isStepFinished, isStepSucceeded, runPhase } from '../../zenml/status.ts'

/** One look at a run. `steps` is read only where the run's own state does not tell whether it is over. */
export interface Sighting {
  readonly run: Run
  readonly steps?: readonly StepState[]
}

/**
 * With the default `continue_on_failure`, `failed` comes while other branches run; `in_progress` tells, but can
 * stay true for ever (seen on 0.85.0, and where a run failed before any step). So a failed or stopped run is over when nothing of it runs and nothing
 * has changed for a while: half a minute, or, where a step could still start, as long as a new machine may take
 * to come up.
 */
const SETTLE_MS = 30_000
const SETTLE_BEFORE_STARTABLE_STEP_MS = 300_000

/** True if only the steps can tell whether the run is over. */
export function needsSteps(run: Run): boolean {
  const phase = runPhase(run.status)
  return (phase === 'failed' || phase === 'stopped') && run.inProgress !== false
}

/**
 * Whether nothing of the run goes on any more.
 *
 * @param unchangedMs for how long all looks have been alike
 * @param now as {@link isBetweenSteps} takes it
 */
export function isOver({ run, steps }: Sighting, unchangedMs: number, now: number | undefined): boolean {
  switch (runPhase(run.status)) {
    case 'going-on':
      return false
    case 'succeeded':
      return true
    case 'unknown':
      return run.inProgress === false || run.endTime !== undefined
    case 'failed':
    case 'stopped':
      if (run.inProgress === false) return true
      if (steps === undefined || unfinishedSteps(steps).length > 0) return false
      return unchangedMs >= settleMs(run, steps, now)
  }
}

/** For how many milliseconds nothing may change until a failed or stopped run is over, where no step of it runs. */
export function settleMs(run: Run, steps: readonly StepState[], now: number | undefined): number {
  return isBetweenSteps(run, steps, now, steps.length > 0) ? SETTLE_BEFORE_STARTABLE_STEP_MS : SETTLE_MS
}

/**
 * Whether a step of a failed or stopped run may still start. Of a dynamic one nobody can tell from its graph, which shows
 * only what has started; before 0.94 it may be `failed` and in progress, since its code caught the failure of a step.
 */
function mayStartStep({ isDynamic, inProgress }: Run, steps: readonly StepState[]): boolean {
  return isDynamic ? inProgress === true : startableSteps(steps).length > 0
}

/**
 * Whether a step of a failed or stopped run may still start, also of one that nobody has watched. Servers before 0.85 do not
 * say whether a run is in progress, and have failed ones whose startable steps never start: one that changed less than five
 * minutes ago is taken to go on.
 *
 * @param now by the server's clock; undefined where it has not said
 * @param hasBegun whether it has started a step or called a run. If not, and it was marked as failed, it mostly never will;
 * 0.92 calls it in progress for ever (seen there)
 */
export function isBetweenSteps(
  run: Run,
  steps: readonly StepState[],
  now: number | undefined,
  hasBegun: boolean,
): boolean {
  if (!mayStartStep(run, steps)) return false
  // What was stopped starts nothing more.
  if (run.inProgress === undefined)
    return runPhase(run.status) === 'failed' && hasChangedLately(run, steps, now)
  return run.inProgress && (hasBegun || hasChangedLately(run, steps, now))
}

/** Less than five minutes ago, by the server's times. */
function hasChangedLately(run: Run, steps: readonly StepState[], now: number | undefined): boolean {
  if (now === undefined) return true
  const ends = steps.map(({ startTime = 0, durationMs = 0 }) => startTime + durationMs)
  const lastChange = ends.reduce((latest, end) => Math.max(latest, end), run.updated ?? 0)
  return now - lastChange < SETTLE_BEFORE_STARTABLE_STEP_MS
}

/** Names of the steps that have started and not ended. */
export function unfinishedSteps(steps: readonly StepState[]): string[] {
  return steps.filter(({ status }) => status !== undefined && !isStepFinished(status)).map(({ name }) => name)
}

/**
 * Names of the steps that have not started although all that they wait for, if anything, succeeded; none where no step has
 * started.
 */
export function startableSteps(steps: readonly StepState[]): string[] {
  const succeeded = new Set(
    steps.filter(({ status }) => status !== undefined && isStepSucceeded(status)).map(({ name }) => name),
  )
  if (steps.every(({ status }) => status === undefined)) return []
  return steps
    .filter(
      ({ status, upstream }) =>
        status === undefined && upstream?.every((name) => succeeded.has(name)) === true,
    )
    .map(({ name }) => name)
}
