import type { Run } from '../zenml/model.ts'
import { runPhase } from '../zenml/status.ts'
import prettyMilliseconds from 'pretty-ms'
import type { Outcome } from './conclusion.ts'
import type { Watched } from './watch.ts'

/** What is known of the run when the watch ends. */
export interface ConcludeContext {
  readonly name: string
  readonly url: string | undefined
  readonly timeoutMs: number | undefined
}

/** What the end of the watch means for the workflow: only a completed run is a success. */
export function conclude(watched: Watched, { name, url, timeoutMs }: ConcludeContext): Outcome {
  const where = url === undefined ? '' : `: ${url}`
  switch (watched.kind) {
    case 'over':
      return concludeRun(watched.run, name, where)
    case 'timed-out':
      return {
        conclusion: 'timed-out',
        status: watched.status,
        error: `The run "${name}" did not end within the timeout of ${prettyMilliseconds(timeoutMs ?? 0)}`,
      }
    case 'paused':
      return {
        conclusion: 'failed',
        status: watched.status,
        error:
          `The run "${name}" is paused and waits for a person` +
          `${watched.question === undefined ? '' : ` (${watched.question})`}. It was left so; answer it${where}`,
      }
    case 'gone':
      return {
        conclusion: 'lost',
        status: watched.status,
        error: `The run "${name}" is no longer on the server: it was deleted while it was ${watched.status}`,
      }
    case 'lost':
      return {
        conclusion: 'lost',
        status: watched.status,
        error: `The run "${name}" was lost from sight: ${watched.detail}. When last seen it was ${watched.status}, and it may go on${where}`,
      }
  }
}

function concludeRun(run: Run, name: string, where: string): Outcome {
  const { status } = run
  const reason = run.statusReason === undefined ? '' : ` (${run.statusReason})`
  switch (runPhase(status)) {
    case 'succeeded':
      return { conclusion: 'completed', status, error: undefined }
    case 'stopped':
      return { conclusion: 'stopped', status, error: `The run "${name}" was stopped${reason}${where}` }
    case 'failed':
      return {
        conclusion: 'failed',
        status,
        error: `The run "${name}" failed${reason}. See its steps and logs${where}`,
      }
    case 'going-on':
    case 'unknown':
      return {
        conclusion: 'failed',
        status,
        error: `The run "${name}" ended in the state "${status}", which is not known to be a success${reason}${where}`,
      }
  }
}
