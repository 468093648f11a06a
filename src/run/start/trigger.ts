import { Deadline } from '../../base/deadline.ts'
import type { TransportError } from '../../http/transport-error.ts'
import { isZenmlError, type AnswerError, type ZenmlError } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import { backoffMs, isPassing, retryAfterOf } from '../../zenml/retry.ts'
import type { TriggerAnswer } from '../../zenml/answers/trigger-answer.ts'
import { confirmRunBegins, doubtAfter, isUnderWay, type Doubt } from './confirm-run-begins.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { FailureTolerance } from '../failure-tolerance.ts'
import { explainRefusal, precedesRun } from './refusal.ts'
import type { PlannedRun, RunIdentity } from '../recovery-journal.ts'
import { endRunDespiteRefusal, isLeftByFullQueue } from './run-despite-refusal.ts'
import { retryUntilAnswered } from '../retry-until-answered.ts'
import { beginning, otherRunName } from './run-name.ts'
import { hasNameOf, ownership, runOfId, runsAsSent, withMark } from './own-run.ts'
import type { TriggerHindrance } from '../events.ts'
import type { TriggerDependencies, TriggeredRun, TriggerRequest } from './trigger-request.ts'
import {
  leftByFullQueue,
  namesakeUnknown,
  nameTaken,
  nameTakenUnseen,
  outOfTime,
  refused,
  startedAnother,
  startedUnseen,
  startUnknown,
  unreachable,
} from './trigger-errors.ts'

/**
 * A key whose server process died in mid-work answers "Server too busy" for ever (seen; 0.98:
 * zenml/zen_server/request_management.py); a server that is merely slow gets three times its own limit of 20 s.
 */
const STUCK_KEY_MS = 60_000

/** On a server without a free slot a run may appear for a moment and be deleted again. */
const ADOPTION_PAUSE_MS = 5_000

/** A server that restarts is back by then. */
const SOON_MS = 60_000

/** So long a server may show nothing of a run that it says exists, before its 409 counts as a no. */
const VANISHED_MS = 60_000

/** A slot is held for minutes, while an image is built and a runner starts. */
const SLOT_BACKOFF = { baseMs: 5_000, capMs: 30_000 }
type Backoff = Partial<typeof SLOT_BACKOFF>

/**
 * Starts exactly one run. The same key joins the work of an earlier sending, the unique name keeps a second run
 * out on every server version, nothing is sent again after an unclear answer before two look-ups by name
 * found nothing, and nothing at all once an answer held a run.
 *
 * @throws RunError if no run was started, or if that is not known; the message says which
 * @throws the signal's reason if it was aborted; the journal then knows what was sent
 */
export async function triggerRun(request: TriggerRequest, deps: TriggerDependencies): Promise<TriggeredRun> {
  return new Trigger(request, deps).run()
}

class Trigger {
  #request: TriggerRequest
  readonly #deps: TriggerDependencies
  #key: string
  #attempt = 0
  /** On the server's clock. */
  #sentFrom: number | undefined
  #answered: RunIdentity | undefined
  /** Whether some sending may have started a run without our knowing. */
  #mayHaveStarted = false
  /** Whether some sending met a limit that need not be ZenML's, so that it may have been let through. */
  #wasLimited = false
  /** Why a run that is found may never begin. */
  #doubt: Doubt | undefined
  #keyBusySince: number | undefined
  #vanishedSince: number | undefined
  #lastHindrance = ''
  /** For noes to a request that is sent again. */
  readonly #tolerance: FailureTolerance

