import type { Clock } from './clock.ts'

/** A moment by which something has to be done, on a clock that nobody sets. */
export class Deadline {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #at: number

  /** @param ms from now on */
  constructor(clock: Pick<Clock, 'elapsed'>, ms: number) {
    this.#clock = clock
    this.#at = clock.elapsed() + ms
  }

  /** Milliseconds; 0 once it is over. */
  get leftMs(): number {
    return Math.max(0, this.#at - this.#clock.elapsed())
  }

  get isOver(): boolean {
    return this.leftMs === 0
  }
}
