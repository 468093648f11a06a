import { randomUUID } from 'node:crypto'
import type { Environment } from '../github/environment.ts'
import { listenForCancellation } from '../github/cancellation.ts'
import { readFile } from '../github/files.ts'
import { readWorkflowContext, stepIdentity } from '../github/identity.ts'
import { InputFaults } from '../github/input-faults.ts'
import { readInputs, type Inputs } from '../github/inputs.ts'
import type { WorkflowLog } from '../github/log.ts'
import { RunJournal } from '../github/run-journal.ts'
import { StepReport } from '../github/step-report.ts'
import { isSuccess } from '../run/conclusion.ts'
import { RunError } from '../run/errors.ts'
import { executeRun, type RunRequest } from '../run/execute.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock } from '../zenml/system-clock.ts'
import { connect } from './connect.ts'

/**
 * Runs a template or snapshot and waits for it. Gives whether the step succeeded; all that a person should know
 * has been said then.
 *
 * @throws whatever nobody foresaw
 */
export async function runTemplate(env: Environment, log: WorkflowLog): Promise<boolean> {
  const report = new StepReport(log)
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  try {
    const { inputs, notices } = await readInputs({ env, readFile, mask, parseServerUrl })
    for (const notice of notices) log.notice(notice)
    return await run(inputs, env, log, report)
  } catch (error) {
    if (error instanceof InputFaults) {
      report.badInputs(error.faults)
    } else if (error instanceof RunError) {
      await report.ended({ conclusion: error.conclusion, status: '', error: error.message, durationMs: 0 })
    } else if (isZenmlError(error)) {
      await report.ended({ conclusion: 'failed', status: '', error: error.message, durationMs: 0 })
    } else {
      throw error
    }
    return false
  }
}

async function run(inputs: Inputs, env: Environment, log: WorkflowLog, report: StepReport): Promise<boolean> {
  const { server, credential } = inputs
  const clock = systemClock
  const signal = listenForCancellation()
  const request = toRequest(inputs, env)
  const connection = connect({ baseUrl: server.url, credential, clock, log, reporter: report })
  try {
    const { client } = connection
    const journal = new RunJournal({
      serverUrl: request.serverUrl,
      onCancel: request.onCancel,
      workflowRunUrl: request.origin.workflowRunUrl,
      processId: process.pid,
    })
    const result = await executeRun(request, {
      client: client.with({ signal }),
      clock,
      reporter: report,
      journal,
      newKey: randomUUID,
      timeLimit: (ms) => AbortSignal.timeout(ms),
      signal,
    })
    await report.ended(result)
    return isSuccess(result.conclusion)
  } finally {
    await connection.close()
  }
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
      attempt: String(context.runAttempt),
      stepIdentity: stepIdentity(context, inputs.stepKey),
      workflowRunUrl: context.workflowRunUrl,
    },
    wait: inputs.wait,
    timeoutMs: inputs.timeoutMs,
    triggerTimeoutMs: inputs.triggerTimeoutMs,
    pollIntervalMs: inputs.pollIntervalMs,
    onCancel: 'stop',
    onTimeout: 'stop',
  }
}
