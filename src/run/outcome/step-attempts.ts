import type { StepDetail } from '../../zenml/step-detail.ts'

/**
 * Of each step its last attempt. A server lists a step that was tried again once for each attempt, those that failed as
 * `retried` (seen on 0.98.0), and what such an attempt left behind is no result of the run.
 *
 * @param steps the earliest first; those of one second in any order, as some databases keep whole seconds only
 */
export function lastAttempts(steps: readonly StepDetail[]): StepDetail[] {
  const counted = steps.filter(({ state }) => state.status !== 'retried')
  const last = new Map(counted.map((step) => [step.state.name, step]))
  const names = new Set(steps.map(({ state }) => state.name))
  return [...names].flatMap((name) => last.get(name) ?? [])
}
