import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readWaitInputs } from '../github/inputs/read.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import { inline, LONG, type WorkflowLog } from '../github/log/workflow-log.ts'
import type { FollowExistingRequest } from '../run/follow-existing-run.ts'
import type { Http } from '../http/http.ts'
import { audienceOf } from './audience.ts'
import { jobDeadline } from './job-deadline.ts'
import { baselineOf } from './request-from-inputs.ts'
import { WorkflowStep } from './workflow-step.ts'

/** Waits for a run that something else started. Gives whether the step succeeded. */
export async function waitForRun(env: Environment, log: WorkflowLog, http?: Http): Promise<boolean> {
  const step = new WorkflowStep({ action: 'wait', env, log, signal: listenForCancellation(), http })
  try {
    const inputs = await step.read(readWaitInputs)
    step.reportTo(await audienceOf(inputs, 'wait', env, log))
    // The server may take its time to answer.
    log.info(`Looking up the run ${inline(inputs.run, LONG)}`)
    const request: FollowExistingRequest = {
      ...inputs,
      project: projectChoice(inputs.project, env),
      baseline: baselineOf(inputs, readWorkflowContext(env)),
      workflowRunUrl: readWorkflowContext(env).workflowRunUrl,
      wait: true,
      jobDeadline: await jobDeadline(env),
      nothingToCancel: `Cancelled before the run "${inputs.run}" could be looked up; it was left as it is`,
    }
    const deps = await step.connect(inputs, request)
    const { followExistingRun } = await import('../run/follow-existing-run.ts')
    return await step.conclude(await followExistingRun(request, deps))
  } catch (error) {
    return await step.fail(error)
  } finally {
    step.close()
  }
}
