import type { EndMode } from './journal.ts'
import { endReason } from './stop/end-reason.ts'
import { Deadline } from '../base/deadline.ts'
import { endRun } from './stop/end-run.ts'
import { findRun } from './find/run.ts'
import type { RunDependencies, RunResult } from './follow.ts'

export interface StopKnownRequest {
  readonly runId: string
  readonly mode: Exclude<EndMode, 'leave'>
  /** Page of the workflow run, or empty. */
  readonly workflowRunUrl: string
  /** How long to watch that the run ends; milliseconds. */
  readonly timeoutMs: number
}

/**
 * Stops a run that something else started; one that has ended already is as good.
 *
 * @throws RunError if there is no such run
 */
export async function stopKnownRun(request: StopKnownRequest, deps: RunDependencies): Promise<RunResult> {
  const { clock, reporter } = deps
  const { runId, mode, workflowRunUrl, timeoutMs } = request
  const from = clock.elapsed()
  const { run, url } = await findRun(runId, undefined, 'run-id', deps)
  const reason = endReason('Stopped by a workflow', workflowRunUrl)
  const known = { id: run.id, projectId: run.projectId, name: run.name ?? run.id, url, status: run.status }
  const ended = await endRun({ run: known, mode, reason, deadline: new Deadline(clock, timeoutMs) }, deps)
  if (ended.settled) reporter.tell({ kind: 'ended', sentence: ended.sentence })
  return {
    conclusion: ended.settled ? 'stopped' : 'failed',
    status: ended.status,
    error: ended.settled ? undefined : ended.sentence,
    failedStep: undefined,
    runId: run.id,
    durationMs: clock.elapsed() - from,
  }
}
