import type { JsonObject } from './json.ts'
import type { PlannedStep, StepSpan } from './timeline.ts'
import type { StepSpec } from './types.ts'

/** A step with all that its answers show. */
export interface ConfiguredStep extends PlannedStep {
  readonly id: string
  readonly spec: StepSpec
  readonly parameters: JsonObject
  readonly log: readonly string[]
  readonly metadata: JsonObject
  readonly earlier: readonly ConfiguredStep[]
  /** The step of the replayed run that it is skipped for. */
  readonly original?: ConfiguredStep
}

/** The last span of each name: of a step that was tried again the latest attempt's. */
export function byName(spans: readonly StepSpan[]): ReadonlyMap<string, StepSpan> {
  return new Map(spans.map((span) => [span.step.name, span]))
}

/** All attempts at a step, the earliest first. */
export function attemptsAt(step: ConfiguredStep): readonly ConfiguredStep[] {
  return [...step.earlier, step]
}
