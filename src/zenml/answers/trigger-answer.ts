import type { TransportError } from '../../http/transport-error.ts'
import { AnswerError, UnreachableError } from '../errors.ts'
import { parseJson } from '../../base/json.ts'
import type { HttpAnswer } from '../../http/http.ts'
import { toRun, type Run } from '../model.ts'
import { isAuthenticatorAway } from '../retry.ts'
import { runSchema } from '../schemas.ts'

/** What one sending of a trigger came to. */
export type TriggerAnswer =
  /** A run, ours: it was started, now or by an earlier sending with the same key. */
  | { readonly kind: 'started'; readonly run: Run }
  /** 429 "Server too busy": the server is still at work on this key; sending it again joins that work. */
  | { readonly kind: 'working'; readonly error: AnswerError }
  /** 429 "Maximum number of concurrent … tasks reached": nothing was started; a slot must become free. */
  | { readonly kind: 'no-slot'; readonly error: AnswerError }
  /** Any other 429, which need not be the server's own: as good as certain that nothing was started. */
  | { readonly kind: 'limited'; readonly error: AnswerError }
  /** The request cannot have arrived, or there was no token to send it with. */
  | { readonly kind: 'not-sent'; readonly error: TransportError | UnreachableError }
  /** 409: a run of this name exists, ours or another's. */
  | { readonly kind: 'name-taken'; readonly error: AnswerError }
  /** A no: of ZenML's own, or of something in between that may have let the request pass and then blocked its answer. */
  | { readonly kind: 'refused'; readonly error: AnswerError; readonly byZenml: boolean }
  /** Anything else: a run may have been started. */
  | { readonly kind: 'unclear'; readonly error: AnswerError | TransportError }

/** Sorts a complete answer to a trigger (0.98: zenml/zen_server/request_management.py, for "Server too busy"). */
export function readTriggerAnswer(answer: HttpAnswer, now: number): TriggerAnswer {
  if (answer.status === 200) {
    const run = runSchema.safeParse(parseJson(answer.body))
    if (run.success) return { kind: 'started', run: toRun(run.data) }
  }
  const error = new AnswerError('start the run', answer, now)
  if (error.status === 429) {
    if (/server too busy/i.test(error.detail)) return { kind: 'working', error }
    if (/maximum number of concurrent/i.test(error.detail)) return { kind: 'no-slot', error }
    return { kind: 'limited', error }
  }
  // ZenML Pro could not say who asks, so nothing was done.
  if (isAuthenticatorAway(error))
    return { kind: 'not-sent', error: new UnreachableError('start the run', error) }
  if (error.status === 409) return { kind: 'name-taken', error }
  const byZenml = isWrittenByZenml(error, answer)
  // 501 is ZenML's own "no workload manager", answered before anything is done.
  if (error.status === 501 && byZenml) return { kind: 'refused', error, byZenml }
  // Whoever redirects, or says no, says so again the next time.
  if (error.status >= 300 && error.status < 500 && error.status !== 408) {
    return { kind: 'refused', error, byZenml }
  }
  return { kind: 'unclear', error }
}

/** FastAPI's own, for a route or method that is not there and a body that it cannot read, name no exception. */
const FASTAPI_OWN: ReadonlySet<number> = new Set([404, 405, 422])

function isWrittenByZenml({ exception, status }: AnswerError, { body }: HttpAnswer): boolean {
  return exception !== undefined || (FASTAPI_OWN.has(status) && /^\s*\{\s*"detail"\s*:/.test(body))
}
