import type { ZenmlClient } from '../zenml/client.ts'
import { isZenmlError } from '../zenml/errors.ts'
import type { Retries } from '../zenml/retry.ts'

/** What was read, or, as a clause, why it was not. */
export type Reading<T> = { readonly value: T } | { readonly missing: string }

export interface ReadingDependencies {
  readonly client: ZenmlClient
  /** Gives a signal that is aborted after so many milliseconds of real time. */
  readonly timeLimit: (ms: number) => AbortSignal
  /** Aborted when the workflow is cancelled. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks for something that is good to have but not needed: within a time, and without a failure.
 *
 * @param ask gets a client whose requests end with the time
 * @param limit when the time is over
 * @throws the signal's reason if it was aborted, and nothing else that a server can cause
 */
export async function readBestEffort<T>(
  ask: (client: ZenmlClient) => Promise<T>,
  { client, signal }: ReadingDependencies,
  limit: AbortSignal,
  { retries = 'none' }: { readonly retries?: Retries } = {},
): Promise<Reading<T>> {
  try {
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
    return { value: await ask(client.with({ retries, signal: either })) }
  } catch (error) {
    if (signal?.aborted === true) throw error
    if (limit.aborted) return { missing: 'the server did not answer in time' }
    if (!isZenmlError(error)) throw error
    return { missing: asClause(error.message) }
  }
}

/** `Could not read…` becomes `could not read…`, to stand within a sentence. */
function asClause(message: string): string {
  return message.startsWith('Could not ') ? `c${message.slice(1)}` : message
}
