import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { AnswerError, isGone, isZenmlError, type ZenmlError } from '../zenml/errors.ts'
import type { Run } from '../zenml/model.ts'
import { isPassing, retryAfterOf } from '../zenml/retry.ts'
import { runPhase } from '../zenml/status.ts'
import { isOver, needsSteps, unfinishedSteps, type Sighting } from './assess.ts'
import { nextPollMs } from './polling.ts'
import type { Reporter } from './reporter.ts'
import { readSteps } from './steps.ts'

export interface WatchRequest {
  readonly runId: string
  /** The state known at the start. */
  readonly status: string
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeoutMs: number | undefined
  /** Milliseconds; undefined: adaptive. */
  readonly pollIntervalMs: number | undefined
  /** Where a person answers a paused run; for the warning. */
  readonly url: string | undefined
  readonly onPaused: 'wait' | 'fail'
}

export interface WatchDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
}

/** Why the watch ended; `status` is the last one seen. */
export type Watched =
  | { readonly kind: 'over'; readonly run: Run }
  | { readonly kind: 'timed-out'; readonly status: string }
  /** The run waits for a person, and that was not wished. */
  | { readonly kind: 'paused'; readonly status: string; readonly question: string | undefined }
  /** The server says that there is no such run any more. */
  | { readonly kind: 'gone'; readonly status: string; readonly detail: string }
  /** The server did not answer for too long, or lets us in no more. */
  | { readonly kind: 'lost'; readonly status: string; readonly detail: string }

/** A server's upgrade with a migration of its database takes minutes; the promise is at least five. */
const TOLERATED_SILENCE_MS = 600_000

/** A server may ask for patience, but a run that ended must not go unseen for hours. */
const LONGEST_ASKED_WAIT_MS = 300_000

/** One 404 may come from a replica that lags behind, or from a proxy in the middle of a roll-out. */
const GONE_AFTER = 3

/** Nobody marks a run as failed whose process died; after this time the orchestrator is asked how it is. */
const ASK_ORCHESTRATOR_AFTER_MS = 600_000
const ASK_ORCHESTRATOR_EVERY_MS = 300_000

