import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readStopInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { stopKnownRun } from '../run/stop-known-run.ts'
import { WorkflowStep } from './workflow-step.ts'

/**
 * Stops a run that something else started. Gives whether nothing of it goes on. A cancelled workflow does not take
 * back that the run is to be stopped: the work goes on for the ten seconds that the runner leaves.
 */
export async function stopRunById(env: Environment, log: WorkflowLog): Promise<boolean> {
  const step = new WorkflowStep({ action: 'stop', env, log, signal: listenForCancellation() })
  try {
    const { graceful, ...inputs } = await step.read(readStopInputs)
    const mode = graceful ? 'stop-gracefully' : 'stop'
    const { workflowRunUrl } = readWorkflowContext(env)
    const deps = await step.connect(inputs, { onCancel: mode, workflowRunUrl, nothingToCancel: undefined })
    const unlimited = { ...deps, client: deps.client.with({ signal: undefined }), signal: undefined }
    return await step.conclude(await stopKnownRun({ ...inputs, mode, workflowRunUrl }, unlimited))
  } catch (error) {
    return await step.fail(error)
  } finally {
    await step.close()
  }
}
