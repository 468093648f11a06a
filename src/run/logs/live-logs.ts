import { isNotFound, isZenmlError, type ZenmlError } from '../../zenml/errors.ts'
import type { RunReference, StepState } from '../../zenml/model.ts'
import { isPassing } from '../../zenml/retry.ts'
import { runPhase } from '../../zenml/status.ts'
import type { Log } from '../../zenml/step-detail.ts'
import type { ReadingDependencies } from '../best-effort-read.ts'
import type { AskDependencies } from '../retry-until-answered.ts'
import { readSteps } from '../watch/read-steps.ts'
import { boundedLine, withoutEmptyEnd } from '../outcome/log-tail.ts'
import { FollowedStep } from './followed-step.ts'
import { LineBudget } from './line-budget.ts'

/** Milliseconds between two rounds at least. */
const LEAST_PAUSE_MS = 5_000

/** Each read gives a log from its beginning: a long one must not keep the server busy with it. */
const PAUSE_PER_READ = 10
const SLACK_MS = 100

/** The run has ended, and its watch: so long its last lines are waited for. */
const REST_MS = 15_000

/** How often the logs are read within that time: each of these reads may bring what was written after the end. */
const LAST_ROUNDS = 3

/** A step that is over has no log, or none that the server finds, if it does not find it twice. */
const MOST_TRIES = { gone: 2, passing: 10 } as const

/** What a server gives for an entry besides its text: its time, its level, its place. */
const ENTRY_BYTES = 200
const MOST_READ_BYTES = 100_000_000
/** So much is read in an hour, unless the longest pause is over: a long training is followed up to its end. */
const READ_BYTES_PER_MS = MOST_READ_BYTES / 4 / 3_600_000
const LONGEST_PAUSE_MS = 300_000
/** A log of empty entries takes a hundred times its size in memory. */
const MOST_LOG_BYTES = 8 * 1024 * 1024

/** Nothing is computed in them. */
const WITHOUT_LOG: ReadonlySet<string> = new Set(['cached', 'skipped'])

type Dependencies = ReadingDependencies & AskDependencies

/** Undefined where only the logs of failed steps are wished. */
export function followLogs(
  { logs }: { readonly logs?: 'failed' | 'live' },
  run: RunReference,
  deps: Dependencies,
  life: AbortSignal,
): LiveLogs | undefined {
  if (logs !== 'live') return undefined
  const live = new LiveLogs(run, deps, life)
  live.start()
  return live
}

/** `end`: the run is over, and reads follow; `final`: none do. */
type Phase = 'running' | 'end' | 'final'

interface Round {
  readonly open: readonly Open[]
  readonly phase: Phase
  readonly signal: AbortSignal
}

/** A step whose log is read now. */
interface Open {
  readonly id: string
  readonly followed: FollowedStep
  readonly isOver: boolean
}

/**
 * Tells what the steps of a run log while they run: each line once, in order. It goes on beside the watch, and never
 * rejects or delays it: what it cannot read, it says once.
 */
export class LiveLogs {
  readonly #run: RunReference
  readonly #deps: Dependencies
  readonly #life: AbortSignal
  readonly #followed = new Map<string, FollowedStep>()
  readonly #budget = new LineBudget()
  readonly #unread: { readonly step: string; readonly why: string }[] = []
  #hasRefused = false
  #readBytes = 0
  #isSpent = false
  #hasEnded = false
  #going: Promise<void> = Promise.resolve()

  /** @param life aborted when the run is watched no more */
  constructor(run: RunReference, deps: Dependencies, life: AbortSignal) {
    this.#run = run
    this.#life = life
    this.#deps = deps
  }

  /** Steps that have ended before are not shown: whoever follows a run wants to know what it does. */
  start(): void {
    this.#going = this.#guarded(async () => this.#goOn())
  }

