import { setMaxListeners } from 'node:events'
import type { ZenmlClient } from '../../zenml/client.ts'
import type { Clock } from '../../base/clock.ts'
import { AnswerError, isNotFound, isZenmlError, type ZenmlError } from '../../zenml/errors.ts'
import { Deadline } from '../../base/deadline.ts'
import type { ChildRun, Run, RunGraph } from '../../zenml/model.ts'
import { backoffMs, isPassing, retryAfterOf } from '../../zenml/retry.ts'
import { isBeforeOrchestrator, isBeingStopped, runPhase } from '../../zenml/status.ts'
import { isAtLeast } from '../../zenml/version.ts'
import { FailureTolerance } from '../failure-tolerance.ts'
import { abortQuestions } from '../watch/open-questions.ts'
import { readSteps } from '../watch/read-steps.ts'
import { ChildRuns } from './child-runs.ts'
import { endOf, goesOnUnasked, isSurelyOver, type Rest, type StopResult } from './stop-result.ts'

export interface StopRequest {
  readonly runId: string
  /** The last known state; replaced as soon as a newer one is seen. */
  readonly status: string
  /** Lets steps that run end by themselves; a forced stop is not possible afterwards. */
  readonly graceful: boolean
  /** What ZenML shows as the reason where the run has to be marked as failed; says who did it. */
  readonly reason: string
  /** After it nothing more is asked. */
  readonly deadline: Deadline
}

export interface StopDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  /** Ends waiting for an answer that would come too late. */
  readonly signal?: AbortSignal | undefined
}

/** So long a server fails to stop a run before it counts as one that cannot. */
const STUBBORN_MS = 30_000

/** What is left of the time when the last thing that may help is tried. */
const LAST_CHANCE_MS = 2_000

/**
 * A run that initializes gets its orchestrator's id any moment; after this time it is ended instead of stopped. Not
 * longer: the nearer the run is to its first step, the likelier that one starts just before the run is ended.
 */
const EARLY_MS = 1_000
const EARLY_PAUSE_MS = 400

/** After a run was ended while initializing: how long it is watched that no step starts all the same. */
const AFTERMATH_MS = 2_000
const AFTERMATH_PAUSE_MS = 500

/** Before the next look at a run that is said not to be there. */
const GONE_PAUSE_MS = 1_000

const SETTLE_PAUSE = { baseMs: 400, capMs: 2_000 } as const

/** Before the next look whether a run that has ended has called another child run. */
const CHILD_PAUSE_MS = 1_000

/**
 * Stops a run and its child runs, and sees to it that they have stopped. Handles every answer of ZenML's stop route
 * (zenml/answers/stop-answer.ts), and ends a run that has not reached its orchestrator. Never throws for what a server says.
 */
export async function stopRun(
  request: StopRequest,
  deps: StopDependencies,
  family = new Set([request.runId]),
): Promise<StopResult> {
  // The requests of each child run listen to it.
  if (deps.signal !== undefined) setMaxListeners(0, deps.signal)
  const stop = ({ id, status }: ChildRun) => stopRun({ ...request, runId: id, status }, deps, family)
  const { client } = deps
  const read = async (id: string) => client.with({ retries: 'none', signal: deps.signal }).dag(id)
  const childRuns = new ChildRuns(family, stop, read)
  return childRuns.together(await new Stop(request, deps, childRuns).run())
}

class Stop {
  readonly #request: StopRequest
  readonly #deps: StopDependencies
  readonly #client: ZenmlClient
  readonly #childRuns: ChildRuns
  #graceful: boolean
  #status: string
  #asked = false
  /** It was seen on its way out, or asked before it began: a process that begins then overwrites that (seen on 0.98.0). */
  #mayForget = false
  /** It waited for a person, so no process of it is there that could end it. */
  #wasPaused: boolean
  /** Then the server says that nothing goes on, even of steps that run beside the question. */
  #stepsGoingOn: StopResult | undefined
  /** Why it waits for a person for ever. */
  #unanswered: string | undefined
  readonly #tolerance: FailureTolerance
  #doubtfulSince: number | undefined
  #earlySince: number | undefined
  #lookedEarly = false
  #lastFailure = 'the server did not answer in time'

