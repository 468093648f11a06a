import { shownMoment } from './duration-text.ts'

/** Two sentences as one line. The first may end with a full stop or not; the second has none at its end. */
export function twoSentences(first: string, second: string): string {
  return `${first.replace(/[\s.]+$/, '')}. ${second}`
}

/**
 * What to do where ZenML does not say why a run failed.
 *
 * @param failedAt milliseconds since the epoch, as far as that is known
 */
export function askForLogs(failedAt: number | undefined): string {
  const moment = shownMoment(failedAt)
  return `Ask whoever runs the ZenML server or the orchestrator for their logs from ${moment === undefined ? 'when it failed' : `around ${moment}`}`
}
