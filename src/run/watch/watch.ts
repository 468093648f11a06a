import type { ZenmlClient } from '../../zenml/client.ts'
import { isNotFound, isZenmlError, type ZenmlError } from '../../zenml/errors.ts'
import type { Run, RunParts, RunReference, StepState } from '../../zenml/model.ts'
import { isPassing, retryAfterOf } from '../../zenml/retry.ts'
import { runPhase } from '../../zenml/status.ts'
import { isOver, needsSteps, settleMs, unfinishedSteps, type Sighting } from './is-over.ts'
import { forecast } from './forecast.ts'
import { Heartbeat } from './heartbeat.ts'
import { aloneWith, type Looks } from './shared-looks.ts'
import { Orchestrator } from './orchestrator.ts'
import { nextPollMs } from './polling.ts'
import { Questions } from './open-questions.ts'
import type { Reporter, RunEvent } from '../events.ts'
import type { Usual } from '../facts.ts'
import { DOUBTED_MS, FailureTolerance } from '../failure-tolerance.ts'
import { hasSteps, WatchedSteps, type WatchDependencies } from './watched-steps.ts'

export interface WatchRequest {
  readonly run: RunReference
  /** The state known at the start. */
  readonly status: string
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeoutMs?: number | undefined
  /** Milliseconds; undefined: adaptive. */
  readonly pollIntervalMs?: number | undefined
  /** Where a person answers a paused run; for the warning. */
  readonly url: string | undefined
  readonly onPaused: 'wait' | 'fail'
  /** So many milliseconds without an answer are tolerated. */
  readonly lostAfterMs: number
  /** How long such runs take. */
  readonly usual?: Usual | undefined
  /** How long the run has been there; milliseconds. */
  readonly ageMs: number
  /** With which others it is looked at; default: alone. */
  readonly looks?: Looks | undefined
}

/** Why the watch ended; `status` is the last one seen. */
export type Watched =
  | { readonly kind: 'over'; readonly run: Run }
  | {
      readonly kind: 'timed-out'
      readonly status: string
      /** The run, where it has failed or was stopped by then, with names of its steps that still run. */
      readonly failed: { readonly run: Run; readonly running: readonly string[] } | undefined
      /** For how many milliseconds the server has let nobody see it; undefined: the last look was answered. */
      readonly unseenMs: number | undefined
    }
  /** The run waits for a person, though it may still be `running`, and that was not wished. */
  | { readonly kind: 'paused'; readonly status: string; readonly question: string | undefined }
  /** The server says that there is no such run any more. */
  | { readonly kind: 'gone'; readonly status: string; readonly detail: string }
  /** The server did not answer for too long, or `refuses`: it is there, and lets us see the run no more. */
  | { readonly kind: 'lost'; readonly status: string; readonly detail: string; readonly refuses: boolean }

/** What one look brought: the run, or only the parts of a run that goes on as before. */
type Look =
  { readonly run: Run; readonly parts?: RunParts } | { readonly run?: undefined; readonly parts: RunParts }

/** A server may ask for patience, but a run that ended must not go unseen for hours. */
const LONGEST_ASKED_WAIT_MS = 300_000

/** States in which a run is on its way to its end; a paused one waits for a person. */
const FORESEEABLE: ReadonlySet<string> = new Set(['initializing', 'provisioning', 'queued', 'running'])

/** Building an image and starting a runner takes minutes; a run can also stay `initializing` for ever. */
const SLOW_START_MS = 900_000

const NOT_PERMITTED =
  'The account has no permission to read this run. Give it permission to read pipeline runs'

/**
 * Looks at a run again and again until nothing of it goes on, the time is up, or it can be seen no more.
 *
 * @throws the signal's reason if it was aborted
 */
export async function watchRun(request: WatchRequest, deps: WatchDependencies): Promise<Watched> {
  return new Watch(request, deps).run()
}

class Watch {
  readonly #request: WatchRequest
  readonly #deps: WatchDependencies
  readonly #client: ZenmlClient
  readonly #startedAt: number
  readonly #steps: WatchedSteps
  readonly #questions: Questions
  readonly #heartbeat: Heartbeat
  readonly #orchestrator: Orchestrator
  readonly #looks: Looks
  #status: string
  /** What the last look at the run itself said; undefined before the first. */
  #fingerprint: string | undefined
  #changedAt: number
  /** The run, where it has failed or was stopped, and may go on all the same. */
  #failed: Run | undefined
  #seenAt: number
  /** Whether the last look was answered. */
  #isInSight = true
  #lostSince: number | undefined
  /** As it was told last. */
  #toleratedMs: number | undefined
  readonly #tolerance: FailureTolerance
  /** Of a Retry-After at the last look. */
  #askedToWaitMs = 0
  #toldSlowStart = false
  #toldGoingOn = false
  #toldSettling = false

