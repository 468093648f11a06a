import type { RunEvent, RunPlan, StepSpan } from './timeline.ts'

/** The question of a run, from the moment that it is asked; times in milliseconds. */
export interface Wait {
  readonly askedAt: number
  /** When the process gives up and the run pauses, unless it is answered before. */
  readonly pausesAt: number
  readonly answer: Extract<RunEvent, { kind: 'answer' | 'abort' }> | undefined
  /** When the waiting process has seen the answer, or a new process has been started because of it. */
  readonly resumesAt: number
}

/** Milliseconds between the end of the first step and the question, and until a waiting process sees the answer. */
const ASKS_MS = 100
const SEES_MS = 900

/** The plan's question, given the steps that have been scheduled so far; undefined where it is never asked. */
export function waitOf(
  plan: RunPlan,
  events: readonly RunEvent[],
  spans: ReadonlyMap<string, StepSpan>,
): Wait | undefined {
  const [first] = spans.values()
  if (plan.wait === undefined || first === undefined || first.outcome === 'failed') return undefined
  const askedAt = first.end + ASKS_MS
  const death = plan.createdAt + plan.startupMs + (plan.diesAfterMs ?? Infinity)
  const isOver = events.some((e) => (e.kind === 'stop' || e.kind === 'end') && e.at < askedAt)
  if (isOver || askedAt >= death) return undefined
  const patient = askedAt + plan.wait.patienceMs
  const pausesAt = patient < death ? patient : Infinity
  const answer = events.find((event) => event.kind === 'answer' || event.kind === 'abort')
  if (answer === undefined) return { askedAt, pausesAt, answer, resumesAt: Infinity }
  return {
    askedAt,
    pausesAt,
    answer,
    resumesAt: answer.at + (answer.at < pausesAt ? SEES_MS : plan.startupMs),
  }
}

/** When the other steps may start: never before an answer, nor after any other answer than `true`. */
export function goesOnAt(wait: Wait | undefined): number {
  if (wait === undefined) return 0
  return wait.answer?.kind === 'answer' && wait.answer.result === true ? wait.resumesAt : Infinity
}

export type WaitPhase = 'waiting' | 'paused' | 'resuming' | 'over'

/** Where a run is with its question; undefined before it is asked. */
export function phaseOf(wait: Wait | undefined, now: number): WaitPhase | undefined {
  if (wait === undefined || now < wait.askedAt) return undefined
  if (wait.answer === undefined) return now < wait.pausesAt ? 'waiting' : 'paused'
  if (now >= wait.resumesAt) return 'over'
  return wait.answer.at < wait.pausesAt ? 'waiting' : 'resuming'
}