  /** The run has ended: tells the rest of the lines, as far as they can be read in a short time. */
  async finish(): Promise<void> {
    await this.#going
    const limit = this.#deps.timeLimit(REST_MS)
    await this.#guarded(async () => this.#finishBy(limit))
    if (this.#openSteps().length > 0) this.#end('the rest could not be read in time')
    this.#tellUnread()
  }

  async #finishBy(limit: AbortSignal): Promise<void> {
    // One read was kept for the end, and the last lines may be written after it.
    if (this.#isSpent) await this.#deps.clock.sleep(LEAST_PAUSE_MS, limit)
    for (let round = this.#isSpent ? LAST_ROUNDS : 1; round <= LAST_ROUNDS && !this.#hasEnded; round += 1) {
      await this.#round(limit, round === LAST_ROUNDS ? 'final' : 'end')
      if (round === LAST_ROUNDS || this.#openSteps().length === 0) return
      await this.#deps.clock.sleep(LEAST_PAUSE_MS, limit)
    }
  }

  async #goOn(): Promise<void> {
    const signal = this.#life
    const first = await this.#steps(signal)
    for (const step of first ?? []) {
      if (step.id !== undefined && isOver(step))
        this.#followed.set(step.id, new FollowedStep(step.name, true))
    }
    while (!this.#hasEnded && !this.#isSpent) {
      const tookMs = await this.#round(signal, 'running')
      await this.#deps.clock.sleep(Math.max(LEAST_PAUSE_MS, PAUSE_PER_READ * tookMs), signal)
    }
  }

  /** Whatever goes wrong here is no reason to lose the run. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#hasEnded) return
    try {
      await work()
    } catch (error) {
      if (this.#life.aborted && !isZenmlError(error)) return
      this.#end(error instanceof Error ? error.message : String(error))
    }
  }

  #end(why: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#deps.reporter.tell({ kind: 'logs-not-followed', step: undefined, why })
  }

  /** Undefined where the server does not say at the moment. */
  async #steps(signal: AbortSignal): Promise<readonly StepState[] | undefined> {
    try {
      return await readSteps(this.#client(signal), this.#run)
    } catch (error) {
      if (!isZenmlError(error) || !isPassing(error)) throw error
      return undefined
    }
  }

  /** Gives how many milliseconds the server took for the steps. */
  async #round(signal: AbortSignal, phase: Phase): Promise<number> {
    const begun = this.#deps.clock.elapsed()
    const steps = await this.#steps(signal)
    const tookMs = this.#deps.clock.elapsed() - begun
    if (steps === undefined) return tookMs
    const open = this.#open(steps)
    for (const step of open) {
      if (this.#hasEnded || (this.#isSpent && phase === 'running')) break
      // Many that are over must not keep those that run waiting.
      const isLate = step.isOver && this.#deps.clock.elapsed() - begun > LEAST_PAUSE_MS
      const isRead = phase !== 'running' || (!isLate && this.#isDue(step))
      if (isRead) await this.#read(step, { open, phase, signal })
    }
    return tookMs
  }

  /** An attempt that is retried leaves the graph; what it logged last comes before all else, what is over last. */
  #open(steps: readonly StepState[]): readonly Open[] {
    const left = new Map(this.#followed)
    const running: Open[] = []
    const over: Open[] = []
    for (const step of steps) {
      const { id, name, status } = step
      if (id === undefined) continue
      left.delete(id)
      if (status === undefined || WITHOUT_LOG.has(status)) continue
      const followed = this.#followed.get(id) ?? new FollowedStep(name, false)
      this.#followed.set(id, followed)
      if (!followed.isDone) (isOver(step) ? over : running).push({ id, followed, isOver: isOver(step) })
    }
    over.sort((one, other) => one.followed.read.at - other.followed.read.at)
    const gone = [...left].filter(([, { isDone }]) => !isDone)
    return [...gone.map(([id, followed]) => ({ id, followed, isOver: true })), ...running, ...over]
  }

  #openSteps(): readonly FollowedStep[] {
    return [...this.#followed.values()].filter(({ isDone }) => !isDone)
  }

  #isDue({ followed: { read }, isOver }: Open): boolean {
    const since = this.#deps.clock.elapsed() - read.at
    // Timers may be some milliseconds early.
    return since + SLACK_MS >= (isOver ? read.restMs : read.pauseMs)
  }

  async #read({ id, followed, isOver }: Open, { open, phase, signal }: Round): Promise<void> {
    const { clock } = this.#deps
    const others = open.filter((other) => !other.isOver && other.followed !== followed).length
    const begun = clock.elapsed()
    let bytes = 0
    try {
      const log = await this.#client(signal).stepLog(id, MOST_LOG_BYTES)
      bytes = bytesOf(log)
      this.#take(followed, log, {
        isOver: isOver || phase !== 'running',
        isFinal: phase === 'final',
        areSeveral: others > 0,
      })
    } catch (error) {
      if (!isZenmlError(error)) throw error
      this.#notRead(followed, error, isOver, phase === 'final')
    }
    const restMs = Math.max(LEAST_PAUSE_MS, PAUSE_PER_READ * (clock.elapsed() - begun))
    const pauseMs = Math.min(LONGEST_PAUSE_MS, (bytes * (others + 1)) / READ_BYTES_PER_MS)
    followed.read = { at: clock.elapsed(), restMs, pauseMs: Math.max(restMs, pauseMs) }
    this.#count(bytes)
  }

  #take(
    followed: FollowedStep,
    log: Log,
    { isOver, isFinal, areSeveral }: { isOver: boolean; isFinal: boolean; areSeveral: boolean },
  ): void {
    const { records, why } = followed.take(log, { isOver, isFinal, now: this.#deps.clock.elapsed() })
    const lines = records.flatMap((record) => withoutEmptyEnd(record).split('\n'))
    const isCut = this.#tell(followed, lines.map(boundedLine), areSeveral)
    if (why === undefined || isCut) return
    this.#deps.reporter.tell({ kind: 'logs-not-followed', step: followed.name, why })
  }

  /** A log may not be there yet, and a server may be away; both are no news before the end. */
  #notRead(followed: FollowedStep, error: ZenmlError, isOver: boolean, isFinal: boolean): void {
    followed.failures += 1
    const isWaitedFor = isPassing(error) || isNotFound(error)
    const most = isOver ? MOST_TRIES[isNotFound(error) ? 'gone' : 'passing'] : Infinity
    if (isWaitedFor && !isFinal && followed.failures < most) return
    followed.isDone = true
    this.#unread.push({ step: followed.name, why: error.message })
    if (!isWaitedFor && !this.#hasRefused) this.#tellUnread()
    this.#hasRefused ||= !isWaitedFor
  }

  /** One note for all: where logs are switched off, a run can have hundreds of steps without one. */
  #tellUnread(): void {
    const [first, ...others] = this.#unread.splice(0)
    if (first === undefined) return
    const isOne = others.length === 0
    const step = isOne ? first.step : undefined
    const why = isOne ? first.why : `the logs of ${others.length + 1} steps could not be read: ${first.why}`
    this.#deps.reporter.tell({ kind: 'logs-not-followed', step, why })
  }

  /** True if it was said that no more is told. */
  #tell(followed: FollowedStep, lines: readonly string[], areSeveral: boolean): boolean {
    const step = followed.name
    const { shown, why, isOverAll } = this.#budget.take(step, lines)
    if (shown.length > 0) this.#deps.reporter.tell({ kind: 'step-log', step, lines: shown, areSeveral })
    if (why === undefined) return false
    followed.isDone = true
    if (isOverAll) this.#end(why)
    else this.#deps.reporter.tell({ kind: 'logs-not-followed', step, why })
    return true
  }

  #count(bytes: number): void {
    this.#readBytes += bytes
    if (this.#isSpent || this.#hasEnded || this.#readBytes < MOST_READ_BYTES) return
    this.#isSpent = true
    const why = '100 MB were read; the next read is at the end of the run'
    this.#deps.reporter.tell({ kind: 'logs-not-followed', step: undefined, why })
  }

  #client(signal: AbortSignal) {
    const { client, signal: cancelled } = this.#deps
    const either = cancelled === undefined ? signal : AbortSignal.any([cancelled, signal])
    return client.with({ retries: 'none', signal: either })
  }
}

function isOver({ status }: StepState): boolean {
  return status !== undefined && runPhase(status) !== 'going-on'
}

function bytesOf({ records }: Log): number {
  return records.reduce((sum, record) => sum + Buffer.byteLength(record) + ENTRY_BYTES, 0)
}
