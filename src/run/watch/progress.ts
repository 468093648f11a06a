import type { StepState } from '../../zenml/model.ts'
import { isStepFinished, isStepSucceeded, runPhase } from '../../zenml/status.ts'
import type { StepChange, StepCounts } from '../facts.ts'

/** The steps as they were last seen, by name. */
export type SeenSteps = ReadonlyMap<string, SeenStep>

interface SeenStep {
  readonly state: StepState
  /** 1 for the first. */
  readonly attempt: number
}

/** What a reading of the steps brought. */
export interface Progress {
  readonly seen: SeenSteps
  /** In the server's order; of steps that have started. */
  readonly changes: readonly StepChange[]
  /** The steps among them that are `failed` now. */
  readonly failed: readonly StepState[]
  readonly counts: StepCounts
}

/** States between two attempts of a step: the first will be, or was, followed by another. */
const BETWEEN_ATTEMPTS: ReadonlySet<string | undefined> = new Set(['retrying', 'retried'])

/** Compares the steps with what was seen of them before. A server may list each attempt of a step, oldest first. */
export function progressOf(before: SeenSteps, steps: readonly StepState[]): Progress {
  const seen = new Map<string, SeenStep>()
  const listed = new Map<string, number>()
  for (const state of steps) {
    const attempts = (listed.get(state.name) ?? 0) + 1
    listed.set(state.name, attempts)
    const attempt = Math.max(attempts, attemptOf(state, before.get(state.name)))
    seen.set(state.name, { state, attempt })
  }
  const changed = [...seen].filter(([name, now]) => hasChanged(now, before.get(name))).map(([, now]) => now)
  return {
    seen,
    changes: changed.map(changeOf),
    failed: changed.map(({ state }) => state).filter(({ status }) => status === 'failed'),
    counts: countsOf([...seen.values()].map(({ state }) => state)),
  }
}

function attemptOf(now: StepState, before: SeenStep | undefined): number {
  if (before?.state.id === undefined) return before?.attempt ?? 1
  const isAnother = now.id !== undefined && now.id !== before.state.id
  const goesOn = BETWEEN_ATTEMPTS.has(before.state.status) && !BETWEEN_ATTEMPTS.has(now.status)
  return before.attempt + (isAnother || goesOn ? 1 : 0)
}

function hasChanged({ state, attempt }: SeenStep, before: SeenStep | undefined): boolean {
  if (state.status === undefined) return false
  return state.status !== before?.state.status || attempt !== before.attempt
}

function changeOf({ state, attempt }: SeenStep): StepChange {
  const { name, status = 'unknown', startTime, durationMs } = state
  return { name, status, startTime, durationMs, attempt }
}

function countsOf(steps: readonly StepState[]): StepCounts {
  const counts = { total: steps.length, running: 0, succeeded: 0, cached: 0, failed: 0, stopped: 0 }
  for (const { status } of steps) {
    if (status === undefined) continue
    if (status === 'cached') counts.cached += 1
    if (isStepSucceeded(status)) counts.succeeded += 1
    else if (!isStepFinished(status)) counts.running += 1
    else if (runPhase(status) === 'stopped') counts.stopped += 1
    else if (status === 'failed') counts.failed += 1
  }
  return counts
}
