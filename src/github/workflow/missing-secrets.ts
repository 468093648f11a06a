import { isFromFork, readEvent } from './event.ts'
import type { ReadFile } from './files.ts'
import type { WorkflowContext } from './context.ts'

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
  if (!isPullRequest || !isFromFork(await readEvent(context, readFile))) return undefined
  return (
    'secrets are not passed to workflows of forks; skip the step there with ' +
    'if: github.event.pull_request.head.repo.full_name == github.repository'
  )
}
