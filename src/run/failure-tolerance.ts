import type { Clock } from '../base/clock.ts'
import type { Deadline } from '../base/deadline.ts'
import { AnswerError, isNotFound, type ZenmlError } from '../zenml/errors.ts'
import { isPassing, type Insistence } from '../zenml/retry.ts'

/**
 * So long a no is doubted where a run may be under way: a gateway that is rolled out shows a wrong certificate or
 * refuses, replicas disagree about a token, and a login that was refused is tried once more after its minute.
 */
export const DOUBTED_MS = 120_000

/** So long ZenML must say that there is no such run: a replica that lags behind does not know a new one. */
const GONE_MS = 30_000
const LEAST_LOOKS = 3

/**
 * Says when a failure is believed where a run may be under way. Nothing is given up for one no: only for noes in a row,
 * with no answer between them.
 */
export class FailureTolerance {
  readonly #clock: Pick<Clock, 'elapsed'>
  #refusedSince: number | undefined
  #timesRefused = 0
  #goneSince: number | undefined
  #timesGone = 0

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  /** To be called after each answer that is one. */
  answered(): void {
    this.passed()
    this.#goneSince = undefined
    this.#timesGone = 0
  }

  /** Whether ZenML has said for long enough that there is no such run. */
  isGone(error: ZenmlError): boolean {
    if (!isNotFound(error)) {
      this.#goneSince = undefined
      this.#timesGone = 0
      return false
    }
    const now = this.#clock.elapsed()
    this.#goneSince ??= now
    this.#timesGone += 1
    return this.#timesGone >= LEAST_LOOKS && now - this.#goneSince >= GONE_MS
  }

  /** Whether the failure is the last word. An exception of ZenML is, unless it is about the token. */
  isFinal(error: ZenmlError): boolean {
    // No answer at all says nothing about the noes before it; how long it is tolerated is for the caller to say.
    if (isPassing(error)) {
      this.passed()
      return false
    }
    const { status, exception } = error instanceof AnswerError ? error : {}
    if (exception !== undefined && status !== 401 && status !== 404) return true
    return this.refused()
  }

  /** To be called after each no, whoever said it: whether there have been enough of them in a row, for long enough. */
  refused(doubtedMs = DOUBTED_MS): boolean {
    const now = this.#clock.elapsed()
    this.#refusedSince ??= now
    this.#timesRefused += 1
    return this.#timesRefused >= LEAST_LOOKS && now - this.#refusedSince >= doubtedMs
  }

  /** To be called after each failure that says neither yes nor no. */
  passed(): void {
    this.#refusedSince = undefined
    this.#timesRefused = 0
  }
}

/**
 * For reads that a verdict depends on: until then, and each no is doubted meanwhile.
 *
 * @param isAnswer what says what was asked for, and is believed at once
 */
export function insisting(
  clock: Pick<Clock, 'elapsed'>,
  deadline: Deadline,
  isAnswer: (error: ZenmlError) => boolean = () => false,
): () => Insistence {
  return () => {
    const tolerance = new FailureTolerance(clock)
    return { deadline, isFinal: (error) => isAnswer(error) || tolerance.isFinal(error) }
  }
}
