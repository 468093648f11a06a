import type { JsonObject } from '../../base/json.ts'
import type { Named, ServerInfo } from '../../zenml/model.ts'
import { tryTo, type ReadingDependencies } from '../try-to-read.ts'
import type { Reporter } from '../events.ts'

/** Where the step that starts a run comes from, as the workflow's variables have it; a text is empty if not known. */
export interface Provenance {
  /** `owner/name`. */
  readonly repository: string
  readonly sha: string
  /** Full name, such as `refs/heads/main` or `refs/pull/7/merge`. */
  readonly ref: string
  /** Branch that a pull request comes from. */
  readonly headRef: string
  readonly actor: string
  /** Name of the workflow. */
  readonly workflow: string
  readonly workflowRunUrl: string
}

/** The run, and who notes what where. */
export interface OriginRequest {
  readonly runId: string
  readonly provenance: Provenance
  readonly server: ServerInfo
  readonly account: Named
  readonly project: Named | undefined
}

/** The run's own metadata under this name are ours. ZenML shows a mapping as a card of its own. */
const KEY = 'github_actions'

/** Nobody waits for it but a step that does not wait for its run. */
const TIME_LIMIT_MS = 5_000

/**
 * Notes on a run where it came from: tried once, and a failure is only told.
 *
 * @returns when it is done or given up; never rejects, also when the signal is aborted
 */
export async function noteOrigin(
  { runId, provenance, server, account, project }: OriginRequest,
  deps: ReadingDependencies & { readonly reporter: Reporter },
): Promise<void> {
  const facts = factsOf(provenance)
  if (Object.keys(facts).length === 0) return
  const tell = (detail: string): void => {
    deps.reporter.tell({ kind: 'origin-not-noted', detail })
  }
  if (project === undefined) {
    tell('the server does not say which project the run belongs to')
    return
  }
  const scope = {
    projectId: project.id,
    accountId: account.id,
    server,
  }
  try {
    const noted = await tryTo(
      async (client) => client.noteMetadata(runId, { [KEY]: facts }, scope),
      deps,
      deps.timeLimit(TIME_LIMIT_MS),
    )
    if ('missing' in noted) tell(noted.missing)
  } catch (error) {
    if (deps.signal?.aborted !== true) throw error
  }
}

/** A run's metadata without what this action noted there. */
export function withoutOrigin(metadata: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== KEY))
}

function factsOf(provenance: Provenance): JsonObject {
  const { repository, sha, ref, headRef, actor, workflow, workflowRunUrl } = provenance
  const [, kind, name] = /^refs\/(heads|tags|pull)\/(.+)$/.exec(ref) ?? []
  const facts = {
    repository,
    commit: sha,
    branch: kind === 'heads' ? name : headRef,
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
