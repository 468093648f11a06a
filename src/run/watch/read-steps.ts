import type { ZenmlClient } from '../../zenml/client.ts'
import { TransportError } from '../../http/transport-error.ts'
import { isMissingRoute, UnreachableError } from '../../zenml/errors.ts'
import type { RunReference, StepState } from '../../zenml/model.ts'

/** A run's steps: from its graph, which also has those not started, or from the list where there is no graph (0.74). */
export async function readSteps(client: ZenmlClient, run: RunReference): Promise<readonly StepState[]> {
  try {
    return (await client.dag(run.id)).steps
  } catch (error) {
    if (!isWithoutGraph(error)) throw error
    return client.steps(run)
  }
}

/** The server has no graphs (0.74), or this one is larger than what is read at once; the list comes in pages. */
export function isWithoutGraph(error: unknown): boolean {
  const cause = error instanceof UnreachableError ? error.cause : undefined
  return isMissingRoute(error) || (cause instanceof TransportError && cause.code === 'TOO_LARGE')
}
