import { z } from 'zod'
import { isDeeperThan, parseJson, sortedJson, type JsonValue } from '../../base/json.ts'
import type { HttpAnswer } from '../../http/http.ts'
import { AnswerError, type UnreachableError } from '../errors.ts'
import { isAbout } from '../model.ts'
import { isPassing } from '../retry.ts'
import { id } from '../schemas.ts'

/** What a question is answered with: the run goes on with the result, or is stopped. */
export interface Resolution {
  readonly resolution: 'continue' | 'abort'
  /** Left out: none. */
  readonly result?: JsonValue | undefined
}

/** A question that a run asks or asked a person; ZenML calls it a wait condition. */
export interface WaitCondition {
  readonly isPending: boolean
  /** How it was resolved, as ZenML writes it; undefined while it is pending. */
  readonly resolution: string | undefined
  readonly result: JsonValue
  /** JSON schema of a result; undefined where none is taken. */
  readonly resultSchema: JsonValue | undefined
}

/** What a request to resolve a question came to. */
export type ResolveAnswer =
  /** The server shows it as resolved, and so as was asked. */
  | { readonly kind: 'accepted' }
  /** Not by this request, and asking again will not help. */
  | { readonly kind: 'refused'; readonly error: AnswerError }
  /** It may have been resolved or not. */
  | { readonly kind: 'unclear'; readonly error: AnswerError | UnreachableError }

/** Deeper than any answer that a person gives. */
const MAX_DEPTH = 100

const json = z.custom<JsonValue>((value) => !isDeeperThan(MAX_DEPTH, value)).nullish()

export const waitConditionSchema = z.object({
  id,
  body: z.object({ status: z.string() }),
  metadata: z.object({ resolution: z.string().nullish(), result: json, data_schema: json }).nullish(),
})

export function toWaitCondition({ body, metadata }: z.infer<typeof waitConditionSchema>): WaitCondition {
  return {
    isPending: body.status === 'pending',
    resolution: metadata?.resolution ?? undefined,
    result: metadata?.result ?? null,
    resultSchema: metadata?.data_schema ?? undefined,
  }
}

/** Whether a question has just this answer. */
export function isAnsweredAs({ resolution, result = null }: Resolution, seen: WaitCondition): boolean {
  if (seen.isPending || seen.resolution !== resolution) return false
  return resolution === 'abort' || sortedJson(seen.result) === sortedJson(result)
}

/** Only the question itself, shown as resolved in the way that was wanted, is a yes. */
export function readResolveAnswer(
  answer: HttpAnswer,
  conditionId: string,
  wanted: Resolution,
  now: number,
): ResolveAnswer {
  const said = waitConditionSchema.safeParse(parseJson(answer.body))
  const isSo =
    said.success && isAbout(conditionId)(said.data) && isAnsweredAs(wanted, toWaitCondition(said.data))
  if (answer.status === 200 && isSo) return { kind: 'accepted' }
  const error = new AnswerError('answer what the run asks', answer, now)
  // Whatever says yes without saying to what, it is no refusal.
  return { kind: error.status < 300 || isPassing(error) ? 'unclear' : 'refused', error }
}
