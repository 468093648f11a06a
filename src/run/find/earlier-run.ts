import type { ZenmlClient } from '../../zenml/client.ts'
import type { Definition, Run } from '../../zenml/model.ts'
import { isBeingStopped, runPhase } from '../../zenml/status.ts'
import { pipelineOf, stepNamePrefix, type Requester } from '../start/run-name.ts'
import { isFrom } from '../start/own-run.ts'

/** How many earlier attempts are looked through; one request each. */
const MOST_ATTEMPTS = 10

export type EarlierRun =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly run: Run; readonly name: string; readonly attempt: number }
  | { readonly kind: 'several'; readonly names: readonly string[] }
  /** All there are were started from another template or snapshot. */
  | { readonly kind: 'foreign'; readonly names: readonly string[] }

/**
 * The run that an earlier attempt of the same step left and that is worth taking up: it goes on, or has
 * completed. A failed or stopped one is what a re-run is for. Where several match, guessing would be worse than
 * a new run. A run that says that it was started from something else is none of this step's.
 */
export async function findEarlierRun(
  client: ZenmlClient,
  requester: Requester,
  definition: Definition,
): Promise<EarlierRun> {
  const projectId = definition.project?.id
  const origins = [definition.id, definition.sourceSnapshotId]
  const matches: { run: Run; name: string; attempt: number }[] = []
  const foreign: string[] = []
  const oldest = Math.max(1, requester.attempt - MOST_ATTEMPTS)
  for (let attempt = requester.attempt - 1; attempt >= oldest; attempt -= 1) {
    const prefix = stepNamePrefix({ ...requester, attempt }, pipelineOf(definition))
    const runs = await client.runsByPrefix(prefix, projectId)
    for (const run of runs.filter(isWorthTaking)) {
      const name = run.name ?? run.id
      if (isFrom(run, origins) !== false) matches.push({ run, name, attempt })
      else foreign.push(name)
    }
  }
  const [match, ...others] = matches
  if (match === undefined)
    return foreign.length === 0 ? { kind: 'none' } : { kind: 'foreign', names: foreign }
  return others.length === 0
    ? { kind: 'one', ...match }
    : { kind: 'several', names: matches.map(({ name }) => name) }
}

function isWorthTaking({ status }: Run): boolean {
  const phase = runPhase(status)
  return phase === 'succeeded' || (phase === 'going-on' && !isBeingStopped(status))
}
