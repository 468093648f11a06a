import type { ZenmlClient } from '../../zenml/client.ts'
import type { RunReference } from '../../zenml/model.ts'
import type { StepDetail } from '../../zenml/step-detail.ts'
import type { Retries } from '../../zenml/retry.ts'
import { isStepReused } from '../../zenml/status.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'

/** How many steps one request asks for. */
const AT_ONCE = 100

/** A replay of a replay of…: GitHub runs a job again no more often. */
const MOST_REPLAYS = 50

const GONE = 'the run that they were taken from was deleted, or the account may not read it'

/** Steps with what their originals logged. */
export interface WithOriginals {
  readonly steps: readonly StepDetail[]
  /** Why it is not complete, as a clause. */
  readonly missing: string | undefined
}

/** A step by its place among all, and the next one to look at for it. */
interface Trace {
  readonly place: number
  readonly nextId: string | undefined
}

/**
 * Adds to the steps that a replay took over what their first originals logged. ZenML gives such a step what the one before it
 * has logged itself: nothing, where that was taken over too (seen on 0.98.0).
 *
 * @throws the signal's reason if it was aborted
 */
export async function withOriginals(
  steps: readonly StepDetail[],
  { projectId }: RunReference,
  { retries, limit }: { readonly retries: Retries; readonly limit: AbortSignal },
  deps: ReadingDependencies,
): Promise<WithOriginals> {
  const merged = [...steps]
  const lost: number[] = []
  let why = GONE
  let open: Trace[] = [...steps.entries()].flatMap(([place, step]) =>
    isStepReused(step.state.status) ? [{ place, nextId: step.originalId }] : [],
  )
  const reused = open.length
  for (let replays = 0; open.length > 0 && replays < MOST_REPLAYS; replays += 1) {
    const ids = open.flatMap(({ nextId }) => nextId ?? [])
    const read = await readBestEffort((client) => readSteps(client, ids, projectId), deps, limit, { retries })
    if ('missing' in read) {
      why = read.missing
      break
    }
    const next: Trace[] = []
    for (const { place, nextId } of open) {
      const original = read.value.get(nextId ?? '')
      const step = merged[place]
      if (original === undefined || step === undefined) lost.push(place)
      else {
        merged[place] = withMetadataOf(original, step)
        if (isStepReused(original.state.status)) next.push({ place, nextId: original.originalId })
      }
    }
    open = next
  }
  lost.push(...open.map(({ place }) => place))
  // What a step was given when it was taken over is all that its original logged.
  const empty = lost.filter((place) => Object.keys(merged[place]?.metadata ?? { hidden: true }).length === 0)
  const missing = `metadata of ${empty.length} of ${reused} reused steps: ${why}`
  return { steps: merged, missing: empty.length === 0 ? undefined : missing }
}

async function readSteps(
  client: ZenmlClient,
  ids: readonly string[],
  projectId: string | undefined,
): Promise<ReadonlyMap<string, StepDetail>> {
  const found = new Map<string, StepDetail>()
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = await client.stepDetailsOfIds(ids.slice(at, at + AT_ONCE), projectId)
    for (const [id, step] of some) found.set(id, step)
  }
  return found
}

/** Undefined, as ever, where the account may not see some of it. */
function withMetadataOf({ metadata: earlier }: StepDetail, step: StepDetail): StepDetail {
  const { metadata } = step
  return {
    ...step,
    metadata: earlier === undefined || metadata === undefined ? undefined : { ...earlier, ...metadata },
  }
}
