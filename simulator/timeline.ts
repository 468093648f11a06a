import type { EarlyFailure, StepFailure, StepSpec } from './types.ts'
import type { Json } from './json.ts'
import { goesOnAt, waitOf } from './wait.ts'

/** What a failed step means for the others, as in a run configuration. */
export type ExecutionMode = 'continue_on_failure' | 'stop_on_failure' | 'fail_fast'

export interface PlannedStep {
  readonly name: string
  readonly upstream: readonly string[]
  readonly durationMs: number
  readonly fails: StepFailure | undefined
  readonly cached: boolean
  readonly preempted?: StepSpec['preempted']
  /** Set where a replay takes its result from an earlier run. */
  readonly original?: PlannedStep
  /** Attempts that fail before this one. */
  readonly earlier: readonly PlannedStep[]
}

/** All that is decided when a run is created. Times are milliseconds. */
export interface RunPlan {
  readonly createdAt: number
  readonly startupMs: number
  readonly stopMs: number
  readonly steps: readonly PlannedStep[]
  readonly mode: ExecutionMode
  readonly sequential: boolean
  readonly isHandedOver: boolean
  readonly neverMoves: boolean
  readonly diesAfterMs: number | undefined
  readonly failsBeforeSteps: EarlyFailure | undefined
  /** It asks after its first step, and pauses when nobody answers for so long. */
  readonly wait: { readonly patienceMs: number } | undefined
}

/** What was done to the run since; `at` in milliseconds. */
export type RunEvent =
  | { readonly kind: 'stop'; readonly at: number; readonly graceful: boolean; readonly reaches: boolean }
  | { readonly kind: 'end'; readonly at: number }
  | { readonly kind: 'pause'; readonly at: number; readonly question: string | null }
  | { readonly kind: 'resume'; readonly at: number }
  /** To the question of the plan. */
  | { readonly kind: 'answer'; readonly at: number; readonly result: Json }
  /** The question was answered with an abort: the run is stopped at once. */
  | { readonly kind: 'abort'; readonly at: number }

export type StepOutcome =
  'completed' | 'cached' | 'skipped' | 'failed' | 'retried' | 'stopped' | 'cancelled' | 'cancelling'

/**
 * When a step, or one attempt at it, runs; one that never starts is not in the list, one that never ends has end
 * Infinity.
 */
export interface StepSpan {
  readonly step: PlannedStep
  readonly start: number
  readonly end: number
  readonly outcome: StepOutcome
}

/**
 * The spans of all steps that ever start, given the plan and what has happened so far. A pure function: asked
 * again later with the same events it says the same, so any moment can be looked at without a timer.
 */
export function schedule(plan: RunPlan, events: readonly RunEvent[]): readonly StepSpan[] {
  return scheduleSteps(plan, events).flatMap(attemptsOf)
}

/** Milliseconds between the end of a failed attempt and the next one's start. */
export const RETRY_MS = 1000

/** Milliseconds that all attempts at a step take together. */
function lengthOf(step: PlannedStep): number {
  if (step.cached) return 0
  return step.earlier.reduce((sum, each) => sum + each.durationMs + RETRY_MS, step.durationMs)
}

/** A step's span taken apart into that of each attempt; those that a stop or a death prevented are left out. */
function attemptsOf({ step, start, end, outcome }: StepSpan): readonly StepSpan[] {
  const attempts: StepSpan[] = []
  let at = start
  for (const each of [...step.earlier, step]) {
    if (at > start && at >= end) break
    const isLast = each === step
    const until = isLast ? end : Math.min(at + each.durationMs, end)
    const result = isLast || until === end ? outcome : 'retried'
    attempts.push({ step: each, start: at, end: until, outcome: result })
    at = until + RETRY_MS
  }
  return attempts
}

