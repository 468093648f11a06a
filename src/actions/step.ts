import { randomUUID } from 'node:crypto'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import { readFile } from '../github/workflow/files.ts'
import type { Environment } from '../github/workflow/environment.ts'
import { named } from '../github/inputs/connection.ts'
import { InputFaults } from '../github/inputs/faults.ts'
import type { ConnectionInputs, InputSources, ReadInputs } from '../github/inputs/read-checked.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { saveState } from '../github/outputs.ts'
import { RunJournal } from '../github/state.ts'
import { StepReport, type StepReportOptions } from '../github/step-report.ts'
import { ConfigurationError, RunError } from '../run/errors.ts'
import type { FollowPolicy, RunDependencies, RunResult } from '../run/follow.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock, timeLimit } from '../base/system-clock.ts'
import { openClient, openHttp, type Connection, type OpenOptions } from './connect.ts'

/** The end of a step whose server could not be asked. */
const NO_RUN = { conclusion: 'failed', hadRun: false } as const

/**
 * Runs a step and says how it ended. Gives whether it succeeded.
 *
 * @param work is given a signal that is aborted when the workflow is cancelled
 * @throws whatever nobody foresaw
 */
export async function reportStep(
  options: StepReportOptions,
  work: (report: StepReport, cancellation: AbortSignal) => Promise<RunResult>,
): Promise<boolean> {
  // First of all: what the runner sends while the inputs are read would end the process without a word.
  const cancellation = listenForCancellation()
  const report = new StepReport(options)
  try {
    report.begin()
    const result = await work(report, cancellation)
    await report.ended(result)
    return result.error === undefined
  } catch (error) {
    if (error instanceof InputFaults) {
      report.badInputs(error.faults)
    } else if (error instanceof RunError || isZenmlError(error)) {
      const { conclusion, hadRun } = error instanceof RunError ? error : NO_RUN
      const faults = error instanceof ConfigurationError ? error.faults : undefined
      await report.ended({
        conclusion,
        hadRun,
        status: '',
        error: error.message,
        failedStep: undefined,
        faults,
        durationMs: 0,
      })
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

export interface StepPolicy extends Pick<FollowPolicy, 'onCancel' | 'workflowRunUrl'> {
  /** What is said when the workflow is cancelled before the server is found. */
  readonly nothingToCancel: string
  /** Aborted when the work is to come to an end, because the workflow was cancelled. */
  readonly signal: AbortSignal
  /** So long a workspace is looked up at most; default: as {@link OpenOptions} says. */
  readonly lookUpMs?: number
}

/** Connects as the inputs say, follows a run as `follow` does it, and ends the connections. */
export async function withRunDependencies(
  inputs: ConnectionInputs,
  { onCancel, workflowRunUrl, nothingToCancel, signal, lookUpMs }: StepPolicy,
  log: WorkflowLog,
  report: StepReport,
  follow: (deps: RunDependencies, serverUrl: string) => Promise<RunResult>,
): Promise<RunResult> {
  const clock = systemClock
  const options = { inputs, http: openHttp(inputs.authorities), lookUpMs, clock, log, reporter: report }
  const connection = await connectUntil(signal, options)
  if (connection === undefined) return cancelled(nothingToCancel)
  const { serverUrl } = connection
  try {
    const facts = { serverUrl, named: named(inputs.server), onCancel, workflowRunUrl, processId: process.pid }
    return await follow(
      {
        client: connection.client.with({ signal }),
        clock,
        reporter: report,
        journal: new RunJournal(facts, (name, value) => saveState(name, value, log)),
        newKey: randomUUID,
        timeLimit,
        signal,
      },
      serverUrl,
    )
  } finally {
    await connection.close()
  }
}

function cancelled(error: string): RunResult {
  return {
    conclusion: 'cancelled',
    status: '',
    error,
    failedStep: undefined,
    runId: undefined,
    durationMs: 0,
  }
}

/** Undefined if the workflow was cancelled before the server was found. */
async function connectUntil(
  signal: AbortSignal,
  options: Omit<OpenOptions, 'signal'>,
): Promise<Connection | undefined> {
  try {
    return await openClient({ ...options, signal })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}
