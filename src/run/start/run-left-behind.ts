import type { Run } from '../../zenml/model.ts'
import { Deadline } from '../../base/deadline.ts'
import { findAndStop, type FindAndStopDependencies } from '../stop/find-and-stop.ts'
import { RunError } from '../errors.ts'
import type { PlannedRun } from '../recovery-journal.ts'

/** ZenML 0.96.0 and 0.96.1 keep the run that found no free slot. */
export function isLeftByFullQueue({ status, statusReason }: Run): boolean {
  return status === 'failed' && /queue is full/i.test(statusReason ?? '')
}

/** For looking, and for ending what is found. */
const TIME_MS = 30_000

/** A replica that lags behind does not show a new run at once. */
const LOOK_MS = 10_000

/**
 * The error of a trigger that was refused for a permission. Some are checked only after the run was made, such as those
 * on the pipeline's model (seen on 0.85.0 and 0.98.0): the run then stays `initializing` for ever, so it is ended.
 *
 * @param refusal what the server said, as a sentence
 * @param reason what ZenML shows as the reason of the run's end
 */
export async function refusedForPermission(
  refusal: string,
  { planned, reason }: { readonly planned: PlannedRun; readonly reason: string },
  deps: FindAndStopDependencies,
): Promise<RunError> {
  const { clock } = deps
  const ended = await findAndStop(
    {
      run: planned,
      mode: 'stop',
      reason,
      lookUpUntil: new Deadline(clock, LOOK_MS),
      deadline: new Deadline(clock, TIME_MS),
    },
    deps,
  )
  if (ended.found === 'none') return new RunError(refusal)
  if (ended.found !== 'ours') return new RunError(`${refusal}. ${ended.sentence}`, 'lost')
  return new RunError(
    `${refusal}. The server had created the run anyway. ${ended.sentence}`,
    ended.settled ? 'failed' : 'lost',
    true,
  )
}