  constructor(request: WatchRequest, deps: WatchDependencies) {
    this.#request = request
    this.#deps = deps
    this.#client = deps.client.with({ retries: 'none', signal: deps.signal })
    this.#startedAt = deps.clock.elapsed()
    this.#looks = request.looks ?? aloneWith(deps.clock)
    this.#changedAt = this.#startedAt
    this.#seenAt = this.#startedAt
    this.#status = request.status
    this.#questions = new Questions(request.run.id, deps)
    this.#tolerance = new FailureTolerance(deps.clock)
    this.#heartbeat = new Heartbeat(this.#startedAt)
    this.#orchestrator = new Orchestrator(this.#client, request.run.id)
    const reporter: Reporter = {
      tell: (event) => {
        this.#tell(event)
      },
    }
    this.#steps = new WatchedSteps(request.run, { ...deps, client: this.#client, reporter })
  }

  async run(): Promise<Watched> {
    // What its start said of it will do until all are looked at.
    if (!this.#isAlone && runPhase(this.#status) === 'going-on') await this.#sleep()
    for (;;) {
      const watched = await this.#look()
      if (watched !== undefined) return watched
      if (this.#remainingMs <= 0) return this.#timedOut()
      await this.#sleep()
    }
  }

  #timedOut(): Watched {
    const status = this.#status
    const failed = this.#failed && { run: this.#failed, running: this.#steps.running }
    const unseenMs = this.#isInSight ? undefined : this.#deps.clock.elapsed() - this.#seenAt
    return { kind: 'timed-out', status, failed, unseenMs }
  }

  async #sleep(): Promise<void> {
    const { clock, signal } = this.#deps
    const { pollIntervalMs: fixedMs, usual } = this.#request
    const moment = { elapsedMs: this.#elapsedMs, fixedMs, usual, random: clock.random() }
    const pollMs = Math.max(nextPollMs(moment), this.#askedToWaitMs)
    await this.#looks.sleep(pollMs, this.#remainingMs, signal)
  }

  get #remainingMs(): number {
    const { timeoutMs = Number.POSITIVE_INFINITY } = this.#request
    return timeoutMs - this.#watchedMs
  }

  get #serverNow(): number | undefined {
    return this.#deps.client.serverNow
  }

