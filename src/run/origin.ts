import { isJsonObject, type JsonObject, type JsonValue } from '../base/json.ts'
import type { Named, ServerInfo } from '../zenml/model.ts'
import type { Clock } from '../base/clock.ts'
import type { Conclusion } from './conclusion.ts'
import type { Reporter } from './events.ts'
import { readBestEffort, type ReadingDependencies } from './best-effort-read.ts'

/** Where the step that starts a run comes from, as the workflow's variables have it; a text is empty if not known. */
export interface Provenance {
  /** `owner/name`. */
  readonly repository: string
  readonly sha: string
  /** Full name, such as `refs/heads/main` or `refs/pull/7/merge`. */
  readonly ref: string
  /** Branch that a pull request comes from. */
  readonly headRef: string
  /** Branch that a pull request would be merged into. */
  readonly baseRef: string
  /** Such as `push` or `pull_request`. */
  readonly eventName: string
  readonly actor: string
  /** Name of the workflow. */
  readonly workflow: string
  readonly workflowRunUrl: string
}

/** What is noted on a run, and who notes it where. */
export interface Origin {
  readonly runId: string
  /** Whether the facts are those that stand on the run, so that somebody else may add to them at any moment. */
  readonly isRead?: true
  readonly facts: JsonObject
  readonly server: ServerInfo
  readonly account: Named
  readonly project: Named | undefined
}

/** The run's own metadata under this name are ours. ZenML shows a mapping as a card of its own. */
const KEY = 'github_actions'

/**
 * So is this one, of a run that missed what was expected of it. The note of a step that expects less may come at the same
 * time, and of two values of one key the later one counts: under a key of its own a miss stays, whoever is later.
 */
const MISSED_KEY = 'github_actions_missed'
const MISSED = 'expectation-missed' satisfies Conclusion

/** Nobody waits for it but a step that does not wait for its run. */
const TIME_LIMIT_MS = 5_000

/**
 * Notes on a run where it came from: tried once, and a failure is only told.
 *
 * @returns whether it is noted, when it is done or given up; never rejects, also when the signal is aborted
 */
export async function noteOrigin(
  { runId, facts, server, account, project }: Origin,
  deps: ReadingDependencies & { readonly reporter: Reporter },
  what: 'its origin' | 'its conclusion' = 'its origin',
): Promise<boolean> {
  if (Object.keys(facts).length === 0) return false
  const tell = (detail: string): false => {
    deps.reporter.tell({ kind: 'origin-not-noted', what, detail })
    return false
  }
  if (project === undefined) {
    return tell('the server does not say which project the run belongs to')
  }
  const scope = {
    projectId: project.id,
    accountId: account.id,
    server,
  }
  try {
    const noted = await readBestEffort(
      async (client) => client.noteMetadata(runId, notesOf(facts), scope),
      deps,
      deps.timeLimit(TIME_LIMIT_MS),
    )
    return 'missing' in noted ? tell(noted.missing) : true
  } catch (error) {
    if (deps.signal?.aborted !== true) throw error
    return false
  }
}

function notesOf(facts: JsonObject): Record<string, JsonObject> {
  if (facts['conclusion'] !== MISSED) return { [KEY]: facts }
  return { [KEY]: facts, [MISSED_KEY]: { conclusion: MISSED } }
}

/**
 * Adds to what is noted on a run how its step ended: a run that missed its expectations is `completed` in ZenML. What was
 * noted first stays, except that a miss takes the place of `completed`: whichever step expects more of a run, it is no
 * baseline. Never rejects, also when the signal is aborted.
 */
export async function noteConclusion(
  origin: Origin,
  conclusion: Conclusion,
  deps: ReadingDependencies & { readonly reporter: Reporter; readonly clock: Pick<Clock, 'sleep'> },
): Promise<void> {
  if (stays(origin.facts, conclusion)) return
  try {
    // A miss needs no look at what others have noted since, which may fail: it counts beside whatever that is.
    const isToRead = origin.isRead === true && conclusion !== MISSED
    const facts = isToRead ? await factsNow(origin, deps) : origin.facts
    if (facts === undefined || stays(facts, conclusion)) return
    const noted = { ...origin, facts: { ...facts, conclusion } }
    // A run whose end is not noted is never a baseline, so it is worth more than one try.
    for (const pauseMs of PAUSES_MS) {
      if (await noteOrigin(noted, { ...deps, reporter: SILENT })) return
      await deps.clock.sleep(pauseMs, deps.signal)
    }
    await noteOrigin(noted, deps, 'its conclusion')
  } catch (error) {
    if (deps.signal?.aborted !== true) throw error
  }
}

function stays({ conclusion: noted }: JsonObject, conclusion: Conclusion): boolean {
  return noted !== undefined && !(noted === 'completed' && conclusion === MISSED)
}

const SILENT: Reporter = { tell: () => undefined }
const PAUSES_MS = [500, 2_000] as const

/** What stands on the run at this moment; undefined if that cannot be read. */
async function factsNow({ runId }: Origin, deps: ReadingDependencies): Promise<JsonObject | undefined> {
  const limit = deps.timeLimit(TIME_LIMIT_MS)
  const read = await readBestEffort(async (client) => client.run(runId, { hydrate: true }), deps, limit, {
    retries: 'few',
  })
  const facts = 'value' in read ? originNotedOn(read.value.metadata) : undefined
  return isJsonObject(facts) ? facts : undefined
}

/** What this action noted on a run: a mapping, unless somebody else put something in its place. */
export function originNotedOn(metadata: JsonObject | undefined): JsonValue | undefined {
  const noted = metadata?.[KEY]
  if (metadata?.[MISSED_KEY] === undefined || !isJsonObject(noted)) return noted
  return { ...noted, conclusion: MISSED }
}

/** The same of a run that something else started, so that its conclusion can be added; undefined if nothing is noted. */
export function originOfRun(
  { id, metadata }: { readonly id: string; readonly metadata: JsonObject | undefined },
  { server, account, project }: Pick<Origin, 'server' | 'account' | 'project'>,
): Origin | undefined {
  const facts = originNotedOn(metadata)
  return isJsonObject(facts) ? { runId: id, isRead: true, facts, server, account, project } : undefined
}

/** A run's metadata without what this action noted there. */
export function withoutOrigin(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== KEY && key !== MISSED_KEY))
}

/** What there is to note of where a run comes from; without what is not known. */
export function factsOf(provenance: Provenance): JsonObject {
  const { repository, sha, ref, headRef, baseRef, eventName, actor, workflow, workflowRunUrl } = provenance
  const [, kind, name] = /^refs\/(heads|tags|pull)\/(.+)$/.exec(ref) ?? []
  const facts = {
    repository,
    event: eventName,
    commit: sha,
    branch: kind === 'heads' ? name : headRef,
    base_branch: baseRef,
    tag: kind === 'tags' ? name : '',
    pull_request: kind === 'pull' ? Number.parseInt(name ?? '', 10) : Number.NaN,
    actor,
    workflow,
    workflow_run: workflowRunUrl,
  }
  return Object.fromEntries(
    Object.entries(facts).filter(
      (fact): fact is [string, string | number] =>
        fact[1] !== undefined && fact[1] !== '' && !Number.isNaN(fact[1]),
    ),
  )
}
