/** The states in which ZenML starts nothing more of a run (0.98: zenml/enums.py, `ExecutionStatus.is_finished`). */
const FINISHED_RUN: ReadonlySet<string> = new Set([
  'completed',
  'cached',
  'skipped',
  'failed',
  'stopped',
  'cancelled',
])

const SUCCEEDED: ReadonlySet<string> = new Set(['completed', 'cached', 'skipped'])

const STOPPED: ReadonlySet<string> = new Set(['stopped', 'cancelled'])

const UNFINISHED: ReadonlySet<string> = new Set([
  'initializing',
  'provisioning',
  'running',
  'paused',
  'resuming',
  'stopping',
  'cancelling',
  'queued',
  'retrying',
])

/** `retried` is the state of an attempt that failed and was followed by another. */
const FINISHED_STEP: ReadonlySet<string> = new Set([...FINISHED_RUN, 'retried'])

/** Where a run's state leads: how it ended, that it goes on, or that we do not know the word. */
export type RunPhase = 'succeeded' | 'failed' | 'stopped' | 'going-on' | 'unknown'

/** Sorts a run's state as any server version writes it. */
export function runPhase(status: string): RunPhase {
  if (SUCCEEDED.has(status)) return 'succeeded'
  if (STOPPED.has(status)) return 'stopped'
  if (status === 'failed') return 'failed'
  return UNFINISHED.has(status) ? 'going-on' : 'unknown'
}

/** Whether a run or step in this state ended without success. */
export function hasFailedOrStopped(status: string): boolean {
  return ['failed', 'stopped'].includes(runPhase(status))
}

/**
 * Whether a run in this state has not reached its orchestrator, which on Kubernetes takes minutes where a node or an image
 * is missing. From 0.85 on ZenML calls both a placeholder run, which no orchestrator can take up any more once it has failed
 * (`PipelineRunSchema.is_placeholder_run`). Of `provisioning` a real 0.98.0 showed, with the state set by hand, that it
 * refuses to stop such a run and that no step starts once it has failed; of 0.85 it was only read.
 */
export function isBeforeOrchestrator(status: string): boolean {
  return status === 'initializing' || status === 'provisioning'
}

/** Whether a run in this state is on its way out: nothing brings it back. */
export function isBeingStopped(status: string): boolean {
  return status === 'stopping' || status === 'cancelling'
}

/** True if a step in this state uses no more computing time; an unknown state may. */
export function isStepFinished(status: string): boolean {
  return FINISHED_STEP.has(status)
}

/** Whether a replay took the step over from an earlier run: ZenML calls nothing else `skipped` (from 0.95 on). */
export function isStepReused(status: string | undefined): boolean {
  return status === 'skipped'
}

/** True if steps that wait for this one may start. */
export function isStepSucceeded(status: string): boolean {
  return SUCCEEDED.has(status)
}

/** Whether a step in this state had to make room for another: `cancelling` until its process is gone, then `cancelled`. */
export function isPreempted(status: string | undefined): boolean {
  return status === 'cancelling' || status === 'cancelled'
}
