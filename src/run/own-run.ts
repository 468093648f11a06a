import type { Run } from '../zenml/model.ts'
import type { PlannedRun } from './journal.ts'

/** How much the clocks of runner and server may differ. */
const CLOCK_SKEW_MS = 120_000

/**
 * Whether a run of the planned name is the one that was sent. Random digits in the name prove it; under a name
 * of the user's own, its origin and the time of its creation must fit as well.
 */
export function isOwnRun(
  run: Run,
  planned: Pick<PlannedRun, 'nameIsOurs' | 'origins' | 'firstSentAt'>,
): boolean {
  if (planned.nameIsOurs) return true
  const isOfDefinition = [run.templateId, run.sourceSnapshotId].some(
    (id) => id !== undefined && planned.origins.includes(id),
  )
  return isOfDefinition && run.created !== undefined && run.created >= planned.firstSentAt - CLOCK_SKEW_MS
}
