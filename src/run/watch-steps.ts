import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { AnswerError, isZenmlError } from '../zenml/errors.ts'
import type { RunGraph, StepState } from '../zenml/model.ts'
import { runPhase } from '../zenml/status.ts'
import { unfinishedSteps } from './assess.ts'
import { progressOf, type SeenSteps } from './progress.ts'
import type { Reporter } from './reporter.ts'
import { isMissingRoute } from './steps.ts'
import type { StepCounts } from './story.ts'

export interface StepsDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  /** Awaited with the steps that were newly seen to have failed, before the watch goes on. */
  readonly failedSteps?: ((steps: readonly StepState[]) => Promise<void>) | undefined
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
  readonly #runId: string
  readonly #deps: StepsDependencies
  #seen: SeenSteps = new Map()
  #counts: StepCounts | undefined
  #readAt: number | undefined
  #hasGraph = true
  /** Readings that failed one after the other. */
  #inVain = 0

  constructor(runId: string, deps: StepsDependencies) {
    this.#runId = runId
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
    return this.#deps.clock.now() - this.#readAt >= interval
  }

  /**
   * Reads the graph, which tells the run's state as well; undefined where there is none, or the server does not
   * give it.
   *
   * @throws ZenmlError if the server does not answer, or asks for patience
   */
  async readGraph(): Promise<RunGraph | undefined> {
    if (!this.#hasGraph) return undefined
    try {
      return await this.#reading(this.#graph())
    } catch (error) {
      // What ails the steps alone is no reason to lose the run from sight; the run itself is read next.
      if (error instanceof AnswerError && error.status !== 429) return undefined
      throw error
    }
  }

  /** @throws ZenmlError */
  async read(): Promise<readonly StepState[]> {
    return this.#reading(this.#graphOrList())
  }

  /** For a run that was just read, so that the server is known to answer; undefined if the steps cannot be had. */
  async tryToRead(): Promise<readonly StepState[] | undefined> {
    try {
      return await this.read()
    } catch (error) {
      if (!isZenmlError(error)) throw error
      return undefined
    }
  }

  /** Tells what the steps did since they were last seen; true if that is anything. */
  async note(steps: readonly StepState[]): Promise<boolean> {
    const { seen, changes, failed, counts } = progressOf(this.#seen, steps)
    const isNew = changes.length > 0 || counts.total !== this.#counts?.total
    this.#seen = seen
    this.#counts = counts
    if (changes.length > 0) this.#deps.reporter.tell({ kind: 'steps', changes, counts })
    if (failed.length > 0) await this.#deps.failedSteps?.(failed)
    return isNew
  }

  async #graphOrList(): Promise<readonly StepState[]> {
    const graph = this.#hasGraph ? await this.#graph() : undefined
    return graph?.steps ?? this.#deps.client.steps(this.#runId)
  }

  /** Undefined, once and for all, on a server that has no graphs. */
  async #graph(): Promise<RunGraph | undefined> {
    try {
      return await this.#deps.client.dag(this.#runId)
    } catch (error) {
      if (!isMissingRoute(error)) throw error
      this.#hasGraph = false
      return undefined
    }
  }

  async #reading<T>(answer: Promise<T>): Promise<T> {
    this.#readAt = this.#deps.clock.now()
    this.#inVain += 1
    const read = await answer
    this.#inVain = 0
    return read
  }
}
