import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { readWorkflowContext, stepIdentity } from '../github/workflow/context.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { readSweepInputs, type SweepInputs } from '../github/sweep/inputs.ts'
import { runSweep, type SweepRequest } from '../run/sweep/sweep.ts'
import { baselineOf } from './baseline.ts'
import { audienceOf } from './audience.ts'
import { WorkflowStep } from './workflow-step.ts'

/** A job on a hosted runner ends after six hours, whatever it does. */
const HOSTED_JOB_MS = 360 * 60_000

/** Runs a template or snapshot once for each combination of a matrix. Gives whether the step succeeded. */
export async function sweepMatrix(env: Environment, log: WorkflowLog): Promise<boolean> {
  const step = new WorkflowStep({ action: 'sweep', env, log, signal: listenForCancellation() })
  try {
    const inputs = await step.read(readSweepInputs)
    step.reportTo(await audienceOf(inputs, 'sweep', env, log))
    const request = toRequest(inputs, env)
    const { journal, ...deps } = await step.connect(inputs, request)
    const end = await runSweep(request, { ...deps, journalOf: ({ number }) => journal.ofCell(number) })
    journal.settled()
    return await step.conclude(end)
  } catch (error) {
    return await step.fail(error)
  } finally {
    await step.close()
  }
}

/** What the inputs ask for, with what the workflow says of itself. */
export function toRequest(inputs: SweepInputs, env: Environment): SweepRequest {
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
    jobLimitMs: env['RUNNER_ENVIRONMENT'] === 'github-hosted' ? HOSTED_JOB_MS : undefined,
    nothingToCancel: 'Cancelled before a run was started',
  }
}
