import { randomUUID } from 'node:crypto'
import type { Environment } from '../github/workflow/environment.ts'
import { named } from '../github/inputs/connection.ts'
import { InputFaults } from '../github/inputs/faults.ts'
import type { ConnectionInputs, InputSources, ReadInputs } from '../github/inputs/read-checked.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { saveState } from '../github/outputs.ts'
import { noteProcess, PostStepJournal } from '../github/post-step-state.ts'
import { WorkflowStepReporter, type Audience } from '../github/workflow-step-reporter.ts'
import type { WorkflowStepEnd } from '../github/run-recorder.ts'
import { ConfigurationError, NoSuchRunError, RunError } from '../run/errors.ts'
import type { FollowPolicy, RunDependencies } from '../run/run-supervisor.ts'
import { isZenmlError } from '../zenml/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { Http } from '../http/http.ts'
import { systemClock, timeLimit } from '../base/system-clock.ts'
import { openClient, openHttp, type Connection } from './open-client.ts'
import { readAndTell } from './read-inputs.ts'

/** What a workflow step needs from outside. */
export interface Surroundings {
  readonly clock: Clock
  /** Gives a signal that is aborted after so many milliseconds of real time. */
  readonly timeLimit: (ms: number) => AbortSignal
  /** Gives a new UUID. */
  readonly newKey: () => string
  /** Opens connections that trust these certificates too. */
  readonly openHttp: (authorities: ConnectionInputs['authorities']) => Http
}

const REAL: Surroundings = { clock: systemClock, timeLimit, newKey: randomUUID, openHttp }

export interface WorkflowStepOptions {
  readonly action: 'main' | 'wait' | 'sweep' | 'stop' | 'resolve'
  readonly env: Environment
  readonly log: WorkflowLog
  /** Aborted when the work is to come to an end, because the workflow was cancelled. */
  readonly signal: AbortSignal
  /** The connections to use; default: those of the surroundings. */
  readonly http?: Http | undefined
  readonly surroundings?: Surroundings
}

interface ConnectPolicy extends Pick<FollowPolicy, 'onCancel' | 'workflowRunUrl' | 'nothingToCancel'> {
  /** Limits the look-up of a workspace as well. */
  readonly triggerTimeoutMs?: number
  /** What the inputs name a run by that something else started. */
  readonly run?: string
}

/** One workflow step, from its inputs to what it reports: what the actions that see to a run have in common. */
export class WorkflowStep {
  readonly #options: WorkflowStepOptions
  readonly #surroundings: Surroundings
  readonly #report: WorkflowStepReporter
  #connection: Connection | undefined
  /** What is said when the workflow is cancelled before the server is found. */
  #nothingToCancel: string | undefined

  constructor(options: WorkflowStepOptions) {
    const { surroundings = REAL } = options
    noteProcess(options.env, options.log)
    this.#options = options
    this.#surroundings = surroundings
    this.#report = new WorkflowStepReporter({ ...options, clock: surroundings.clock })
    this.#report.begin()
  }

  /**
   * Reads the action's inputs, secrets masked first, and says what is worth knowing about them.
   *
   * @throws InputFaults
   */
  async read<T>(read: (sources: InputSources) => Promise<ReadInputs<T>>): Promise<T> {
    return readAndTell(read, this.#options.env, this.#options.log)
  }

  /** Where the step reports in addition to its log; to be called as soon as the inputs say it. */
  reportTo(audience: Audience): void {
    this.#report.address(audience)
  }

  /**
   * Opens the connection that the inputs describe, with everything else that following a run takes.
   *
   * @throws ZenmlError, or the signal's reason if the workflow was cancelled meanwhile
   */
  async connect(
    inputs: ConnectionInputs,
    { onCancel, workflowRunUrl, nothingToCancel, triggerTimeoutMs, run: awaited }: ConnectPolicy,
  ): Promise<RunDependencies & { readonly journal: PostStepJournal }> {
    const { log, signal, http } = this.#options
    const { clock, timeLimit, newKey, openHttp } = this.#surroundings
    const reporter = this.#report
    this.#nothingToCancel = nothingToCancel
    this.#connection = await openClient({
      inputs,
      http: http ?? openHttp(inputs.authorities),
      clock,
      log,
      reporter,
      lookUpMs: triggerTimeoutMs,
      signal,
    })
    const { client } = this.#connection
    const { serverUrl } = client
    const facts = { serverUrl, named: named(inputs.server), onCancel, workflowRunUrl, awaited }
    const journal = new PostStepJournal(facts, (name, value) => saveState(name, value, log))
    return { client: client.with({ signal }), clock, reporter, journal, newKey, timeLimit, signal }
  }

  /** Says how the step ended. Gives whether it succeeded. */
  async conclude(end: WorkflowStepEnd): Promise<boolean> {
    await this.#report.ended(end)
    return end.error === undefined
  }

  /**
   * Says why the step came to nothing. Gives false: it did not succeed.
   *
   * @throws whatever nobody foresaw
   */
  async fail(error: unknown): Promise<boolean> {
    if (error instanceof InputFaults) {
      this.#report.badInputs(error.faults)
      return false
    }
    if (this.#wasCancelledEarly)
      return this.conclude({ ...NO_END, conclusion: 'cancelled', error: this.#nothingToCancel })
    if (error instanceof RunError) {
      const { conclusion, hadRun, message } = error
      const { faults, faultsWithoutValues } = error instanceof ConfigurationError ? error : NO_FAULTS
      const remark = error instanceof NoSuchRunError ? 'not-found' : hadRun ? 'had-run' : undefined
      return this.conclude({
        ...NO_END,
        conclusion,
        remark,
        error: message,
        faults,
        faultsWithoutValues,
      })
    }
    if (isZenmlError(error)) return this.conclude({ ...NO_END, conclusion: 'failed', error: error.message })
    throw error
  }

  /** Ends the connections, so that the process can end. */
  close(): void {
    this.#connection?.close()
  }

  /** Without a connection nothing was started. */
  get #wasCancelledEarly(): boolean {
    return (
      this.#options.signal.aborted && this.#connection === undefined && this.#nothingToCancel !== undefined
    )
  }
}

const NO_FAULTS = { faults: undefined, faultsWithoutValues: undefined } as const

/** The end of a step that has nothing else to say of a run. */
const NO_END = { status: '', failedStep: undefined } as const
