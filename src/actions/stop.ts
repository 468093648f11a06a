import type { Environment } from '../github/environment.ts'
import { readWorkflowContext } from '../github/identity.ts'
import { readStopInputs } from '../github/inputs.ts'
import type { WorkflowLog } from '../github/log.ts'
import { stopKnownRun } from '../run/stop-known-run.ts'
import { readStepInputs, reportStep, withRunDependencies } from './step.ts'

/** Stops a run that something else started. Gives whether nothing of it goes on. */
export async function stopRunById(env: Environment, log: WorkflowLog): Promise<boolean> {
  return reportStep(log, async (report) => {
    const inputs = await readStepInputs(env, log, readStopInputs)
    const { runId, graceful, timeoutMs } = inputs
    const { workflowRunUrl } = readWorkflowContext(env)
    const mode = graceful ? 'stop-gracefully' : 'stop'
    // A cancelled workflow does not take back that the run is to be stopped.
    const policy = { onCancel: mode, workflowRunUrl } as const
    return withRunDependencies(inputs, policy, log, report, (deps, serverUrl) =>
      stopKnownRun({ serverUrl, runId, mode, workflowRunUrl, timeoutMs }, deps),
    )
  })
}
