import { isMissingRoute } from '../../zenml/errors.ts'
import type { ChildRun, Run, StepState } from '../../zenml/model.ts'
import { missingPermission } from '../../zenml/answers/permission.ts'
import { twoSentences } from '../../base/sentences.ts'
import type { ExceptionInfo, Log, RunDetail } from '../../zenml/step-detail.ts'
import { NO_LOG, recordOfException, tailOf, whyCut } from './log-tail.ts'
import { readBestEffort, type Reading, type ReadingDependencies } from '../best-effort-read.ts'
import type { Reporter } from '../events.ts'
import type { Fault, LogTail, RunFailure, StepFailure } from '../facts.ts'
import { boundedMessage, className, readTraceback } from './traceback.ts'

export interface ExplainDependencies extends ReadingDependencies {
  readonly reporter: Reporter
  /** How many lines of a failed step's log are told; 0 for none. */
  readonly logTail: number
}

/** Of a run of thousands of steps that all fail the first ones say enough. */
const MOST_EXPLAINED = 10

/** Child runs have child runs. */
const MOST_DEPTH = 3

/** For all that one look finds, so that the next look is not late. */
const TIME_LIMIT_MS = 20_000

/** Tells once for each failed step why it failed, as far as the server says. */
export class FailureExplainer {
  readonly #deps: ExplainDependencies
  readonly #seen = new Set<string>()
  readonly #failures: StepFailure[] = []

  constructor(deps: ExplainDependencies) {
    this.#deps = deps
  }

  /** What was told so far, in that order. */
  get failures(): readonly StepFailure[] {
    return this.#failures
  }

