import path from 'node:path'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import type { Environment } from '../github/workflow/environment.ts'
import { readConnectionAgain } from '../github/inputs/credential-again.ts'
import { readFile } from '../github/workflow/files.ts'
import type { WorkflowLog } from '../github/log/workflow-log.ts'
import { isSettled } from '../github/post-step-quick-exit.ts'
import { readProcess, readSavedWorkflowStep, withLaterState } from '../github/post-step-state.ts'
import { killSurvivingMain } from '../github/workflow/kill-surviving-main.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock, timeLimit } from '../base/system-clock.ts'
import { openHttp } from './open-client.ts'
import { isReportDue, reportEarlyEnd } from './post-step/report.ts'
import { stopRunsOf, type PostDependencies } from './post-step/stop-runs.ts'

/** Each sending of a trigger leaves less than a kilobyte. */
const MAX_STATE_BYTES = 20_000_000

/**
 * Looks after the run of a main step that did not end in order: killed, crashed, cut off from its server. It
 * never starts one. Says nothing where nothing is left to see to. Signals do not end it: its own budget does.
 */
export async function runPostStep(env: Environment, log: WorkflowLog): Promise<boolean> {
  listenForCancellation()
  await lookAfterMain(env, { log, clock: systemClock, timeLimit, openHttp })
  return true
}

/** The whole work of a post step, by what main saved in the environment and by the inputs there. */
export async function lookAfterMain(given: Environment, deps: PostDependencies): Promise<void> {
  const { log } = deps
  if (isSettled(given) && !isReportDue(given)) return
  const env = await killMain(given, log)
  const saved = readSavedWorkflowStep(env)
  if (saved === undefined && !isReportDue(env)) return
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  const again = await readConnectionAgain({ env, readFile, mask, parseServerUrl })
  const ended = saved === undefined ? undefined : await stopRunsOf(saved, again, env, deps)
  await reportEarlyEnd(ended, again?.authorities, env, log)
}

/** Sees to it that main does nothing more. Gives the variables with all that it has done by then. */
async function killMain(env: Environment, log: WorkflowLog): Promise<Environment> {
  const main = readProcess(env)
  if (main === undefined) return env
  const entry = process.argv[1]
  if (entry !== undefined && (await killSurvivingMain(main.id, path.dirname(entry)))) {
    log.info('The step was still running, so it was killed')
  }
  const file = await readFile(main.stateFile, MAX_STATE_BYTES)
  return file.ok ? withLaterState(env, Buffer.from(file.bytes).toString()) : env
}
