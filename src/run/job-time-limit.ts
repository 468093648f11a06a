import type { Deadline } from '../base/deadline.ts'
import type { RunEvent } from './events.ts'
import type { StopMode, TimeoutMode } from './recovery-journal.ts'

/**
 * The last minutes of a job. A step that can hand its run over does so when they begin, so that there is time for what comes
 * after it, and a cancellation that comes in them is GitHub's limit and no person's.
 */
const LAST_MS = 300_000

/** What a step is to do when its time is up, and when its job's is. */
export interface TimePolicy {
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeoutMs?: number | undefined
  readonly onTimeout: TimeoutMode
  /** When GitHub ends the job, at the latest; undefined: nothing says so. */
  readonly jobDeadline?: Deadline | undefined
}

/** How long the step waits for the end of its run; milliseconds, undefined: as long as it takes. */
export function waitLimitMs(policy: TimePolicy): number | undefined {
  const { timeoutMs, onTimeout, jobDeadline } = policy
  if (onTimeout !== 'hand-over' || jobDeadline === undefined) return timeoutMs
  return Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, untilLastMs(jobDeadline))
}

/** Milliseconds until the last minutes of the job; 0 once they have begun. */
export function untilLastMs(jobDeadline: Deadline): number {
  return Math.max(0, jobDeadline.leftMs - LAST_MS)
}

/** Whether GitHub ends the job for its time, if it ends it now. */
export function isInLastMinutes({ jobDeadline }: TimePolicy): boolean {
  return jobDeadline !== undefined && untilLastMs(jobDeadline) === 0
}

/** What becomes of the run that nobody follows any more. */
export function stopModeOf(onTimeout: TimeoutMode): StopMode {
  return onTimeout === 'hand-over' ? 'keep-running' : onTimeout
}

/**
 * That the job may end before the run does, or before its timeout is over. Undefined where it does not, where nobody knows,
 * and where the run is handed over in time.
 *
 * @param forecastMs what such a run usually still takes; undefined: nobody knows
 */
export function jobTooShort(
  policy: TimePolicy,
  forecastMs: number | undefined,
): Extract<RunEvent, { kind: 'job-too-short' }> | undefined {
  const { timeoutMs = Number.POSITIVE_INFINITY, onTimeout, jobDeadline } = policy
  if (jobDeadline === undefined || onTimeout === 'hand-over') return undefined
  const needsMs = Math.min(timeoutMs, forecastMs ?? timeoutMs)
  const { leftMs } = jobDeadline
  if (needsMs <= leftMs || needsMs === Number.POSITIVE_INFINITY) return undefined
  return { kind: 'job-too-short', needsMs, leftMs, isForecast: needsMs === forecastMs, onTimeout }
}
