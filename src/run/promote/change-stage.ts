import { Deadline } from '../../base/deadline.ts'
import { shownDuration } from '../../base/duration-text.ts'
import { isZenmlError, type AnswerError, type UnreachableError } from '../../zenml/errors.ts'
import type { ModelVersion, Stage, StageAnswer } from '../../zenml/model-versions.ts'
import { RunError } from '../errors.ts'
import { pauseAfter, type AskDependencies } from '../retry-until-answered.ts'
import { decide, isNewer, type Decision, type Look, type Replace } from './decide.ts'
import { alreadySo, nowSo, notKept, notKnown, replacedNewer, superseded, taken, wouldLeave } from './words.ts'

/** How the step ended, as the output `conclusion` gives it. */
export type PromotionConclusion = 'promoted' | 'superseded' | 'taken' | 'failed' | 'cancelled' | 'lost'

export interface Changed {
  readonly conclusion: PromotionConclusion
  /** As it was when last seen. */
  readonly version: ModelVersion
  /** One line for a person: an error, with what to do, unless it was promoted. */
  readonly sentence: string
}

export interface Wanted {
  readonly stage: Stage
  readonly replace: Replace
}

export interface ChangeDependencies extends AskDependencies {
  /** Aborted when the workflow is cancelled: then nothing new is sent, and what was sent is looked after. */
  readonly cancelled: AbortSignal
}

/** So long the stage is asked for where the answers say neither yes nor no. */
const LONGEST_MS = 120_000

/** A replica that lags behind does not show yet what another one was told. */
const LAG_MS = 10_000
const LAG_PAUSE_MS = 1_000

/** What is said when the workflow is cancelled before anything was sent. */
export const NOT_SENT = 'Cancelled before the stage was set; nothing was changed'

/** How far it has come. */
interface Progress {
  /** Another version that had the stage at the beginning. */
  readonly previous: ModelVersion | undefined
  seen: Look
  /** A request is under way, or was. */
  isSent: boolean
  answer: StageAnswer | undefined
  /** Newer versions that were archived before an older one was to be; undefined where none is replaced. */
  archived: readonly ModelVersion[] | undefined
}

type End = Pick<Changed, 'conclusion' | 'sentence'>

/** What is so now. */
export async function look(
  { id, model }: ModelVersion,
  stage: Stage,
  { client }: AskDependencies,
): Promise<Look> {
  const version = await client.models.version(id)
  // Several may be archived, and none of them is in the way.
  const holders = stage === 'archived' ? [] : await client.models.versions(model, { stage })
  return { version, others: holders.filter((holder) => holder.id !== version.id) }
}

/**
 * Sets the stage, unless that is not needed or not wanted; what came of it is always what a look shows.
 *
 * @throws RunError if the server refuses, ZenmlError if it does not answer before anything was sent
 */
export async function changeStage(before: Look, wanted: Wanted, deps: ChangeDependencies): Promise<Changed> {
  const [previous] = before.others
  const progress: Progress = { seen: before, previous, isSent: false, answer: undefined, archived: undefined }
  const ended = (end: End): Changed => ({ ...end, version: progress.seen.version })
  const unknown = (why: string): string => notKnown(before.version, wanted.stage, why)
  try {
    return ended(await untilSo(progress, wanted, deps))
  } catch (error) {
    if (error instanceof RunError) throw error
    if (deps.cancelled.aborted) {
      const sentence = progress.isSent
        ? `Cancelled. ${unknown('there was no time left to find out')}`
        : NOT_SENT
      return ended({ conclusion: 'cancelled', sentence })
    }
    if (progress.answer === undefined || !isZenmlError(error)) throw error
    return ended({ conclusion: 'lost', sentence: unknown(error.message) })
  }
}

