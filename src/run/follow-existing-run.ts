import { findRun } from './find/run.ts'
import { originOfRun } from './origin.ts'
import { kinOfRun } from './watch/usual-duration.ts'
import type { ProjectChoice } from './facts.ts'
import { RunSupervisor, type FollowPolicy, type RunDependencies, type RunResult } from './run-supervisor.ts'

export interface FollowExistingRequest extends FollowPolicy {
  /** Id or exact name. */
  readonly run: string
  readonly project: ProjectChoice | undefined
}

/**
 * Waits for a run that something else started, exactly as for one of our own.
 *
 * @throws RunError if there is no such run, or if several have the name
 */
export async function followExistingRun(
  request: FollowExistingRequest,
  outside: RunDependencies,
): Promise<RunResult> {
  const supervisor = new RunSupervisor(request, outside)
  const { deps } = supervisor
  try {
    const { run, url, ageMs, server, account, project } = await findRun(request.run, request.project, deps)
    const { id, projectId, name = id, status, isDynamic } = run
    const started = { id, projectId, name, url, status, isDynamic }
    deps.journal.started(started)
    const origin = originOfRun(run, { server, account, project })
    return await supervisor.follow({ started, kin: kinOfRun(run), ageMs, server, project, origin })
  } catch (error) {
    return supervisor.interrupted(error)
  }
}
