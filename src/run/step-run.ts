import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { isZenmlError } from '../zenml/errors.ts'
import { cleanUp } from './clean-up.ts'
import { conclude } from './conclude.ts'
import type { Outcome } from './conclusion.ts'
import { endRun, type EndMode } from './end-run.ts'
import { RunError } from './errors.ts'
import { judgeExpectations, missedExpectations, type Expectation } from './expect.ts'
import type { Journal, PlannedRun, StartedRun } from './journal.ts'
import type { Reporter } from './reporter.ts'
import { watchRun } from './watch.ts'

/** How a step follows its run, and when it ends it. */
export interface FollowPolicy {
  readonly wait: boolean
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined
  /** Milliseconds; undefined: adaptive. */
  readonly pollIntervalMs: number | undefined
  readonly onCancel: EndMode
  readonly onTimeout: EndMode
  readonly onPaused: 'wait' | 'fail'
  /** Conditions on the metadata of a run that completed. */
  readonly expectations?: readonly Expectation[]
  /** What is said when the workflow is cancelled before there is a run. */
  readonly nothingToCancel: string
  /** Page of the workflow run, or empty; ZenML shows it as the reason where a run has to be marked as failed. */
  readonly workflowRunUrl: string
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
const CANCEL_BUDGET_MS = 5_500

/** What is under way when the budget is spent may still take so long before it is cut off. */
const CANCEL_GRACE_MS = 700

/** The rest of the budget is for stopping a run that had to be looked up first. */
const CANCEL_LOOK_UP_MS = 2_500

/** After a time-out nobody hurries the step; a pod takes up to half a minute to end. */
const TIMEOUT_STOP_MS = 120_000

/**
 * Follows the run that `begin` gives to its end, and ends it when the workflow is cancelled or its time is up.
 *
 * @param begin tells the journal of every deed, so that a run is never out of sight; gives undefined where
 * nothing was to be started
 * @throws RunError or ZenmlError, with one line for a person, if there is no run to follow or that is not known
 */
export async function followRun(
  policy: FollowPolicy,
  deps: RunDependencies,
  begin: (deps: RunDependencies) => Promise<StartedRun | undefined>,
): Promise<RunResult> {
  return new StepRun(policy, deps).run(begin)
}

const NOTHING_STARTED: Outcome = { conclusion: 'dry-run', status: '', error: undefined }

class StepRun {
  readonly #policy: FollowPolicy
  readonly #deps: RunDependencies
  #planned: PlannedRun | undefined
  #started: StartedRun | undefined
  #followedFrom: number | undefined

  constructor(policy: FollowPolicy, deps: RunDependencies) {
    this.#policy = policy
    const reporter: Reporter = {
      tell: (event) => {
        if (event.kind === 'state' && this.#started !== undefined) {
          this.#started = { ...this.#started, status: event.status }
        }
        deps.reporter.tell(event)
      },
    }
    this.#deps = { ...deps, reporter, journal: this.#remembering(deps.journal) }
  }

  async run(begin: (deps: RunDependencies) => Promise<StartedRun | undefined>): Promise<RunResult> {
    const { clock, journal, signal } = this.#deps
    try {
      const started = await begin(this.#deps)
      if (started === undefined) return this.#result(NOTHING_STARTED)
      this.#followedFrom = clock.now()
      return this.#result(this.#policy.wait ? await this.#follow(started) : this.#leave(started))
    } catch (error) {
      if (signal?.aborted === true) return this.#result(await this.#cancel())
      // What nobody foresaw settles nothing: the post step then looks after the run.
      const foreseen = error instanceof RunError ? error.conclusion !== 'lost' : isZenmlError(error)
      if (foreseen && this.#started === undefined) journal.settled()
      throw error
    }
  }

  #remembering(journal: Journal): Journal {
    return {
      planned: (run) => {
        this.#planned = run
        journal.planned(run)
      },
      started: (run) => {
        this.#started = run
        journal.started(run)
      },
      ending: (mode) => {
        journal.ending(mode)
      },
      settled: () => {
        journal.settled()
      },
    }
  }

  async #follow(started: StartedRun): Promise<Outcome> {
    const { timeoutMs, onTimeout } = this.#policy
    const { id: runId, status, url } = started
    const watched = await watchRun({ ...this.#policy, runId, status, url }, this.#deps)
    const outcome = conclude(watched, { ...started, timeoutMs })
    switch (watched.kind) {
      case 'over':
        this.#deps.journal.settled()
        return outcome.conclusion === 'completed' ? this.#judge(started, outcome) : outcome
      case 'gone':
      case 'paused':
        this.#deps.journal.settled()
        return outcome
      case 'lost':
        return outcome
      case 'timed-out': {
        const run = { ...started, status: watched.status }
        const deadline = this.#deps.clock.now() + TIMEOUT_STOP_MS
        const reason = this.#reason('stopped after its timeout')
        this.#deps.journal.ending(onTimeout)
        const ended = await endRun({ run, mode: onTimeout, reason, deadline }, this.#deps)
        if (ended.settled) this.#deps.journal.settled()
        return { ...outcome, status: ended.status, error: `${outcome.error ?? ''}. ${ended.sentence}` }
      }
    }
  }

  /** A completed run is what was wished for only if its metadata is as expected. */
  async #judge({ id, name }: StartedRun, completed: Outcome): Promise<Outcome> {
    const { expectations = [] } = this.#policy
    if (expectations.length === 0) return completed
    const verdicts = await judgeExpectations(this.#deps.client, id, expectations)
    this.#deps.reporter.tell({ kind: 'expectations', verdicts })
    const error = missedExpectations(name, verdicts)
    return error === undefined ? completed : { ...completed, conclusion: 'expectation-missed', error }
  }

  #leave({ status }: StartedRun): Outcome {
    this.#deps.journal.settled()
    return { conclusion: 'started', status, error: undefined }
  }

  async #cancel(): Promise<Outcome> {
    const { client, clock, timeLimit, journal } = this.#deps
    if (this.#planned === undefined && this.#started === undefined) {
      return { conclusion: 'cancelled', status: '', error: this.#policy.nothingToCancel }
    }
    const signal = timeLimit(CANCEL_BUDGET_MS + CANCEL_GRACE_MS)
    const ended = await cleanUp(
      {
        planned: this.#planned,
        started: this.#started,
        mode: this.#policy.onCancel,
        reason: this.#reason('cancelled'),
        lookUpUntil: clock.now() + CANCEL_LOOK_UP_MS,
        deadline: clock.now() + CANCEL_BUDGET_MS,
      },
      { client: client.with({ signal }), clock, signal },
    )
    if (ended.settled) journal.settled()
    return { conclusion: 'cancelled', status: ended.status, error: `Cancelled. ${ended.sentence}` }
  }

  #reason(what: string): string {
    const { workflowRunUrl } = this.#policy
    const told = `The workflow step was ${what}`
    return workflowRunUrl === '' ? told : `${told}: ${workflowRunUrl}`
  }

  #result(outcome: Outcome): RunResult {
    const now = this.#deps.clock.now()
    return { ...outcome, runId: this.#started?.id, durationMs: now - (this.#followedFrom ?? now) }
  }
}