  constructor(request: StopRequest, deps: StopDependencies, childRuns: ChildRuns) {
    this.#request = request
    this.#deps = deps
    this.#childRuns = childRuns
    this.#client = deps.client.with({ retries: 'none', signal: deps.signal })
    this.#tolerance = new FailureTolerance(deps.clock)
    this.#graceful = request.graceful
    this.#status = request.status
    this.#wasPaused = request.status === 'paused'
  }

  async run(): Promise<StopResult> {
    try {
      for (let attempt = 1; this.#hasTime(); attempt += 1) {
        const stopped = await this.#tryOnce(attempt)
        if (stopped !== undefined) return stopped
      }
    } catch (error) {
      if (this.#deps.signal?.aborted !== true) throw error
    }
    if (this.#unanswered !== undefined) return this.#goingOn(this.#unanswered)
    if (this.#asked) return this.#stepsGoingOn ?? { kind: 'asked', status: this.#status }
    return { kind: 'unknown', status: this.#status, why: this.#lastFailure }
  }

  async #tryOnce(attempt: number): Promise<StopResult | undefined> {
    try {
      // Of a paused run there is nothing to stop but its question, and that needs neither orchestrator nor stack.
      const isAnswered = this.#status === 'paused' && (await this.#abortQuestions())
      if (isAnswered && runPhase((await this.#look()).status) !== 'going-on') return await this.#settle()
      return await this.#ask(attempt)
    } catch (error) {
      if (!isZenmlError(error)) throw error
      if (isNotFound(error)) return this.#checkGone(error)
      return this.#tryAgainAfter(error, attempt)
    }
  }

  async #ask(attempt: number): Promise<StopResult | undefined> {
    const before = this.#status
    this.#mayForget = isBeforeOrchestrator(before)
    const answer = await this.#client.stop(this.#request.runId, { graceful: this.#graceful })
    switch (answer.kind) {
      case 'accepted':
        this.#asked = true
        return this.#settle()
      case 'too-early':
        return this.#endEarly()
      case 'finished':
        return this.#accountForRest(await this.#look())
      case 'gone':
        return this.#checkGone(answer.error)
      case 'unsupported': {
        const run = await this.#look()
        if (run.status === 'initializing') return this.#markFailed()
        if (runPhase(run.status) !== 'going-on') return this.#accountForRest(run)
        // Of another version it was a gateway's word.
        const { version } = await this.#client.info()
        if (!isAtLeast(version, 0, 84)) {
          return this.#goingOn('this version of ZenML cannot stop a run that has begun')
        }
        await this.#pauseAfter(answer.error, attempt)
        return undefined
      }
      case 'doubtful':
        return this.#checkDoubtful(before, answer.error, attempt)
      case 'refused':
        return this.#tryAgainAfter(answer.error, attempt)
      case 'unclear': {
        await this.#pauseAfter(answer.error, attempt)
        // A yes that is not ZenML's: the request may have been passed on all the same.
        if (!(answer.error instanceof AnswerError) || answer.error.status !== 200) return undefined
        const run = await this.#look()
        return goesOnUnasked(run) ? undefined : this.#followObeyed(run, before)
      }
    }
  }

  /** The server did what it was asked, though its answer did not say so. */
  async #followObeyed(run: Run, before: string): Promise<StopResult | undefined> {
    const isGoingOn = runPhase(run.status) === 'going-on'
    this.#asked ||= isGoingOn || run.status !== before
    return isGoingOn ? this.#settle() : this.#accountForRest(run)
  }

  /** Undefined where it is worth trying again. */
  async #tryAgainAfter(error: ZenmlError, attempt: number): Promise<StopResult | undefined> {
    if (this.#tolerance.isFinal(error)) {
      return this.#asked
        ? { kind: 'asked', status: this.#status }
        : { kind: 'unknown', status: this.#status, why: error.message }
    }
    await this.#pauseAfter(error, attempt)
    return undefined
  }

  /** By the same rule as where a run is watched. */
  async #checkGone(error: ZenmlError): Promise<StopResult | undefined> {
    if (this.#tolerance.isGone(error)) return { kind: 'gone', status: this.#status }
    this.#lastFailure = error.message
    await this.#pause(GONE_PAUSE_MS)
    return undefined
  }

  /** 0.98 marks the run before it asks the orchestrator, so its steps end although the answer is an error. */
  async #checkDoubtful(before: string, error: AnswerError, attempt: number): Promise<StopResult | undefined> {
    const run = await this.#look()
    if (!goesOnUnasked(run)) return this.#followObeyed(run, before)
    // 0.85 asks the orchestrator even for a run that has not reached it.
    if (isBeforeOrchestrator(run.status)) return this.#markFailed()
    // Nothing was done, and a server whose database is away for a moment says 500 as well.
    const now = this.#deps.clock.elapsed()
    this.#doubtfulSince ??= now
    const isSaidByZenml = error.status === 501 && error.exception !== undefined
    const isStubborn = now - this.#doubtfulSince >= STUBBORN_MS
    if (!isSaidByZenml && !isStubborn && this.#request.deadline.leftMs > LAST_CHANCE_MS) {
      await this.#pauseAfter(error, attempt)
      return undefined
    }
    if (this.#graceful) return this.#goingOn(error.message)
    // The orchestrator cannot end the steps; asked gracefully, they end by themselves where the server supports it.
    this.#graceful = true
    this.#doubtfulSince = undefined
    return undefined
  }

  async #endEarly(): Promise<StopResult | undefined> {
    const now = this.#deps.clock.elapsed()
    this.#earlySince ??= now
    // Looked at before the last request to stop it, not after: its refusal is the newest that can be known.
    if (now - this.#earlySince >= EARLY_MS && this.#lookedEarly) return this.#markFailed()
    const run = await this.#look()
    if (runPhase(run.status) !== 'going-on') return this.#accountForRest(run)
    this.#lookedEarly = isBeforeOrchestrator(run.status)
    this.#lastFailure = 'ZenML cannot stop a run that has not reached its orchestrator'
    await this.#pause(EARLY_PAUSE_MS)
    return undefined
  }

  /** Ends a run that has not reached its orchestrator, and watches that no step starts all the same. */
  async #markFailed(): Promise<StopResult | undefined> {
    const { runId, reason } = this.#request
    await this.#client.failInitializing(runId, reason)
    this.#asked = true
    const aftermath = new Deadline(this.#deps.clock, AFTERMATH_MS)
    // A step may have started just before, so what no look since has shown is not claimed.
    let seen: StopResult | undefined
    for (let attempt = 1; this.#hasTime() && (seen === undefined || !aftermath.isOver); attempt += 1) {
      seen = await this.#unlessPassing(() => this.#lookAtMarked())
      if (seen !== undefined && seen.kind !== 'ended') return seen
      await this.#pause(seen === undefined ? this.#settlePauseMs(attempt) : AFTERMATH_PAUSE_MS)
    }
    return seen
  }

  async #lookAtMarked(): Promise<StopResult> {
    const run = await this.#look()
    if (runPhase(run.status) !== 'going-on') return this.#accountForRest(run)
    return this.#goingOn(`the server accepted the request to end it, but it is still ${run.status}`)
  }

  /** Watches a run that was asked to stop until it has; undefined where it has to be asked again. */
  async #settle(): Promise<StopResult | undefined> {
    for (let attempt = 1; this.#hasTime(); attempt += 1) {
      const ended = await this.#unlessPassing(() => this.#lookAtStopping(attempt))
      if (ended !== undefined) return ended
      if (this.#mayForget && this.#status === 'running') return undefined
      await this.#pause(this.#settlePauseMs(attempt))
    }
    return undefined
  }

  /** Undefined where it has not ended. */
  async #lookAtStopping(attempt: number): Promise<StopResult | undefined> {
    const run = await this.#look()
    const isGoingOn = runPhase(run.status) === 'going-on'
    const accounted = isGoingOn ? undefined : await this.#accountForRest(run)
    if (accounted?.kind === 'ended') return accounted
    this.#stepsGoingOn = accounted
    // At powers of two: often at first, and then ever more rarely.
    if (isGoingOn && Number.isInteger(Math.log2(attempt))) await this.#endWaiting()
    return undefined
  }

  /** Undefined where it failed in a way that may be over at the next try. */
  async #unlessPassing<T>(look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look()
    } catch (error) {
      if (!isZenmlError(error) || !isPassing(error)) throw error
      return undefined
    }
  }

  /** Ends a run that waits for a person: being stopped does not end its wait. */
  async #endWaiting(): Promise<void> {
    if (await this.#abortQuestions()) return
    if (!this.#wasPaused || this.#status !== 'stopping') return
    // Of a run whose child run was asked, nothing is left that could end it; ZenML makes this `stopped`.
    await this.#client.failInitializing(this.#request.runId, this.#request.reason)
  }

  /** True if the run asked something; where that cannot be read or answered, stopping goes on without it. */
  async #abortQuestions(): Promise<boolean> {
    const { aborted, refusal, graph } = await abortQuestions(this.#client, this.#request.runId)
    this.#unanswered = refusal
    // What those that have ended have called is read beside it, and again at the run's end: nothing waits for it here.
    if (graph !== undefined) this.#childRuns.stop(graph.childRuns).catch(() => undefined)
    if (this.#status === 'paused') await this.#checkPaused(graph)
    if (!aborted) return false
    this.#asked = true
    return true
  }

  /** It may have been answered since; one that somebody asked to stop before waits on. */
  async #checkPaused(graph: RunGraph | undefined): Promise<void> {
    const { status } = graph ?? (await this.#look())
    this.#status = status
    this.#wasPaused = status === 'paused' || isBeingStopped(status)
  }

  /** Of a run that has ended. Its child runs are stopped, and looked for once more. */
  async #accountForRest(run: Run): Promise<StopResult> {
    for (;;) {
      const { childRuns, ...rest } = await this.#readRest(run)
      const goesOn = await this.#childRuns.stop(childRuns)
      const isEnd = !goesOn || !(await this.#childRuns.haveEnded()) || !this.#hasTime()
      if (isEnd) return endOf(run, rest, this.#asked, this.#client.serverNow)
      await this.#pause(CHILD_PAUSE_MS)
    }
  }

  async #readRest(run: Run): Promise<Rest> {
    if (!run.isDynamic) {
      const steps = isSurelyOver(run) ? [] : await readSteps(this.#client, run)
      return { steps, childRuns: [], hasBegun: true }
    }
    const { steps, childRuns } = await this.#client.dag(run.id)
    return { steps, childRuns, hasBegun: steps.length + childRuns.length > 0 }
  }

  async #look(): Promise<Run> {
    const run = await this.#client.run(this.#request.runId, { hydrate: false })
    this.#tolerance.answered()
    this.#status = run.status
    this.#mayForget ||= isBeingStopped(run.status)
    this.#wasPaused ||= run.status === 'paused'
    return run
  }

  #goingOn(why: string): StopResult {
    return { kind: 'going-on', status: this.#status, why }
  }

  #hasTime(): boolean {
    return !this.#request.deadline.isOver
  }

  async #pauseAfter(error: ZenmlError, attempt: number): Promise<void> {
    this.#lastFailure = error.message
    // Whatever the server asks for, there is time for more than one try.
    const asked = Math.min(retryAfterOf(error), Math.ceil(this.#request.deadline.leftMs / 3))
    await this.#pause(
      backoffMs(attempt, this.#deps.clock.random(), { baseMs: 500, capMs: 5_000, atLeastMs: asked }),
    )
  }

  #settlePauseMs(attempt: number): number {
    return backoffMs(attempt, 0.5 + this.#deps.clock.random() / 2, SETTLE_PAUSE)
  }

  async #pause(ms: number): Promise<void> {
    const { clock, signal } = this.#deps
    await clock.sleep(Math.min(ms, this.#request.deadline.leftMs), signal)
  }
}
