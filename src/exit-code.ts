import type { Environment } from './github/workflow/environment.ts'
import { systemCode } from './github/workflow/files.ts'
import { WorkflowLog } from './github/log/workflow-log.ts'
import type { Http } from './http/http.ts'

/**
 * Does an action's work. Gives whether the step succeeded.
 *
 * @param http the connections to use, where the first is being opened already; they are closed after it
 */
export type Action = (env: Environment, log: WorkflowLog, http: Http | undefined) => Promise<boolean>

/** The one place that decides the exit code. */
export async function runAction(load: () => Promise<Action>, connectsFirst: boolean): Promise<void> {
  const log = new WorkflowLog((text) => process.stdout.write(text))
  const onUnforeseen = (error: unknown): void => {
    process.exitCode = 1
    tellUnforeseen(error, log)
  }
  // Node would end, as if all were well, a process that waits for what never comes.
  const onNothingLeft = (): void => {
    onUnforeseen(new Error('nothing is left that the step could wait for'))
  }
  process.once('beforeExit', onNothingLeft)
  // Node would print it as it is, with whatever a server had to say, and end the process without a word on its run.
  process.on('uncaughtException', onUnforeseen)
  let http: Http | undefined
  try {
    if (connectsFirst) {
      const { openFirstConnection } = await import('./first-connection.ts')
      http = await openFirstConnection(process.env)
    }
    const action = await load()
    if (!(await action(process.env, log, http))) process.exitCode = 1
  } catch (error) {
    onUnforeseen(error)
  } finally {
    http?.close()
    process.off('beforeExit', onNothingLeft)
  }
}

/** What the runner gives a step are files: for its outputs, its state, later steps. */
const UNWRITABLE: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'EISDIR',
])

function tellUnforeseen(error: unknown, log: WorkflowLog): void {
  // Nobody reads the log any more, and another line would only fail again.
  if (isOutputClosed(error)) return
  const { message, stack = 'no stack' } = error instanceof Error ? error : new Error(String(error))
  const code = systemCode(error)
  log.error(
    UNWRITABLE.has(code)
      ? `A file of the runner cannot be written (${code}). Check disk space and permissions on the runner`
      : `Internal error: ${message}. Please report it with this log`,
  )
  log.debug(stack)
}

function isOutputClosed(error: unknown): boolean {
  return (
    error instanceof Error &&
    'syscall' in error &&
    error.syscall === 'write' &&
    'code' in error &&
    error.code === 'EPIPE'
  )
}
