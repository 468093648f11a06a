import { login as logIn } from './actions/login.ts'
import { runTemplate } from './actions/main.ts'
import { cleanUpStep } from './actions/post.ts'
import { stopRunById } from './actions/stop.ts'
import { waitForRun } from './actions/wait.ts'
import { WorkflowLog } from './github/log.ts'

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

/** Entry of stop/. */
export async function stop(): Promise<void> {
  await run(stopRunById)
}

/** The one place that decides the exit code. */
async function run(action: (env: NodeJS.ProcessEnv, log: WorkflowLog) => Promise<boolean>): Promise<void> {
  const log = new WorkflowLog((text) => process.stdout.write(text))
  try {
    if (!(await action(process.env, log))) process.exitCode = 1
  } catch (error) {
    const unforeseen = error instanceof Error ? error : new Error(String(error))
    log.error(`Something that should not happen did: ${unforeseen.message}. Please report it with this log`)
    log.debug(unforeseen.stack ?? 'no stack')
    process.exitCode = 1
  }
}
