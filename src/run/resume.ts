import type { ZenmlClient } from '../zenml/client.ts'
import type { Run } from '../zenml/model.ts'
import { runPhase } from '../zenml/status.ts'
import { readDefaultRunName, runNamePrefix, type RunOrigin } from './name.ts'

export type EarlierRun =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly run: Run; readonly name: string; readonly attempt: number }
  | { readonly kind: 'several'; readonly names: readonly string[] }

/**
 * The run that an earlier attempt of the same step left and that is worth taking up: it goes on, or has
 * completed. A failed or stopped one is what a re-run is for. Where several match, guessing would be worse than
 * a new run.
 */
export async function findEarlierRun(
  client: ZenmlClient,
  origin: RunOrigin,
  pipeline: string,
  projectId: string | undefined,
): Promise<EarlierRun> {
  if (origin.attempt <= 1) return { kind: 'none' }
  const prefix = runNamePrefix(origin, pipeline)
  const matches = (await client.runsByPrefix(prefix, projectId)).flatMap((run) => {
    const name = run.name ?? ''
    const parts = readDefaultRunName(name, prefix)
    const isEarlier = parts?.stepIdentity === origin.stepIdentity && parts.attempt < origin.attempt
    return isEarlier && isWorthTaking(run) ? [{ run, name, attempt: parts.attempt }] : []
  })
  const [match, ...others] = matches
  if (match === undefined) return { kind: 'none' }
  return others.length === 0
    ? { kind: 'one', ...match }
    : { kind: 'several', names: matches.map(({ name }) => name) }
}

function isWorthTaking({ status }: Run): boolean {
  const phase = runPhase(status)
  return phase === 'succeeded' || (phase === 'going-on' && status !== 'stopping' && status !== 'cancelling')
}
