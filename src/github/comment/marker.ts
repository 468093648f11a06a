/** Whose comment it is: one for each step of a workflow, and action. */
export interface CommentOwner {
  readonly action: 'main' | 'wait' | 'sweep'
  /** 8 hex digits. */
  readonly identity: string
}

/** Which of two workflow runs wrote a comment. */
export interface WorkflowRun {
  readonly runId: string
  readonly runAttempt: number
}

/**
 * Recognized at the very beginning only, and only above a heading of ours: a quote of the comment begins in another way,
 * and a workflow that repeats a person's text with the same account writes the marker, but mostly something else below.
 */
const MARKER =
  /^<!-- zenml-run-action (main|wait|sweep) ([0-9a-f]{8}) (\d{1,19})\/(\d{1,9}) -->\r?\n### \S+ (?:No )?ZenML (?:run|sweep)\b/

/**
 * An id so far above that of this workflow run was made up, or comes from another GitHub server. GitHub hands out about
 * six billion a year, to all repositories together.
 */
const FAR_ABOVE = 10_000_000_000

/** First line of a comment: invisible, and the same for all comments of this step but for the workflow run. */
export function markerOf({ action, identity }: CommentOwner, { runId, runAttempt }: WorkflowRun): string {
  const run = /^\d{1,19}$/.test(runId) ? runId : '0'
  return `<!-- zenml-run-action ${action} ${identity} ${run}/${runAttempt} -->`
}

/**
 * The workflow run that wrote this comment of ours last; undefined for any other comment.
 *
 * @param now the workflow run that asks
 */
export function writerOf(body: string, owner: CommentOwner, now: WorkflowRun): WorkflowRun | undefined {
  const [, action, identity, runId = '', attempt] = MARKER.exec(body) ?? []
  if (action !== owner.action || identity !== owner.identity) return undefined
  if (Number(runId) > idOf(now) + FAR_ABOVE) return undefined
  return { runId, runAttempt: Number(attempt) }
}

/** GitHub's ids of workflow runs grow; what an older run has to say comes too late. */
export function isNewer(one: WorkflowRun, other: WorkflowRun): boolean {
  const [id, otherId] = [idOf(one), idOf(other)]
  return id === otherId ? one.runAttempt > other.runAttempt : id > otherId
}

/** 0 where there is none, as for a step that a person runs by hand. */
function idOf({ runId }: WorkflowRun): number {
  return /^\d+$/.test(runId) ? Number(runId) : 0
}
