import type { AnswerError } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import { Deadline } from '../../base/deadline.ts'
import { findAndStop, type FindAndStopDependencies } from '../stop/find-and-stop.ts'
import { RunError } from '../errors.ts'
import { twoSentences } from '../../base/sentences.ts'
import type { PlannedRun } from '../recovery-journal.ts'
import type { TriggerRequest } from './trigger-request.ts'

/** ZenML 0.96.0 and 0.96.1 keep the run that found no free slot. */
export function isLeftByFullQueue({ status, statusReason }: Run): boolean {
  return status === 'failed' && /queue is full/i.test(statusReason ?? '')
}

/** For looking, and for ending what is found. */
const TIME_MS = 30_000

/** A replica that lags behind does not show a new run at once. */
const LOOK_MS = 10_000

export interface Refused extends Pick<TriggerRequest, 'endReason'> {
  readonly error: AnswerError
  /** What the server said, with what to do about it if no run was made. */
  readonly refusal: string
  readonly planned: PlannedRun
}

/**
 * Looks for a run that ZenML made before it refused to start it, and ends it. Some things are looked at only then:
 * permissions such as those on the pipeline's model (seen on 0.85.0 and 0.98.0), the run's tags, the subscription. The
 * run would stay `initializing` for ever.
 *
 * @returns the error that says so; undefined where there is no such run
 */
export async function endRunDespiteRefusal(
  { error, refusal, planned, endReason }: Refused,
  deps: FindAndStopDependencies,
): Promise<RunError | undefined> {
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
  if (ended.found === 'none') return undefined
  if (ended.found !== 'ours') return new RunError(twoSentences(refusal, ended.sentence), 'lost')
  return new RunError(
    twoSentences(error.message, `The server had created the run anyway. ${ended.sentence}`),
    ended.settled ? 'failed' : 'lost',
    true,
  )
}