  /**
   * Reads and tells why steps failed; those that were given before, and all after the tenth, are passed over. What
   * cannot be read is told as missing.
   *
   * @throws the signal's reason if it was aborted
   */
  async explain(steps: readonly StepState[]): Promise<void> {
    const limit = this.#deps.timeLimit(TIME_LIMIT_MS)
    for (const { id, name } of steps) {
      if (id === undefined || !this.#isNew(id)) continue
      this.#tell(await this.#explainStep(id, name, limit))
    }
  }

  /** The same of child runs that failed: their steps that failed, or the run itself where it started none. */
  async explainChildRuns(runs: readonly ChildRun[]): Promise<void> {
    const limit = this.#deps.timeLimit(TIME_LIMIT_MS)
    for (const run of runs) await this.#explainChildRun(run, run.name, limit, 1)
  }

  async #explainChildRun({ id }: ChildRun, path: string, limit: AbortSignal, depth: number): Promise<void> {
    const read = await readBestEffort((client) => client.dag(id), this.#deps, limit)
    // Then the exception of the run that called it says more.
    if ('missing' in read) return
    const { steps, childRuns } = read.value
    const failed = steps.filter(({ status }) => status === 'failed')
    const below = depth < MOST_DEPTH ? childRuns.filter(({ status }) => status === 'failed') : []
    for (const step of failed) {
      if (step.id === undefined || !this.#isNew(step.id)) continue
      const failure = await this.#explainStep(step.id, `${path}/${step.name}`, limit)
      this.#tell({ ...failure, isInChildRun: true })
    }
    for (const run of below) await this.#explainChildRun(run, `${path}/${run.name}`, limit, depth + 1)
    if (failed.length + below.length > 0 || !this.#isNew(id)) return
    const detail = await readBestEffort((client) => client.runDetail(id), this.#deps, limit)
    const fault = 'value' in detail ? notedFault(detail.value.exception) : undefined
    this.#tell({ step: path, fault, log: NO_LOG, isInChildRun: true })
  }

  #isNew(id: string): boolean {
    if (this.#seen.has(id) || this.#seen.size >= MOST_EXPLAINED) return false
    this.#seen.add(id)
    return true
  }

  #tell(failure: StepFailure): void {
    this.#failures.push(failure)
    this.#deps.reporter.tell({ kind: 'step-failed', failure })
  }

  async #explainStep(id: string, step: string, limit: AbortSignal): Promise<StepFailure> {
    const detail = await readBestEffort((client) => client.stepDetail(id), this.#deps, limit)
    const exception = 'value' in detail ? detail.value.exception : undefined
    // A log has up to 32 MB; it is read for its end, or because nothing else names the exception.
    const isNeeded = this.#deps.logTail > 0 || exception?.message === undefined
    const log = isNeeded
      ? await readBestEffort((client) => client.stepLog(id), this.#deps, limit)
      : { value: EMPTY_LOG }
    return { step, fault: faultOf(exception, log), log: readTail(log, exception, this.#deps.logTail) }
  }
}

/**
 * Reads why a run failed that started no step.
 *
 * @param run hydrated if that could be read
 * @throws the signal's reason if it was aborted
 */
export async function explainRun(run: Run | RunDetail, deps: ExplainDependencies): Promise<RunFailure> {
  const limit = deps.timeLimit(TIME_LIMIT_MS)
  const log = await readBestEffort((client) => client.runnerLog(run.id).catch(unlessNoRoute), deps, limit)
  const isEmpty = 'value' in log && log.value.records.every((record) => record.trim() === '')
  return {
    failedAt: run.endTime ?? run.updated,
    reason: run.statusReason,
    fault: faultOf('exception' in run ? run.exception : undefined, log),
    // The exception of a run's own code is in another log.
    log: isEmpty ? NO_LOG : readTail(log, undefined, deps.logTail),
  }
}

const EMPTY_LOG: Log = { records: [], entries: undefined, breaksOff: false }

/** 0.74 keeps no log of the runner. */
function unlessNoRoute(error: unknown): Log {
  if (isMissingRoute(error)) return EMPTY_LOG
  throw error
}

function readTail(log: Reading<Log>, exception: ExceptionInfo | undefined, most: number): LogTail {
  if (most === 0) return NO_LOG
  return 'missing' in log ? { ...NO_LOG, missing: log.missing } : tailOf(log.value, exception, most)
}

/** From what the server noted of the exception, and else from the log. */
function faultOf(exception: ExceptionInfo | undefined, log: Reading<Log>): Fault | undefined {
  return withPermission(readFault(exception, log))
}

/** A run acts as the account that started it: where that lacks a permission, the message says which. */
function withPermission(fault: Fault | undefined): Fault | undefined {
  const { message = '' } = fault ?? {}
  const missing = missingPermission(message)
  if (fault === undefined || missing === undefined) return fault
  const advice = `The account that started the run needs permission to ${missing}`
  return { ...fault, message: twoSentences(message.replace(/\s+/g, ' '), advice) }
}

/** What 0.84.3, 0.94.6 and 0.96.1 note does not lead to the user's code; their log does. */
function withPlace(noted: Fault, logged: Fault | undefined): Fault {
  if (logged?.type !== noted.type || logged?.frame === undefined) return noted
  return { ...noted, frame: logged.frame, code: logged.code }
}

function readFault(exception: ExceptionInfo | undefined, log: Reading<Log>): Fault | undefined {
  const noted = readNoted(exception)
  if (noted?.type !== undefined && noted.frame !== undefined) return noted
  const isWhole = 'value' in log && whyCut(log.value, exception) === undefined
  const logged = isWhole ? readLogged(log.value) : undefined
  if (noted?.type !== undefined) return withPlace(noted, logged)
  const { type, message } = logged ?? { type: undefined, message: undefined }
  const where = noted?.frame === undefined ? (logged ?? noted) : noted
  if (type === undefined && message === undefined && where === undefined) return undefined
  return {
    type,
    message: message ?? noted?.message,
    frame: where?.frame,
    code: where?.code,
  }
}

/** What the server noted of an exception; undefined if that is nothing. */
export function notedFault(exception: ExceptionInfo | undefined): Fault | undefined {
  return withPermission(readNoted(exception))
}

function readNoted(exception: ExceptionInfo | undefined): Fault | undefined {
  const { source, message, traceback = '' } = exception ?? NOTHING_NOTED
  // A message can hold another process's traceback.
  const end = message === undefined ? -1 : traceback.lastIndexOf(message)
  const read = readTraceback(end > 0 ? traceback.slice(0, end) : traceback)
  const type = source === undefined ? read?.type : className(source)
  if (type === undefined && message === undefined && read === undefined) return undefined
  return {
    type,
    message: message === undefined ? read?.message : boundedMessage(message),
    frame: read?.frame,
    code: read?.code,
  }
}

const NOTHING_NOTED: ExceptionInfo = { source: undefined, message: undefined, traceback: undefined }

/** ZenML's own record of the exception, and where there is none whatever the log ends in. */
function readLogged(log: Log): Fault | undefined {
  const own = recordOfException(log)
  const read = own === undefined ? undefined : readTraceback([own])
  return read?.type === undefined ? (readTraceback(log.records) ?? readGivingUp(log)) : read
}

/** 0.84.3 neither notes what was raised nor prints it; the line with which it gives up has the message. */
function readGivingUp({ records }: Log): Fault | undefined {
  const told = records.flatMap((record) => /^Failed to run step `?[\w.-]+`?: ([^]+)$/.exec(record)?.[1] ?? [])
  const message = boundedMessage(told.at(-1) ?? '')
  return message === undefined ? undefined : { type: undefined, message, frame: undefined, code: undefined }
}
