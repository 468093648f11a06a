import { Deadline } from '../../base/deadline.ts'
import type { Clock } from '../../base/clock.ts'

/**
 * Whose turn it is to start a run. One start at a time: where the server has no free slot, or asks for patience, one cell
 * waits for it and not each of them.
 */
export class StartTurns {
  readonly #clock: Clock
  #turn: Promise<unknown> = Promise.resolve()
  #alive = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Does the work once all that came before are done with theirs. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  /** To be called when a run is there, and `freed` when it is over. */
  taken(): void {
    this.#alive += 1
  }

  freed(): void {
    this.#alive = Math.max(0, this.#alive - 1)
  }

  /**
   * The time by which a run has to be there. A slot that one of our own runs holds becomes free when that ends, so the
   * time begins anew whenever the server says that there is none; but `whole` limits it.
   */
  deadline(ms: number, whole: Deadline): StartDeadline {
    return new StartDeadline(this.#clock, Math.min(ms, whole.leftMs), whole)
  }

  noSlot(deadline: StartDeadline): void {
    if (this.#alive > 0) deadline.renew()
  }
}

export class StartDeadline extends Deadline {
  readonly #clock: Clock
  readonly #ms: number
  readonly #whole: Deadline
  #renewed: Deadline | undefined

  constructor(clock: Clock, ms: number, whole: Deadline) {
    super(clock, ms)
    this.#clock = clock
    this.#ms = ms
    this.#whole = whole
  }

  renew(): void {
    this.#renewed = new Deadline(this.#clock, Math.min(this.#ms, this.#whole.leftMs))
  }

  override get leftMs(): number {
    return this.#renewed?.leftMs ?? super.leftMs
  }
}
