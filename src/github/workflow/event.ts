import { parseJson } from '../../base/json.ts'
import { z } from 'zod'

import type { ReadFile } from './files.ts'
import type { WorkflowContext } from './context.ts'

/** A webhook's payload has at most 25 MB. */
const MAX_EVENT_BYTES = 25_000_000

/** The pull request that a workflow runs for. */
export interface PullRequest {
  readonly number: number
  /** Whether it comes from another repository, also one that was deleted since. */
  readonly fromFork: boolean
}

const repository = z.object({ full_name: z.string() })
const numbered = z.object({ number: z.int().positive() })

const pullRequestEvent = z.object({ pull_request: numbered })
const commit = z.string()
const headEvent = z.object({ pull_request: z.object({ head: z.object({ sha: commit }) }) })
const commentEvent = z.object({ issue: numbered.extend({ pull_request: z.object({}) }) })
const repositoryId = z.object({ id: z.int() })
/** GitHub leaves the list empty for pull requests of forks; one of another repository has a number of its own there. */
const workflowRunEvent = z
  .object({
    repository: repositoryId,
    workflow_run: z.object({
      head_sha: commit.nullish().catch(undefined),
      pull_requests: z.array(numbered.extend({ base: z.object({ repo: repositoryId }) })).length(1),
    }),
  })
  .refine(({ repository: own, workflow_run: { pull_requests } }) => pull_requests[0]?.base.repo.id === own.id)

const forkedEvent = z.object({
  pull_request: z.object({
    // Null when the fork was deleted in the meantime.
    head: z.object({ repo: repository.nullable() }),
    base: z.object({ repo: repository }),
  }),
})

/** The payload of the event that started the workflow; undefined if there is none that can be read. */
export async function readEvent(
  { eventPath }: Pick<WorkflowContext, 'eventPath'>,
  readFile: ReadFile,
): Promise<unknown> {
  if (eventPath === '') return undefined
  const file = await readFile(eventPath, MAX_EVENT_BYTES)
  return file.ok ? parseJson(new TextDecoder().decode(file.bytes)) : undefined
}

/** Whether an event is about a pull request of another repository. */
export function isFromFork(event: unknown): boolean {
  const forked = forkedEvent.safeParse(event)
  if (!forked.success) return false
  const { head, base } = forked.data.pull_request
  return head.repo?.full_name !== base.repo.full_name
}

/**
 * The pull request of an event: of those about one, of a comment on one, and of a workflow that followed another
 * one's. Undefined for any other.
 */
export function pullRequestOf(event: unknown): PullRequest | undefined {
  const number =
    pullRequestEvent.safeParse(event).data?.pull_request.number ??
    commentEvent.safeParse(event).data?.issue.number ??
    workflowRunEvent.safeParse(event).data?.workflow_run.pull_requests[0]?.number
  return number === undefined ? undefined : { number, fromFork: isFromFork(event) }
}

/** The newest commit of the pull request of an event, as far as that says it: a comment's does not. */
export function headCommitOf(event: unknown): string | undefined {
  return (
    headEvent.safeParse(event).data?.pull_request.head.sha ??
    workflowRunEvent.safeParse(event).data?.workflow_run.head_sha ??
    undefined
  )
}

const publicEvent = z.object({ repository: z.object({ private: z.literal(false) }) })

/** Whether the event says that everybody can see the repository; what it does not say counts as no. */
export function isPublic(event: unknown): boolean {
  return publicEvent.safeParse(event).success
}
