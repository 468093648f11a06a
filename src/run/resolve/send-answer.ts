import { Deadline } from '../../base/deadline.ts'
import { isZenmlError } from '../../zenml/errors.ts'
import type { Question } from '../../zenml/model.ts'
import {
  isAnsweredAs,
  type Resolution,
  type ResolveAnswer,
  type WaitCondition,
} from '../../zenml/answers/resolve-answer.ts'
import { RunError } from '../errors.ts'
import { pauseAfter, type AskDependencies } from '../retry-until-answered.ts'
import { isResolvedAlready } from '../watch/open-questions.ts'
import { answeredOtherwise, doesNotFit, type Place } from './words.ts'

export interface AnswerDependencies extends AskDependencies {
  /** Aborted when the workflow is cancelled: then nothing new is sent, and what was sent is looked after. */
  readonly cancelled: AbortSignal
}

/** So long the answer is sent again where it is not known to have arrived. */
const LONGEST_MS = 120_000

/** A replica that lags behind does not show yet what another one was told. */
const LAG_MS = 15_000
const LAG_PAUSE_MS = 1_000

/**
 * Answers a question. Where an answer of the server is lost, a look tells whether it was taken; only this question is
 * ever answered, whatever else the run may ask by then.
 *
 * @param onSend called before each request that may change something
 * @returns `before` if it had this answer before anything was sent
 * @throws RunError if ZenML refuses, or if the question has another answer; ZenmlError if it is not known
 */
export async function sendAnswer(
  question: Question,
  wanted: Resolution,
  place: Place,
  deps: AnswerDependencies,
  onSend: () => void,
): Promise<'now' | 'before'> {
  let mayBeOurs = false
  const deadline = new Deadline(deps.clock, LONGEST_MS)
  for (let attempt = 1; ; attempt += 1) {
    deps.cancelled.throwIfAborted()
    onSend()
    const answer = await deps.client.resolveQuestion(question.id, wanted)
    if (answer.kind === 'accepted') return 'now'
    const seen = await look(question, answer, deps)
    if (seen?.isPending === false) {
      if (isAnsweredAs(wanted, seen)) return answer.kind === 'refused' && !mayBeOurs ? 'before' : 'now'
      throw new RunError(answeredOtherwise(question, place, wanted, seen))
    }
    if (answer.kind === 'refused') {
      // The answer that ZenML has may be the one whose arrival nobody saw.
      if (mayBeOurs && (seen === undefined || isResolvedAlready(answer.error))) throw answer.error
      throw new RunError(refusal(answer, seen))
    }
    mayBeOurs = true
    if (deadline.isOver) throw answer.error
    await pauseAfter(answer.error, attempt, deadline, deps)
  }
}

/** Undefined where it cannot be read, and the server's refusal says more. */
async function look(
  { id }: Question,
  answer: ResolveAnswer,
  { client, clock, signal }: AskDependencies,
): Promise<WaitCondition | undefined> {
  const soon = new Deadline(clock, LAG_MS)
  const isResolved = answer.kind === 'refused' && isResolvedAlready(answer.error)
  try {
    for (;;) {
      const seen = await client.waitCondition(id)
      if (!isResolved || !seen.isPending || soon.isOver) return seen
      await clock.sleep(LAG_PAUSE_MS, signal)
    }
  } catch (error) {
    if (answer.kind !== 'refused' || !isZenmlError(error)) throw error
    return undefined
  }
}

/** ZenML's own words for an answer that does not fit tell neither what would, nor which input is meant. */
function refusal(
  { error }: Extract<ResolveAnswer, { kind: 'refused' }>,
  seen: WaitCondition | undefined,
): string {
  const isMisfit = /does not match expected schema|without a schema do not accept/i.test(error.detail)
  return isMisfit && seen !== undefined ? doesNotFit(seen.resultSchema, error.message) : error.message
}
