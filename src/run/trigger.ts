import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import type { Deadline } from '../zenml/deadline.ts'
import {
  AnswerError,
  isZenmlError,
  UnreachableError,
  type TransportError,
  type ZenmlError,
} from '../zenml/errors.ts'
import type { JsonObject } from '../zenml/json.ts'
import type { Definition, Run } from '../zenml/model.ts'
import { backoffMs, isPassing, retryAfterOf } from '../zenml/retry.ts'
import type { TriggerAnswer } from '../zenml/trigger-answer.ts'
import { RunError } from './errors.ts'
import { explainRefusal } from './explain-refusal.ts'
import type { Journal, PlannedRun } from './journal.ts'
import { isOwnRun } from './own-run.ts'
import type { Reporter, TriggerHindrance } from './reporter.ts'

export interface TriggerRequest {
  readonly definition: Definition
  /** The run configuration without a name. */
  readonly configuration: JsonObject
  /** Known before the run is, and unique in its project: what makes a lost answer harmless. */
  readonly name: string
  /** True if the name holds random digits of ours, so that a run of this name can only be ours. */
  readonly nameIsOurs: boolean
  /** The first idempotency key, a UUID. */
  readonly key: string
  /** After it nothing more is sent. */
  readonly deadline: Deadline
}

export interface TriggerDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly journal: Journal
  /** Gives a new UUID. */
  readonly newKey: () => string
  readonly signal?: AbortSignal | undefined
}

/** A run, and whether it was found by its name because the answer that it was started got lost. */
export interface TriggeredRun {
  readonly run: Run
  readonly adopted: boolean
}

/**
 * A key whose server process died in mid-work answers "Server too busy" for ever (ZenML API, "429, and exactly
 * one run"); a server that is merely slow gets three times its own limit of 20 s.
 */
const STUCK_KEY_MS = 60_000

/** On a server without a free slot a run may appear for a moment and be deleted again. */
const ADOPTION_PAUSE_MS = 5_000

/** A slot is held for minutes, while an image is built and a runner starts. */
const SLOT_BACKOFF = { baseMs: 5_000, capMs: 30_000 } as const

/**
 * Starts exactly one run. The same key joins the work of an earlier sending, the unique name keeps a second run
 * out on every server version, and nothing is sent again after an unclear answer before two look-ups by name
 * found nothing.
 *
 * @throws RunError if no run was started, or if that is not known; the message says which
 * @throws the signal's reason if it was aborted; the journal then knows what was sent
 */
export async function triggerRun(request: TriggerRequest, deps: TriggerDependencies): Promise<TriggeredRun> {
  return new Trigger(request, deps).run()
}

class Trigger {
  readonly #request: TriggerRequest
  readonly #deps: TriggerDependencies
  #key: string
  #attempt = 0
  #firstSentAt: number | undefined
  /** Whether some sending may have started a run without our knowing. */
  #mayHaveStarted = false
  #keyBusySince: number | undefined
  #lastHindrance = ''

  constructor(request: TriggerRequest, deps: TriggerDependencies) {
    this.#request = request
    this.#deps = deps
    this.#key = request.key
  }

  async run(): Promise<TriggeredRun> {
    if (!this.#request.nameIsOurs) await this.#refuseTakenName()
    try {
      while (!this.#request.deadline.isOver) {
        const triggered = await this.#act(await this.#send())
        if (triggered !== undefined) return triggered
      }
      return await this.#lastLook()
    } catch (error) {
      throw this.#unknown(error)
    }
  }

  async #send(): Promise<TriggerAnswer> {
    const { client, clock, journal } = this.#deps
    const { definition, configuration, name } = this.#request
    this.#attempt += 1
    this.#firstSentAt ??= clock.now()
    journal.planned(this.#plan())
    const answer = await client.trigger(definition, { ...configuration, run_name: name }, this.#key)
    // Somebody else's run is as bad as an unreadable answer.
    if (answer.kind === 'started' && answer.run.name !== name) {
      const foreign = {
        status: 200,
        headers: {},
        body: `a run of another name (${answer.run.name ?? 'none'})`,
      }
      return { kind: 'unclear', error: new AnswerError('start the run', foreign, clock.now()) }
    }
    return answer
  }

  #plan(): PlannedRun {
    const { definition, name, nameIsOurs } = this.#request
    const sentAt = this.#deps.clock.now()
    return {
      name,
      nameIsOurs,
      origins: [
        definition.id,
        ...(definition.sourceSnapshotId === undefined ? [] : [definition.sourceSnapshotId]),
      ],
      projectId: definition.project?.id,
      key: this.#key,
      firstSentAt: this.#firstSentAt ?? sentAt,
      sentAt,
    }
  }

  /** Gives the run once it is known; undefined where the trigger should be sent again. */
  async #act(answer: TriggerAnswer): Promise<TriggeredRun | undefined> {
    if (answer.kind !== 'working') this.#keyBusySince = undefined
    switch (answer.kind) {
      case 'started':
        return { run: answer.run, adopted: false }
      case 'working':
        return this.#joinWork(answer.error)
      case 'no-slot':
        await this.#pause('no-slot', answer.error, SLOT_BACKOFF)
        return this.#adoptIfUnclear()
      case 'limited':
        await this.#pause('limited', answer.error)
        return this.#adoptIfUnclear()
      case 'not-sent':
        if (!isPassing(answer.error)) throw unreachable(answer.error)
        await this.#pause('not-sent', answer.error)
        return this.#adoptIfUnclear()
      case 'name-taken':
        return this.#adoptNamesake(answer.error)
      case 'refused':
        return this.#giveUp(answer.error)
      case 'unclear': {
        this.#mayHaveStarted = true
        this.#deps.reporter.tell({ kind: 'answer-lost', detail: answer.error.message })
        const run = await this.#adopt()
        if (run !== undefined) return run
        await this.#pause('unclear', answer.error)
        return this.#adopt()
      }
    }
  }

