import { derivedUuid } from './ids.ts'
import type { Json, JsonObject } from './json.ts'
import type { RunFacts } from './run-state.ts'
import type { RunEvent } from './timeline.ts'
import type { Wait } from './wait.ts'

/** A question that a run has asked, as its answers show it; times in milliseconds. */
export interface Condition {
  readonly id: string
  readonly name: string
  readonly question: string | null
  /** Of the answer's result; null where it takes none. */
  readonly schema: JsonObject | null
  /** The pipeline's own question, not that of a test that paused the run. */
  readonly isPlanned: boolean
  readonly askedAt: number
  readonly resolved:
    { readonly at: number; readonly resolution: 'continue' | 'abort'; readonly result: Json } | undefined
}

/** What a run has asked by now: the question of its plan, and one for each time that a test paused it. */
export function conditionsOf(
  { id, pipeline }: RunFacts,
  events: readonly RunEvent[],
  wait: Wait | undefined,
  now: number,
): readonly Condition[] {
  const pauses = events.flatMap((event, index) => {
    if (event.kind !== 'pause') return []
    const answer = events.slice(index).find((each) => each.kind === 'resume' || each.kind === 'abort')
    return [
      {
        id: derivedUuid(id, 'pause', String(index)),
        name: 'approval',
        question: event.question,
        schema: null,
        isPlanned: false,
        askedAt: event.at,
        resolved: resolvedBy(answer),
      },
    ]
  })
  if (pipeline.wait === undefined || wait === undefined || now < wait.askedAt) return pauses
  const { name, question } = pipeline.wait
  const planned = {
    id: derivedUuid(id, 'wait'),
    name,
    question,
    schema: { type: 'boolean' },
    isPlanned: true,
    askedAt: wait.askedAt,
    resolved: resolvedBy(wait.answer),
  }
  return [planned, ...pauses]
}

function resolvedBy(event: RunEvent | undefined): Condition['resolved'] {
  if (event === undefined) return undefined
  return {
    at: event.at,
    resolution: event.kind === 'abort' ? 'abort' : 'continue',
    result: event.kind === 'answer' ? event.result : null,
  }
}
