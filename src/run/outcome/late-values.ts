import { Deadline } from '../../base/deadline.ts'
import type { RunReference } from '../../zenml/model.ts'
import { collectDetails, type CollectDependencies, type CollectOptions, type Collected } from './collect.ts'
import { loggedValue } from './evaluate-expectations.ts'

/** How long a completed run may take to log a value, and how often it is looked for. */
const LATE_MS = 15_000
const LOOK_MS = 3_000

/**
 * The details of a run at its end. From 0.96 on, a dynamic pipeline's run is completed before its own hooks run
 * (on_success, on_end), and these may log what a verdict needs: what is missing is looked for again.
 *
 * @param names of the values that a verdict on a completed run needs, as in a condition
 * @throws the signal's reason if it was aborted
 */
export async function collectWithLate(
  reference: RunReference,
  options: CollectOptions,
  names: readonly string[],
  deps: CollectDependencies,
): Promise<Collected> {
  let collected = await collectDetails(reference, options, deps)
  const deadline = new Deadline(deps.clock, LATE_MS)
  while (mayLogMore(collected, names) && !deadline.isOver) {
    await deps.clock.sleep(Math.min(LOOK_MS, deadline.leftMs), deps.signal)
    const again = await collectDetails(reference, options, deps)
    // What was read completely once is no worse because the server went away since.
    if (again.unread === undefined) collected = again
  }
  return collected
}

function mayLogMore({ run, details, unread }: Collected, names: readonly string[]): boolean {
  if (unread !== undefined || run?.isDynamic !== true) return false
  return names.some((name) => 'problem' in loggedValue(name, details))
}
