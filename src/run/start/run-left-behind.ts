import type { AnswerError } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import { Deadline } from '../../base/deadline.ts'
import { findAndStop, type FindAndStopDependencies } from '../stop/find-and-stop.ts'
import { RunError } from '../errors.ts'
import { twoSentences } from '../../base/sentences.ts'
import type { PlannedRun } from '../recovery-journal.ts'
import { precedesRun } from './refusal.ts'
import type { TriggerRequest } from './trigger-request.ts'

/** ZenML 0.96.0 and 0.96.1 keep the run that found no free slot. */
export function isLeftByFullQueue({ status, statusReason }: Run): boolean {
  return status === 'failed' && /queue is full/i.test(statusReason ?? '')
}

/** For looking, and for ending what is found. */
const TIME_MS = 30_000

/** A replica that lags behind does not show a new run at once. */
const LOOK_MS = 10_000

export interface Refused extends Pick<TriggerRequest, 'definition' | 'replayed' | 'endReason'> {
  readonly error: AnswerError
  /** What the server said, with what to do about it if no run was made. */
  readonly refusal: string
  readonly planned: PlannedRun
}

/**
 * The error of a trigger that ZenML refused. Some things are looked at only after the run was made: permissions such as
 * those on the pipeline's model (seen on 0.85.0 and 0.98.0), the run's tags, the subscription. The run then stays
 * `initializing` for ever, so it is ended.
 */
export async function refusedByZenml(
  { error, refusal, definition, replayed, planned, endReason }: Refused,
  deps: FindAndStopDependencies,
): Promise<RunError> {
  if (precedesRun(error, definition, replayed)) return new RunError(refusal)
  const { clock } = deps
  const ended = await findAndStop(
    {
      run: planned,
      mode: 'stop',
      reason: endReason,
      lookUpUntil: new Deadline(clock, LOOK_MS),
      deadline: new Deadline(clock, TIME_MS),
    },
    deps,
  )
  if (ended.found === 'none') return new RunError(refusal)
  if (ended.found !== 'ours') return new RunError(twoSentences(refusal, ended.sentence), 'lost')
  return new RunError(
    twoSentences(error.message, `The server had created the run anyway. ${ended.sentence}`),
    ended.settled ? 'failed' : 'lost',
    true,
  )
}