  /** Since the watch began. */
  get #watchedMs(): number {
    return this.#deps.clock.elapsed() - this.#startedAt
  }

  /** Since the run was created. */
  get #elapsedMs(): number {
    return this.#request.ageMs + this.#watchedMs
  }

  /** Of many runs at once nobody reads what their steps do: they are read where something failed. */
  get #isAlone(): boolean {
    return this.#request.looks === undefined
  }

  #tell(event: RunEvent): void {
    this.#heartbeat.spoke(this.#deps.clock.elapsed())
    this.#deps.reporter.tell(event)
  }

  async #look(): Promise<Watched | undefined> {
    try {
      const look = await this.#sight()
      if (look.run?.permissionDenied === true) return this.#noteRefusal(NOT_PERMITTED)
      this.#noteAnswer()
      const watched = await this.#note(look)
      if (watched !== undefined) return watched
      await this.#orchestrator.askIfStill(this.#deps.clock.elapsed(), this.#changedAt)
      this.#saySomething()
      return undefined
    } catch (error) {
      if (!isZenmlError(error)) throw error
      return this.#noteFailure(error)
    }
  }

  /** One request, unless the run has changed: while it goes on, its graph tells as well that it does. */
  async #sight(): Promise<Look> {
    const isSeen = this.#fingerprint !== undefined
    const isDue = isSeen && this.#isAlone && this.#steps.areDue(this.#status, this.#elapsedMs)
    const graph = isDue ? await this.#steps.readGraph() : undefined
    if (graph?.status === this.#status) return { parts: graph }
    const run = await this.#looks.look(this.#client, this.#request.run.id)
    if (runPhase(run.status) === 'unknown') return { run: await this.#client.run(run.id, { hydrate: true }) }
    if (graph?.status === run.status) return { run, parts: graph }
    return needsSteps(run) ? { run, parts: await this.#steps.read() } : { run }
  }

  #noteAnswer(): void {
    this.#tolerance.answered()
    this.#isInSight = true
    this.#seenAt = this.#deps.clock.elapsed()
    this.#askedToWaitMs = 0
    if (this.#lostSince === undefined) return
    this.#tell({ kind: 'server-back', afterMs: this.#deps.clock.elapsed() - this.#lostSince })
    this.#lostSince = undefined
    this.#toleratedMs = undefined
  }

  async #note(look: Look): Promise<Watched | undefined> {
    if (look.run !== undefined) return this.#noteSighting(look.run, look.parts)
    await this.#noteParts(look.parts)
    return this.#noteQuestions()
  }

  async #noteSighting(run: Run, parts: RunParts | undefined): Promise<Watched | undefined> {
    const isChanged = this.#noteRun(run)
    // What its steps did comes before the end of the run itself.
    const isEnd = runPhase(run.status) !== 'going-on'
    if (isChanged && !isEnd) this.#tellState(run)
    const all = parts ?? (await this.#partsBeside(run, isChanged))
    if (all !== undefined) await this.#noteParts(all)
    if (isChanged && isEnd) this.#tellState(run)
    this.#failed = needsSteps(run) ? run : undefined
    if (this.#failed !== undefined) this.#noteGoingOn(this.#failed, all?.steps)
    const sighting: Sighting = all === undefined ? { run } : { run, steps: all.steps }
    const unchangedMs = this.#deps.clock.elapsed() - this.#changedAt
    if (isOver(sighting, unchangedMs, this.#serverNow)) return { kind: 'over', run }
    return this.#noteQuestions()
  }

  /** True if it is in another state than at the last look. */
  #noteRun(run: Run): boolean {
    const isChanged = run.status !== this.#status || this.#fingerprint === undefined
    this.#status = run.status
    const fingerprint = `${run.status} ${run.inProgress}`
    if (fingerprint !== this.#fingerprint) this.#changedAt = this.#deps.clock.elapsed()
    this.#fingerprint = fingerprint
    const sinceMs = this.#watchedMs
    if (run.status === 'initializing' && sinceMs >= SLOW_START_MS && !this.#toldSlowStart) {
      this.#toldSlowStart = true
      this.#tell({ kind: 'still-initializing', sinceMs, reason: run.statusReason })
    }
    return isChanged
  }

  #tellState({ status, statusReason }: Run): void {
    this.#tell({ kind: 'state', status, reason: statusReason })
  }

  /** Where they tell something new: when the run has changed, at its end, and from time to time. */
  async #partsBeside(run: Run, isChanged: boolean): Promise<RunParts | undefined> {
    if (!this.#isAlone) return undefined
    const isDue = isChanged ? hasSteps(run.status) : this.#steps.areDue(run.status, this.#elapsedMs)
    return isDue || isOver({ run }, 0, this.#serverNow) ? this.#steps.tryToRead() : undefined
  }

  async #noteParts(parts: RunParts): Promise<void> {
    if (await this.#steps.note(parts)) this.#changedAt = this.#deps.clock.elapsed()
    if (runPhase(this.#status) === 'going-on') await this.#questions.note(parts)
  }

  /** Why a run that has ended is still watched. */
  #noteGoingOn(run: Run, steps: readonly StepState[] | undefined): void {
    if (steps === undefined) return
    const running = unfinishedSteps(steps)
    if (running.length > 0 && !this.#toldGoingOn) this.#tell({ kind: 'failed-but-going-on', steps: running })
    if (running.length === 0 && !this.#toldSettling)
      this.#tell({ kind: 'settling', forMs: settleMs(run, steps, this.#serverNow) })
    if (running.length > 0) this.#toldGoingOn = true
    else this.#toldSettling = true
  }

  /** A line now and then where nothing changes, so that nobody takes the step for dead. */
  #saySomething(): void {
    if (!this.#heartbeat.beat(this.#deps.clock.elapsed())) return
    const { usual } = this.#request
    const isForeseeable = usual !== undefined && FORESEEABLE.has(this.#status) && !this.#questions.areOpen
    this.#tell({
      kind: 'still',
      status: this.#status,
      sinceMs: this.#watchedMs,
      running: this.#steps.running,
      counts: this.#steps.counts,
      forecast: isForeseeable ? forecast(usual, this.#elapsedMs) : undefined,
    })
  }

  async #noteQuestions(): Promise<Watched | undefined> {
    const news = await this.#questions.news(this.#status)
    const { onPaused, url } = this.#request
    const [first] = news
    if (onPaused === 'fail' && first !== undefined) return { kind: 'paused', status: this.#status, ...first }
    for (const asking of news) this.#tell({ kind: 'paused', ...asking, url })
    return undefined
  }

  #noteFailure(error: ZenmlError): Watched | undefined {
    const status = this.#status
    const detail = error.message
    this.#isInSight = false
    this.#askedToWaitMs = Math.min(retryAfterOf(error), LONGEST_ASKED_WAIT_MS)
    if (this.#tolerance.isGone(error)) return { kind: 'gone', status, detail }
    if (isNotFound(error)) return undefined
    const { lostAfterMs } = this.#request
    if (!isPassing(error)) return this.#noteRefusal(detail)
    this.#tolerance.passed()
    const lostMs = this.#noteLost(detail, lostAfterMs)
    return lostMs < lostAfterMs ? undefined : { kind: 'lost', status, detail, refuses: false }
  }

  /** One no does not end the watch, whoever says it; some in a row do. */
  #noteRefusal(detail: string): Watched | undefined {
    this.#isInSight = false
    const { lostAfterMs } = this.#request
    const doubtedMs = Math.min(DOUBTED_MS, lostAfterMs)
    const isFinal = this.#tolerance.refused(doubtedMs)
    if (!isFinal && this.#noteLost(detail, doubtedMs) < lostAfterMs) return undefined
    return { kind: 'lost', status: this.#status, detail, refuses: isFinal }
  }

  /** Gives for how many milliseconds the run has been out of sight. */
  #noteLost(detail: string, toleratedMs: number): number {
    const now = this.#deps.clock.elapsed()
    this.#lostSince ??= now
    if (toleratedMs !== this.#toleratedMs) {
      this.#toleratedMs = toleratedMs
      this.#tell({ kind: 'server-lost', detail, toleratedMs })
    }
    return now - this.#lostSince
  }
}