/** Building an image and starting a runner takes minutes; a run can also stay `initializing` for ever. */
const SLOW_START_MS = 900_000

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
  #status: string
  #fingerprint = ''
  #changedAt: number
  #lostSince: number | undefined
  #timesGone = 0
  /** Of a Retry-After at the last look. */
  #askedToWaitMs = 0
  #orchestratorAskedAt: number | undefined
  #orchestratorAnswers = true
  #toldSlowStart = false
  #toldGoingOn = false
  #toldPause = false

  constructor(request: WatchRequest, deps: WatchDependencies) {
    this.#request = request
    this.#deps = deps
    this.#client = deps.client.with({ retries: false, signal: deps.signal })
    this.#startedAt = deps.clock.now()
    this.#changedAt = this.#startedAt
    this.#status = request.status
  }

  async run(): Promise<Watched> {
    const { clock, signal } = this.#deps
    const { timeoutMs, pollIntervalMs } = this.#request
    for (;;) {
      const watched = await this.#look()
      if (watched !== undefined) return watched
      const elapsedMs = clock.now() - this.#startedAt
      const remainingMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs - elapsedMs
      if (remainingMs <= 0) return { kind: 'timed-out', status: this.#status }
      const pollMs = Math.max(nextPollMs(elapsedMs, pollIntervalMs, clock.random()), this.#askedToWaitMs)
      await clock.sleep(Math.min(pollMs, remainingMs), signal)
    }
  }

  async #look(): Promise<Watched | undefined> {
    try {
      const sighting = await this.#sight()
      this.#noteSighting(sighting)
      if (sighting.run.permissionDenied) return this.#denied()
      if (isOver(sighting, this.#deps.clock.now() - this.#changedAt))
        return { kind: 'over', run: sighting.run }
      if (sighting.run.status === 'paused') return await this.#notePause()
      await this.#askOrchestrator()
      return undefined
    } catch (error) {
      if (!isZenmlError(error)) throw error
      return this.#noteFailure(error)
    }
  }

  async #sight(): Promise<Sighting> {
    const run = await this.#client.run(this.#request.runId, { hydrate: false })
    if (runPhase(run.status) === 'unknown') return { run: await this.#client.run(run.id, { hydrate: true }) }
    return needsSteps(run) ? { run, steps: await readSteps(this.#client, run.id) } : { run }
  }

  #noteSighting({ run, steps }: Sighting): void {
    const { clock, reporter } = this.#deps
    const now = clock.now()
    this.#timesGone = 0
    this.#askedToWaitMs = 0
    if (this.#lostSince !== undefined) {
      reporter.tell({ kind: 'server-back', afterMs: now - this.#lostSince })
      this.#lostSince = undefined
    }
    if (run.status !== 'paused') this.#toldPause = false
    if (run.status !== this.#status || this.#fingerprint === '') {
      this.#status = run.status
      reporter.tell({
        kind: 'state',
        status: run.status,
        reason: run.statusReason,
        sinceMs: now - this.#startedAt,
      })
    }
    const fingerprint = JSON.stringify([
      run.status,
      run.inProgress,
      steps?.map(({ name, status }) => [name, status]),
    ])
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint
      this.#changedAt = now
    }
    const running = unfinishedSteps(steps ?? [])
    if (running.length > 0 && !this.#toldGoingOn) {
      this.#toldGoingOn = true
      reporter.tell({ kind: 'failed-but-going-on', steps: running })
    }
    const waitedMs = now - this.#startedAt
    if (run.status === 'initializing' && waitedMs >= SLOW_START_MS && !this.#toldSlowStart) {
      this.#toldSlowStart = true
      reporter.tell({ kind: 'still-initializing', sinceMs: waitedMs, reason: run.statusReason })
    }
  }

  #denied(): Watched {
    const detail = 'the account may not read this run; give it a role that may read pipeline runs'
    return { kind: 'lost', status: this.#status, detail }
  }

  /** Says once, each time the run pauses, what it waits for. */
  async #notePause(): Promise<Watched | undefined> {
    if (this.#toldPause) return undefined
    const question = await this.#client.question(this.#request.runId).catch(unlessUnanswered)
    if (this.#request.onPaused === 'fail') return { kind: 'paused', status: this.#status, question }
    this.#toldPause = true
    this.#deps.reporter.tell({ kind: 'paused', question, url: this.#request.url })
    return undefined
  }

  async #askOrchestrator(): Promise<void> {
    const now = this.#deps.clock.now()
    if (!this.#orchestratorAnswers || now - this.#changedAt < ASK_ORCHESTRATOR_AFTER_MS) return
    if (now - (this.#orchestratorAskedAt ?? 0) < ASK_ORCHESTRATOR_EVERY_MS) return
    this.#orchestratorAskedAt = now
    try {
      await this.#client.refresh(this.#request.runId)
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error
      // 501: this orchestrator cannot say; 404 and 405: this server cannot ask; 403: we may not.
      if ([403, 404, 405, 501].includes(error.status)) this.#orchestratorAnswers = false
    }
  }

  #noteFailure(error: ZenmlError): Watched | undefined {
    const { clock, reporter } = this.#deps
    const status = this.#status
    const detail = error.message
    this.#askedToWaitMs = Math.min(retryAfterOf(error), LONGEST_ASKED_WAIT_MS)
    const now = clock.now()
    if (isGone(error)) {
      this.#timesGone += 1
      return this.#timesGone < GONE_AFTER ? undefined : { kind: 'gone', status, detail }
    }
    this.#timesGone = 0
    const fromBetween = error instanceof AnswerError && !error.fromZenml
    if (!isPassing(error) && !fromBetween) return { kind: 'lost', status, detail }
    if (this.#lostSince === undefined) {
      this.#lostSince = now
      reporter.tell({ kind: 'server-lost', detail, toleratedMs: TOLERATED_SILENCE_MS })
    }
    return now - this.#lostSince < TOLERATED_SILENCE_MS ? undefined : { kind: 'lost', status, detail }
  }
}

/** What a run waits for is good to know, but no reason to lose it: older servers have no such route. */
function unlessUnanswered(error: unknown): undefined {
  if (!(error instanceof AnswerError)) throw error
}
