import type { Environment } from '../github/workflow/environment.ts'
import { later } from '../github/workflow/cancellation.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readStopInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { notLookedUp, stopKnownRun } from '../run/stop-known-run.ts'
import { systemClock } from '../base/system-clock.ts'
import { readStepInputs, reportStep, withRunDependencies } from './step.ts'

/** The runner sends its second signal 7.5 s after the first, and kills soon after; all must be said before. */
const GOES_ON_MS = 6_000

/**
 * Stops a run that something else started. Gives whether nothing of it goes on. A cancelled workflow does not take
 * back that the run is to be stopped: the work goes on for most of the seconds that the runner leaves.
 */
export async function stopRunById(env: Environment, log: WorkflowLog): Promise<boolean> {
  return reportStep({ action: 'stop', log, clock: systemClock }, async (report, cancellation) => {
    const inputs = await readStepInputs(env, log, readStopInputs)
    const { runId, graceful, timeoutMs } = inputs
    const { workflowRunUrl } = readWorkflowContext(env)
    const mode = graceful ? 'stop-gracefully' : 'stop'
    const policy = {
      onCancel: mode,
      workflowRunUrl,
      nothingToCancel: notLookedUp(runId),
      signal: later(cancellation, GOES_ON_MS),
    } as const
    return withRunDependencies(inputs, policy, log, report, (deps, serverUrl) =>
      stopKnownRun({ serverUrl, runId, mode, workflowRunUrl, timeoutMs }, deps),
    )
  })
}
