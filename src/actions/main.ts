import type { Environment } from '../github/environment.ts'
import { readWorkflowContext, stepIdentity } from '../github/identity.ts'
import { readInputs, type Inputs } from '../github/inputs.ts'
import type { WorkflowLog } from '../github/log.ts'
import { executeRun, type RunRequest } from '../run/execute.ts'
import { readStepInputs, reportStep, withRunDependencies } from './step.ts'

/** Runs a template or snapshot and waits for it. Gives whether the step succeeded. */
export async function runTemplate(env: Environment, log: WorkflowLog): Promise<boolean> {
  return reportStep('main', log, async (report) => {
    const inputs = await readStepInputs(env, log, readInputs)
    const request = toRequest(inputs, env)
    return withRunDependencies(inputs, request, log, report, (deps) => executeRun(request, deps))
  })
}

function toRequest(inputs: Inputs, env: Environment): RunRequest {
  const context = readWorkflowContext(env)
  return {
    serverUrl: inputs.server.url,
    target: inputs.target,
    project: inputs.project,
    overrides: { layers: inputs.configuration, tags: inputs.tags, useCache: inputs.useCache },
    runName: inputs.runName,
    origin: {
      workflowRunId: context.runId,
      attempt: context.runAttempt,
      stepIdentity: stepIdentity(context, inputs.stepKey),
    },
    workflowRunUrl: context.workflowRunUrl,
    wait: inputs.wait,
    timeoutMs: inputs.timeoutMs,
    triggerTimeoutMs: inputs.triggerTimeoutMs,
    pollIntervalMs: inputs.pollIntervalMs,
    onCancel: inputs.onCancel,
    onTimeout: inputs.onTimeout,
    onPaused: inputs.onPaused,
    resume: inputs.resume,
  }
}
