import type { Log } from '../../zenml/step-detail.ts'
import { whyCut } from '../outcome/log-tail.ts'
import { LogPlace } from './log-place.ts'

/** ZenML says that a step is over first, and writes the last lines of its log some seconds later. */
const QUIET_READS = 2

/** An answer may be wrong once. */
const READS_WITHOUT_PLACE = 3

/** A log that has the size of a cut one, and brings nothing new for so long while its step runs, is a cut one. */
const STANDSTILL_MS = 60_000

/** When a log was read. */
interface Reading {
  readonly isOver: boolean
  /** No read follows. */
  readonly isFinal: boolean
  readonly now: number
}

/** Records that are new; `why` says, as a clause, that the server does not give all of the log. */
interface News {
  readonly records: readonly string[]
  readonly why: string | undefined
}

/** A step whose log is followed. */
export class FollowedStep {
  readonly name: string
  /** Nothing more of it is read. */
  isDone: boolean
  /** Reads that failed, since one succeeded. */
  failures = 0
  /** When it was read, in milliseconds of the clock; and how long it is left alone while it runs, and afterwards. */
  read = { at: Number.MIN_SAFE_INTEGER, pauseMs: 0, restMs: 0 }
  readonly #place = new LogPlace()
  #size = 0
  #quiet = 0
  #lost = 0
  #newsAt = 0

  constructor(name: string, isDone: boolean) {
    this.name = name
    this.isDone = isDone
  }

  /** What of a log is new. */
  take(log: Log, { isOver, isFinal, now }: Reading): News {
    this.failures = 0
    const fresh = this.#place.next(complete(log))
    this.#count(log, { fresh, isOver, now })
    this.isDone = isFinal || this.#quiet >= QUIET_READS
    const rest = this.isDone && fresh !== undefined ? this.#place.next(log.records) : []
    const why = this.#whyNotAll(log, fresh === undefined || rest === undefined, now)
    if (why !== undefined) this.isDone = true
    return { records: [...(fresh ?? []), ...(rest ?? [])], why }
  }

  #count(
    log: Log,
    { fresh, isOver, now }: { fresh: readonly string[] | undefined; isOver: boolean; now: number },
  ): void {
    const size = log.records.reduce((sum, record) => sum + record.length + 1, 0)
    const hasNews = size !== this.#size || fresh === undefined || fresh.length > 0
    this.#size = size
    if (hasNews) this.#newsAt = now
    if (hasNews) this.#quiet = 0
    else if (isOver) this.#quiet += 1
  }

  #whyNotAll(log: Log, isLost: boolean, now: number): string | undefined {
    this.#lost = isLost ? this.#lost + 1 : 0
    if (isLost && (this.isDone || this.#lost >= READS_WITHOUT_PLACE)) {
      return 'the server gives only a part of the log, so its new lines cannot be found'
    }
    const standsStill = now - this.#newsAt >= STANDSTILL_MS
    return !isLost && !this.#place.hasMoved && (this.isDone || standsStill)
      ? whyCut(log, undefined)
      : undefined
  }
}

/** The last record may still be growing: in one text always, in a list where its pieces are not all there. */
function complete({ records, entries, breaksOff }: Log): readonly string[] {
  return entries === undefined || breaksOff ? records.slice(0, -1) : records
}
