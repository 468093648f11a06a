import { parseJson } from '../../base/json.ts'
import type { TransportError } from '../../http/transport-error.ts'
import { AnswerError } from '../errors.ts'
import type { HttpAnswer } from '../../http/http.ts'
import { isPassing } from '../retry.ts'

/** What a request to stop a run came to. */
export type StopAnswer =
  /** The run stops now, was being stopped already, or had ended. */
  | { readonly kind: 'accepted' }
  /** The run has not reached its orchestrator yet: ask again soon, or end it as long as it initializes. */
  | { readonly kind: 'too-early' }
  /** The run's state is final, but steps of it may still run; they can no longer be stopped. */
  | { readonly kind: 'finished' }
  /** The orchestrator cannot, or failed; the server may have marked the run all the same, so read its state again. */
  | { readonly kind: 'doubtful'; readonly error: AnswerError }
  /** This server has no such request (0.74). */
  | { readonly kind: 'unsupported'; readonly error: AnswerError }
  | { readonly kind: 'gone'; readonly error: AnswerError }
  /** Not stopped, and asking again will not help. */
  | { readonly kind: 'refused'; readonly error: AnswerError }
  /** Not known; ask again. */
  | { readonly kind: 'unclear'; readonly error: AnswerError | TransportError }

/** Sorts an answer by its message: a 403 that is not known is never "fine" (0.98: zenml/utils/run_utils.py and
 * zenml/orchestrators/base_orchestrator.py, `stop_run`; zenml/zen_stores/schemas/pipeline_run_schemas.py). */
export function readStopAnswer(answer: HttpAnswer, now: number): StopAnswer {
  if (isYes(answer)) return { kind: 'accepted' }
  const error = new AnswerError('stop the run', answer, now)
  // A proxy or a page in between says nothing about the run.
  if (!error.fromZenml) return { kind: 'unclear', error }
  switch (error.status) {
    case 403:
      if (/no orchestrator run id/i.test(error.detail)) return { kind: 'too-early' }
      if (/already (being )?(stopped|completed|cancelled)/i.test(error.detail)) return { kind: 'accepted' }
      if (/status of a finished run/i.test(error.detail)) return { kind: 'finished' }
      return { kind: 'refused', error }
    case 404:
      return error.exception === undefined ? { kind: 'unsupported', error } : { kind: 'gone', error }
    case 405:
      return { kind: 'unsupported', error }
    case 500:
    case 501:
      return { kind: 'doubtful', error }
    default:
      return isPassing(error) ? { kind: 'unclear', error } : { kind: 'refused', error }
  }
}

/** To a request that changes something ZenML answers with `null`, or with what was changed; a page or a gateway in between with anything else. */
export function isYes({ status, body }: HttpAnswer): boolean {
  const said = parseJson(body)
  return status === 200 && (said === null || (typeof said === 'object' && 'id' in said))
}