  constructor(request: TriggerRequest, deps: TriggerDependencies) {
    this.#request = request
    this.#deps = deps
    this.#key = request.key
    this.#tolerance = new FailureTolerance(deps.clock)
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
    const { client, journal } = this.#deps
    const { definition, replayed, configuration, name } = this.#request
    this.#attempt += 1
    this.#sentFrom ??= client.serverNow
    const plan = this.#plan()
    journal.planned(plan)
    const source = replayed === undefined ? definition : { kind: 'run' as const, id: replayed.id }
    return client.trigger(source, { ...withMark(configuration, plan.mark), run_name: name }, this.#key)
  }

  #plan(): PlannedRun {
    const { definition, name, nameIsOurs } = this.#request
    const { id, sourceSnapshotId, project } = definition
    return {
      name,
      nameIsOurs,
      origins: sourceSnapshotId === undefined ? [id] : [id, sourceSnapshotId],
      projectId: project?.id,
      sentFrom: this.#sentFrom,
      sentAt: this.#deps.clock.now(),
      answered: this.#answered,
      mark: nameIsOurs ? undefined : this.#request.key,
    }
  }

  /** Gives the run once it is known; undefined where the trigger should be sent again. */
  async #act(answer: TriggerAnswer): Promise<TriggeredRun | undefined> {
    if (answer.kind !== 'working') this.#keyBusySince = undefined
    if (answer.kind !== 'name-taken') this.#vanishedSince = undefined
    if (answer.kind !== 'refused') this.#tolerance.answered()
    switch (answer.kind) {
      case 'started':
        return this.#follow(answer.run)
      case 'working':
        return this.#joinWork(answer.error)
      case 'no-slot':
        await this.#pause('no-slot', answer.error, SLOT_BACKOFF)
        return this.#adopt()
      case 'limited':
        this.#wasLimited = true
        await this.#pause('limited', answer.error)
        return this.#adopt()
      case 'not-sent':
        if (!isPassing(answer.error)) throw unreachable(answer.error)
        await this.#pause('not-sent', answer.error)
        return this.#adopt()
      case 'name-taken':
        return this.#adoptNamesake(answer.error)
      case 'refused':
        // Where an earlier sending may have started it, one no in passing does not make the run lost.
        if (this.#attempt === 1 || (await this.#isLastWord(answer))) {
          return this.#giveUp(answer.error, answer.byZenml)
        }
        return this.#searchAndPause(answer.error)
      case 'unclear':
        return this.#searchAndPause(answer.error)
    }
  }

  /** No trigger-timeout is waited for where something in between says no each time: nothing comes of it. */
  async #isLastWord({ error, byZenml }: Extract<TriggerAnswer, { kind: 'refused' }>): Promise<boolean> {
    if (!byZenml) return this.#tolerance.refused()
    if (this.#tolerance.isFinal(error)) return true
    if (!this.#mayHaveLeftRun(error)) return false
    const isFirstWord = !this.#mayHaveStarted && !this.#wasLimited
    return isFirstWord || (await this.#ownNamesake()) !== undefined
  }

  /** A run that was made before ZenML refused to start it never begins; sent again, its name would be taken. */
  #mayHaveLeftRun(error: AnswerError): boolean {
    const { definition, replayed } = this.#request
    return !precedesRun(error, definition, replayed)
  }

  /** After an answer that hides whether the run was started: two look-ups, one of them after a pause. */
  async #searchAndPause(error: AnswerError | TransportError): Promise<TriggeredRun | undefined> {
    this.#mayHaveStarted = true
    const doubt = doubtAfter(error)
    this.#doubt = { ...doubt, isServerError: doubt.isServerError || this.#doubt?.isServerError === true }
    this.#deps.reporter.tell({ kind: 'answer-lost', detail: error.message })
    const run = await this.#adopt()
    if (run !== undefined) return run
    await this.#pause('unclear', error)
    return this.#adopt()
  }

  /** An answer with a run in it proves that something was started: whatever its name, nothing is sent again. */
  async #follow(run: Run): Promise<TriggeredRun> {
    const plan = this.#plan()
    if (hasNameOf(run, plan) && ownership(run, plan) !== 'foreign') {
      return { run, name: run.name ?? plan.name, adopted: false }
    }
    const answered = { id: run.id, name: run.name && beginning(run.name) }
    this.#answered = answered
    this.#mayHaveStarted = true
    this.#deps.journal.planned(this.#plan())
    this.#deps.reporter.tell({
      kind: 'answer-lost',
      detail: 'the server answered with a run of another name',
    })
    try {
      const own = (await this.#adopt()) ?? (await this.#ownRun(answered))
      if (own !== undefined) return own
    } catch (error) {
      throw isZenmlError(error) ? startedUnseen(answered, error.message) : error
    }
    throw startedAnother(answered)
  }

  /** The run of that id if it is ours under another name. */
  async #ownRun({ id }: RunIdentity): Promise<TriggeredRun | undefined> {
    const soon = new Deadline(this.#deps.clock, Math.min(SOON_MS, this.#request.deadline.leftMs))
    const run = await this.#retryUntilAnswered(async (once) => runOfId(once, id), soon)
    if (run === undefined || ownership(run, this.#plan()) !== 'ours') return undefined
    return { run, name: run.name ?? id, adopted: true }
  }

  /** ZenML's no is only about this sending: an earlier one may still start a run. One of something else proves nothing. */
  async #giveUp(error: AnswerError, byZenml: boolean): Promise<TriggeredRun | undefined> {
    this.#mayHaveStarted ||= !byZenml || this.#wasLimited
    const mayHaveLeftRun = byZenml && this.#mayHaveLeftRun(error)
    if (mayHaveLeftRun) this.#doubt = { ...doubtAfter(error), isRefusal: true }
    const run = await this.#adopt()
    if (run !== undefined) return run
    const { definition, replayed, endReason, name } = this.#request
    const refusal = explainRefusal(error, definition, replayed)
    if (mayHaveLeftRun) {
      const end = await endRunDespiteRefusal({ error, refusal, planned: this.#plan(), endReason }, this.#deps)
      if (end !== undefined) throw end
    }
    throw refused(refusal, name, this.#mayHaveStarted)
  }

  /** "Server too busy": the same key again joins the work, unless the process that did it is dead. */
  async #joinWork(error: AnswerError): Promise<TriggeredRun | undefined> {
    const now = this.#deps.clock.elapsed()
    this.#mayHaveStarted = true
    // Where it does not answer with a run in the end, it failed at it.
    this.#doubt = { detail: error.message, isServerError: true }
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
    const { name, nameIsOurs } = this.#request
    this.#mayHaveStarted ||= nameIsOurs || error.exception === undefined
    const plan = this.#plan()
    const runs = await this.#lookUp()
    const left = runs.find((run) => isLeftByFullQueue(run) && ownership(run, plan) === 'ours')
    if (left !== undefined) throw leftByFullQueue(name, left.statusReason ?? '')
    const namesake = runs.find((run) => ownership(run, plan) === 'ours') ?? runs[0]
    if (namesake === undefined) return this.#awaitNamesake(error)
    const whose = ownership(namesake, plan)
    if (whose === 'foreign') {
      // Another spelling takes the name on some databases only, so ours may be there as well.
      if (namesake.name === name || !this.#mayHaveStarted) throw nameTaken(name)
      return this.#awaitNamesake(error)
    }
    if (whose === 'unknown') throw namesakeUnknown(name, namesake.id)
    this.#mayHaveStarted = true
    this.#doubt ??= doubtAfter(error)
    return (await this.#adopt(namesake)) ?? this.#awaitNamesake(error)
  }

  /** The run may be shown a little later: ours surely; one that has a name of the user's own may be hidden for good. */
  async #awaitNamesake(error: AnswerError): Promise<TriggeredRun | undefined> {
    const now = this.#deps.clock.elapsed()
    this.#vanishedSince ??= now
    const { name, nameIsOurs } = this.#request
    const isTaken = error.exception === 'EntityExistsError'
    if (now - this.#vanishedSince >= VANISHED_MS && !(isTaken && nameIsOurs)) {
      if (isTaken && !this.#mayHaveStarted) throw nameTakenUnseen(name)
      return this.#giveUp(error, error.exception !== undefined)
    }
    await this.#pause('name-vanished', error)
    return undefined
  }

  /** Where a run may have been started: the one of our name if it is there, ours, and still there five seconds later. */
  async #adopt(seen?: Run): Promise<TriggeredRun | undefined> {
    if (!this.#mayHaveStarted) return undefined
    const first = seen ?? (await this.#ownNamesake())
    if (first === undefined) return undefined
    await this.#deps.clock.sleep(ADOPTION_PAUSE_MS, this.#deps.signal)
    const second = (await this.#lookUp()).find(({ id }) => id === first.id)
    return second === undefined ? undefined : this.#ifItBegins(second)
  }

  /** The run if it begins; undefined where it never will, and another one is to be started. */
  async #ifItBegins(run: Run): Promise<TriggeredRun | undefined> {
    const { nameIsOurs, showsHandOver, deadline, endReason: reason } = this.#request
    const name = run.name ?? this.#request.name
    if (this.#doubt === undefined) return { run, name, adopted: true }
    const request = { run, name, doubt: this.#doubt, showsHandOver, deadline, reason }
    if (this.#doubt.isRefusal === true && !(await isUnderWay(run, request, this.#deps))) return undefined
    const confirmation = await confirmRunBegins(request, this.#deps)
    if (confirmation.kind === 'alive') return { run: confirmation.run, name, adopted: true }
    if (confirmation.kind === 'gone') return undefined
    this.#key = this.#deps.newKey()
    const nextName = otherRunName(this.#request.name, nameIsOurs, this.#key)
    this.#request = { ...this.#request, name: nextName, nameIsOurs: true }
    this.#mayHaveStarted = false
    this.#doubt = undefined
    this.#deps.reporter.tell({ kind: 'not-dispatched', name, nextName })
    return undefined
  }

  async #ownNamesake(): Promise<Run | undefined> {
    return (await this.#lookUp()).find((run) => ownership(run, this.#plan()) === 'ours')
  }

  async #lookUp(): Promise<Run[]> {
    const plan = this.#plan()
    const ask = async (once: ZenmlClient): Promise<Run[]> => runsAsSent(once, plan)
    return this.#retryUntilAnswered(ask, this.#request.deadline)
  }

  /** Where a run may be under way, a no is doubted for a while. */
  async #retryUntilAnswered<Answer>(
    ask: (client: ZenmlClient) => Promise<Answer>,
    deadline: Deadline,
  ): Promise<Answer> {
    const tolerance = new FailureTolerance(this.#deps.clock)
    const isFinal = this.#mayHaveStarted ? (error: ZenmlError) => tolerance.isFinal(error) : undefined
    return retryUntilAnswered(ask, deadline, this.#deps, isFinal)
  }

  async #refuseTakenName(): Promise<void> {
    const { name } = this.#request
    if ((await this.#lookUp()).some((run) => run.name === name)) throw nameTaken(name)
  }

  async #lastLook(): Promise<TriggeredRun> {
    this.#mayHaveStarted ||= this.#wasLimited
    const run = await this.#adopt()
    if (run !== undefined) return run
    throw outOfTime(this.#request.name, this.#lastHindrance, this.#mayHaveStarted)
  }

  #unknown(error: unknown): unknown {
    if (!isZenmlError(error) || !(this.#mayHaveStarted || this.#wasLimited)) return error
    return startUnknown(this.#request.name, error.message)
  }

  async #pause(hindrance: TriggerHindrance, error: ZenmlError, backoff: Backoff = {}): Promise<void> {
    const { clock, reporter, signal } = this.#deps
    const atLeastMs = retryAfterOf(error)
    const remainingMs = this.#request.deadline.leftMs
    const waitMs = Math.min(backoffMs(this.#attempt, clock.random(), { atLeastMs, ...backoff }), remainingMs)
    this.#lastHindrance = error.message
    reporter.tell({ kind: 'trigger-hindered', hindrance, detail: error.message, waitMs })
    await clock.sleep(waitMs, signal)
  }
}