  /** A definite no is only about this sending: an earlier one may still start a run. */
  async #giveUp(error: AnswerError): Promise<TriggeredRun | undefined> {
    const run = await this.#adoptIfUnclear()
    if (run !== undefined) return run
    const refusal = explainRefusal(error, this.#request.definition)
    if (!this.#mayHaveStarted) throw new RunError(refusal)
    const { name } = this.#request
    throw new RunError(
      `${refusal}. An earlier request may still start it: look for a run named "${name}"`,
      'lost',
    )
  }

  /** "Server too busy": the same key again joins the work, unless the process that did it is dead. */
  async #joinWork(error: AnswerError): Promise<TriggeredRun | undefined> {
    const now = this.#deps.clock.elapsed()
    this.#mayHaveStarted = true
    this.#keyBusySince ??= now
    const busyMs = now - this.#keyBusySince
    if (busyMs < STUCK_KEY_MS) {
      await this.#pause('working', error, { capMs: 5_000 })
      return undefined
    }
    const run = await this.#adopt()
    if (run !== undefined) return run
    this.#key = this.#deps.newKey()
    this.#keyBusySince = undefined
    this.#deps.reporter.tell({ kind: 'new-key', afterMs: busyMs })
    return undefined
  }

  /** 409: with random digits in the name it is our run; a user's own name may be anybody's. */
  async #adoptNamesake(error: AnswerError): Promise<TriggeredRun | undefined> {
    if (this.#request.nameIsOurs) this.#mayHaveStarted = true
    if (!this.#request.nameIsOurs && !this.#mayHaveStarted) throw this.#nameTaken()
    const seen = (await this.#lookUp()).length > 0
    const run = seen ? await this.#adopt() : undefined
    if (run !== undefined) return run
    if (seen && !this.#request.nameIsOurs) throw this.#nameTaken()
    await this.#pause('name-vanished', error)
    return undefined
  }

  async #adoptIfUnclear(): Promise<TriggeredRun | undefined> {
    return this.#mayHaveStarted ? this.#adopt() : undefined
  }

  /** The run of our name if it is there, ours, and still there five seconds later. */
  async #adopt(): Promise<TriggeredRun | undefined> {
    const first = (await this.#lookUp()).find((run) => isOwnRun(run, this.#plan()))
    if (first === undefined) return undefined
    await this.#deps.clock.sleep(ADOPTION_PAUSE_MS, this.#deps.signal)
    const second = (await this.#lookUp()).find(({ id }) => id === first.id)
    return second === undefined ? undefined : { run: second, adopted: true }
  }

  /** Asks until the server answers or the time is up: without an answer nothing may be sent again. */
  async #lookUp(): Promise<Run[]> {
    const { clock, reporter, signal } = this.#deps
    const { name, definition } = this.#request
    const client = this.#deps.client.with({ retries: false })
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await client.runsByName(name, definition.project?.id)
      } catch (error) {
        const hopeless = !isZenmlError(error) || !isPassing(error)
        if (hopeless || this.#request.deadline.isOver) throw error
        const waitMs = backoffMs(attempt, clock.random(), { atLeastMs: retryAfterOf(error) })
        reporter.tell({ kind: 'retry', line: error.message, waitMs })
        await clock.sleep(waitMs, signal)
      }
    }
  }

  async #refuseTakenName(): Promise<void> {
    if ((await this.#lookUp()).length > 0) throw this.#nameTaken()
  }

  #nameTaken(): RunError {
    const { name } = this.#request
    return new RunError(
      `run-name: a run named "${name}" exists already, and ZenML wants unique names. ` +
        `Make it unique, for example "${name.slice(0, 200)}-{date}-{time}" or with \${{ github.run_id }}, or leave run-name out`,
    )
  }

  async #lastLook(): Promise<TriggeredRun> {
    const run = await this.#adoptIfUnclear()
    if (run !== undefined) return run
    const { name } = this.#request
    const known = this.#mayHaveStarted
      ? `The server may still be at work on it: look for a run named "${name}" before you start another`
      : 'Nothing was started'
    throw new RunError(
      `No run could be started within trigger-timeout. ${this.#lastHindrance === '' ? '' : `Last: ${this.#lastHindrance}. `}${known}`,
      this.#mayHaveStarted ? 'lost' : 'timed-out',
    )
  }

  /** A failure that hides whether a run was started must say so. */
  #unknown(error: unknown): unknown {
    if (!isZenmlError(error) || !this.#mayHaveStarted) return error
    const { name } = this.#request
    return new RunError(
      `Whether the run was started is not known (${error.message}). If it was, it goes on under the name "${name}"`,
      'lost',
    )
  }

  async #pause(
    hindrance: TriggerHindrance,
    error: ZenmlError,
    backoff: { baseMs?: number; capMs?: number } = {},
  ): Promise<void> {
    const { clock, reporter, signal } = this.#deps
    const atLeastMs = retryAfterOf(error)
    const remainingMs = this.#request.deadline.leftMs
    const waitMs = Math.min(backoffMs(this.#attempt, clock.random(), { atLeastMs, ...backoff }), remainingMs)
    this.#lastHindrance = error.message
    reporter.tell({ kind: 'trigger-hindered', hindrance, detail: error.message, waitMs })
    await clock.sleep(waitMs, signal)
  }
}

function unreachable(error: TransportError | UnreachableError): UnreachableError {
  return error instanceof UnreachableError ? error : new UnreachableError('start the run', error)
}
