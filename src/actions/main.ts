import type { Environment } from '../github/workflow/environment.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import { readWorkflowContext, stepIdentity } from '../github/workflow/context.ts'
import { readInputs, type Inputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { executeRun, NOTHING_TO_CANCEL, type RunRequest } from '../run/execute.ts'
import { Deadline } from '../base/deadline.ts'
import { systemClock } from '../base/system-clock.ts'
import { audienceOf } from './audience.ts'
import { readStepInputs, reportStep, withRunDependencies } from './step.ts'

/** Runs a template or snapshot and waits for it. Gives whether the step succeeded. */
export async function runTemplate(env: Environment, log: WorkflowLog): Promise<boolean> {
  return reportStep({ action: 'main', log, clock: systemClock }, async (report, signal) => {
    const inputs = await readStepInputs(env, log, readInputs)
    report.address(audienceOf(inputs, 'main', env, log))
    const { workflowRunUrl } = readWorkflowContext(env)
    const { onCancel, triggerTimeoutMs: lookUpMs } = inputs
    const policy = { onCancel, workflowRunUrl, nothingToCancel: NOTHING_TO_CANCEL, signal, lookUpMs }
    const deadline = new Deadline(systemClock, lookUpMs)
    return withRunDependencies(inputs, policy, log, report, (deps, serverUrl) =>
      executeRun({ ...toRequest(inputs, serverUrl, env), triggerTimeoutMs: deadline.leftMs }, deps),
    )
  })
}

/** What the inputs ask for, in the words of those who do it. */
export function toRequest(inputs: Inputs, serverUrl: string, env: Environment): RunRequest {
  const context = readWorkflowContext(env)
  return {
    serverUrl,
    target: inputs.target,
    project: projectChoice(inputs.project, env),
    overrides: {
      layers: inputs.configuration,
      parameters: inputs.parameters,
      tags: inputs.tags,
      useCache: inputs.useCache,
    },
    runName: inputs.runName,
    origin: {
      workflowRunId: context.runId,
      attempt: context.runAttempt,
      stepIdentity: stepIdentity(context, inputs.stepKey),
    },
    provenance: context,
    workflowRunUrl: context.workflowRunUrl,
    wait: inputs.wait,
    timeoutMs: inputs.timeoutMs,
    triggerTimeoutMs: inputs.triggerTimeoutMs,
    pollIntervalMs: inputs.pollIntervalMs,
    onCancel: inputs.onCancel,
    onTimeout: inputs.onTimeout,
    onPaused: inputs.onPaused,
    logTail: inputs.logTail,
    resume: inputs.resume,
    expectations: inputs.expectations,
    dryRun: inputs.dryRun,
  }
}
