import { attemptsAt, byName, type ConfiguredStep } from './attempts.ts'
import type { RunFacts, RunState } from './run-state.ts'
import { conditionsOf, type Condition } from './conditions.ts'
import type { Json, JsonObject } from './json.ts'
import { schedule, type PlannedStep, type RunEvent, type RunPlan, type StepSpan } from './timeline.ts'
import type { StepSpec, ZenmlVersion } from './types.ts'
import { phaseOf, waitOf, type Wait } from './wait.ts'

type Own = Pick<RunState, 'status' | 'reason' | 'inProgress' | 'busy' | 'end'>

/** How far the steps are; `busy` where a process works at them. */
interface Progress {
  readonly isWhole: boolean
  readonly running: boolean
  readonly busy: boolean
  readonly lastEnd: number
}

interface SetStatus {
  readonly at: number
  readonly status: string
  readonly reason: string | null
  readonly by: 'request' | 'orchestrator' | 'test'
}

/** Seen on real servers: 47 to 124. */
const HAND_OVER_MS = 50

const WAITING = { reason: null, inProgress: true, busy: false, end: undefined } as const

const STOP_REASON = 'Manual stop requested.'

const STOPPING = { status: 'stopping', reason: STOP_REASON } as const

const ENDED = new Set(['completed', 'failed', 'stopped', 'cancelled'])

/** One run: its plan, what was done to it, and so its state at any moment. */
export class Run {
  readonly facts: RunFacts
  /** The run that this one replays. */
  readonly original: Run | undefined
  /** The specs of all its steps, by name. */
  readonly specs: ReadonlyMap<string, StepSpec>
  readonly metadata = new Map<string, JsonObject[string]>()
  /** From when on the server says 404 for it. */
  goneFrom = Infinity
  /** Started by the account that asks. */
  owned = true
  /** Made, found no free slot, and is about to be deleted: it holds neither a slot nor its name. */
  rejected = false
  #parent: Run | undefined
  #child: Run | undefined
  /** How many steps it takes before it calls the child. */
  #stepsBefore = 0
  #plan: RunPlan
  readonly #version: ZenmlVersion
  readonly #events: RunEvent[] = []
  readonly #attempts: ReadonlyMap<PlannedStep, ConfiguredStep>
  /** The schedule as of the last event. */
  #schedule: readonly StepSpan[] | undefined
  #set: SetStatus | undefined
  /** It was asked before it began, and its process will not know. */
  #isForgetful = false

  constructor(facts: RunFacts, version: ZenmlVersion, original?: Run) {
    this.facts = facts
    this.original = original
    this.#plan = { ...facts.plan, steps: facts.steps }
    this.#version = version
    this.specs = new Map(facts.steps.map((step) => [step.name, step.spec]))
    this.#attempts = new Map(facts.steps.flatMap(attemptsAt).map((step) => [step, step]))
  }

  /** The step, or the attempt at it, that a span is of. */
  stepOf(span: StepSpan): ConfiguredStep {
    const step = this.#attempts.get(span.step)
    if (step === undefined) throw new Error(`The run has no step ${span.step.name}.`)
    return step
  }

