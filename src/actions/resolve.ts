import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { graceSignal } from '../github/workflow/grace-signal.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readResolveInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { resolveRun } from '../run/resolve/resolve.ts'
import { notAnswered } from '../run/resolve/words.ts'
import type { Http } from '../http/http.ts'
import { WorkflowStep } from './workflow-step.ts'

/**
 * Answers what a run asks a person. Gives whether it was answered so. When the workflow is cancelled, nothing new is
 * sent, and what was sent is looked after for most of the seconds that the runner leaves.
 */
export async function resolveGivenRun(env: Environment, log: WorkflowLog, http?: Http): Promise<boolean> {
  const cancelled = listenForCancellation()
  const signal = graceSignal(cancelled)
  const step = new WorkflowStep({ action: 'resolve', env, log, signal, http })
  try {
    const inputs = await step.read(readResolveInputs)
    const { workflowRunUrl } = readWorkflowContext(env)
    const nothingToCancel = notAnswered(inputs.run)
    const deps = await step.connect(inputs, { onCancel: 'keep-running', workflowRunUrl, nothingToCancel })
    const request = { ...inputs, project: projectChoice(inputs.project, env) }
    return await step.conclude(await resolveRun(request, { ...deps, cancelled }))
  } catch (error) {
    return await step.fail(error)
  } finally {
    step.close()
  }
}
