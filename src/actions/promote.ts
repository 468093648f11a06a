import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { graceSignal } from '../github/workflow/grace-signal.ts'
import type { Environment } from '../github/workflow/environment.ts'
import { InputFaults } from '../github/inputs/faults.ts'
import { projectChoice } from '../github/inputs/project-choice.ts'
import { readPromoteInputs } from '../github/inputs/read.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { PromotionReport } from '../github/promotion-report.ts'
import { RunError } from '../run/errors.ts'
import { NOT_SENT } from '../run/promote/change-stage.ts'
import { promoteVersion } from '../run/promote/promote.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { systemClock } from '../base/system-clock.ts'
import type { Http } from '../http/http.ts'
import { openClient, openHttp, type Connection } from './open-client.ts'
import { readAndTell } from './read-inputs.ts'

/**
 * Gives a version of a model a stage. Gives whether it has it now. When the workflow is cancelled, nothing new is sent,
 * and what was sent is looked after for most of the seconds that the runner leaves.
 */
export async function promote(env: Environment, log: WorkflowLog, first?: Http): Promise<boolean> {
  const cancelled = listenForCancellation()
  const signal = graceSignal(cancelled)
  const report = new PromotionReport(log, systemClock)
  let connection: Connection | undefined
  try {
    const inputs = await readAndTell(readPromoteInputs, env, log)
    const http = first ?? openHttp(inputs.authorities)
    connection = await openClient({ inputs, http, clock: systemClock, log, reporter: report, signal })
    const client = connection.client.with({ signal })
    const request = { ...inputs, project: projectChoice(inputs.project, env) }
    const deps = { client, clock: systemClock, reporter: report, signal, cancelled }
    return await report.ended(await promoteVersion(request, deps))
  } catch (error) {
    if (error instanceof InputFaults) return report.badInputs(error.faults)
    if (cancelled.aborted) return await report.ended({ conclusion: 'cancelled', sentence: NOT_SENT })
    if (!(error instanceof RunError || isZenmlError(error))) throw error
    return await report.ended({ conclusion: 'failed', sentence: error.message })
  } finally {
    connection?.close()
  }
}
