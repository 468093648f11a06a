import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../base/clock.ts'
import { Deadline } from '../base/deadline.ts'
import { isZenmlError } from '../zenml/errors.ts'
import type { ChildRun, Named, Run, RunReference, ServerInfo, StepState } from '../zenml/model.ts'
import { runPhase } from '../zenml/status.ts'
import { onCancelled, isHandedOver, jobTimeIsUp, type CancelPolicy, type Place } from './stop/on-cancelled.ts'
import { conclude, withStepsLeft } from './outcome/conclude.ts'
import type { Outcome } from './conclusion.ts'
import { stopReason } from './stop/stop-reason.ts'
import { cannotComplete, stopOrKeep, type StoppedOrKept } from './stop/stop-or-keep.ts'
import { RunError } from './errors.ts'
import { noteConclusion, type Origin } from './origin.ts'
import { FailureExplainer } from './outcome/explain-failure.ts'
import { describeExpectation } from './outcome/evaluate-expectations.ts'
import { readUsual, type Kin } from './watch/usual-duration.ts'
import { stopModeOf, isInLastMinutes, jobTooShort, untilLastMs, waitLimitMs } from './job-time-limit.ts'
import type { RecoveryJournal, PlannedRun, StartedRun } from './recovery-journal.ts'
import { causeOf, readEndedRun, type EndedRun } from './outcome/read-ended-run.ts'
import { applyQualityGate, type QualityGatePolicy } from './outcome/quality-gate.ts'
import type { Reporter, TriggerHindrance } from './events.ts'
import type { RunDetails, Usual } from './facts.ts'
import { followLogs } from './logs/live-logs.ts'
import { readGallery } from './visualizations/gallery.ts'
import { watchRun, type Watched } from './watch/watch.ts'
import type { Looks } from './watch/shared-looks.ts'

/** How a step follows its run, and when it ends it. */
export interface FollowPolicy extends CancelPolicy, QualityGatePolicy {
  readonly wait: boolean
  /** Milliseconds; undefined: adaptive. */
  readonly pollIntervalMs?: number | undefined
  readonly onPaused: 'wait' | 'fail'
  /** So many milliseconds without an answer of the server, and the run is lost from sight. */
  readonly lostAfterMs: number
  /** What the post step does with a run that was followed and then lost from sight. */
  readonly onLost: 'keep-running' | 'stop'
  /** How many lines of a failed step's log are shown; 0 for none. */
  readonly logTail: number
  /** Whether also to tell what the steps log while they run; default: no. */
  readonly logs?: 'failed' | 'live'
  /** The name of a value that a completed run is compared with other runs by. */
  readonly rankedBy?: string | undefined
  /** Whether to read what the artifacts of a run that ended show. */
  readonly visualizations?: boolean
  /** With which other runs it is looked at; default: alone. */
  readonly looks?: Looks | undefined
  /** What is said when the workflow is cancelled before there is a run. */
  readonly nothingToCancel: string
}

export interface RunDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly journal: RecoveryJournal
  /** Gives a new UUID. */
  readonly newKey: () => string
  /** Gives a signal that is aborted after so many milliseconds of real time. */
  readonly timeLimit: (ms: number) => AbortSignal
  /** Aborted when the workflow is cancelled. */
  readonly signal?: AbortSignal | undefined
}

/** A run that is there, and what is known of it before it is followed. */
export interface Begun {
  readonly started: StartedRun
  /** What such runs have in common, for how long they usually take. */
  readonly kin: Kin
  /** For how long it has been there; milliseconds. */
  readonly ageMs: number
  /** How long such runs take, where that was read already, or where nobody can tell. */
  readonly usual?: { readonly known: Usual | undefined }
  readonly server: ServerInfo
  readonly project: Named | undefined
  /** What is noted on it of where it came from; undefined if nothing is. */
  readonly origin?: Origin | undefined
  /** That it is noted, while the run is watched: whether it could be. It never rejects. */
  readonly beside?: Promise<boolean>
}

/** A run, and what became of it as far as this step followed it. */
export interface RunResult extends Outcome {
  /** Undefined if no run was started, or that is not known. */
  readonly runId: string | undefined
}

/** After a time-out nobody hurries the step; a pod takes up to half a minute to end. */
export const TIMEOUT_STOP_MS = 120_000

