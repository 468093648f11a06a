import { Deadline } from '../../base/deadline.ts'
import { isZenmlError } from '../../zenml/errors.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import type { ChildRun, Run } from '../../zenml/model.ts'
import { isBeingStopped, runPhase } from '../../zenml/status.ts'
import type { Resolution } from '../../zenml/answers/resolve-answer.ts'
import type { Outcome } from '../conclusion.ts'
import { RunError } from '../errors.ts'
import type { ProjectChoice } from '../facts.ts'
import { findRun } from '../find/run.ts'
import { openQuestions, type AskedQuestion } from '../watch/open-questions.ts'
import { goingChildRuns } from '../watch/going-child-runs.ts'
import { unfinishedSteps } from '../watch/is-over.ts'
import { stopRun } from '../stop/stop-run.ts'
import { leftClause, leftOf } from '../stop/stop-result.ts'
import { chooseQuestion, type QuestionChoice } from './choose-question.ts'
import { sendAnswer, type AnswerDependencies } from './send-answer.ts'
import { answered, childRunLeft, notAnswered, notKnown, notResumed, notStopped, type Place } from './words.ts'

export interface ResolveRequest extends Resolution, QuestionChoice {
  /** Id or exact name. */
  readonly run: string
  readonly project: ProjectChoice | undefined
}

/**
 * ZenML begins to resume a run before it says that the answer was taken; a replica that lags behind shows it later. A run
 * that cannot be started again is `paused` once more some seconds after that.
 */
const RESUME_MS = 60_000
const RESUME_PAUSE_MS = 1_000

/** For the child runs of a run that is stopped by its answer; ZenML shows the reason where one has to be marked as failed. */
const STOP_MS = 120_000
const ABORTED = 'The question of the parent run was answered with abort'

/** The run after it was answered. */
interface After {
  readonly run: Run
  /** It was to go on, and is still paused though it asks nothing; or to be stopped, and nothing stops it. */
  readonly isStuck: boolean
}

/** How far it has come. */
interface Progress {
  place?: Place
  /** Set once a request is under way, or was. */
  sent?: AskedQuestion
}

/**
 * Answers what a run asks a person now, so that it goes on or is stopped. A run that asks nothing, or nothing any more, is
 * an error, and so is one that asks something else than the question that is meant.
 *
 * @throws RunError if there is no such run
 */
export async function resolveRun(request: ResolveRequest, deps: AnswerDependencies): Promise<Outcome> {
  const progress: Progress = {}
  const end = (conclusion: Outcome['conclusion'], error: string | undefined): Outcome => ({
    conclusion,
    status: progress.place?.run.status ?? '',
    error,
    failedStep: undefined,
  })
  try {
    const error = await answerAndLook(request, progress, deps)
    return error === undefined ? end('resolved', undefined) : end('failed', error)
  } catch (error) {
    const { place, sent } = progress
    if (error instanceof RunError && place !== undefined) return end('failed', error.message)
    if (error instanceof RunError) throw error
    if (place === undefined || sent === undefined) {
      if (deps.cancelled.aborted) return end('cancelled', notAnswered(request.run))
      throw error
    }
    if (deps.cancelled.aborted) {
      return end('cancelled', `Cancelled. ${notKnown(sent, place, 'there was no time left to find out')}`)
    }
    if (!isZenmlError(error)) throw error
    return end('lost', notKnown(sent, place, error.message))
  }
}

/** Gives why the run does not go on, although ZenML took the answer. */
async function answerAndLook(
  request: ResolveRequest,
  progress: Progress,
  deps: AnswerDependencies,
): Promise<string | undefined> {
  const { run, url, server } = await findRun(request.run, request.project, deps)
  const place = { run, url }
  progress.place = place
  const question = await chooseQuestion(place, server, request, deps)
  const when = await sendAnswer(question, resolutionOf(request), place, deps, () => {
    progress.sent = question
  })
  const after = await lookAfter(run, question, request, deps)
  progress.place = { run: after?.run ?? run, url }
  if (after?.isStuck === true) {
    return request.resolution === 'abort'
      ? notStopped(question, place)
      : notResumed(question, place, after.run.statusReason)
  }
  const { left, running } = request.resolution === 'abort' ? await stopRest(question, deps) : NOTHING_LEFT
  if (left !== undefined) return childRunLeft(question, place, left)
  deps.reporter.tell({
    kind: 'ended',
    sentence: answered(question, place, request.resolution, when, running),
  })
  return undefined
}

/** What goes on of a run that ZenML has stopped. */
interface Rest {
  /** A clause about its child runs. */
  readonly left: string | undefined
  /** Its own steps, which nothing stops any more. */
  readonly running: readonly string[]
}

const NOTHING_LEFT: Rest = { left: undefined, running: [] }

/**
 * Stops what the run that asked had called: ZenML ends no more than that run. What cannot be read takes nothing back of
 * the answer.
 */
async function stopRest(
  { runId }: AskedQuestion,
  { client, clock, signal, cancelled }: AnswerDependencies,
): Promise<Rest> {
  if (cancelled.aborted) return NOTHING_LEFT
  try {
    const { status, steps, childRuns } = await client.dag(runId)
    const running = unfinishedSteps(steps)
    const going = await goingChildRuns(childRuns, (ended) => calledBy(ended, client))
    if (going.length === 0) return { left: undefined, running }
    const request = {
      runId,
      status,
      graceful: false,
      reason: ABORTED,
      deadline: new Deadline(clock, STOP_MS),
    }
    const left = leftOf(await stopRun(request, { client, clock, signal }), 'part of the run')
    return { left: left && leftClause(left), running }
  } catch (error) {
    if (isZenmlError(error) || signal?.aborted === true) return NOTHING_LEFT
    throw error
  }
}

/** None where it cannot be read. */
async function calledBy({ id }: ChildRun, client: ZenmlClient): Promise<readonly ChildRun[]> {
  try {
    return (await client.dag(id)).childRuns
  } catch (error) {
    if (!isZenmlError(error)) throw error
    return []
  }
}

/** What is sent: nothing but that. */
function resolutionOf({ resolution, result }: ResolveRequest): Resolution {
  return { resolution, result }
}

function isOnItsWayOut({ status }: Run): boolean {
  return runPhase(status) !== 'going-on' || isBeingStopped(status)
}

/** Undefined where it cannot be read, which takes nothing back of the answer. */
async function lookAfter(
  { id }: Run,
  { runId }: AskedQuestion,
  { resolution }: ResolveRequest,
  { client, clock, signal }: AnswerDependencies,
): Promise<After | undefined> {
  const soon = new Deadline(clock, RESUME_MS)
  try {
    for (;;) {
      const run = await client.run(id, { hydrate: false })
      const asker = runId === id ? run : await client.run(runId, { hydrate: false })
      // ZenML keeps the answer `abort` first and then stops the run that asked: the second may fail alone.
      const isActedOn = resolution === 'abort' ? isOnItsWayOut(asker) : run.status !== 'resuming'
      // It may ask something else by now, or another child run may; a run whose child run was stopped may wait for nothing.
      const isWaiting = async () =>
        run.status === 'paused' && (await openQuestions(client, id)).questions.length === 0
      if (isActedOn && !(await isWaiting())) return { run, isStuck: false }
      if (soon.isOver) return { run, isStuck: run.status !== 'resuming' || resolution === 'abort' }
      await clock.sleep(RESUME_PAUSE_MS, signal)
    }
  } catch (error) {
    if (isZenmlError(error) || signal?.aborted === true) return undefined
    throw error
  }
}
