/** Whose comment it is: one for each step of a workflow, and action. */
export interface CommentOwner {
  readonly action: 'main' | 'wait'
  /** 8 hex digits. */
  readonly identity: string
}

/** Which of two workflow runs wrote a comment. */
export interface WorkflowRun {
  readonly runId: string
  readonly runAttempt: number
}

/** Recognized at the very beginning only: a quote of the comment, by whomever, begins in another way. */
const MARKER = /^<!-- zenml-run-action (main|wait) ([0-9a-f]{8}) (\d{1,19})\/(\d{1,9}) -->/

/** First line of a comment: invisible, and the same for all comments of this step but for the workflow run. */
export function markerOf({ action, identity }: CommentOwner, { runId, runAttempt }: WorkflowRun): string {
  const run = /^\d{1,19}$/.test(runId) ? runId : '0'
  return `<!-- zenml-run-action ${action} ${identity} ${run}/${runAttempt} -->`
}

/** The workflow run that wrote this comment of ours last; undefined for any other comment. */
export function writerOf(body: string, owner: CommentOwner): WorkflowRun | undefined {
  const [, action, identity, runId = '', attempt] = MARKER.exec(body) ?? []
  if (action !== owner.action || identity !== owner.identity) return undefined
  return { runId, runAttempt: Number(attempt) }
}

/** GitHub's ids of workflow runs grow; what an older run has to say comes too late. */
export function isNewer(one: WorkflowRun, other: WorkflowRun): boolean {
  const [id, otherId] = [BigInt(one.runId), BigInt(/^\d+$/.test(other.runId) ? other.runId : '0')]
  return id === otherId ? one.runAttempt > other.runAttempt : id > otherId
}
