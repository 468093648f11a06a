import type { ChildRun } from '../../zenml/model.ts'
import { hasFailedOrStopped, runPhase } from '../../zenml/status.ts'

/** How many are asked for side by side: a search may have hundreds of trials that failed. */
const AT_ONCE = 10

/**
 * The child runs that still run, also those called by a child run that failed or was stopped: ZenML does not end them with
 * their parent. A completed one has waited for its own (read in 0.98.0, `zenml/execution/pipeline/dynamic/runner.py`).
 *
 * @param calledBy gives what a child run has called that failed or was stopped; asked once for each
 */
export async function goingChildRuns(
  childRuns: readonly ChildRun[],
  calledBy: (ended: ChildRun) => Promise<readonly ChildRun[]>,
  seen = new Set<string>(),
): Promise<ChildRun[]> {
  const fresh = childRuns.filter(({ id }) => !seen.has(id))
  if (fresh.length === 0) return []
  for (const { id } of fresh) seen.add(id)
  const ended = fresh.filter(({ status }) => hasFailedOrStopped(status))
  const called: (readonly ChildRun[])[] = []
  for (let from = 0; from < ended.length; from += AT_ONCE)
    called.push(...(await Promise.all(ended.slice(from, from + AT_ONCE).map(calledBy))))
  const going = fresh.filter(({ status }) => runPhase(status) === 'going-on')
  return [...going, ...(await goingChildRuns(called.flat(), calledBy, seen))]
}
