import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { isZenmlError } from '../zenml/errors.ts'
import type { Definition } from '../zenml/model.ts'
import { runUrl } from '../zenml/run-url.ts'
import { cleanUp } from './clean-up.ts'
import { conclude } from './conclude.ts'
import type { Outcome } from './conclusion.ts'
import { completeFor, mergeOverrides, type Configuration, type Overrides } from './configure.ts'
import { endRun, type EndMode } from './end-run.ts'
import { RunError } from './errors.ts'
import type { Journal, PlannedRun, StartedRun } from './journal.ts'
import { defaultRunName, expandRunName } from './name.ts'
import { prepare } from './prepare.ts'
import type { Reporter } from './reporter.ts'
import type { Target } from './resolve.ts'
import { triggerRun } from './trigger.ts'
import { watchRun } from './watch.ts'

/** Everything that one step of a workflow asks for. */
export interface RunRequest {
  /** As a person would write it; for messages and links. */
  readonly serverUrl: string
  readonly target: Target
  readonly project: string | undefined
  readonly overrides: Overrides
  /** May hold `{date}` and `{time}`; undefined: a configuration's `run_name`, or one of ours. */
  readonly runName: string | undefined
  /** Where this step runs, for a name of ours. */
  readonly origin: {
    readonly workflowRunId: string
    readonly attempt: string
    readonly stepIdentity: string
    /** Page of the workflow run, or empty. */
    readonly workflowRunUrl: string
  }
  readonly wait: boolean
  readonly timeoutMs: number | undefined
  readonly triggerTimeoutMs: number
  readonly pollIntervalMs: number | undefined
  readonly onCancel: EndMode
  readonly onTimeout: EndMode
}

export interface RunDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly journal: Journal
  /** Gives a new UUID. */
  readonly newKey: () => string
  /** Gives a signal that is aborted after so many milliseconds of real time. */
  readonly timeLimit: (ms: number) => AbortSignal
  /** Aborted when the workflow is cancelled. */
  readonly signal?: AbortSignal | undefined
}

/** A run, and what became of it as far as this step followed it. */
export interface RunResult extends Outcome {
  /** Undefined if no run was started, or that is not known. */
  readonly runId: string | undefined
  /** Milliseconds from where this step began to follow the run to the end of the step. */
  readonly durationMs: number
}

/** The runner sends its second signal 7.5 s after the first, and kills soon after; all must be said before. */
const CANCEL_BUDGET_MS = 6_000

/** The rest of the budget, for stopping a run that had to be looked up first. */
const CANCEL_LOOK_UP_MS = 3_500

/** After a time-out nobody hurries the step; a pod takes up to half a minute to end. */
const TIMEOUT_STOP_MS = 120_000

/**
 * The whole path: connect, find what to run, start it exactly once, wait for it, conclude. When the signal is
 * aborted the run is ended as `onCancel` says, and the result tells what is known.
 *
 * @throws RunError or ZenmlError, with one line for a person, if no run was started or that is not known
 */
export async function executeRun(request: RunRequest, deps: RunDependencies): Promise<RunResult> {
  return new Execution(request, deps).run()
}

class Execution {
  readonly #request: RunRequest
  readonly #deps: RunDependencies
  readonly #journal: Journal
  #planned: PlannedRun | undefined
  #started: StartedRun | undefined
  #followedFrom: number | undefined

