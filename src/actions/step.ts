import { randomUUID } from 'node:crypto'
import { listenForCancellation } from '../github/cancellation.ts'
import { readFile } from '../github/files.ts'
import type { Environment } from '../github/environment.ts'
import { named } from '../github/connection.ts'
import { InputFaults } from '../github/input-faults.ts'
import type { ConnectionInputs, InputSources, ReadInputs } from '../github/input-reader.ts'
import type { WorkflowLog } from '../github/log.ts'
import { RunJournal } from '../github/run-journal.ts'
import { StepReport } from '../github/step-report.ts'
import { RunError } from '../run/errors.ts'
import type { FollowPolicy, RunDependencies, RunResult } from '../run/step-run.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock } from '../zenml/system-clock.ts'
import { connect, type Connection, type ConnectOptions } from './connect.ts'

/**
 * Runs a step and says how it ended. Gives whether it succeeded.
 *
 * @throws whatever nobody foresaw
 */
export async function reportStep(
  log: WorkflowLog,
  work: (report: StepReport) => Promise<RunResult>,
): Promise<boolean> {
  const report = new StepReport(log)
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
  inputs: ConnectionInputs,
  { onCancel, workflowRunUrl }: Pick<FollowPolicy, 'onCancel' | 'workflowRunUrl'>,
  log: WorkflowLog,
  report: StepReport,
  follow: (deps: RunDependencies, serverUrl: string) => Promise<RunResult>,
): Promise<RunResult> {
  const signal = listenForCancellation()
  const clock = systemClock
  const connection = await connectUntil(signal, { inputs, clock, log, reporter: report })
  if (connection === undefined) return CANCELLED
  const { serverUrl } = connection
  try {
    const facts = { serverUrl, named: named(inputs.server), onCancel, workflowRunUrl, processId: process.pid }
    return await follow(
      {
        client: connection.client.with({ signal }),
        clock,
        reporter: report,
        journal: new RunJournal(facts),
        newKey: randomUUID,
        timeLimit: (ms) => AbortSignal.timeout(ms),
        signal,
      },
      serverUrl,
    )
  } finally {
    await connection.close()
  }
}

const CANCELLED: RunResult = {
  conclusion: 'cancelled',
  status: '',
  error: 'Cancelled before a run was started',
  runId: undefined,
  durationMs: 0,
}

/** Undefined if the workflow was cancelled before the server was found. */
async function connectUntil(
  signal: AbortSignal,
  options: Omit<ConnectOptions, 'signal'>,
): Promise<Connection | undefined> {
  try {
    return await connect({ ...options, signal })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
