import type { Deadline } from '../../base/deadline.ts'
import { hasFailedOrStopped, isBeingStopped } from '../../zenml/status.ts'
import type { StopMode, StartedRun } from '../recovery-journal.ts'
import { stopRun, type StopDependencies } from './stop-run.ts'
import { leftClause, withoutDeed, type Left, type StopResult } from './stop-result.ts'

export interface StopOrKeepRequest {
  readonly run: StartedRun
  readonly mode: StopMode
  /** What ZenML shows as the reason where the run has to be marked as failed. */
  readonly reason: string
  readonly deadline: Deadline
}

/** What became of the run. */
export interface StoppedOrKept {
  /** True if nothing of it goes on, or if it goes on because that was wished. */
  readonly settled: boolean
  readonly status: string
  /** For a person: what is known, and where to look. */
  readonly sentence: string
}

/** The same with what follows `The run "x"` in the sentence, for a line that names the run already. */
export interface StoppedOrKeptRun extends StoppedOrKept {
  readonly predicate: string
}

/** Stops a run, or lets it keep running, and says which. */
export async function stopOrKeep(
  { run, mode, reason, deadline }: StopOrKeepRequest,
  deps: StopDependencies,
): Promise<StoppedOrKeptRun> {
  const { url, status } = run
  const where = url === undefined ? '' : `: ${url}`
  const ended = (settled: boolean, last: string, predicate: string): StoppedOrKeptRun => ({
    settled,
    status: last,
    predicate,
    sentence: `The run "${run.name}" ${predicate}`,
  })
  if (mode === 'keep-running') {
    const left = isBeingStopped(status)
      ? 'is being stopped, and was left alone'
      : 'was left running, as requested (keep-running)'
    return ended(true, status, `${left}${where}`)
  }
  const request = { runId: run.id, status, graceful: mode === 'stop-gracefully', reason, deadline }
  const stopped = await stopRun(request, deps)
  return ended(stopped.kind === 'ended' || stopped.kind === 'gone', stopped.status, describe(stopped, where))
}

/** Whether a run that is kept comes to no good end. */
export function cannotComplete(status: string): boolean {
  return hasFailedOrStopped(status) || isBeingStopped(status)
}

function describe(stopped: StopResult, where: string): string {
  const { status } = stopped
  switch (stopped.kind) {
    case 'ended':
      if (stopped.byItself) return `had ended before it could be stopped and is ${status}${where}`
      if (status === 'stopped') return `was stopped${where}`
      // Of a run that the account may not see, the server says no status.
      if (status === 'unknown') return `was stopped; its status cannot be read${where}`
      return `was stopped and is now ${status}${where}`
    case 'gone':
      return 'is no longer on the server: it was deleted there. Its steps may still be running'
    case 'asked':
      if (stopped.left !== undefined) return `was asked to stop, but ${leftClause(stopped.left)}${where}`
      return `was asked to stop, but had not ended in time (last status: ${status})${where}`
    case 'left-over':
      return `is ${status}, but ${leftClause(stopped.left)}${where}`
    case 'going-on':
      return `keeps running${where}. ${couldNotStop(stopped)}`
    case 'unknown':
      return `may still be running${where}. ${couldNotStop(stopped)}`
  }
}

function couldNotStop({ why, left }: { readonly why: string; readonly left?: Left }): string {
  const alsoLeft = left === undefined ? '' : `; ${leftClause(left)}`
  return `It could not be stopped: ${withoutDeed(why)}${alsoLeft}`
}
