import { VirtualClock, type SimulatorClock } from '../simulator/index.ts'
import type { Clock } from '../src/base/clock.ts'
import type { Skew } from './draw-clocks.ts'

interface Limit {
  readonly at: number
  readonly controller: AbortController
}

/** A virtual time in which limits are over when they should be, and not in real time. */
export class ChaosClock extends VirtualClock {
  #limits: Limit[] = []

  /** Gives a signal that is aborted once so many milliseconds have passed. */
  timeLimit(ms: number): AbortSignal {
    const controller = new AbortController()
    this.#limits.push({ at: this.elapsed() + ms, controller })
    return controller.signal
  }

  override advance(ms: number): void {
    super.advance(ms)
    this.#endLimits()
  }

  /** A limit is over within somebody's sleep: a sleeper of its own would let the time jump to it. */
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // Whole milliseconds: of a fraction the sum may never be reached.
    const until = Math.ceil(this.elapsed() + Math.max(0, ms))
    do {
      const next = Math.min(until, ...this.#limits.map(({ at }) => at))
      await super.sleep(next - this.elapsed(), signal)
      this.#endLimits()
      signal?.throwIfAborted()
    } while (this.elapsed() < until)
  }

  #endLimits(): void {
    const now = this.elapsed()
    const over = this.#limits.filter(({ at }) => at <= now)
    this.#limits = this.#limits.filter(({ at }) => at > now)
    for (const { controller } of over) {
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    }
  }
}

/** By how many milliseconds a clock is ahead of the true time, so long after the case began. */
export function skewAt({ aheadMs, jump }: Skew, sinceMs: number): number {
  return aheadMs + (jump !== undefined && sinceMs >= jump.afterMs ? jump.byMs : 0)
}

/** The runner's clock: what it says of the date may be wrong, how it measures is not. */
export function runnerClock(time: ChaosClock, skew: Skew): Clock {
  return {
    now: () => time.now() + skewAt(skew, time.elapsed()),
    elapsed: () => time.elapsed(),
    sleep: (ms, signal) => time.sleep(ms, signal),
    random: () => time.random(),
  }
}

/** A server's clock, which may be wrong as well. */
export function serverClock(time: ChaosClock, skew: Skew): SimulatorClock {
  return {
    now: () => time.now() + skewAt(skew, time.elapsed()),
    sleep: (ms) => time.sleep(ms),
  }
}
