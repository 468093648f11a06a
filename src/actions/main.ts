import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import { readWorkflowContext, stepIdentity } from '../github/workflow/context.ts'
import { readInputs, type Inputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { executeRun, type RunRequest } from '../run/execute.ts'
import { Deadline } from '../base/deadline.ts'
import { systemClock } from '../base/system-clock.ts'
import { baselineOf } from './baseline.ts'
import { audienceOf } from './audience.ts'
import { WorkflowStep } from './workflow-step.ts'

/** Runs a template or snapshot and waits for it. Gives whether the step succeeded. */
export async function runTemplate(env: Environment, log: WorkflowLog): Promise<boolean> {
  const step = new WorkflowStep({ action: 'main', env, log, signal: listenForCancellation() })
  try {
    const inputs = await step.read(readInputs)
    step.reportTo(await audienceOf(inputs, 'main', env, log))
    const request = toRequest(inputs, env)
    const deadline = new Deadline(systemClock, request.triggerTimeoutMs)
    const deps = await step.connect(inputs, request)
    // To look up a workspace may have taken most of it.
    return await step.conclude(await executeRun({ ...request, triggerTimeoutMs: deadline.leftMs }, deps))
  } catch (error) {
    return await step.fail(error)
  } finally {
    await step.close()
  }
}

/** What the inputs ask for, with what the workflow says of itself. */
export function toRequest(inputs: Inputs, env: Environment): RunRequest {
  const context = readWorkflowContext(env)
  const { configuration: layers, parameters, tags, enableCache } = inputs
  return {
    ...inputs,
    project: projectChoice(inputs.project, env),
    overrides: { layers, parameters, tags, enableCache },
    origin: {
      workflowRunId: context.runId,
      attempt: context.runAttempt,
      stepIdentity: stepIdentity(context, inputs.stepKey),
    },
    baseline: baselineOf(inputs, context),
    provenance: inputs.noteOrigin ? context : undefined,
    workflowRunUrl: inputs.noteOrigin ? context.workflowRunUrl : '',
    nothingToCancel: 'Cancelled before a run was started',
  }
}
