import { setMaxListeners } from 'node:events'
import type { Environment } from '../../github/workflow/environment.ts'
import { isFromVariables, named, type ConnectionInputs } from '../../github/inputs/connection.ts'
import { inline, type WorkflowLog } from '../../github/log/workflow-log.ts'
import type { SavedWorkflowStep } from '../../github/post-step-state.ts'
import { RetryLog } from '../../github/log/retry-log.ts'
import { findAndStop, type FoundAndStopped } from '../../run/stop/find-and-stop.ts'
import { lateStartLeftMs } from '../../run/stop/late-start.ts'
import { stopReason } from '../../run/stop/stop-reason.ts'
import type { PlannedRun, StartedRun } from '../../run/recovery-journal.ts'
import { Deadline } from '../../base/deadline.ts'
import { shownDuration } from '../../base/duration-text.ts'
import { parseServerUrl } from '../../zenml/server-url.ts'
import { openClient } from '../open-client.ts'
import type { Surroundings } from '../workflow-step.ts'
import { notLookedUp, NOTHING_LEFT, NOTHING_SENT, type EarlyEnd } from './report.ts'

/** The runner gives a post step of a cancelled job about five minutes; two are enough to be sure. */
const BUDGET_MS = 110_000

/** A name, an address and the server's own words stand in it. */
const MAX_SENTENCE_LENGTH = 2_000

export interface PostDependencies extends Pick<Surroundings, 'clock' | 'timeLimit' | 'openHttp'> {
  readonly log: WorkflowLog
}

/** Stops the runs that main left, or leaves them running, as was wished, and says what became of them. */
export async function stopRunsOf(
  { facts, runs, hasSettled }: SavedWorkflowStep,
  again: ConnectionInputs | undefined,
  env: Environment,
  deps: PostDependencies,
): Promise<EarlyEnd> {
  const { log, clock, timeLimit, openHttp } = deps
  const sent = runs.flatMap(({ planned, started, mode }) => {
    const run = started ?? planned
    return run === undefined ? [] : { run, planned, mode }
  })
  const [first] = sent
  if (first === undefined) return hasSettled ? NOTHING_LEFT : tellNothingSent(facts, log)
  if (again === undefined || named(again.server) !== facts.named) {
    const what = again === undefined ? 'are no longer valid' : 'now name another server'
    const whose = isFromVariables(env, parseServerUrl)
      ? 'the variables (ZENML_STORE_URL and its key or token)'
      : "this step's inputs"
    const run = `The run "${inline(first.run.name)}"`
    const sentence =
      sent.length === 1
        ? `${run} was not checked, because ${whose} ${what}: if it was started, it may still be running at ${facts.serverUrl}`
        : `${run} and ${sent.length - 1} more were not checked, because ${whose} ${what}: if they were started, they may still be running at ${facts.serverUrl}`
    log.warning(sentence)
    return { sentence, status: '' }
  }
  const reporter = new RetryLog(log, clock, BUDGET_MS)
  const { serverUrl } = facts
  const http = openHttp(again.authorities)
  const connection = await openClient({ inputs: again, http, serverUrl, clock, log, reporter })
  const toEnd = sent.filter(({ mode }) => mode !== 'keep-running')
  if (toEnd.length > 0) log.info(`${stoppingLine(toEnd)}, for up to ${shownDuration(BUDGET_MS)}`)
  const signal = timeLimit(BUDGET_MS)
  // Each run listens to it; Node takes more than ten listeners for a leak, and says so.
  setMaxListeners(0, signal)
  const deadline = new Deadline(clock, BUDGET_MS)
  const reason = stopReason('The workflow step ended early', facts.workflowRunUrl)
  try {
    const ends = await Promise.all(
      sent.map(async ({ run, planned, mode }) => {
        const lookUpUntil = new Deadline(clock, lateStartLeftMs(planned?.sentAt, clock.now()))
        const request = { run, mode, reason, lookUpUntil, deadline }
        return findAndStop(request, { client: connection.client, clock, timeLimit, signal })
      }),
    )
    reporter.end()
    return tellEnds(ends, log)
  } finally {
    connection.close()
  }
}

/** wait/ may have been killed before it found its run. The run is not looked up here: another one may have its name by now. */
function tellNothingSent({ awaited, onCancel }: SavedWorkflowStep['facts'], log: WorkflowLog): EarlyEnd {
  if (awaited === undefined) return NOTHING_SENT
  const end = notLookedUp(inline(awaited))
  if (onCancel === 'keep-running') log.info(end.sentence)
  else log.warning(end.sentence)
  return end
}

/** What is done now with the runs that are not to go on. */
function stoppingLine(toEnd: readonly { readonly run: StartedRun | PlannedRun }[]): string {
  const areStarted = toEnd.every(({ run }) => 'id' in run)
  const [first, ...others] = toEnd
  if (others.length > 0) {
    const what = areStarted ? 'Asking ZenML to stop them' : 'Checking which were started, and stopping those'
    return `This step ended before ${toEnd.length} of its runs did. ${what}`
  }
  const what = areStarted
    ? 'Asking ZenML to stop it'
    : 'Checking whether it was started, and stopping it if so'
  return `This step ended before the run "${inline(first?.run.name ?? '')}" did. ${what}`
}

/** One line for each. Beyond ten warnings the runner shows none as an annotation. */
function tellEnds(ends: readonly FoundAndStopped[], log: WorkflowLog): EarlyEnd {
  const lines = ends.map(({ sentence, settled }) => ({
    line: inline(sentence, MAX_SENTENCE_LENGTH),
    settled,
  }))
  for (const { line, settled } of lines) {
    if (settled) log.info(line)
    else log.warning(line)
  }
  const sentence = lines.map(({ line }) => line).join('. ')
  return {
    sentence: inline(sentence, MAX_SENTENCE_LENGTH),
    status: ends.length === 1 ? (ends[0]?.status ?? '') : '',
  }
}
