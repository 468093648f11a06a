import { login as logIn } from './actions/login.ts'
import { runTemplate } from './actions/main.ts'
import { cleanUpStep } from './actions/post.ts'
import { promote as promoteVersion } from './actions/promote.ts'
import { resolveGivenRun } from './actions/resolve.ts'
import { stopGivenRun } from './actions/stop.ts'
import { sweepMatrix } from './actions/sweep.ts'
import { waitForRun } from './actions/wait.ts'
import { systemCode } from './github/workflow/files.ts'
import { WorkflowLog } from './github/log/workflow-log.ts'

/** Entry of the action itself. */
export async function main(): Promise<void> {
  await run(runTemplate)
}

/** Entry of its post step, and of that of wait/. */
export async function post(): Promise<void> {
  await run(cleanUpStep)
}

/** Entry of login/. */
export async function login(): Promise<void> {
  await run(logIn)
}

/** Entry of wait/. */
export async function wait(): Promise<void> {
  await run(waitForRun)
}

/** Entry of sweep/. */
export async function sweep(): Promise<void> {
  await run(sweepMatrix)
}

/** Entry of stop/. */
export async function stop(): Promise<void> {
  await run(stopGivenRun)
}

/** Entry of resolve/. */
export async function resolve(): Promise<void> {
  await run(resolveGivenRun)
}

/** Entry of promote/. */
export async function promote(): Promise<void> {
  await run(promoteVersion)
}

/** The one place that decides the exit code. */
async function run(action: (env: NodeJS.ProcessEnv, log: WorkflowLog) => Promise<boolean>): Promise<void> {
  const log = new WorkflowLog((text) => process.stdout.write(text))
  const onUnforeseen = (error: unknown): void => {
    process.exitCode = 1
    tellUnforeseen(error, log)
  }
  // Node would print it as it is, with whatever a server had to say, and end the process without a word on its run.
  process.on('uncaughtException', onUnforeseen)
  try {
    if (!(await action(process.env, log))) process.exitCode = 1
  } catch (error) {
    onUnforeseen(error)
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
