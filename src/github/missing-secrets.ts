import { z } from 'zod'

import type { ReadFile } from './files.ts'
import type { WorkflowContext } from './identity.ts'

/** A webhook's payload has at most 25 MB. */
const MAX_EVENT_BYTES = 25_000_000

const repository = z.object({ full_name: z.string() })
const pullRequestEvent = z.object({
  pull_request: z.object({
    // Null when the fork was deleted in the meantime.
    head: z.object({ repo: repository.nullable() }),
    base: z.object({ repo: repository }),
  }),
})

/**
 * Why GitHub hands no secrets to this workflow, with what to do, or `undefined` if it does hand them over.
 *
 * Workflows that Dependabot starts get secrets of their own kind only; those of a fork's pull request get
 * none, but for `pull_request_target`, which runs in the base repository.
 */
export async function whySecretsAreMissing(
  context: Pick<WorkflowContext, 'actor' | 'eventName' | 'eventPath'>,
  readFile: ReadFile,
): Promise<string | undefined> {
  if (context.actor === 'dependabot[bot]') {
    return (
      "a workflow that Dependabot starts gets Dependabot's secrets only; add it in the repository's settings " +
      "under Secrets and variables, Dependabot, or skip the step with if: github.actor != 'dependabot[bot]'"
    )
  }
  const isPullRequest =
    context.eventName.startsWith('pull_request') && context.eventName !== 'pull_request_target'
  if (!isPullRequest || !(await isFromFork(context.eventPath, readFile))) return undefined
  return (
    'secrets are not passed to workflows of forks; skip the step there with ' +
    'if: github.event.pull_request.head.repo.full_name == github.repository'
  )
}

async function isFromFork(eventPath: string, readFile: ReadFile): Promise<boolean> {
  if (eventPath === '') return false
  const file = await readFile(eventPath, MAX_EVENT_BYTES)
  if (!file.ok) return false
  const event = pullRequestEvent.safeParse(parseJson(new TextDecoder().decode(file.bytes)))
  if (!event.success) return false
  const { head, base } = event.data.pull_request
  return head.repo?.full_name !== base.repo.full_name
}

/** Nothing at all for a payload that is no JSON: it only makes a message more helpful. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
