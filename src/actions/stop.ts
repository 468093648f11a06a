import type { Environment } from '../github/workflow/environment.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readStopInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { stopKnownRun } from '../run/stop-known-run.ts'
import { systemClock } from '../base/system-clock.ts'
import { readStepInputs, reportStep, withRunDependencies } from './step.ts'

/**
 * Stops a run that something else started. Gives whether nothing of it goes on. A cancelled workflow does not take
 * back that the run is to be stopped: the work goes on for the ten seconds that the runner leaves.
 */
export async function stopRunById(env: Environment, log: WorkflowLog): Promise<boolean> {
  return reportStep({ action: 'stop', log, clock: systemClock }, async (report) => {
    const inputs = await readStepInputs(env, log, readStopInputs)
    const { runId, graceful, timeoutMs } = inputs
    const { workflowRunUrl } = readWorkflowContext(env)
    const mode = graceful ? 'stop-gracefully' : 'stop'
    const policy = { onCancel: mode, workflowRunUrl, nothingToCancel: undefined } as const
    return withRunDependencies(inputs, policy, log, report, (deps, serverUrl) =>
      stopKnownRun(
        { serverUrl, runId, mode, workflowRunUrl, timeoutMs },
        { ...deps, client: deps.client.with({ signal: undefined }), signal: undefined },
      ),
    )
  })
}
