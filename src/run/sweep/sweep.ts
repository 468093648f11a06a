import { setMaxListeners } from 'node:events'
import { Deadline } from '../../base/deadline.ts'
import { nameOfBaseline, readBaseline, type BaselineChoice } from '../compare/baseline.ts'
import type { Overrides } from '../configure/merge.ts'
import { runPhase } from '../../zenml/status.ts'
import { RunError } from '../errors.ts'
import { needsBaseline } from '../outcome/evaluate-expectations.ts'
import { findTarget, type FindRequest, type FoundTarget } from '../find/target.ts'
import type { FollowPolicy } from '../run-supervisor.ts'
import { noteConclusion, type Provenance } from '../origin.ts'
import type { Requester } from '../start/run-name.ts'
import { within } from '../start/time-before-trigger.ts'
import { SharedLooks } from '../watch/shared-looks.ts'
import { kinOfDefinition, readUsual } from '../watch/usual-duration.ts'
import { CellRun, type CellContext, type SweepDependencies } from './cell-run.ts'
import { isGood, isMiss, type Cell, type CellResult, type Rank, type SweepResult } from './cell.ts'
import { configureCells, type ConfiguredCell } from './configure-cells.ts'
import { bestOf, inOrder, isUnranked } from './rank.ts'
import { StartTurns } from './start-turns.ts'
import { concludeSweep } from './conclude-sweep.ts'
import type { Outcome } from '../conclusion.ts'

/** Everything that a sweep asks for. */
export interface SweepRequest
  extends FindRequest, Omit<FollowPolicy, 'wait' | 'baseline' | 'looks' | 'rankedBy'> {
  readonly cells: readonly Cell[]
  readonly overrides: Omit<Overrides, 'cell'>
  readonly baseline: BaselineChoice | undefined
  /** How many runs go on at the same time. */
  readonly maxParallel: number
  /** Whether one failure ends the others. */
  readonly failFast: boolean
  /** Whether each run has to be as expected; otherwise one that is suffices. */
  readonly expectAll: boolean
  readonly rank: Rank | undefined
  /** Of each run, in milliseconds; undefined: as long as it takes. `timeoutMs` is that of the whole. */
  readonly runTimeoutMs: number | undefined
  /** Milliseconds until a run has to be there. */
  readonly triggerTimeoutMs: number
  /** Whether runs of an earlier attempt that completed, or still go on, are taken up. */
  readonly resume: boolean
  readonly requester: Requester
  readonly provenance: Provenance | undefined
}

/**
 * Runs every cell, at most so many at once, each exactly once, and finds the best. All cells are checked before the first
 * is started. What is known is told as an event; what the step ends with is returned.
 *
 * @throws RunError or ZenmlError, with one line for a person, if nothing was started
 */
export async function runSweep(request: SweepRequest, deps: SweepDependencies): Promise<Outcome> {
  let run: () => Promise<Outcome>
  try {
    const deadline = new Deadline(deps.clock, request.triggerTimeoutMs)
    const found = await within(deadline, deps, (limited) => findTarget(request, limited))
    const cells = configureCells(request, found, deps.reporter)
    const sweep = new Sweep(request, found, deps)
    const context = await sweep.prepare(cells.length)
    run = () => sweep.run(cells, context)
  } catch (error) {
    if (deps.signal?.aborted !== true || error !== deps.signal.reason) throw error
    return { ...NOT_BEGUN, error: request.nothingToCancel }
  }
  // From here on it is each cell that says what a cancelled job has made of it.
  return run()
}

const NOT_BEGUN = { conclusion: 'cancelled', status: '', failedStep: undefined } as const

/** One may be refused for what it is given. More of them, and the server refuses all, or is away for each whole `trigger-timeout`. */
const MOST_NOT_STARTED = 2

