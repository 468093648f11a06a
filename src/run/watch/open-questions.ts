import type { ZenmlClient } from '../../zenml/client.ts'
import { isZenmlError, type AnswerError } from '../../zenml/errors.ts'
import type { ChildRun, Question, RunGraph, RunParts } from '../../zenml/model.ts'
import { isBeingStopped, runPhase } from '../../zenml/status.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'

/** Child runs have child runs; each costs a request. */
const MOST_DEPTH = 3
const MOST_CHILD_RUNS = 10

/** What a run waits for is good to know, but no reason to lose it. */
const TIME_LIMIT_MS = 10_000

/** A question, and the run that asks it. */
export interface AskedQuestion extends Question {
  readonly runId: string
}

export interface OpenQuestions {
  readonly questions: readonly AskedQuestion[]
  /** False where there are more child runs than are asked. */
  readonly areAll: boolean
}

/**
 * What a run and its child runs ask a person at the moment: while a child run asks, its parent is only paused.
 *
 * @throws ZenmlError if the server does not say
 */
export async function openQuestions(client: ZenmlClient, runId: string, depth = 0): Promise<OpenQuestions> {
  const { questions, childRuns } = await client.dag(runId)
  const own = questions.map((question) => ({ ...question, runId }))
  const going = childRuns.filter(({ status }) => runPhase(status) === 'going-on')
  const seen = depth < MOST_DEPTH ? going.slice(0, MOST_CHILD_RUNS) : []
  const below = await Promise.all(seen.map(({ id }) => openQuestions(client, id, depth + 1)))
  return {
    questions: [...own, ...below.flatMap((each) => each.questions)],
    areAll: seen.length === going.length && below.every(({ areAll }) => areAll),
  }
}

/**
 * Answers all that a run asks so that it is stopped.
 *
 * @returns whether it asked anything, and why an answer was refused, neither where the questions cannot be read; and the
 * graph that showed them
 */
export async function abortQuestions(
  client: ZenmlClient,
  runId: string,
): Promise<{
  readonly aborted: boolean
  readonly refusal: string | undefined
  readonly graph: RunGraph | undefined
}> {
  let graph: RunGraph | undefined
  let refusal: string | undefined
  let aborted = false
  try {
    graph = await client.dag(runId)
    for (const { id } of graph.questions) await abortQuestion(client, id)
    aborted = graph.questions.length > 0
  } catch (error) {
    if (!isZenmlError(error)) throw error
    if (graph !== undefined) refusal = error.message
  }
  return { aborted, refusal, graph }
}

/** One that was answered already is left alone. */
export async function abortQuestion(client: ZenmlClient, id: string): Promise<void> {
  const answer = await client.resolveQuestion(id, { resolution: 'abort' })
  if (answer.kind === 'accepted' || (answer.kind === 'refused' && isResolvedAlready(answer.error))) return
  throw answer.error
}

/** Whether ZenML refused an answer because it has one. */
export function isResolvedAlready({ status, detail }: AnswerError): boolean {
  return status === 403 && /already been resolved/i.test(detail)
}

/** That a run waits for a person, and what it asks as far as the server says. */
export interface Asking {
  readonly question: string | undefined
}

/** What a run that is watched asks: each question once, as soon as it is asked. */
export class Questions {
  readonly #runId: string
  readonly #deps: ReadingDependencies
  #open: readonly Question[] = []
  /** What each child run asked when it was last read, by its id. */
  readonly #askedBelow = new Map<string, readonly Question[]>()
  readonly #told = new Set<string>()
  #toldPause = false

  constructor(runId: string, deps: ReadingDependencies) {
    this.#runId = runId
    this.#deps = deps
  }

  /** Whether the run waited for an answer when it was last looked at. */
  get areOpen(): boolean {
    return this.#open.length > 0
  }

  /**
   * What the run asks, and what its child runs ask, which its own graph does not show.
   *
   * @throws the signal's reason if it was aborted
   */
  async note({ questions, childRuns }: Pick<RunParts, 'questions' | 'childRuns'>): Promise<void> {
    const going = childRuns.filter(({ status }) => runPhase(status) === 'going-on')
    this.#open = going.length === 0 ? questions : [...questions, ...(await this.#askedBy(going))]
  }

  /**
   * All that a person was not told before. A run stays `running` until its patience is over, and only then is `paused`.
   *
   * @throws the signal's reason if it was aborted
   */
  async news(status: string): Promise<readonly Asking[]> {
    if (status !== 'paused') this.#toldPause = false
    if (runPhase(status) !== 'going-on' || isBeingStopped(status)) return []
    const isFirstPause = status === 'paused' && !this.#toldPause
    this.#toldPause ||= isFirstPause
    const untold = this.#open.filter(({ id }) => !this.#told.has(id))
    for (const { id } of untold) this.#told.add(id)
    if (isFirstPause && !this.areOpen) return [{ question: await this.#ofChildRun() }]
    return untold.map(({ text }) => ({ question: text }))
  }

  async #askedBy(childRuns: readonly ChildRun[]): Promise<readonly Question[]> {
    const limit = this.#deps.timeLimit(TIME_LIMIT_MS)
    const ask = async ({ id }: ChildRun): Promise<readonly Question[]> => {
      const read = await readBestEffort((client) => openQuestions(client, id, 1), this.#deps, limit)
      // What it asked before is still asked where it cannot be read.
      if ('value' in read) this.#askedBelow.set(id, read.value.questions)
      return this.#askedBelow.get(id) ?? []
    }
    return (await Promise.all(childRuns.slice(0, MOST_CHILD_RUNS).map(ask))).flat()
  }

  async #ofChildRun(): Promise<string | undefined> {
    const limit = this.#deps.timeLimit(TIME_LIMIT_MS)
    const read = await readBestEffort((client) => openQuestions(client, this.#runId), this.#deps, limit)
    return 'value' in read ? read.value.questions[0]?.text : undefined
  }
}
