import type { StopMode } from './recovery-journal.ts'
import { stopReason } from './stop/stop-reason.ts'
import { Deadline } from '../base/deadline.ts'
import { stopOrKeep } from './stop/stop-or-keep.ts'
import type { ProjectChoice } from './facts.ts'
import { runPhase } from '../zenml/status.ts'
import { findRun } from './find/run.ts'
import type { RunDependencies, RunResult } from './run-supervisor.ts'

export interface StopExistingRequest {
  /** Id or exact name. */
  readonly run: string
  readonly project: ProjectChoice | undefined
  readonly mode: Exclude<StopMode, 'keep-running'>
  /** Page of the workflow run, or empty. */
  readonly workflowRunUrl: string
  /** How long to watch that the run ends; milliseconds. */
  readonly timeoutMs: number
}

/** What is said when the workflow is cancelled, and no time is left, before the run is found. */
export function notLookedUp(run: string): string {
  return `Cancelled before the run "${run}" could be looked up; it was not asked to stop`
}

/**
 * Stops a run that something else started; one that has ended already is as good.
 *
 * @param deps its signal says that no time is left; the result tells what is known then
 * @throws RunError if there is no such run, or if several have the name
 */
export async function stopExistingRun(
  request: StopExistingRequest,
  deps: RunDependencies,
): Promise<RunResult> {
  const { clock, reporter, signal } = deps
  const { mode, workflowRunUrl, timeoutMs } = request
  const result = (outcome: Omit<RunResult, 'failedStep'>): RunResult => ({
    ...outcome,
    failedStep: undefined,
  })
  const found = await findRun(request.run, request.project, deps).catch((error: unknown) => {
    if (signal?.aborted !== true) throw error
    return undefined
  })
  if (found === undefined) {
    return result({ conclusion: 'cancelled', status: '', error: notLookedUp(request.run), runId: undefined })
  }
  const { run, url } = found
  const reason = stopReason('Stopped by a workflow', workflowRunUrl)
  const { id, projectId, name = id, isDynamic } = run
  const known = { id, projectId, name, url, status: run.status, isDynamic }
  if (runPhase(run.status) === 'going-on') {
    const ending = { mode, runId: run.id, timeoutMs: undefined, isAsked: true, forMs: timeoutMs } as const
    reporter.tell({ kind: 'stopping', ...ending })
  }
  const ended = await stopOrKeep({ run: known, mode, reason, deadline: new Deadline(clock, timeoutMs) }, deps)
  const { settled, status, sentence } = ended
  if (settled) {
    reporter.tell({ kind: 'ended', sentence })
    return result({ conclusion: 'stopped', status, error: undefined, runId: run.id })
  }
  return signal?.aborted === true
    ? result({ conclusion: 'cancelled', status, error: `Cancelled. ${sentence}`, runId: run.id })
    : result({ conclusion: 'failed', status, error: sentence, runId: run.id })
}
