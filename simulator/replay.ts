import { byName, type ConfiguredStep } from './attempts.ts'
import type { Run } from './run.ts'

/** The key of a replay's configuration that skips what the earlier run has done. */
export const SKIPS = 'skip_successful_steps'

const SUCCEEDED: ReadonlySet<string> = new Set(['completed', 'cached', 'skipped'])

/**
 * The steps of a replay: of a static pipeline those are skipped that the earlier run has done, and all that they needed. A
 * real server decides that when the run begins.
 */
export function withoutSuccessful(
  steps: readonly ConfiguredStep[],
  original: Run,
  at: number,
): readonly ConfiguredStep[] {
  const spans = byName(original.state(at).spans)
  const skipped = new Set<string>()
  return steps.map((step) => {
    const span = spans.get(step.name)
    const isDone = span !== undefined && span.end <= at && SUCCEEDED.has(span.outcome)
    const isDynamic = original.facts.pipeline.dynamic !== undefined
    const hasAll = isDynamic || step.upstream.every((name) => skipped.has(name))
    if (!isDone || !hasAll) return step
    skipped.add(step.name)
    return skip(step, original.stepOf(span))
  })
}

/** It is given what the step before it has logged itself: one that was skipped, or cached, has logged nothing. */
function skip(step: ConfiguredStep, original: ConfiguredStep): ConfiguredStep {
  const metadata = original.original !== undefined || original.cached ? {} : original.metadata
  return {
    ...step,
    original,
    metadata,
    durationMs: 0,
    fails: undefined,
    cached: false,
    earlier: [],
    log: [],
  }
}
