import type { Environment } from '../github/workflow/environment.ts'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { readSweepInputs } from '../github/sweep/inputs.ts'
import type { Http } from '../http/http.ts'
import { audienceOf } from './audience.ts'
import { jobDeadline } from './job-deadline.ts'
import { requestFromInputs } from './request-from-inputs.ts'
import { WorkflowStep } from './workflow-step.ts'

/** Runs a template or snapshot once for each combination of a matrix. Gives whether the step succeeded. */
export async function sweepMatrix(env: Environment, log: WorkflowLog, http?: Http): Promise<boolean> {
  const step = new WorkflowStep({ action: 'sweep', env, log, signal: listenForCancellation(), http })
  try {
    const inputs = await step.read(readSweepInputs)
    step.reportTo(await audienceOf(inputs, 'sweep', env, log))
    const request = { ...requestFromInputs(inputs, env), jobDeadline: await jobDeadline(env) }
    const { journal, ...deps } = await step.connect(inputs, request)
    const { runSweep } = await import('../run/sweep/sweep.ts')
    const end = await runSweep(request, { ...deps, journalOf: ({ number }) => journal.ofCell(number) })
    journal.settled()
    return await step.conclude(end)
  } catch (error) {
    return await step.fail(error)
  } finally {
    step.close()
  }
}