  constructor(request: RunRequest, deps: RunDependencies) {
    this.#request = request
    this.#deps = deps
    this.#journal = {
      planned: (run) => {
        this.#planned = run
        deps.journal.planned(run)
      },
      started: (run) => {
        this.#started = run
        deps.journal.started(run)
      },
      settled: () => {
        deps.journal.settled()
      },
    }
  }

  async run(): Promise<RunResult> {
    const { signal } = this.#deps
    try {
      await this.#start()
      return this.#result(this.#request.wait ? await this.#follow() : this.#leave())
    } catch (error) {
      if (signal?.aborted === true) return this.#result(await this.#cancel())
      // What nobody foresaw settles nothing: the post step then looks after the run.
      const foreseen = error instanceof RunError ? error.conclusion !== 'lost' : isZenmlError(error)
      if (foreseen && this.#started === undefined) this.#journal.settled()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { clock, reporter } = this.#deps
    const { serverUrl, overrides, triggerTimeoutMs } = this.#request
    const deadline = clock.now() + triggerTimeoutMs
    const configuration = mergeOverrides(overrides)
    const { server, definition, project } = await prepare(this.#request, this.#deps)
    reporter.tell({ kind: 'resolved', definition, overrides: configuration.body })
    const key = this.#deps.newKey()
    const { name, nameIsOurs } = this.#name(definition, configuration, key)
    reporter.tell({ kind: 'triggering', name })
    const { run, adopted } = await triggerRun(
      {
        definition,
        configuration: completeFor(server.version, definition, configuration.body),
        name,
        nameIsOurs,
        key,
        deadline,
      },
      { ...this.#deps, journal: this.#journal },
    )
    const url = runUrl(serverUrl, server, run.id, project)
    this.#followedFrom = clock.now()
    this.#journal.started({ id: run.id, name, url, status: run.status })
    reporter.tell({ kind: 'started', run, url, adopted })
  }

  #name(
    definition: Definition,
    configuration: Configuration,
    key: string,
  ): { name: string; nameIsOurs: boolean } {
    const { runName, origin } = this.#request
    const pattern = runName ?? configuration.runName
    if (pattern !== undefined)
      return { name: expandRunName(pattern, this.#deps.clock.now()), nameIsOurs: false }
    const pipeline = definition.pipeline?.name ?? definition.name ?? 'run'
    return { name: defaultRunName({ pipeline, ...origin, key }), nameIsOurs: true }
  }

  async #follow(): Promise<Outcome> {
    const { timeoutMs, pollIntervalMs, onTimeout } = this.#request
    const started = this.#startedRun()
    const watched = await watchRun(
      { runId: started.id, status: started.status, timeoutMs, pollIntervalMs },
      this.#deps,
    )
    const outcome = conclude(watched, { ...started, timeoutMs })
    if (watched.kind === 'over') this.#journal.settled()
    if (watched.kind !== 'timed-out') return outcome
    const ended = await endRun(
      {
        run: { ...started, status: watched.status },
        mode: onTimeout,
        reason: this.#reason('stopped after its timeout'),
        deadline: this.#deps.clock.now() + TIMEOUT_STOP_MS,
      },
      this.#deps,
    )
    if (ended.settled) this.#journal.settled()
    return { ...outcome, status: ended.status, error: `${outcome.error ?? ''}. ${ended.sentence}` }
  }

  #leave(): Outcome {
    this.#journal.settled()
    return { conclusion: 'started', status: this.#startedRun().status, error: undefined }
  }

  async #cancel(): Promise<Outcome> {
    const { client, clock, timeLimit } = this.#deps
    if (this.#planned === undefined) {
      return { conclusion: 'cancelled', status: '', error: 'Cancelled before a run was started' }
    }
    const signal = timeLimit(CANCEL_BUDGET_MS)
    const ended = await cleanUp(
      {
        planned: this.#planned,
        started: this.#started,
        mode: this.#request.onCancel,
        reason: this.#reason('cancelled'),
        lookUpUntil: clock.now() + CANCEL_LOOK_UP_MS,
        deadline: clock.now() + CANCEL_BUDGET_MS,
      },
      { client: client.with({ signal }), clock, signal },
    )
    if (ended.settled) this.#journal.settled()
    return { conclusion: 'cancelled', status: ended.status, error: `Cancelled. ${ended.sentence}` }
  }

  #reason(what: string): string {
    const { workflowRunUrl } = this.#request.origin
    return workflowRunUrl === ''
      ? `The workflow step was ${what}`
      : `The workflow step was ${what}: ${workflowRunUrl}`
  }

  #startedRun(): StartedRun {
    if (this.#started === undefined) throw new Error('no run was started')
    return this.#started
  }

  #result(outcome: Outcome): RunResult {
    const now = this.#deps.clock.now()
    return { ...outcome, runId: this.#started?.id, durationMs: now - (this.#followedFrom ?? now) }
  }
}
