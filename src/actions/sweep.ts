import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { readSweepInputs, type SweepInputs } from '../github/sweep/inputs.ts'
import type { SweepRequest } from '../run/sweep/sweep.ts'
import { audienceOf } from './audience.ts'
import { toRequest } from './request.ts'
import { WorkflowStep } from './workflow-step.ts'

/** A job on a hosted runner ends after six hours, whatever it does. */
const HOSTED_JOB_MS = 360 * 60_000

/** Runs a template or snapshot once for each combination of a matrix. Gives whether the step succeeded. */
export async function sweepMatrix(env: Environment, log: WorkflowLog): Promise<boolean> {
  const step = new WorkflowStep({ action: 'sweep', env, log, signal: listenForCancellation() })
  try {
    const inputs = await step.read(readSweepInputs)
    step.reportTo(await audienceOf(inputs, 'sweep', env, log))
    const request = toSweepRequest(inputs, env)
    const { journal, ...deps } = await step.connect(inputs, request)
    const { runSweep } = await import('../run/sweep/sweep.ts')
    const end = await runSweep(request, { ...deps, journalOf: ({ number }) => journal.ofCell(number) })
    journal.settled()
    return await step.conclude(end)
  } catch (error) {
    return await step.fail(error)
  } finally {
    await step.close()
  }
}

/** What the inputs ask for, and how long the job may take. */
export function toSweepRequest(inputs: SweepInputs, env: Environment): SweepRequest {
  const isHosted = env['RUNNER_ENVIRONMENT'] === 'github-hosted'
  return { ...toRequest(inputs, env), jobLimitMs: isHosted ? HOSTED_JOB_MS : undefined }
}
