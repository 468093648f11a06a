import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { readInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { Deadline } from '../base/deadline.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Http } from '../http/http.ts'
import { audienceOf } from './audience.ts'
import { jobDeadline } from './job-deadline.ts'
import { requestFromInputs } from './request-from-inputs.ts'
import { WorkflowStep } from './workflow-step.ts'

/**
 * Runs a template or snapshot, waits for the run, and judges it. If the job is cancelled, it stops the run or lets it keep
 * running, as `on-cancel` says; what it leaves unfinished, the post step sees to. Gives whether the step succeeded.
 *
 * @param http the connections to use, where the first is being opened already; default: opened once the inputs are read
 */
export async function runTemplate(env: Environment, log: WorkflowLog, http?: Http): Promise<boolean> {
  const step = new WorkflowStep({ action: 'main', env, log, signal: listenForCancellation(), http })
  try {
    const inputs = await step.read(readInputs)
    step.reportTo(await audienceOf(inputs, 'main', env, log))
    const request = { ...requestFromInputs(inputs, env), jobDeadline: await jobDeadline(env) }
    const deadline = new Deadline(systemClock, request.triggerTimeoutMs)
    const deps = await step.connect(inputs, request)
    const { startAndFollowRun } = await import('../run/start-and-follow-run.ts')
    // To look up a workspace may have taken most of it.
    return await step.conclude(
      await startAndFollowRun({ ...request, triggerTimeoutMs: deadline.leftMs }, deps),
    )
  } catch (error) {
    return await step.fail(error)
  } finally {
    step.close()
  }
}
