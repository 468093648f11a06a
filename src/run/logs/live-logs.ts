import { isGone, isZenmlError, type ZenmlError } from '../../zenml/errors.ts'
import type { RunReference, StepState } from '../../zenml/model.ts'
import { isPassing } from '../../zenml/retry.ts'
import { runPhase } from '../../zenml/status.ts'
import type { Log } from '../../zenml/step-detail.ts'
import type { ReadingDependencies } from '../try-to-read.ts'
import type { AskDependencies } from '../until-answered.ts'
import { readSteps } from '../watch/read-steps.ts'
import { boundedLine, withoutEmptyEnd } from '../outcome/log-tail.ts'
import { LineBudget } from './line-budget.ts'

/** Milliseconds between two rounds at least. */
const LEAST_PAUSE_MS = 5_000

/** Each read gives a log from its beginning: a long one must not keep the server busy with it. */
const PAUSE_PER_READ = 10

/** The run has ended, and its watch: so long its last lines are waited for. */
const REST_MS = 15_000

/** What a server gives for an entry besides its text: its time, its level, its place. */
const ENTRY_BYTES = 200
const MOST_READ_BYTES = 100_000_000

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

/** A step whose log is followed. */
interface Followed {
  /** How many records were told. */
  told: number
  /** Nothing more of it is read. */
  isDone: boolean
}

/**
 * Tells what the steps of a run log while they run: each line once, in order. It goes on beside the watch, and never
 * rejects or delays it: what it cannot read, it says once.
 */
export class LiveLogs {
  readonly #run: RunReference
  readonly #deps: Dependencies
  readonly #life: AbortSignal
  readonly #followed = new Map<string, Followed>()
  readonly #budget = new LineBudget()
  #readBytes = 0
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
    await this.#guarded(async () => this.#round(limit, true))
    if (limit.aborted) this.#end('the rest could not be read in time')
  }

  async #goOn(): Promise<void> {
    const signal = this.#life
    const first = await this.#steps(signal)
    for (const step of first ?? []) {
      if (step.id !== undefined && isOver(step)) this.#followed.set(step.id, { told: 0, isDone: true })
    }
    while (!this.#hasEnded) {
      const begun = this.#deps.clock.elapsed()
      await this.#round(signal, false)
      const tookMs = this.#deps.clock.elapsed() - begun
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

  async #round(signal: AbortSignal, isLast: boolean): Promise<void> {
    const steps = await this.#steps(signal)
    const open = (steps ?? []).filter((step) => this.#isOpen(step))
    const areSeveral = open.length > 1
    for (const step of open) {
      if (this.#hasEnded) return
      await this.#read(step, areSeveral, isLast, signal)
    }
  }

  #isOpen({ id, status }: StepState): boolean {
    if (id === undefined || status === undefined || WITHOUT_LOG.has(status)) return false
    return this.#followed.get(id)?.isDone !== true
  }

  async #read(step: StepState, areSeveral: boolean, isLast: boolean, signal: AbortSignal): Promise<void> {
    const { id = '', name } = step
    const followed = this.#followed.get(id) ?? { told: 0, isDone: false }
    this.#followed.set(id, followed)
    let log: Log
    try {
      log = await this.#client(signal).stepLog(id)
    } catch (error) {
      if (!isZenmlError(error)) throw error
      this.#notRead(step, followed, error, isLast)
      return
    }
    const isWhole = isLast || isOver(step)
    const records = isWhole ? log.records : complete(log)
    const lines = records.slice(followed.told).flatMap((record) => withoutEmptyEnd(record).split('\n'))
    followed.told = Math.max(followed.told, records.length)
    followed.isDone = isWhole
    this.#tell(name, followed, lines.map(boundedLine), areSeveral)
    this.#count(log)
  }

  /** A log may not be there yet, and a server may be away; both are no news before the end. */
  #notRead({ name }: StepState, followed: Followed, error: ZenmlError, isLast: boolean): void {
    if (!isLast && (isPassing(error) || isGone(error))) return
    followed.isDone = true
    this.#deps.reporter.tell({ kind: 'logs-not-followed', step: name, why: error.message })
  }

  #tell(step: string, followed: Followed, lines: readonly string[], areSeveral: boolean): void {
    const { shown, why, isOverAll } = this.#budget.take(step, lines)
    if (shown.length > 0) this.#deps.reporter.tell({ kind: 'step-log', step, lines: shown, areSeveral })
    if (why === undefined) return
    followed.isDone = true
    if (isOverAll) this.#end(why)
    else this.#deps.reporter.tell({ kind: 'logs-not-followed', step, why })
  }

  #count({ records }: Log): void {
    for (const record of records) this.#readBytes += Buffer.byteLength(record) + ENTRY_BYTES
    if (this.#readBytes >= MOST_READ_BYTES) this.#end('100 MB were read, and no more is')
  }

  #client(signal: AbortSignal) {
    const { client, signal: cancelled } = this.#deps
    const either = cancelled === undefined ? signal : AbortSignal.any([cancelled, signal])
    return client.with({ retries: false, signal: either })
  }
}

function isOver({ status }: StepState): boolean {
  return status !== undefined && runPhase(status) !== 'going-on'
}

/** The last record may still be growing: in one text always, in a list where its pieces are not all there. */
function complete({ records, entries, breaksOff }: Log): readonly string[] {
  return entries === undefined || breaksOff ? records.slice(0, -1) : records
}