class Sweep {
  readonly #request: SweepRequest
  readonly #found: FoundTarget
  readonly #deps: SweepDependencies
  readonly #looks: SharedLooks
  readonly #turns: StartTurns
  readonly #failFast = new AbortController()
  readonly #deadline: Deadline
  readonly #runs: CellRun[] = []
  readonly #results: CellResult[] = []
  #whyStopped: string | undefined
  /** How many of the newest cells have no run. */
  #notStarted = 0

  constructor(request: SweepRequest, found: FoundTarget, deps: SweepDependencies) {
    this.#request = request
    this.#found = found
    this.#deps = deps
    this.#looks = new SharedLooks(deps.clock, found.definition.project?.id)
    this.#turns = new StartTurns(deps.clock)
    this.#deadline = new Deadline(deps.clock, request.timeoutMs ?? Number.POSITIVE_INFINITY)
  }

  /** What all cells share, read before the first is started: a run of this very sweep must not become its own baseline. */
  async prepare(cells: number): Promise<CellContext> {
    const { client, signal, reporter } = this.#deps
    const { definition } = this.#found
    const usual = await readUsual(client, kinOfDefinition(definition), this.#deps)
    if (this.#request.pollIntervalMs === undefined) this.#looks.expect(usual?.medianMs)
    if (usual !== undefined) {
      reporter.tell({ kind: 'usual', usual })
      this.#warnIfTooLong(cells, usual.medianMs)
    }
    const baseline = await this.#readBaseline()
    const jobSignal = signal ?? new AbortController().signal
    // Each cell listens to them; Node takes more than ten listeners for a leak, and says so.
    setMaxListeners(0, jobSignal, this.#failFast.signal)
    return {
      ...this.#request,
      found: this.#found,
      baseline,
      usual: { known: usual },
      looks: this.#looks,
      turns: this.#turns,
      deadline: this.#deadline,
      onFailure: this.#request.failFast ? (cell) => this.#failFor(cell) : undefined,
      failFast: this.#failFast.signal,
      jobSignal,
      deps: this.#deps,
    }
  }

  async run(cells: readonly ConfiguredCell[], context: CellContext): Promise<Outcome> {
    const { maxParallel, rank, expectAll } = this.#request
    const waiting = [...cells]
    const worker = async (): Promise<void> => {
      for (let next = this.#next(waiting); next !== undefined; next = this.#next(waiting)) {
        const result = await this.#see(next, context)
        // Its place stays taken.
        if (mayGoOn(result)) return
      }
    }
    const workers = Array.from({ length: Math.min(maxParallel, cells.length) }, worker)
    // Whoever gets an error closes the connections, so none may be left that still needs them.
    await Promise.allSettled(workers)
    await Promise.all(workers)
    this.#whyStopped ??=
      waiting.length === 0 ? undefined : 'runs that may still be running occupy every slot (max-parallel)'
    const left = waiting.map(({ cell }) => neverStarted(cell, this.#whyStopped ?? ''))
    const ordered = inOrder([...this.#results, ...left], rank)
    const completed = ordered.filter((result) => isGood(result) || isMiss(result)).length
    const result: SweepResult = {
      cells: ordered,
      completed,
      best: bestOf(ordered),
      unranked: ordered.filter(isUnranked),
      rank,
    }
    this.#deps.reporter.tell({ kind: 'swept', result })
    const isCancelled = this.#deps.signal?.aborted === true
    const hasFailedFast = this.#failFast.signal.aborted
    const outcome = concludeSweep(result, {
      expectAll,
      isCancelled,
      whyStopped: this.#whyStopped,
      hasFailedFast,
    })
    if (outcome.conclusion === 'completed') await this.#noteBest(result)
    return outcome
  }

  /** The next cell, unless the sweep has come to its end before. */
  #next(waiting: ConfiguredCell[]): ConfiguredCell | undefined {
    if (this.#deps.signal?.aborted === true) this.#whyStopped ??= 'the job was cancelled'
    else if (this.#deadline.isOver) this.#whyStopped ??= "the sweep's timeout ran out"
    return this.#whyStopped === undefined ? waiting.shift() : undefined
  }

  async #see(cell: ConfiguredCell, context: CellContext): Promise<CellResult> {
    const run = new CellRun(cell, context)
    this.#runs.push(run)
    try {
      const result = await run.result()
      this.#results.push(result)
      this.#deps.reporter.tell({ kind: 'cell-ended', result, of: this.#request.cells.length })
      this.#learnFrom(result)
      return result
    } catch (error) {
      // Nobody foresaw it, and the step ends with it: no other run may be left to itself.
      if (!this.#isEnding) this.#endOthers(`cell ${cell.cell.number} met an internal error`)
      throw error
    }
  }

  /** A job that ends, or a time that is over, is no cell's failure. */
  get #isEnding(): boolean {
    return this.#deps.signal?.aborted === true || this.#deadline.isOver
  }

  #failFor({ number }: Cell): void {
    if (this.#isEnding || this.#whyStopped !== undefined) return
    this.#endOthers(`cell ${number} failed (fail-fast)`)
  }

  #endOthers(why: string): void {
    this.#whyStopped ??= why
    this.#failFast.abort(new Error(why))
  }

  /** Whether the others are to have their turn after this one. */
  #learnFrom(result: CellResult): void {
    const { outcome, run, cell } = result
    if (this.#isEnding || this.#whyStopped !== undefined) return
    this.#notStarted = run === undefined ? this.#notStarted + 1 : 0
    const isFailure = outcome?.error !== undefined && (!isMiss(result) || this.#request.expectAll)
    if (this.#request.failFast && isFailure) {
      this.#failFor(cell)
    } else if (this.#notStarted === MOST_NOT_STARTED) {
      this.#whyStopped = `${MOST_NOT_STARTED} cells in a row could not be started`
    }
  }

  async #readBaseline(): Promise<BaselineChoice | undefined> {
    const { baseline: choice, expectations = [] } = this.#request
    if (choice === undefined) return undefined
    const { definition, server, project } = this.#found
    const compared = { id: '', projectId: definition.project?.id, pipelineId: definition.pipeline?.id }
    const baseline = await readBaseline(choice, { ...compared, server, project }, this.#deps)
    // No run could meet its expectations.
    if (baseline.kind === 'unread' && expectations.some(needsBaseline))
      throw new RunError(`baseline: there is nothing to compare with: ${baseline.why}. No run was started`)
    return { kind: 'known', name: nameOfBaseline(choice), baseline }
  }

  #warnIfTooLong(cells: number, usuallyMs: number): void {
    const { maxParallel, timeoutMs, jobDeadline } = this.#request
    const jobMs = jobDeadline?.leftMs
    const needsMs = Math.ceil(cells / maxParallel) * usuallyMs
    const limitMs = Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, jobMs ?? Number.POSITIVE_INFINITY)
    if (needsMs <= limitMs) return
    const isJob = limitMs === jobMs
    this.#deps.reporter.tell({
      kind: 'sweep-too-long',
      cells,
      maxParallel,
      usuallyMs,
      needsMs,
      limitMs,
      isJob,
    })
  }

  /** Only the best of a sweep is what later runs are to be compared with, so only it says how it ended. */
  async #noteBest({ best }: SweepResult): Promise<void> {
    const run = best && this.#runs.find(({ cell }) => cell === best.cell)
    const origin = await run?.notedOrigin()
    if (origin !== undefined) await noteConclusion(origin, 'completed', this.#deps)
  }
}

/** Whether its run, or one that may have been started, is perhaps not over. */
function mayGoOn({ outcome, run }: CellResult): boolean {
  if (outcome?.conclusion === 'lost') return true
  return run !== undefined && outcome?.status !== undefined && runPhase(outcome.status) === 'going-on'
}

function neverStarted(cell: Cell, why: string): CellResult {
  return {
    cell,
    run: undefined,
    isResumed: false,
    outcome: undefined,
    reason: why,
    durationMs: undefined,
    unread: undefined,
    verdicts: [],
    rank: undefined,
    comparison: undefined,
  }
}
