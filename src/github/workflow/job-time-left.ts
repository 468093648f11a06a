import type { Environment } from './environment.ts'

/** GitHub ends a job on one of its own runners after six hours, whatever its `timeout-minutes` says. */
const HOSTED_JOB_MS = 360 * 60_000

/** Whether the job runs on one of GitHub's own runners. */
export function isHosted(env: Environment): boolean {
  return env['RUNNER_ENVIRONMENT'] === 'github-hosted'
}

/**
 * Milliseconds until GitHub ends this job, at the latest: a shorter `timeout-minutes` cannot be seen. Undefined on a runner
 * that is not GitHub's own, where there is no such limit, and where the job seems older than any: its clock was set.
 *
 * @param fileAgeMs gives for how long a file has been there. The runner makes that of the event for the job's first step and
 *   writes it again for each (actions/runner, ActionRunner.cs, WriteWebhookPayload); nothing else says when the job began.
 */
export async function jobLeftMs(
  env: Environment,
  fileAgeMs: (path: string) => Promise<number | undefined>,
): Promise<number | undefined> {
  if (!isHosted(env)) return undefined
  const passedMs = (await fileAgeMs(env['GITHUB_EVENT_PATH'] ?? '')) ?? 0
  return passedMs > HOSTED_JOB_MS ? undefined : HOSTED_JOB_MS - Math.max(0, passedMs)
}
