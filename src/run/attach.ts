import { findRun } from './find/run.ts'
import { kinOfRun } from './watch/usual.ts'
import type { ProjectChoice } from './facts.ts'
import { followRun, type FollowPolicy, type RunDependencies, type RunResult } from './follow.ts'

export interface AttachRequest extends Omit<FollowPolicy, 'nothingToCancel'> {
  readonly serverUrl: string
  /** Id or exact name. */
  readonly run: string
  readonly project: ProjectChoice | undefined
}

/** What is said when the workflow is cancelled before the run is found. */
export function leftAsItIs(run: string): string {
  return `Cancelled before the run "${run}" could be looked up; it was left as it is`
}

/**
 * Waits for a run that something else started, exactly as for one of our own.
 *
 * @throws RunError if there is no such run, or if several have the name
 */
export async function attachRun(request: AttachRequest, deps: RunDependencies): Promise<RunResult> {
  return followRun({ ...request, nothingToCancel: leftAsItIs(request.run) }, deps, async (journaled) => {
    const { run, url } = await findRun(request, request.run, 'run', journaled)
    const started = {
      id: run.id,
      projectId: run.projectId,
      name: run.name ?? run.id,
      url,
      status: run.status,
    }
    journaled.journal.started(started)
    return { started, kin: kinOfRun(run), createdAt: run.created }
  })
}
