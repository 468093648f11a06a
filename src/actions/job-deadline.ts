import type { Environment } from '../github/workflow/environment.ts'
import { fileAgeMs } from '../github/workflow/files.ts'
import { jobLeftMs } from '../github/workflow/job-time-left.ts'
import { Deadline } from '../base/deadline.ts'
import { systemClock } from '../base/system-clock.ts'

/** When GitHub ends this job, at the latest; undefined where nothing says so. */
export async function jobDeadline(env: Environment): Promise<Deadline | undefined> {
  const leftMs = await jobLeftMs(env, fileAgeMs)
  return leftMs === undefined ? undefined : new Deadline(systemClock, leftMs)
}
