import type { StepDetail } from '../zenml/step-detail.ts'

/**
 * Of each step its last attempt. A server lists a step that was tried again once for each attempt, those that failed as
 * `retried` (seen on 0.98.0), and what such an attempt left behind is no result of the run.
 *
 * @param steps the earliest first
 */
export function lastAttempts(steps: readonly StepDetail[]): StepDetail[] {
  const last = new Map(steps.map((step) => [step.state.name, step]))
  return [...last.values()].filter(({ state }) => state.status !== 'retried')
}
