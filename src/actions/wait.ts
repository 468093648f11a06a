import type { Environment } from '../github/workflow/environment.ts'
import { readWorkflowContext } from '../github/workflow/context.ts'
import { readWaitInputs } from '../github/inputs/read.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { attachRun, leftAsItIs, type AttachRequest } from '../run/attach.ts'
import { systemClock } from '../base/system-clock.ts'
import { audienceOf } from './audience.ts'
import { readStepInputs, reportStep, withRunDependencies } from './step.ts'

/** Waits for a run that something else started. Gives whether the step succeeded. */
export async function waitForRun(env: Environment, log: WorkflowLog): Promise<boolean> {
  return reportStep({ action: 'wait', log, clock: systemClock }, async (report, signal) => {
    const inputs = await readStepInputs(env, log, readWaitInputs)
    report.address(audienceOf(inputs, 'wait', env, log))
    const request: Omit<AttachRequest, 'serverUrl'> = {
      run: inputs.run,
      project: projectChoice(inputs.project, env),
      workflowRunUrl: readWorkflowContext(env).workflowRunUrl,
      wait: true,
      timeoutMs: inputs.timeoutMs,
      pollIntervalMs: inputs.pollIntervalMs,
      onCancel: inputs.onCancel,
      onTimeout: inputs.onTimeout,
      onPaused: inputs.onPaused,
      logTail: inputs.logTail,
      expectations: inputs.expectations,
    }
    const policy = { ...request, nothingToCancel: leftAsItIs(inputs.run), signal }
    return withRunDependencies(inputs, policy, log, report, (deps, serverUrl) =>
      attachRun({ ...request, serverUrl }, deps),
    )
  })
}
