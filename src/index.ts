import type { Action } from './exit-code.ts'
import { canPostStepExitAtOnce } from './github/post-step-quick-exit.ts'

/** Entry of the action itself. */
export async function main(): Promise<void> {
  await run(async () => (await import('./actions/main.ts')).runTemplate)
}

/** Entry of its post step, and of those of wait/ and sweep/. Most have nothing to do, and load nothing for that. */
export async function post(): Promise<void> {
  if (canPostStepExitAtOnce(process.env)) return
  // It may have no request to send.
  const connectsFirst = false
  await run(async () => (await import('./actions/post.ts')).runPostStep, connectsFirst)
}

/** Entry of login/. */
export async function login(): Promise<void> {
  await run(async () => (await import('./actions/login.ts')).login)
}

/** Entry of wait/. */
export async function wait(): Promise<void> {
  await run(async () => (await import('./actions/wait.ts')).waitForRun)
}

/** Entry of sweep/. */
export async function sweep(): Promise<void> {
  await run(async () => (await import('./actions/sweep.ts')).sweepMatrix)
}

/** Entry of stop/. */
export async function stop(): Promise<void> {
  await run(async () => (await import('./actions/stop.ts')).stopGivenRun)
}

/** Entry of resolve/. */
export async function resolve(): Promise<void> {
  await run(async () => (await import('./actions/resolve.ts')).resolveGivenRun)
}

/** Entry of promote/. */
export async function promote(): Promise<void> {
  await run(async () => (await import('./actions/promote.ts')).promote)
}

/** Whatever a post step with nothing to do can be without is loaded here. */
async function run(load: () => Promise<Action>, connectsFirst = true): Promise<void> {
  const { runAction } = await import('./exit-code.ts')
  await runAction(load, connectsFirst)
}