/** One span for each step, from its first attempt's start to its last one's end. */
function scheduleSteps(plan: RunPlan, events: readonly RunEvent[]): readonly StepSpan[] {
  const begin = plan.createdAt + plan.startupMs
  if (plan.neverMoves || plan.failsBeforeSteps !== undefined) return []
  const death = plan.diesAfterMs === undefined ? Infinity : begin + plan.diesAfterMs
  const limits: Limits = {
    noStartFrom: Math.min(death, endOfStarts(events)),
    death,
    forcedStop: forcedStopAt(events),
  }

  const spans = new Map<string, StepSpan>()
  let previousEnd = begin
  for (const step of inOrder(plan.steps)) {
    const ready = readyAt(step, spans, plan.sequential ? previousEnd : begin)
    if (ready === undefined) continue
    const start = afterPauses(Math.max(ready, goesOnAt(waitOf(plan, events, spans))), events)
    if (start >= limits.noStartFrom) continue
    const span = spanOf(step, start, limits, plan)
    spans.set(step.name, span)
    if (plan.sequential) previousEnd = span.end
    if (span.outcome === 'failed' && plan.mode !== 'continue_on_failure') {
      limits.noStartFrom = Math.min(limits.noStartFrom, span.end)
      if (plan.mode === 'fail_fast') limits.forcedStop = Math.min(limits.forcedStop, span.end)
    }
  }
  return dropLateStarts([...spans.values()], limits, plan)
}

interface Limits {
  noStartFrom: number
  readonly death: number
  forcedStop: number
}

/** With parallel branches a failure can come to light after a later start was already planned. */
function dropLateStarts(spans: readonly StepSpan[], limits: Limits, plan: RunPlan): readonly StepSpan[] {
  return spans
    .filter((span) => span.start < limits.noStartFrom)
    .map((span) => spanOf(span.step, span.start, limits, plan))
}

function spanOf(step: PlannedStep, start: number, limits: Limits, plan: RunPlan): StepSpan {
  const end = start + lengthOf(step)
  if (end > limits.death) return { step, start, end: Infinity, outcome: 'completed' }
  if (end > limits.forcedStop + plan.stopMs && limits.forcedStop >= start) {
    return { step, start, end: limits.forcedStop + plan.stopMs, outcome: 'stopped' }
  }
  return { step, start, end, outcome: outcomeOf(step) }
}

function outcomeOf({ fails, cached, original, preempted }: PlannedStep): StepOutcome {
  if (original !== undefined) return 'skipped'
  if (preempted !== undefined) return preempted
  return fails ? 'failed' : cached ? 'cached' : 'completed'
}

/** When the step's upstream is done; undefined if one of it failed or never starts. */
function readyAt(
  step: PlannedStep,
  spans: ReadonlyMap<string, StepSpan>,
  earliest: number,
): number | undefined {
  let ready = earliest
  for (const name of step.upstream) {
    const before = spans.get(name)
    if (before === undefined || ['failed', 'stopped', 'cancelled', 'cancelling'].includes(before.outcome))
      return undefined
    ready = Math.max(ready, before.end)
  }
  return ready
}

function endOfStarts(events: readonly RunEvent[]): number {
  const ends = events.filter((e) => e.kind === 'stop' || e.kind === 'end' || e.kind === 'abort')
  return Math.min(Infinity, ...ends.map((e) => e.at))
}

function forcedStopAt(events: readonly RunEvent[]): number {
  return Math.min(
    Infinity,
    ...events.filter((e) => e.kind === 'stop' && !e.graceful && e.reaches).map((e) => e.at),
  )
}

/** The first moment from `at` on in which the run is not paused. */
function afterPauses(at: number, events: readonly RunEvent[]): number {
  let pausedSince: number | undefined
  for (const event of events) {
    if (event.kind === 'pause') pausedSince ??= event.at
    if (event.kind === 'resume' && pausedSince !== undefined) {
      if (at >= pausedSince && at < event.at) return event.at
      pausedSince = undefined
    }
  }
  return pausedSince !== undefined && at >= pausedSince ? Infinity : at
}

/** Upstream first, otherwise as written. */
function inOrder(steps: readonly PlannedStep[]): readonly PlannedStep[] {
  const placed = new Set<string>()
  const ordered: PlannedStep[] = []
  let waiting = [...steps]
  while (waiting.length > 0) {
    const ready = waiting.filter((step) => step.upstream.every((name) => placed.has(name)))
    if (ready.length === 0)
      throw new Error(`The steps ${waiting.map((s) => s.name).join(', ')} wait for each other.`)
    for (const step of ready) placed.add(step.name)
    ordered.push(...ready)
    waiting = waiting.filter((step) => !placed.has(step.name))
  }
  return ordered
}