/**
 * Sees to one run, from before it is started to the end of the step: follows it, and ends it when its time is up or the
 * workflow is cancelled. To know at any moment what there is to end, it listens to what the journal is told.
 */
export class RunSupervisor {
  /** With a journal and a reporter that the supervisor listens to: for whatever finds and starts the run. */
  readonly deps: RunDependencies
  readonly #policy: FollowPolicy
  readonly #explainer: FailureExplainer
  #planned: PlannedRun | undefined
  /** Where the run is to be that was planned. */
  #place: Place | undefined
  #started: StartedRun | undefined
  /** How many requests to start it were sent, without those that certainly came to nothing. */
  #sendings = 0
  /** The outcome of the run, once nothing of it is running; there is nothing to cancel then. */
  #ended: Pick<StoppedOrKept, 'status' | 'sentence'> | undefined
  /** It ended by itself, and that was seen. */
  #isOver = false
  /** Of the run that ended by itself. */
  #details: RunDetails | undefined

  constructor(policy: FollowPolicy, deps: RunDependencies) {
    this.#policy = policy
    const reporter: Reporter = {
      tell: (event) => {
        if (event.kind === 'state' && this.#started !== undefined) {
          const wasPaused = this.#started.status === 'paused'
          this.#started = { ...this.#started, status: event.status }
          // Of a run that waits for a person no process is left that could end it: a post step has to know that.
          if (wasPaused !== (event.status === 'paused')) deps.journal.started(this.#started)
        }
        if (event.kind === 'triggering') this.#place = event
        if (event.kind === 'trigger-hindered' && REFUSALS.has(event.hindrance)) this.#sendings -= 1
        deps.reporter.tell(event)
      },
    }
    this.deps = { ...deps, reporter, journal: this.#remembering(deps.journal) }
    this.#explainer = new FailureExplainer({ ...this.deps, logTail: policy.logTail })
  }

  /** The run that it sees to; undefined if none was started, or that is not known. */
  get started(): StartedRun | undefined {
    return this.#started
  }

  /** Watches the run until it ends, and judges it; with `wait: false` leaves it at once. */
  async follow(begun: Begun): Promise<RunResult> {
    const outcome = this.#policy.wait ? await this.#watch(begun) : this.#leave(begun.started, 'started')
    const isNoted = await begun.beside
    const { origin } = begun
    // What is noted stays, so nothing is where the next attempt may read more.
    const isJudged = this.#isOver && outcome.remark !== 'unjudged'
    if (origin !== undefined && isNoted !== false && isJudged) {
      await noteConclusion(origin, outcome.conclusion, this.deps)
    }
    await this.#show()
    return this.#result(outcome)
  }

  /** The outcome is known: nothing waits for it but the step's end. */
  async #show(): Promise<void> {
    if (this.#policy.visualizations !== true || this.#details === undefined) return
    this.deps.reporter.tell({ kind: 'visualizations', gallery: await readGallery(this.#details, this.deps) })
  }

  /** The end of a step that was to start nothing. */
  nothingStarted(): RunResult {
    this.deps.journal.settled()
    return this.#result({ conclusion: 'dry-run', status: '', error: undefined, failedStep: undefined })
  }

  /**
   * The end of a step that an error interrupted. If the workflow was cancelled, the run is ended as `onCancel` says.
   *
   * @throws the error if the workflow was not cancelled
   */
  async interrupted(error: unknown): Promise<RunResult> {
    if (this.deps.signal?.aborted === true) return this.#result(await this.#cancel())
    // Anything else leaves it to the post step to find out whether there is a run.
    const saysWhy = error instanceof RunError ? error.conclusion !== 'lost' : isZenmlError(error)
    if (saysWhy && this.#started === undefined) this.deps.journal.settled()
    throw error
  }

  #remembering(journal: RecoveryJournal): RecoveryJournal {
    return {
      planned: (run) => {
        this.#planned = run
        journal.planned(run)
        this.#sendings += 1
        this.#noteLastMinutes(journal)
      },
      started: (run) => {
        this.#started = run
        journal.started(run)
        this.#noteLastMinutes(journal)
      },
      stopping: (mode) => {
        journal.stopping(mode)
      },
      settled: () => {
        journal.settled()
      },
    }
  }

  /** A step that is killed before its watch begins leaves word to its post step, too. */
  #noteLastMinutes(journal: RecoveryJournal): void {
    if (isInLastMinutes(this.#policy)) journal.stopping(stopModeOf(this.#policy.onTimeout))
  }

  async #watch(begun: Begun): Promise<Outcome> {
    const { started, ageMs } = begun
    const { timeoutMs } = this.#policy
    const { status, url } = started
    const usual = await this.#usual(begun)
    const failedSteps = async (steps: readonly StepState[]): Promise<void> => this.#explainer.explain(steps)
    const failedChildRuns = async (runs: readonly ChildRun[]): Promise<void> =>
      this.#explainer.explainChildRuns(runs)
    const watching = new AbortController()
    void this.#foreseeJobEnd(watching.signal)
    const live = followLogs(this.#policy, started, this.deps, watching.signal)
    const watched = await watchRun(
      { ...this.#policy, timeoutMs: waitLimitMs(this.#policy), run: started, status, url, usual, ageMs },
      { ...this.deps, failedSteps, failedChildRuns },
    ).finally(() => {
      watching.abort()
    })
    const cause = causeOf([], this.#explainer)
    const concluded = (): Outcome => conclude(watched, { ...started, timeoutMs, cause })
    switch (watched.kind) {
      case 'over':
        await live?.finish()
        return this.#concludeEnded(begun, watched)
      case 'gone':
      case 'paused':
        this.deps.journal.settled()
        return concluded()
      case 'lost':
        return this.#lose(watched.refuses, concluded())
      case 'timed-out':
        return this.#endAfterTimeout(begun, watched)
    }
  }

  async #concludeEnded(begun: Begun, watched: Extract<Watched, { kind: 'over' }>): Promise<Outcome> {
    const { started } = begun
    const { status } = watched.run
    this.deps.journal.settled()
    this.#isOver = true
    this.#ended = { status, sentence: `The run "${started.name}" had ended before and is ${status}` }
    const endedRun = await this.#readEndedRun(started, watched.run)
    this.#details = endedRun.details
    const outcome = conclude(watched, { ...started, ...endedRun, timeoutMs: undefined })
    if (outcome.conclusion !== 'completed') return outcome
    return applyQualityGate(begun, outcome, endedRun, this.#policy, {
      ...this.deps,
      lostAfterMs: this.#policy.lostAfterMs,
    })
  }

  async #usual({ started, kin, ageMs, usual: given }: Begun): Promise<Usual | undefined> {
    if (runPhase(started.status) !== 'going-on') return undefined
    const usual = given === undefined ? await readUsual(this.deps.client, kin, this.deps) : given.known
    if (given === undefined && usual !== undefined) this.deps.reporter.tell({ kind: 'usual', usual })
    const tooShort = jobTooShort(this.#policy, usual && Math.max(0, usual.medianMs - ageMs))
    if (tooShort !== undefined) this.deps.reporter.tell(tooShort)
    return usual
  }

  /** A step that is killed in the last minutes of its job leaves word to its post step in time. It never rejects. */
  async #foreseeJobEnd(signal: AbortSignal): Promise<void> {
    const { jobDeadline, onTimeout } = this.#policy
    if (jobDeadline === undefined) return
    try {
      await this.deps.clock.sleep(untilLastMs(jobDeadline), signal)
      this.deps.journal.stopping(stopModeOf(onTimeout))
    } catch {
      // The run is followed no more.
    }
  }

  /** A server that is away says nothing about its run, which may be hours from its end. */
  #lose(refuses: boolean, outcome: Outcome): Outcome {
    const { onLost } = this.#policy
    if (onLost === 'stop' && !refuses) {
      this.deps.journal.stopping('stop')
      return outcome
    }
    this.deps.journal.settled()
    const notStopped =
      onLost === 'stop'
        ? '. It was not stopped (on-lost: stop is for a server that does not answer)'
        : '. It was not stopped (on-lost: keep-running)'
    return { ...outcome, error: `${outcome.error ?? ''}${notStopped}` }
  }

  async #endAfterTimeout(begun: Begun, watched: Extract<Watched, { kind: 'timed-out' }>): Promise<Outcome> {
    const { timeoutMs, onTimeout } = this.#policy
    const { status, failed, unseenMs } = watched
    const run = { ...begun.started, status }
    const mode = stopModeOf(onTimeout)
    // Nothing is to be stopped, and what is known already is no result to wait for.
    if (failed !== undefined && mode === 'keep-running') {
      const outcome = await this.#concludeEnded(begun, { kind: 'over', run: failed.run })
      return failed.running.length === 0 ? outcome : withStepsLeft(outcome, failed.running.length, onTimeout)
    }
    if (onTimeout === 'hand-over' && !cannotComplete(status)) return this.#handOver(run, unseenMs)
    const deadline = new Deadline(this.deps.clock, TIMEOUT_STOP_MS)
    const reason = stopReason('The workflow step was stopped after its timeout', this.#policy.workflowRunUrl)
    this.deps.journal.stopping(mode)
    if (mode !== 'keep-running') {
      const ending = { mode, runId: run.id, forMs: TIMEOUT_STOP_MS, timeoutMs }
      this.deps.reporter.tell({ kind: 'stopping', ...ending })
    }
    const ended = await stopOrKeep({ run, mode, reason, deadline }, this.deps)
    if (ended.settled) this.deps.journal.settled()
    const hasEnded = runPhase(ended.status) !== 'going-on'
    if (ended.settled && hasEnded) this.#ended = ended
    const { cause } = hasEnded
      ? await this.#readEndedRun(run, undefined)
      : { cause: causeOf([], this.#explainer) }
    const outcome = conclude(watched, { ...run, timeoutMs, cause })
    const error = isHandedOver(this.#policy)
      ? `${jobTimeIsUp(this.#policy)}. ${ended.sentence}`
      : `${outcome.error ?? ''}. It ${ended.predicate}`
    return { ...outcome, status: ended.status, error }
  }

  async #readEndedRun(reference: RunReference, run: Run | undefined): Promise<EndedRun> {
    const { expectations = [], rankedBy, baseline, lostAfterMs, logTail } = this.#policy
    const names = [...expectations.map(({ name }) => name), ...(rankedBy === undefined ? [] : [rankedBy])]
    const judged = { isJudged: names.length > 0 || baseline !== undefined, names }
    return readEndedRun(reference, run, judged, this.#explainer, { ...this.deps, lostAfterMs, logTail })
  }

  /** It keeps running, and that is what was wished. One that was found, or reattached to, may be over at once. */
  #leave({ status }: StartedRun, conclusion: 'started' | 'running'): Outcome {
    this.deps.journal.settled()
    const phase = conclusion === 'started' ? runPhase(status) : 'going-on'
    if (phase !== 'going-on' && phase !== 'unknown') this.deps.reporter.tell({ kind: 'over-before', phase })
    return { conclusion, status, error: undefined, failedStep: undefined }
  }

  #handOver(run: StartedRun, unseenMs: number | undefined): Outcome {
    const { expectations = [] } = this.#policy
    const unjudged = expectations.map(describeExpectation)
    this.deps.reporter.tell({ kind: 'handed-over', expectations: unjudged, unseenMs })
    return this.#leave(run, 'running')
  }

  async #cancel(): Promise<Outcome> {
    if (this.#ended !== undefined) {
      return this.#cancelled(this.#ended.status, `Cancelled. ${this.#ended.sentence}`)
    }
    const known = this.#started
    const run = known ?? this.#planned
    if (run === undefined) {
      this.deps.journal.settled()
      return this.#cancelled('', this.#policy.nothingToCancel)
    }
    const isToHandOver = isHandedOver(this.#policy)
    if (isToHandOver && known !== undefined && !cannotComplete(known.status))
      return this.#handOver(known, undefined)
    const deps = { ...this.deps, place: this.#place, mayHaveStarted: this.#sendings > 0 }
    const { run: found, outcome } = await onCancelled(run, this.#policy, deps)
    this.#started = found
    if (isToHandOver && found !== undefined && !cannotComplete(found.status))
      return this.#handOver(found, undefined)
    return { ...outcome, failedStep: this.#failedStep() }
  }

  #cancelled(status: string, error: string): Outcome {
    return { conclusion: 'cancelled', status, error, failedStep: this.#failedStep() }
  }

  #failedStep(): Outcome['failedStep'] {
    const cause = causeOf([], this.#explainer)
    return cause.kind === 'step' ? cause.step : undefined
  }

  #result(outcome: Outcome): RunResult {
    return { ...outcome, runId: this.#started?.id }
  }
}

/** What hinders a start so that it certainly made no run. */
const REFUSALS: ReadonlySet<TriggerHindrance> = new Set(['no-slot', 'not-sent'])
