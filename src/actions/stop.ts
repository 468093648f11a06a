import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { graceSignal } from '../github/workflow/grace-signal.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readStopInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { notLookedUp, stopExistingRun } from '../run/stop-existing-run.ts'
import type { Http } from '../http/http.ts'
import { WorkflowStep } from './workflow-step.ts'

/**
 * Stops a run that something else started. Gives whether nothing of it goes on. A cancelled workflow does not take
 * back that the run is to be stopped: the work goes on for most of the seconds that the runner leaves.
 */
export async function stopGivenRun(env: Environment, log: WorkflowLog, http?: Http): Promise<boolean> {
  const signal = graceSignal(listenForCancellation())
  const step = new WorkflowStep({ action: 'stop', env, log, signal, http })
  try {
    const inputs = await step.read(readStopInputs)
    step.reportTo({
      summary: true,
      comment: undefined,
      requested: { kind: 'run', reference: inputs.run },
    })
    const { workflowRunUrl } = readWorkflowContext(env)
    const nothingToCancel = notLookedUp(inputs.run)
    const deps = await step.connect(inputs, { onCancel: inputs.mode, workflowRunUrl, nothingToCancel })
    const request = { ...inputs, project: projectChoice(inputs.project, env), workflowRunUrl }
    return await step.conclude(await stopExistingRun(request, deps))
  } catch (error) {
    return await step.fail(error)
  } finally {
    step.close()
  }
}