async function untilSo(progress: Progress, wanted: Wanted, deps: ChangeDependencies): Promise<End> {
  const { stage, replace } = wanted
  const deadline = new Deadline(deps.clock, LONGEST_MS)
  for (let attempt = 0; ; attempt += 1) {
    const { seen, answer, isSent } = progress
    const decision = decide(seen, stage, replace)
    if (decision.kind === 'nothing' && isSent) return withoutHarm(progress, stage, deps)
    const hasFailed: End = { conclusion: 'failed', sentence: notKept(seen, stage) }
    if (decision.kind !== 'send') {
      const hasStage = isSent && seen.version.stage === stage
      return hasStage ? hasFailed : withoutSending(decision, seen.version, stage)
    }
    if (answer?.kind === 'accepted') return hasFailed
    if (answer !== undefined) {
      if (deadline.isOver) return stillNot(answer.error)
      await pauseAfter(answer.error, attempt, deadline, deps)
    }
    if (decision.force && replace === 'older' && stage !== 'archived') {
      progress.archived ??= await archivedNewer(seen.version, deps)
    }
    deps.cancelled.throwIfAborted()
    progress.isSent = true
    progress.answer = await deps.client.models.setStage(seen.version, stage, decision)
    if (progress.answer.kind === 'refused')
      return afterRefusal(progress, progress.answer.error, isSent, wanted, deps)
    progress.seen = await lookAfter(progress.answer, seen.version, stage, deps)
  }
}

/**
 * A refusal says nothing of an earlier request whose answer was no answer: that one may have been done late. And one that
 * ZenML did not write may stand in the place of an answer that says yes.
 */
async function afterRefusal(
  progress: Progress,
  { message, exception }: AnswerError,
  wasSentBefore: boolean,
  { stage, replace }: Wanted,
  deps: ChangeDependencies,
): Promise<End> {
  if (!wasSentBefore && exception !== undefined) throw new RunError(message)
  const { version } = progress.seen
  progress.seen = await look(version, stage, deps)
  if (decide(progress.seen, stage, replace).kind === 'nothing') return withoutHarm(progress, stage, deps)
  if (!wasSentBefore) throw new RunError(message)
  return { conclusion: 'lost', sentence: notKnown(version, stage, message) }
}

function withoutSending(
  decision: Exclude<Decision, { kind: 'send' }>,
  version: ModelVersion,
  stage: Stage,
): End {
  switch (decision.kind) {
    case 'nothing':
      return { conclusion: 'promoted', sentence: alreadySo(version, stage) }
    case 'superseded':
      return { conclusion: 'superseded', sentence: superseded(version, decision.holder, stage) }
    case 'taken':
      return { conclusion: 'taken', sentence: taken(version, decision.holder, stage) }
    case 'in-production':
      return { conclusion: 'taken', sentence: wouldLeave(version, stage) }
  }
}

function stillNot({ message }: AnswerError | UnreachableError): End {
  return { conclusion: 'failed', sentence: `${message}. Gave up after ${shownDuration(LONGEST_MS)}` }
}

async function lookAfter(
  answer: StageAnswer,
  version: ModelVersion,
  stage: Stage,
  deps: ChangeDependencies,
): Promise<Look> {
  const soon = new Deadline(deps.clock, LAG_MS)
  for (;;) {
    const seen = await look(version, stage, deps)
    // The list of who has the stage may lag although the version itself does not.
    const isSo = seen.version.stage === stage && seen.others.length === 0
    if (answer.kind !== 'accepted' || isSo || soon.isOver) return seen
    await deps.clock.sleep(LAG_PAUSE_MS, deps.signal)
  }
}

/**
 * The version has the stage. ZenML archived whatever had it at that moment: if that was a newer version, which another
 * job had promoted since the look, it says so.
 */
async function withoutHarm(
  { seen: { version }, previous, archived }: Progress,
  stage: Stage,
  deps: ChangeDependencies,
): Promise<End> {
  const now = archived === undefined ? [] : await archivedNewer(version, deps)
  const replaced = now.find(({ id }) => archived?.every((before) => before.id !== id))
  if (replaced === undefined) return { conclusion: 'promoted', sentence: nowSo(version, stage, previous) }
  return { conclusion: 'superseded', sentence: replacedNewer(version, replaced, stage) }
}

async function archivedNewer(
  version: ModelVersion,
  { client }: ChangeDependencies,
): Promise<readonly ModelVersion[]> {
  const archived = await client.models.versions(version.model, { stage: 'archived' })
  return archived.filter((each) => isNewer(each, version))
}
