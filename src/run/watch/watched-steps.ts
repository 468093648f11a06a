import type { ZenmlClient } from '../../zenml/client.ts'
import type { Clock } from '../../base/clock.ts'
import { AnswerError, isZenmlError } from '../../zenml/errors.ts'
import type { ChildRun, RunGraph, RunParts, RunReference, StepState } from '../../zenml/model.ts'
import { runPhase } from '../../zenml/status.ts'
import { unfinishedSteps } from './is-over.ts'
import { progressOf, type SeenSteps } from './progress.ts'
import { readBestEffort, type ReadingDependencies } from '../best-effort-read.ts'
import type { Reporter } from '../events.ts'
import { isWithoutGraph } from './read-steps.ts'
import type { StepCounts } from '../facts.ts'

/** What a watch needs. */
export interface WatchDependencies extends ReadingDependencies {
  readonly clock: Clock
  readonly reporter: Reporter
  /** Awaited with the steps that were newly seen to have failed, before the watch goes on. */
  readonly failedSteps?: ((steps: readonly StepState[]) => Promise<void>) | undefined
  /** The same with child runs. */
  readonly failedChildRuns?: ((runs: readonly ChildRun[]) => Promise<void>) | undefined
}

/** Steps that end sooner one after the other are told together. */
const SHORTEST_MS = 15_000
const SHARE_OF_ELAPSED = 0.1
const LONGEST_MS = 120_000

/** A graph of a thousand steps has a few hundred KB. */
const MANY_STEPS = 500
const SHORTEST_OF_MANY_MS = 60_000

/** Doublings of the interval while the steps cannot be read. */
const MOST_DOUBLINGS = 6

/** What ails the steps alone must not keep the run from sight, nor its end or its time-out waiting. */
const TIME_LIMIT_MS = 10_000

/** Before its first step a run has none to read. */
const BEFORE_STEPS: ReadonlySet<string> = new Set(['initializing', 'queued', 'provisioning'])

/** Whether a run in this state can have steps that go on. */
export function hasSteps(status: string): boolean {
  return runPhase(status) === 'going-on' && !BEFORE_STEPS.has(status)
}

/** Milliseconds until the steps of a run are read again. */
export function stepsIntervalMs(elapsedMs: number, steps: number): number {
  const shortest = steps > MANY_STEPS ? SHORTEST_OF_MANY_MS : SHORTEST_MS
  return Math.min(LONGEST_MS, Math.max(shortest, elapsedMs * SHARE_OF_ELAPSED))
}

/** The steps of a run that is watched: reads them from time to time, and tells what they did. */
export class WatchedSteps {
  readonly #run: RunReference
  readonly #deps: WatchDependencies
  #seen: SeenSteps = new Map()
  readonly #failedChildRuns = new Set<string>()
  #counts: StepCounts | undefined
  #readAt: number | undefined
  #hasGraph = true
  /** Readings that failed one after the other. */
  #inVain = 0

  constructor(run: RunReference, deps: WatchDependencies) {
    this.#run = run
    this.#deps = deps
  }

  /** Undefined before they were first read. */
  get counts(): StepCounts | undefined {
    return this.#counts
  }

  /** Names of those that were running when they were last read. */
  get running(): string[] {
    return unfinishedSteps([...this.#seen.values()].map(({ state }) => state))
  }

  /** Whether it is time to read them of a run in this state. */
  areDue(status: string, elapsedMs: number): boolean {
    if (!hasSteps(status)) return false
    if (this.#readAt === undefined) return true
    const interval = stepsIntervalMs(elapsedMs, this.#seen.size) * 2 ** Math.min(this.#inVain, MOST_DOUBLINGS)
    return this.#deps.clock.elapsed() - this.#readAt >= interval
  }

  /**
   * The graph, which tells the run's state as well; undefined if it cannot be had: the run itself is read then.
   *
   * @throws AnswerError if the server asks for patience
   */
  async readGraph(): Promise<RunGraph | undefined> {
    if (!this.#hasGraph) return undefined
    const { client, signal, timeLimit } = this.#deps
    const limit = timeLimit(TIME_LIMIT_MS)
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
    try {
      return await this.#reading(this.#graph(client.with({ signal: either })))
    } catch (error) {
      if (signal?.aborted === true) throw error
      if (error instanceof AnswerError && error.status === 429) throw error
      if (!limit.aborted && !isZenmlError(error)) throw error
      return undefined
    }
  }

  /** @throws ZenmlError */
  async read(): Promise<RunParts> {
    return this.#reading(this.#graphOrList(this.#deps.client))
  }

  /** For a run whose state does not hang on its steps; undefined if they cannot be had. */
  async tryToRead(): Promise<RunParts | undefined> {
    const limit = this.#deps.timeLimit(TIME_LIMIT_MS)
    const read = await readBestEffort((client) => this.#reading(this.#graphOrList(client)), this.#deps, limit)
    return 'value' in read ? read.value : undefined
  }

  /** Tells what the steps did since they were last seen; true if that is anything. */
  async note({ steps, childRuns }: RunParts): Promise<boolean> {
    const { seen, changes, failed, counts } = progressOf(this.#seen, steps)
    const isNew = changes.length > 0 || counts.total !== this.#counts?.total
    this.#seen = seen
    this.#counts = counts
    if (changes.length > 0) this.#deps.reporter.tell({ kind: 'steps', changes, counts })
    if (failed.length > 0) await this.#deps.failedSteps?.(failed)
    await this.#noteChildRuns(childRuns)
    return isNew
  }

  async #noteChildRuns(all: readonly ChildRun[]): Promise<void> {
    const failed = all.filter(({ id, status }) => status === 'failed' && !this.#failedChildRuns.has(id))
    for (const { id } of failed) this.#failedChildRuns.add(id)
    if (failed.length > 0) await this.#deps.failedChildRuns?.(failed)
  }

  async #graphOrList(client: ZenmlClient): Promise<RunParts> {
    const graph = this.#hasGraph ? await this.#graph(client) : undefined
    return graph ?? { steps: await client.steps(this.#run), questions: [], childRuns: [] }
  }

  /** Undefined, once and for all, where there is none to be read. */
  async #graph(client: ZenmlClient): Promise<RunGraph | undefined> {
    try {
      return await client.dag(this.#run.id)
    } catch (error) {
      if (!isWithoutGraph(error)) throw error
      this.#hasGraph = false
      return undefined
    }
  }

  async #reading<T>(answer: Promise<T>): Promise<T> {
    this.#readAt = this.#deps.clock.elapsed()
    this.#inVain += 1
    const read = await answer
    this.#inVain = 0
    return read
  }
}
