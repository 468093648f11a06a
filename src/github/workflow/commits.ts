import { readEvent, headCommitOf } from './event.ts'
import type { ReadFile } from './files.ts'
import type { WorkflowContext } from './context.ts'

/** The commits that a step's workflow is about, each a full SHA in lower case; undefined where there is none. */
export interface WorkflowCommits {
  /** The newest of the pull request when the event came. */
  readonly head: string | undefined
  /** What GitHub made for the workflow, of the pull request and its target; nobody knows it. */
  readonly merge: string | undefined
  /** Where the workflow itself is from, if that is another one than the merge. */
  readonly workflow: string | undefined
}

export const NO_COMMITS: WorkflowCommits = { head: undefined, merge: undefined, workflow: undefined }

/** Reads the event's payload for them. */
export async function readCommits(
  context: Pick<WorkflowContext, 'eventPath' | 'ref' | 'sha'>,
  readFile: ReadFile,
): Promise<WorkflowCommits> {
  const sha = fullSha(context.sha)
  const isMerge = /^refs\/pull\/\d+\/merge$/.test(context.ref)
  return {
    head: fullSha(headCommitOf(await readEvent(context, readFile))),
    merge: isMerge ? sha : undefined,
    workflow: isMerge ? undefined : sha,
  }
}

/** In lower case; undefined for an abbreviation, which may stand for several, and for what is none. */
export function fullSha(text: string | undefined): string | undefined {
  return text !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text) ? text.toLowerCase() : undefined
}
