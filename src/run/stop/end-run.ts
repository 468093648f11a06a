import type { Deadline } from '../../base/deadline.ts'
import type { EndMode, StartedRun } from '../journal.ts'
import { stopRun, type StopDependencies } from './stop.ts'

export interface EndRequest {
  readonly run: StartedRun
  readonly mode: EndMode
  /** What ZenML shows as the reason where the run has to be marked as failed. */
  readonly reason: string
  readonly deadline: Deadline
}

/** What became of the run. */
export interface Ended {
  /** True if nothing of it goes on, or if it goes on because that was wished. */
  readonly settled: boolean
  readonly status: string
  /** For a person: what is known, and where to look. */
  readonly sentence: string
}

/** Ends a run, or lets it run, and says which. */
export async function endRun(
  { run, mode, reason, deadline }: EndRequest,
  deps: StopDependencies,
): Promise<Ended> {
  const { url, status } = run
  const where = url === undefined ? '' : `: ${url}`
  if (mode === 'keep-running') {
    const sentence = `The run "${run.name}" keeps running, as requested (keep-running)${where}`
    return { settled: true, status, sentence }
  }
  const request = { runId: run.id, status, graceful: mode === 'stop-gracefully', reason, deadline }
  const stopped = await stopRun(request, deps)
  switch (stopped.kind) {
    case 'ended':
      return {
        settled: true,
        status: stopped.status,
        sentence: stopped.byItself
          ? `The run "${run.name}" had ended before it could be stopped and is ${stopped.status}${where}`
          : `The run "${run.name}" was stopped and is now ${stopped.status}${where}`,
      }
    case 'gone':
      return {
        settled: true,
        status: stopped.status,
        sentence: `The run "${run.name}" is no longer on the server: it was deleted there. Steps of it that were running may go on`,
      }
    case 'asked':
      return {
        settled: false,
        status: stopped.status,
        sentence: `The run "${run.name}" was asked to stop and was ${stopped.status} when last seen${where}`,
      }
    case 'going-on':
      return {
        settled: false,
        status: stopped.status,
        sentence: `The run "${run.name}" goes on${where}. It could not be stopped: ${stopped.why}`,
      }
  }
}
