import { randomUUID } from 'node:crypto'
import { listenForCancellation } from '../github/cancellation.ts'
import { readFile } from '../github/files.ts'
import type { Environment } from '../github/environment.ts'
import { InputFaults } from '../github/input-faults.ts'
import type { ActionName } from '../github/input-schema.ts'
import type { ConnectionInputs, InputSources, ReadInputs } from '../github/input-reader.ts'
import type { WorkflowLog } from '../github/log.ts'
import { RunJournal } from '../github/run-journal.ts'
import { StepReport } from '../github/step-report.ts'
import { RunError } from '../run/errors.ts'
import type { FollowPolicy, RunDependencies, RunResult } from '../run/step-run.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock, timeLimit } from '../zenml/system-clock.ts'
import { connect } from './connect.ts'

/**
 * Runs a step and says how it ended. Gives whether it succeeded.
 *
 * @throws whatever nobody foresaw
 */
export async function reportStep(
  action: Exclude<ActionName, 'login'>,
  log: WorkflowLog,
  work: (report: StepReport) => Promise<RunResult>,
): Promise<boolean> {
  const report = new StepReport(log, action)
  try {
    const result = await work(report)
    await report.ended(result)
    return result.error === undefined
  } catch (error) {
    if (error instanceof InputFaults) {
      report.badInputs(error.faults)
    } else if (error instanceof RunError || isZenmlError(error)) {
      const conclusion = error instanceof RunError ? error.conclusion : 'failed'
      await report.ended({ conclusion, status: '', error: error.message, durationMs: 0 })
    } else {
      throw error
    }
    return false
  }
}

/**
 * Reads an action's inputs, secrets masked first, and says what is worth knowing about them.
 *
 * @throws InputFaults
 */
export async function readStepInputs<T>(
  env: Environment,
  log: WorkflowLog,
  read: (sources: InputSources) => Promise<ReadInputs<T>>,
): Promise<T> {
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  const { inputs, notices } = await read({ env, readFile, mask, parseServerUrl })
  for (const notice of notices) log.notice(notice)
  return inputs
}

/** Connects as the inputs say, follows a run as `follow` does it, and ends the connections. */
export async function withRunDependencies(
  { server, credential }: ConnectionInputs,
  { onCancel, workflowRunUrl }: Pick<FollowPolicy, 'onCancel' | 'workflowRunUrl'>,
  log: WorkflowLog,
  report: StepReport,
  follow: (deps: RunDependencies) => Promise<RunResult>,
): Promise<RunResult> {
  const signal = listenForCancellation()
  const clock = systemClock
  const connection = connect({ baseUrl: server.url, credential, clock, log, reporter: report })
  try {
    return await follow({
      client: connection.client.with({ signal }),
      clock,
      reporter: report,
      journal: new RunJournal({ serverUrl: server.url, onCancel, workflowRunUrl, processId: process.pid }),
      newKey: randomUUID,
      timeLimit,
      signal,
    })
  } finally {
    await connection.close()
  }
}
