/** Time as the simulator sees it. `now` and `sleep` are in milliseconds. */
export interface SimulatorClock {
  now(): number
  sleep(ms: number): Promise<void>
}

/**
 * The machine's time, or a faster one: with `speed` 60 a minute of the server passes in a second.
 * It starts at the machine's present time.
 */
export function realClock(speed = 1): SimulatorClock {
  const start = Date.now()
  const mark = performance.now()
  return {
    now: () => start + (performance.now() - mark) * speed,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms) / speed)),
  }
}

interface Sleeper {
  readonly target: number
  readonly wake: () => void
}

/** 2026-01-01T00:00:00Z: any fixed instant would do, this one reads well in golden files. */
const EPOCH = Date.UTC(2026, 0, 1)

/** Turns of the event loop that a sleep leaves to the sockets before the time moves on. */
const QUIET_TURNS = 20

/**
 * A clock whose sleeps end at once: time jumps to the earliest sleeper's target, so hours pass in
 * milliseconds. Shared by a client and a simulator it keeps both in one time. Sleepers wake in the order of
 * their targets, each only after the event loop had its turn, so answers under way arrive first.
 */
export class VirtualClock implements SimulatorClock {
  readonly #start: number
  #now: number
  #seed: number
  #ticking = false
  readonly #sleepers: Sleeper[] = []

  constructor(options: { start?: number; seed?: number } = {}) {
    this.#start = options.start ?? EPOCH
    this.#now = this.#start
    this.#seed = options.seed ?? 1
  }

  now(): number {
    return this.#now
  }

  /** Since the clock was made. A client's own clock may be set; this one is not. */
  elapsed(): number {
    return this.#now - this.#start
  }

  /** Moves the time on without waiting; for a test that acts between two requests. */
  advance(ms: number): void {
    this.#now += ms
  }

  /** Uniform in [0, 1), the same sequence for the same seed. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0
    return mulberry32(this.#seed)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(reasonOf(signal))
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1)
        if (signal) reject(reasonOf(signal))
      }
      const sleeper: Sleeper = {
        target: this.#now + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#sleepers.push(sleeper)
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#ticking) return
    this.#ticking = true
    void this.#run()
  }

  async #run(): Promise<void> {
    while (this.#sleepers.length > 0) {
      for (let turn = 0; turn < QUIET_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
      const next = this.#sleepers.reduce<Sleeper | undefined>(
        (first, each) => (first === undefined || each.target < first.target ? each : first),
        undefined,
      )
      if (next === undefined) break
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1)
      this.#now = Math.max(this.#now, next.target)
      next.wake()
    }
    this.#ticking = false
  }
}

/** One step of the mulberry32 generator: 32 bits of state to a number in [0, 1). */
export function mulberry32(state: number): number {
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new Error(String(reason))
}
