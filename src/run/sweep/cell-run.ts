import type { Deadline } from '../../base/deadline.ts'
import { isZenmlError } from '../../zenml/errors.ts'
import type { BaselineChoice } from '../compare/baseline.ts'
import type { Outcome } from '../conclusion.ts'
import { RunError } from '../errors.ts'
import type { RunEvent } from '../events.ts'
import type { RunDetails, Usual } from '../facts.ts'
import type { FoundTarget } from '../find/target.ts'
import {
  RunSupervisor,
  TIMEOUT_STOP_MS,
  type Begun,
  type FollowPolicy,
  type RunDependencies,
} from '../run-supervisor.ts'
import type { StopMode, RecoveryJournal } from '../recovery-journal.ts'
import type { Origin, Provenance } from '../origin.ts'
import { missedClauses } from '../outcome/evaluate-expectations.ts'
import { resumeRun } from '../start/resume.ts'
import { namedRequester, type Requester } from '../start/run-name.ts'
import { startRun } from '../start/start.ts'
import { within } from '../start/time-before-trigger.ts'
import type { SharedLooks } from '../watch/shared-looks.ts'
import { shortError, type Cell, type CellResult, type Rank } from './cell.ts'
import type { ConfiguredCell } from './configure-cells.ts'
import { rankValue } from './rank.ts'
import type { StartTurns, StartDeadline } from './start-turns.ts'

export interface SweepDependencies extends Omit<RunDependencies, 'journal'> {
  /** Keeps what the post step must know of a cell. */
  readonly journalOf: (cell: Cell) => RecoveryJournal
}

/** What the cells of a sweep share. */
export interface CellContext extends Omit<
  FollowPolicy,
  'wait' | 'timeoutMs' | 'baseline' | 'looks' | 'rankedBy'
> {
  readonly found: FoundTarget
  readonly baseline: BaselineChoice | undefined
  readonly rank: Rank | undefined
  readonly runTimeoutMs: number | undefined
  readonly triggerTimeoutMs: number
  readonly resume: boolean
  readonly requester: Requester
  readonly provenance: Provenance | undefined
  readonly usual: { readonly known: Usual | undefined }
  readonly looks: SharedLooks
  readonly turns: StartTurns
  /** Of the whole sweep. */
  readonly deadline: Deadline
  /** Told of a cell whose run has failed and is still watched; undefined where that ends nothing. */
  readonly onFailure: ((cell: Cell) => void) | undefined
  /** Aborted when one failure is to end the others. */
  readonly failFast: AbortSignal
  /** Aborted when the workflow is cancelled. */
  readonly jobSignal: AbortSignal
  readonly deps: SweepDependencies
}

/** The one run of a cell, from its turn to its end. */
export class CellRun {
  readonly cell: Cell
  readonly #configured: ConfiguredCell
  readonly #context: CellContext
  #begun: Begun | undefined
  #isResumed = false
  #isStopping = false
  #hasFailed = false
  #seen: Omit<CellResult, 'cell' | 'run' | 'isResumed' | 'outcome' | 'reason'> = NOTHING_SEEN
  #timeoutMs: number | undefined
  #startDeadline: StartDeadline | undefined

  constructor(configured: ConfiguredCell, context: CellContext) {
    this.cell = configured.cell
    this.#configured = configured
    this.#context = context
  }

