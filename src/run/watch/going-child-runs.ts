import type { ZenmlClient } from '../../zenml/client.ts'
import type { ChildRun } from '../../zenml/model.ts'
import { runPhase } from '../../zenml/status.ts'

/** How far down runs that have ended are looked through, and how many of a run's; each costs a request. */
const MOST_DEPTH = 3
const MOST_ENDED = 10

/**
 * Those child runs that go on, also those that one which failed or was stopped has called: ZenML ends none with its parent.
 * One that completed has waited for its own (read in 0.98.0, `dynamic/runner.py`).
 *
 * @throws ZenmlError if the server does not say what one has called
 */
export async function goingChildRuns(
  client: ZenmlClient,
  childRuns: readonly ChildRun[],
  depth = 1,
): Promise<ChildRun[]> {
  const ended = childRuns.filter(({ status }) => ['failed', 'stopped'].includes(runPhase(status)))
  const called = await Promise.all(
    (depth < MOST_DEPTH ? ended.slice(0, MOST_ENDED) : []).map(async ({ id }) =>
      goingChildRuns(client, (await client.dag(id)).childRuns, depth + 1),
    ),
  )
  return [...childRuns.filter(({ status }) => runPhase(status) === 'going-on'), ...called.flat()]
}
