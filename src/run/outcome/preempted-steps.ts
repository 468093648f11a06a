import type { Run, StepState } from '../../zenml/model.ts'
import { isPreempted } from '../../zenml/status.ts'

/**
 * A preempted step, which ZenML leaves out where it works out the state of a static pipeline's run
 * (`_compute_static_pipeline_run_status`; seen on 0.98.0). The code of a dynamic one may go on without it.
 */
export function preemptedSteps(run: Run | undefined, steps: readonly StepState[]): string[] {
  if (run?.isDynamic !== false) return []
  return steps.filter(({ status }) => isPreempted(status)).map(({ name }) => name)
}