  get #isDynamic(): boolean {
    return this.facts.pipeline.dynamic !== undefined
  }

  /** 0.74 makes the configuration of a run anew, without the pipeline's own. */
  get tags(): Json {
    const own = this.#version === '0.74.0' ? undefined : this.facts.pipeline.tags
    return this.facts.configuration['tags'] ?? own ?? null
  }

  get createdAt(): number {
    return this.#plan.createdAt
  }

  /** The run that called this one. */
  get parent(): Run | undefined {
    return this.#parent
  }

  /** The one that it has called by then. */
  childAt(now: number): Run | undefined {
    return this.#child?.isThere(now) === true ? this.#child : undefined
  }

  /** Calls another one when the steps that are planned by now are done. */
  call(child: Run): void {
    child.#parent = this
    this.#child = child
    this.#stepsBefore = this.#spans.length
  }

  /** The server knows of it. */
  isThere(now: number): boolean {
    return this.createdAt <= now && this.#parent?.calls(this.createdAt) !== false
  }

  /** Whether its process lives to call the child: also while it is being stopped (seen), but not after a step that failed or was refused. */
  calls(at: number): boolean {
    const done = this.#spans.filter(
      ({ end, outcome }) => end <= at && (outcome === 'completed' || outcome === 'cached'),
    )
    const isEnded = this.#events.some(
      (event) => (event.kind === 'end' || event.kind === 'abort') && event.at < at,
    )
    return done.length >= this.#stepsBefore && !isEnded && this.#parent?.calls(this.createdAt) !== false
  }

  /** When its first step can start, milliseconds. */
  get begin(): number {
    return this.#plan.createdAt + this.#plan.startupMs
  }

  /** From 0.96 on a run is changed when it is handed to the executor, before its trigger is answered. */
  get #handedOverAt(): number {
    const isChanged = this.#version === '0.98.0' && this.#plan.isHandedOver
    return this.createdAt + (isChanged ? HAND_OVER_MS : 0)
  }

  isGone(now: number): boolean {
    return now >= this.goneFrom
  }

  /** Its process died before it could say so. */
  isDead(now: number): boolean {
    const { status, busy } = this.state(now)
    return status === 'running' && !busy && now >= this.begin + (this.#plan.diesAfterMs ?? Infinity)
  }

  /** The server failed before it could hand the run over: nothing ever happens to it. */
  forget(): void {
    this.#plan = { ...this.#plan, neverMoves: true, isHandedOver: false }
    this.#schedule = undefined
  }

  /** `reaches`: the orchestrator can end running steps by force. */
  stop(at: number, graceful: boolean, reaches: boolean): void {
    // A run that another one called has its orchestrator's id from the start; its process overwrites the state as it begins (seen).
    if (at < this.begin) this.#isForgetful = true
    else this.#record({ kind: 'stop', at, graceful, reaches })
  }

  pause(at: number, question: string | null): void {
    this.#record({ kind: 'pause', at, question })
  }

  resume(at: number): void {
    this.#record({ kind: 'resume', at })
  }

  /** What it has asked by now, oldest first. */
  conditions(now: number): readonly Condition[] {
    return conditionsOf(this.facts, this.#events, this.#wait(), now)
  }

  /** An answer starts a paused run again even after it was set failed from outside. */
  answer(at: number, { isPlanned }: Condition, resolution: 'continue' | 'abort', result: Json): void {
    if (resolution === 'continue' && this.#set?.by === 'request') this.#set = undefined
    if (resolution === 'abort') this.#record({ kind: 'abort', at })
    else this.#record(isPlanned ? { kind: 'answer', at, result } : { kind: 'resume', at })
  }

  #wait(): Wait | undefined {
    return waitOf(this.#plan, this.#events, byName(this.#spans))
  }

  /** Of all steps that ever start. */
  get #spans(): readonly StepSpan[] {
    return (this.#schedule ??= schedule(this.#plan, this.#events))
  }

  /** A run that has no step yet and is ended starts none; steps under way go on whatever is set. */
  setStatus(at: number, status: string, reason: string | null, by: SetStatus['by']): void {
    const beforeSteps = this.state(at).spans.length === 0
    this.#set = { at, status, reason, by }
    if (ENDED.has(status) && beforeSteps) this.#record({ kind: 'end', at })
  }

  #record(event: RunEvent): void {
    this.#events.push(event)
    this.#schedule = undefined
  }

  state(now: number): RunState {
    const all = this.#spans
    const spans = all.filter((span) => span.start <= now)
    const own = this.#own(now, all, spans)
    const wait = this.#wait()
    const changes = [
      this.#plan.neverMoves ? 0 : this.begin,
      wait?.pausesAt ?? 0,
      wait?.resumesAt ?? 0,
      this.#set?.at ?? 0,
      ...this.#events.map((event) => event.at),
      ...spans.flatMap((span) => [span.start, span.end]),
    ]
    return {
      ...own,
      ...this.#override(),
      begun: now >= this.begin && !this.#plan.neverMoves && !this.#events.some((e) => e.kind === 'end'),
      updated: Math.max(this.#handedOverAt, ...changes.filter((at) => at <= now)),
      spans,
    }
  }

  #override(): Partial<Own> {
    const set = this.#set
    if (set === undefined) return {}
    const { status, reason } = set
    // A static run failed from outside keeps its in_progress and its end time or the lack of one.
    if (set.by === 'request' && !this.#isDynamic) return { status, reason }
    const ended = ENDED.has(status)
    return { status, reason, inProgress: !ended, end: ended ? set.at : undefined }
  }

  #own(now: number, all: readonly StepSpan[], spans: readonly StepSpan[]): Own {
    const early = this.#beforeSteps(now)
    if (early !== undefined) return early
    const death = this.begin + (this.#plan.diesAfterMs ?? Infinity)
    const running = spans.some((span) => span.end > now)
    const busy = running && now < death
    const lastEnd = Math.max(this.begin, ...spans.map((span) => span.end))
    const wait = this.#wait()
    const asked = this.#asked(wait, now)
    if (asked !== undefined) return { ...WAITING, ...asked, busy }
    const called = this.#called(now)
    const isWhole = this.#plan.steps.every((step) => spans.some((span) => span.step === step))
    // Where no step was left that could be refused, the process of a dynamic pipeline completes its run (seen).
    const completes = this.#isDynamic && isWhole && !running && called === undefined && !isCut(spans)
    if (!completes || this.#isAborted) {
      const isHeld = called !== undefined && called.inProgress !== false
      const stopped = this.#stopped(running || isHeld, busy, Math.max(lastEnd, called?.end ?? 0))
      if (stopped !== undefined) return stopped
    }
    if (called !== undefined) return { ...WAITING, busy, ...called }
    return this.#unstopped(now, all, spans, { isWhole, running, busy, lastEnd })
  }

  #unstopped(
    now: number,
    all: readonly StepSpan[],
    spans: readonly StepSpan[],
    { isWhole, running, busy, lastEnd }: Progress,
  ): Own {
    const wait = this.#wait()
    const failure = firstFailure(spans, now)
    const going = busy || all.some((span) => span.start > now)
    if (failure !== undefined) return this.#failed(failure, all, going, busy, lastEnd)
    const ended = wait?.answer !== undefined && all.length === 1 ? wait.resumesAt : lastEnd
    if (!running && (isWhole || ended > lastEnd)) {
      return { status: 'completed', reason: null, inProgress: false, busy: false, end: ended }
    }
    return this.#waiting(busy)
  }

  #waiting(busy: boolean): Own {
    return this.#isPaused()
      ? { ...WAITING, status: 'paused', reason: 'Waiting for input.', busy }
      : { ...WAITING, status: 'running', busy }
  }

  #beforeSteps(now: number): Own | undefined {
    if (now < this.begin || this.#plan.neverMoves) {
      return { ...WAITING, ...(this.#isForgetful ? STOPPING : { status: 'initializing' }) }
    }
    const early = this.#plan.failsBeforeSteps
    if (early === undefined) return undefined
    const over = this.#isDynamic ? { inProgress: false, end: this.begin } : {}
    return { ...WAITING, status: 'failed', reason: early.reason, ...over }
  }

  /** While the run that it called goes on, or after that failed or was stopped. */
  #called(now: number): (Pick<Own, 'status'> & Partial<Own>) | undefined {
    const child = this.#child
    if (child === undefined || !this.calls(child.createdAt)) return undefined
    if (now < child.createdAt) return { status: 'running' }
    const { status, inProgress, end } = child.state(now)
    if (status === 'failed') return { status, inProgress: false, end }
    // Nobody tells it that the question of its child was answered with an abort.
    if (status === 'paused' || child.#wasPausedAndAborted) return { status: 'paused' }
    if (inProgress) return { status: 'running' }
    return status === 'completed' ? undefined : { status: 'failed', inProgress: false, end }
  }

  /** Then no process of it is there that could fail. */
  get #wasPausedAndAborted(): boolean {
    const abort = this.#events.find((event) => event.kind === 'abort')
    const pausesAt = this.#wait()?.pausesAt ?? Infinity
    return abort !== undefined && (abort.at >= pausesAt || this.#events.some((each) => each.kind === 'pause'))
  }

  get #isAborted(): boolean {
    return this.#events.some((event) => event.kind === 'abort')
  }

  /** By an abort, at once; or by a stop, once nothing runs any more, neither of it nor of what it has called. */
  #stopped(running: boolean, busy: boolean, lastEnd: number): Own | undefined {
    const abort = this.#events.find((event) => event.kind === 'abort')
    if (abort !== undefined) {
      const reason = 'Wait condition was aborted.'
      return { status: 'stopped', reason, inProgress: false, busy, end: abort.at }
    }
    if (!this.#events.some((event) => event.kind === 'stop')) return undefined
    const asked = { reason: STOP_REASON, inProgress: running, busy }
    return running
      ? { ...asked, status: 'stopping', end: undefined }
      : { ...asked, status: 'stopped', end: Math.max(lastEnd, this.#wait()?.resumesAt ?? 0) }
  }

  /** While it waits for an answer or comes back after one; a stop does not end that. */
  #asked(wait: Wait | undefined, now: number): Pick<Own, 'status' | 'reason'> | undefined {
    const phase = phaseOf(wait, now)
    const stop = this.#events.findIndex((event) => event.kind === 'stop')
    const answer = wait?.answer
    if (wait === undefined || phase === undefined || answer?.kind === 'abort') return undefined
    // The server starts no process for a run that is stopping, so nobody ever ends it.
    const wasPaused = answer !== undefined && answer.at >= wait.pausesAt
    if (wasPaused && stop >= 0 && stop < this.#events.indexOf(answer)) {
      return { status: 'paused', reason: 'Waiting for manual resume.' }
    }
    if (phase === 'over') return undefined
    if (stop >= 0) return STOPPING
    switch (phase) {
      case 'waiting':
        return { status: 'running', reason: null }
      case 'paused':
        return { status: 'paused', reason: 'Waiting for input.' }
      case 'resuming':
        return { status: 'resuming', reason: 'Automatically resuming run from server.' }
    }
  }

  /**
   * The first failed step makes the run failed while others may go on. From 0.90 on it gets its end when nothing
   * runs any more, or at once if its mode is not continue_on_failure, whatever runs; before, always at once, and
   * in_progress then stays true for ever if anything went on.
   */
  #failed(failure: number, all: readonly StepSpan[], going: boolean, busy: boolean, lastEnd: number): Own {
    const failed = { status: 'failed', reason: null, busy }
    if (this.#version === '0.98.0') {
      if (this.#plan.mode !== 'continue_on_failure') return { ...failed, inProgress: false, end: failure }
      return { ...failed, inProgress: going, end: going ? undefined : lastEnd }
    }
    return { ...failed, inProgress: all.some((span) => span.end > failure), end: failure }
  }

  #isPaused(): boolean {
    return (
      this.#events.findLast((event) => event.kind === 'pause' || event.kind === 'resume')?.kind === 'pause'
    )
  }
}

function isCut(spans: readonly StepSpan[]): boolean {
  return spans.some(({ outcome }) => outcome === 'stopped' || outcome === 'failed')
}

function firstFailure(spans: readonly StepSpan[], now: number): number | undefined {
  const ends = spans.filter((span) => span.outcome === 'failed' && span.end <= now).map((span) => span.end)
  return ends.length === 0 ? undefined : Math.min(...ends)
}
