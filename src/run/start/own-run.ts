import { mergeDeeply, type JsonObject } from '../../base/json.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { isNotFound } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import type { PlannedRun } from '../recovery-journal.ts'
import { uniqueDigits } from './run-name.ts'

/**
 * A run's configuration with what tells a run of this step from others of its name. ZenML keeps `extra` as it is, in the
 * run's configuration, and gives it no meaning.
 */
export function withMark(configuration: JsonObject, mark: string | undefined): JsonObject {
  if (mark === undefined) return configuration
  return mergeDeeply(configuration, { extra: { github_actions: { start: mark } } })
}

/** What was sent, as far as it tells whose a run is. */
export type SentRun = Pick<PlannedRun, 'name' | 'nameIsOurs' | 'origins' | 'projectId' | 'sentFrom' | 'mark'>

/** Whose a run is; 'unknown' where the server does not say enough of it. */
export type Ownership = 'ours' | 'foreign' | 'unknown'

/** How much the clocks of a server's replicas may differ. */
const CLOCK_SKEW_MS = 60_000

/** A part of a name that a search must not be narrower than. */
const SHORTEST_PART = 3

/**
 * The runs that have the name that was sent, or what a server may have made of it (spaces, case, the form of Unicode),
 * newest first.
 */
export async function runsAsSent(client: ZenmlClient, sent: SentRun): Promise<Run[]> {
  const runs = await client.runsNamedLike(searchedPart(sent), sent.projectId)
  const same = runs.filter((run) => run.name === sent.name)
  // A name may be a part of more names than one page holds.
  const named =
    same.length === 0 && runs.length > 0 ? await client.runsByName(sent.name, sent.projectId) : same
  return [...named, ...runs.filter((run) => run.name !== sent.name && hasNameOf(run, sent))]
}

/** A run with what tells where it came from; undefined if it is not there. */
export async function runOfId(client: ZenmlClient, id: string): Promise<Run | undefined> {
  try {
    return await client.run(id, { hydrate: true })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Whether a run has the name that was sent, or what a server may have made of it. */
export function hasNameOf({ name }: Pick<Run, 'name'>, sent: Pick<SentRun, 'name' | 'nameIsOurs'>): boolean {
  if (name === undefined) return false
  if (sent.nameIsOurs) return name.toLowerCase().includes(uniqueDigits(sent.name))
  return folded(name) === folded(sent.name)
}

/**
 * Whose a run is. Random digits of ours in its name prove that it is ours, and so does the mark that is sent with a name of
 * the user's own. A run that came from another template or snapshot, or was there before the sending, is not ours. Without
 * a mark, nothing shows that a run under a name of the user's own is.
 */
export function ownership(run: Run, sent: SentRun): Ownership {
  const hasName = hasNameOf(run, sent)
  if (hasName && sent.nameIsOurs) return 'ours'
  if (run.startMark !== undefined) return run.startMark === sent.mark ? 'ours' : 'foreign'
  const isFromHere = isFrom(run, sent.origins)
  if (isFromHere === false) return 'foreign'
  if (run.created === undefined || sent.sentFrom === undefined) return 'unknown'
  if (run.created < sent.sentFrom - CLOCK_SKEW_MS) return 'foreign'
  return isFromHere === true && sent.nameIsOurs ? 'ours' : 'unknown'
}

/** Whether a run came from one of these templates or snapshots; undefined where it does not say where it came from. */
export function isFrom(
  { templateId, sourceSnapshotId }: Run,
  origins: readonly (string | undefined)[],
): boolean | undefined {
  const own = [templateId, sourceSnapshotId].filter((id) => id !== undefined)
  return own.length === 0 ? undefined : own.some((id) => origins.includes(id))
}

/** What to ask for: a part of the name that no server changes, as case does not count in a search. */
function searchedPart({ name, nameIsOurs }: SentRun): string {
  if (nameIsOurs) return uniqueDigits(name)
  const plain = [...name.matchAll(/[\w.-]+/g)].map(([part]) => part)
  const longest = plain.reduce((most, part) => (part.length > most.length ? part : most), '')
  return longest.length < SHORTEST_PART ? name : longest
}

function folded(name: string): string {
  return name.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase()
}
