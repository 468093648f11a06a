/** Minutes without a line after which one says that the run goes on; the last again and again. */
const SILENCES_MIN = [1, 2, 4, 8, 15]

/** Decides when to say that nothing has changed: ever more rarely, so that a run of days has a short log. */
export class Heartbeat {
  #lastLineAt: number
  #told = 0

  /** @param now on the clock of elapsed time, as everywhere here */
  constructor(now: number) {
    this.#lastLineAt = now
  }

  /** Another line was told. */
  spoke(now: number): void {
    this.#lastLineAt = now
  }

  /** True if it is time; it is then counted as told. */
  beat(now: number): boolean {
    const silence = SILENCES_MIN[Math.min(this.#told, SILENCES_MIN.length - 1)] ?? 0
    if (now - this.#lastLineAt < silence * 60_000) return false
    this.#told += 1
    this.#lastLineAt = now
    return true
  }
}
