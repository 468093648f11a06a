import path from 'node:path'
import { listenForCancellation } from '../github/workflow/cancellation.ts'
import type { Environment } from '../github/workflow/environment.ts'
import { isFromVariables, named, type ConnectionInputs } from '../github/inputs/connection.ts'
import { readConnectionAgain } from '../github/inputs/credential-again.ts'
import { readFile } from '../github/workflow/files.ts'
import { inline, type WorkflowLog } from '../github/log/workflow-log.ts'
import {
  isSettled,
  readProcess,
  readSavedStep,
  withLaterState,
  type SavedStep,
} from '../github/post-state.ts'
import { RetryLog } from '../github/log/retry-log.ts'
import { endSurvivor } from '../github/workflow/main-still-alive.ts'
import { cleanUp } from '../run/stop/clean-up.ts'
import { endReason } from '../run/stop/end-reason.ts'
import type { PlannedRun } from '../run/journal.ts'
import { Deadline } from '../base/deadline.ts'
import { shownDuration } from '../base/duration-text.ts'
import { parseServerUrl } from '../zenml/server-url.ts'
import { systemClock, timeLimit } from '../base/system-clock.ts'
import { openClient, openHttp } from './connect.ts'
import type { Surroundings } from './workflow-step.ts'
import { isReportDue, NOTHING_SENT, reportEarlyEnd, type EarlyEnd } from './early-end.ts'

/** The runner gives a post step of a cancelled job about five minutes; two are enough to be sure. */
const BUDGET_MS = 110_000

/** A name, an address and the server's own words stand in it. */
const MAX_SENTENCE_LENGTH = 2_000

/** Each sending of a trigger leaves less than a kilobyte. */
const MAX_STATE_BYTES = 20_000_000

/** A request that the server took may still start a run so long after it was sent. */
const LATE_START_MS = 90_000

export interface PostDependencies extends Pick<Surroundings, 'clock' | 'timeLimit' | 'openHttp'> {
  readonly log: WorkflowLog
}

/**
 * Looks after the run of a main step that did not end in order: killed, crashed, cut off from its server. It
 * never starts one. Says nothing where nothing is left to see to. Signals do not end it: its own budget does.
 */
export async function cleanUpStep(env: Environment, log: WorkflowLog): Promise<boolean> {
  listenForCancellation()
  await lookAfterMain(env, { log, clock: systemClock, timeLimit, openHttp })
  return true
}

/** The whole work of a post step, by what main saved in the environment and by the inputs there. */
export async function lookAfterMain(given: Environment, deps: PostDependencies): Promise<void> {
  const { log } = deps
  if (isSettled(given) && !isReportDue(given)) return
  const env = await endMain(given, log)
  const saved = readSavedStep(env)
  if (saved === undefined && !isReportDue(env)) return
  const mask = (secret: string): void => {
    log.mask(secret)
  }
  const again = await readConnectionAgain({ env, readFile, mask, parseServerUrl })
  const ended = saved === undefined ? undefined : await endRunOf(saved, again, env, deps)
  await reportEarlyEnd(ended, again?.authorities, env, log)
}

/** Sees to it that main does nothing more. Gives the variables with all that it has done by then. */
async function endMain(env: Environment, log: WorkflowLog): Promise<Environment> {
  const main = readProcess(env)
  if (main === undefined) return env
  const entry = process.argv[1]
  if (entry !== undefined && (await endSurvivor(main.id, path.dirname(entry)))) {
    log.info('The step was still running, so it was killed')
  }
  const file = await readFile(main.stateFile, MAX_STATE_BYTES)
  return file.ok ? withLaterState(env, Buffer.from(file.bytes).toString()) : env
}

async function endRunOf(
  { facts, planned, started, mode }: SavedStep,
  again: ConnectionInputs | undefined,
  env: Environment,
  { log, clock, timeLimit, openHttp }: PostDependencies,
): Promise<EarlyEnd> {
  const run = started ?? planned
  if (run === undefined) return NOTHING_SENT
  if (again === undefined || named(again.server) !== facts.named) {
    const what = again === undefined ? 'are no longer valid' : 'now name another server'
    const whose = isFromVariables(env, parseServerUrl)
      ? 'the variables (ZENML_STORE_URL and its key or token)'
      : "this step's inputs"
    const sentence = `The run "${inline(run.name)}" was not checked, because ${whose} ${what}: if it was started, it may still be running at ${facts.serverUrl}`
    log.warning(sentence)
    return { sentence, status: '' }
  }
  const reporter = new RetryLog(log, clock, BUDGET_MS)
  const { serverUrl } = facts
  const http = openHttp(again.authorities)
  const connection = await openClient({ inputs: again, http, serverUrl, clock, log, reporter })
  if (mode !== 'keep-running') {
    const what =
      started === undefined ? 'Checking whether it was started, to stop it' : 'Asking ZenML to stop it'
    log.info(
      `This step ended before the run "${inline(run.name)}" did. ${what}, for up to ${shownDuration(BUDGET_MS)}`,
    )
  }
  const signal = timeLimit(BUDGET_MS)
  try {
    const ended = await cleanUp(
      {
        run,
        mode,
        reason: endReason('The workflow step ended early', facts.workflowRunUrl),
        lookUpUntil: new Deadline(clock, lateStartLeftMs(planned, clock.now())),
        deadline: new Deadline(clock, BUDGET_MS),
      },
      { client: connection.client, clock, signal },
    )
    reporter.end()
    const line = inline(ended.sentence, MAX_SENTENCE_LENGTH)
    if (ended.settled) log.info(line)
    else log.warning(line)
    return { sentence: line, status: ended.status }
  } finally {
    await connection.close()
  }
}

/** Two processes share no clock but the one that can be set, so what it says is believed within limits. */
function lateStartLeftMs(planned: PlannedRun | undefined, now: number): number {
  const sentAt = planned?.sentAt ?? now
  return Math.min(LATE_START_MS, Math.max(0, sentAt + LATE_START_MS - now))
}
