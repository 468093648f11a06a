import type { ZenmlClient } from '../../zenml/client.ts'
import { TransportError } from '../../http/transport-error.ts'
import { isMissingRoute, UnreachableError } from '../../zenml/errors.ts'
import type { RunParts, RunReference, StepState } from '../../zenml/model.ts'

/** A run's steps: from its graph, which also has those not started, or from the list where there is no graph (0.74). */
export async function readSteps(client: ZenmlClient, run: RunReference): Promise<readonly StepState[]> {
  return (await readParts(client, run)).steps
}

/** The same, and its child runs; none where there is no graph. */
export async function readParts(
  client: ZenmlClient,
  run: RunReference,
): Promise<Pick<RunParts, 'steps' | 'childRuns'>> {
  try {
    return await client.dag(run.id)
  } catch (error) {
    if (!isWithoutGraph(error)) throw error
    return { steps: await client.steps(run), childRuns: [] }
  }
}

/** The server has no graphs (0.74), or this one is larger than what is read at once; the list comes in pages. */
export function isWithoutGraph(error: unknown): boolean {
  const cause = error instanceof UnreachableError ? error.cause : undefined
  return isMissingRoute(error) || (cause instanceof TransportError && cause.code === 'TOO_LARGE')
}
