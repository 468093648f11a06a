import type { ZenmlClient } from '../../zenml/client.ts'
import type { Clock } from '../../base/clock.ts'
import type { Deadline } from '../../base/deadline.ts'
import { isZenmlError } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import { retryAfterOf } from '../../zenml/retry.ts'
import { FailureTolerance } from '../failure-tolerance.ts'
import { asSeenNow, type SeenNowDependencies } from './as-seen-now.ts'
import { stopOrKeep, type StoppedOrKept } from './stop-or-keep.ts'
import type { StopMode, PlannedRun, StartedRun } from '../recovery-journal.ts'
import { ownership, runOfId, runsAsSent } from '../start/own-run.ts'

export interface FindAndStopRequest {
  /** The run that was started or taken up, or, where the answer to the trigger was never seen, what was sent. */
  readonly run: StartedRun | PlannedRun
  readonly mode: StopMode
  readonly reason: string
  /** A request that was sent may still start a run until then. */
  readonly lookUpUntil: Deadline
  /** After it nothing more is asked. */
  readonly deadline: Deadline
  /** Told of a run of which only the sending was known, before it is ended. Gives the address of its page. */
  readonly onFound?: ((run: Run) => string | undefined) | undefined
}

/** What became of the run, and whether there is one. */
export interface FoundAndStopped extends StoppedOrKept {
  readonly found: Found['kind']
  /** Undefined if none was found. */
  readonly run: StartedRun | undefined
}

export interface FindAndStopDependencies extends SeenNowDependencies {
  readonly clock: Clock
}

const LOOK_UP_PAUSE_MS = 500
const LONGEST_LOOK_UP_PAUSE_MS = 5_000

/** So long a server may show a run that found no free slot. */
const MOMENT_MS = 5_000

/**
 * Stops the run of a step that could not stop it in order: by its id, or, where only the sending is known, by its
 * name. It never starts anything.
 */
export async function findAndStop(
  request: FindAndStopRequest,
  deps: FindAndStopDependencies,
): Promise<FoundAndStopped> {
  const { run, mode, reason, deadline, onFound } = request
  const end = async (known: StartedRun): Promise<FoundAndStopped> => ({
    found: 'ours',
    run: known,
    ...(await stopOrKeep({ run: known, mode, reason, deadline }, deps)),
  })
  if ('id' in run) return end(mode === 'keep-running' ? run : await asSeenNow(run, deadline, deps))
  const found = await lookUp(run, request, deps)
  if (found.kind !== 'ours') {
    return {
      found: found.kind,
      run: undefined,
      settled: false,
      status: '',
      sentence: sentenceFor(found, run),
    }
  }
  const { id, projectId, status, isDynamic, name = run.name } = found.run
  return end({ id, projectId, status, isDynamic, name, url: onFound?.(found.run) })
}

type Found =
  | { readonly kind: 'ours'; readonly run: Run }
  /** Of our name, or what the server answered with, but not shown to be ours. */
  | { readonly kind: 'another'; readonly run: Run }
  | { readonly kind: 'none' }
  /** The server could not be asked. */
  | { readonly kind: 'unknown' }

function sentenceFor(found: Exclude<Found, { kind: 'ours' }>, { name }: FindAndStopRequest['run']): string {
  switch (found.kind) {
    case 'another':
      return `A run named "${found.run.name ?? ''}" (${found.run.id}) is on the server, but nothing shows that this step started it. It was left alone; check it if in doubt`
    case 'none':
      return `No run named "${name}" is on the server. The request to start it was sent, so check again later if in doubt`
    case 'unknown':
      return `Whether the run "${name}" was started is not known: the server did not answer. If it was, it may still be running`
  }
}

async function lookUp(
  planned: PlannedRun,
  { lookUpUntil, deadline }: FindAndStopRequest,
  { client, clock, signal }: FindAndStopDependencies,
): Promise<Found> {
  const once = client.with({ retries: 'none', signal })
  const tolerance = new FailureTolerance(clock)
  let found: Found = { kind: 'unknown' }
  let anotherSince: number | undefined
  try {
    for (let pauseMs = LOOK_UP_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_LOOK_UP_PAUSE_MS)) {
      // An answer is only as new as its question: the last one is asked when nothing can be started any more.
      const isLastLook = lookUpUntil.isOver
      try {
        found = await look(planned, once)
        tolerance.answered()
        if (found.kind === 'another') anotherSince ??= clock.elapsed()
        // Names are unique, so where one is taken ours will not come; but a run without a slot goes away again.
        const isTaken = clock.elapsed() - (anotherSince ?? Infinity) >= MOMENT_MS
        const isSure = found.kind === 'another' && (isTaken || planned.answered !== undefined)
        if (found.kind === 'ours' || isSure) return found
      } catch (error) {
        if (!isZenmlError(error)) throw error
        if (tolerance.isFinal(error)) return { kind: 'unknown' }
        // What an earlier look did not find may be there by now.
        found = { kind: 'unknown' }
        // Whatever the server asks for, there is time for more than one look.
        pauseMs = Math.max(pauseMs, Math.min(retryAfterOf(error), Math.ceil(deadline.leftMs / 3)))
      }
      const wasAnswered = found.kind !== 'unknown'
      if (wasAnswered && isLastLook) break
      const waitMs = wasAnswered ? Math.min(pauseMs, lookUpUntil.leftMs) : pauseMs
      if (waitMs > deadline.leftMs) break
      await clock.sleep(waitMs, signal)
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error
    // The last look was not answered, and what an earlier one did not find may be there by now.
    if (found.kind === 'none') return { kind: 'unknown' }
  }
  return found
}

async function look(planned: PlannedRun, client: ZenmlClient): Promise<Found> {
  const runs = await runsAsSent(client, planned)
  const answered = planned.answered === undefined ? undefined : await runOfId(client, planned.answered.id)
  const own = [...runs, answered].find((run) => run !== undefined && ownership(run, planned) === 'ours')
  if (own !== undefined) return { kind: 'ours', run: own }
  const another = answered ?? runs.find(({ name }) => name === planned.name)
  return another === undefined ? { kind: 'none' } : { kind: 'another', run: another }
}