  /** Sees to the run until it is over. Only what nobody foresaw is thrown. */
  async result(): Promise<CellResult> {
    const supervisor = new RunSupervisor(this.#policy(), this.#dependencies())
    const outcome = await this.#outcome(supervisor)
    const { started } = supervisor
    const { rank } = this.#seen
    return {
      cell: this.cell,
      run: started && { id: started.id, name: started.name, url: started.url },
      isResumed: this.#isResumed,
      outcome,
      reason:
        outcome.conclusion === 'expectation-missed'
          ? missedClauses(this.#seen.verdicts)
          : shortError(outcome, started),
      ...this.#seen,
      rank: ENDED_WELL.has(outcome.conclusion) ? rank : undefined,
    }
  }

  /** Where its end is to be noted; undefined where nothing is noted on it. */
  async notedOrigin(): Promise<Origin | undefined> {
    const isNoted = await this.#begun?.beside
    return isNoted === false ? undefined : this.#begun?.origin
  }

  async #outcome(supervisor: RunSupervisor): Promise<Outcome> {
    const { turns } = this.#context
    try {
      const begun = await turns.inTurn(() => this.#begin(supervisor.deps))
      this.#begun = begun
      turns.taken()
      try {
        const { usual } = this.#context
        // How it ended is noted on the best one only, when all have.
        return await supervisor.follow({ ...begun, usual, origin: undefined })
      } finally {
        turns.freed()
      }
    } catch (error) {
      return this.#interrupted(supervisor, error)
    }
  }

  async #interrupted(supervisor: RunSupervisor, thrown: unknown): Promise<Outcome> {
    try {
      return await supervisor.interrupted(thrown)
    } catch (error) {
      if (error instanceof RunError) return failed(error)
      if (isZenmlError(error)) return failed({ ...NO_RUN, message: error.message })
      throw error
    }
  }

  async #begin(deps: RunDependencies): Promise<Begun> {
    const { found, requester: given, resume, triggerTimeoutMs, turns, deadline: whole } = this.#context
    deps.signal?.throwIfAborted()
    const { configuration } = this.#configured
    // Whatever its place in the matrix: what its run is given tells a cell from others.
    const requester = namedRequester(given, configuration.body)
    const deadline = turns.deadline(triggerTimeoutMs, whole)
    this.#startDeadline = deadline
    if (resume) {
      const { begun } = await within(deadline, deps, (limited) => resumeRun(requester, found, limited))
      this.#isResumed = begun !== undefined
      if (begun !== undefined) return begun
    }
    return startRun({ ...this.#context, runName: undefined, requester }, found, configuration, deadline, deps)
  }

  #policy(): FollowPolicy {
    const { runTimeoutMs, deadline, failFast, onCancel, jobSignal, rank } = this.#context
    const isEndedByAnother = (): boolean => failFast.aborted && !this.#hasFailed
    const leftMs = (): number =>
      (this.#timeoutMs ??= Math.min(runTimeoutMs ?? Number.POSITIVE_INFINITY, deadline.leftMs))
    return {
      ...this.#context,
      wait: true,
      // A sweep is not handed over, and only the whole of it has a place in its job's time.
      jobDeadline: undefined,
      rankedBy: rank?.name,
      get timeoutMs(): number | undefined {
        return leftMs() === Number.POSITIVE_INFINITY ? undefined : leftMs()
      },
      // Where the job itself goes on, nobody is in a hurry.
      get abortMs(): number | undefined {
        return failFast.aborted && !jobSignal.aborted ? TIMEOUT_STOP_MS : undefined
      },
      hurry: jobSignal,
      // Whoever lets a run go on when the job is cancelled does not want that of one that another's failure ends.
      get onCancel(): StopMode {
        return isEndedByAnother() && onCancel === 'keep-running' ? 'stop' : onCancel
      },
    }
  }

  #dependencies(): RunDependencies {
    const { deps, turns, failFast, jobSignal } = this.#context
    const { cell } = this
    const { journalOf, ...others } = deps
    const journal = journalOf(cell)
    const stopped = new AbortController()
    failFast.addEventListener('abort', () => {
      // Another's failure must not cut off a stop that is under way here, nor what this one's own failure is told by.
      if (this.#isStopping || this.#hasFailed) return
      try {
        // A step that is killed in between leaves the rest to its post step.
        journal.stopping('stop')
      } finally {
        stopped.abort(failFast.reason)
      }
    })
    return {
      ...others,
      signal: AbortSignal.any([jobSignal, stopped.signal]),
      journal,
      reporter: {
        tell: (event) => {
          this.#note(event)
          const isFull = event.kind === 'trigger-hindered' && HELD_BACK.has(event.hindrance)
          if (isFull && this.#startDeadline !== undefined) turns.noSlot(this.#startDeadline)
          deps.reporter.tell({ kind: 'cell', cell, event })
        },
      },
    }
  }

  #note(event: RunEvent): void {
    if (event.kind === 'stopping') this.#isStopping = true
    if (event.kind === 'failed-but-going-on' || event.kind === 'settling') this.#noteFailure()
    if (event.kind === 'details') this.#noteDetails(event.details, event.unread)
    if (event.kind === 'expectations') this.#seen = { ...this.#seen, verdicts: event.verdicts }
    if (event.kind === 'compared') this.#seen = { ...this.#seen, comparison: event.comparison }
  }

  /** The code of a dynamic pipeline may yet catch it (before 0.94). */
  #noteFailure(): void {
    const { onFailure } = this.#context
    if (onFailure === undefined || this.#begun?.started.isDynamic !== false) return
    this.#hasFailed = true
    onFailure(this.cell)
  }

  /** Nothing else of them is kept: a cell may have logged megabytes. */
  #noteDetails(details: RunDetails, unread: string | undefined): void {
    const { rank } = this.#context
    this.#seen = {
      ...this.#seen,
      durationMs: details.durationMs,
      unread,
      rank:
        rank &&
        (unread === undefined
          ? rankValue(rank, details)
          : { problem: `nothing that could be read: ${unread}` }),
    }
  }
}

const NOTHING_SEEN = {
  durationMs: undefined,
  unread: undefined,
  verdicts: [],
  rank: undefined,
  comparison: undefined,
} as const
const ENDED_WELL: ReadonlySet<string> = new Set(['completed', 'expectation-missed'])
const HELD_BACK: ReadonlySet<string> = new Set(['no-slot', 'limited'])

const NO_RUN = { conclusion: 'failed', hadRun: false } as const

function failed({
  message,
  conclusion,
  hadRun,
}: Pick<RunError, 'message' | 'conclusion' | 'hadRun'>): Outcome {
  return {
    conclusion,
    status: '',
    error: message,
    failedStep: undefined,
    remark: hadRun ? 'had-run' : undefined,
  }
}
