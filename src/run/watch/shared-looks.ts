import type { ZenmlClient } from '../../zenml/client.ts'
import type { Clock } from '../../base/clock.ts'
import { AnswerError } from '../../zenml/errors.ts'
import type { Run } from '../../zenml/model.ts'
import { isPassing } from '../../zenml/retry.ts'

/** How the runs that are watched at the same time are looked at. */
export interface Looks {
  /** Waits for so many milliseconds, or until another run is looked at, which costs no request more; at most `mostMs`. */
  sleep(ms: number, mostMs: number, signal?: AbortSignal): Promise<void>
  /** The run as it is now. */
  look(client: ZenmlClient, id: string): Promise<Run>
}

/** A run that is watched alone. */
export function aloneWith(clock: Clock): Looks {
  return {
    sleep: async (ms, mostMs, signal) => clock.sleep(Math.min(ms, mostMs), signal),
    look: async (client, id) => client.run(id, { hydrate: false }),
  }
}

/** A server's own limit of an address is 8 KiB; so many ids take three. */
const MOST_IDS = 64

/** One may fail just before the server is back. */
const MOST_BLOCKED = 2

/** So late the end of a run may be seen, as a share of what such runs take. */
const LATENESS = 0.025
const SHORTEST_MS = 1_000
const LONGEST_MS = 15_000

interface Asker {
  readonly client: ZenmlClient
  readonly id: string
  readonly resolve: (run: Run | PromiseLike<Run>) => void
  readonly reject: (reason: unknown) => void
}

interface Sleeper {
  readonly dueAt: number
  readonly wake: () => void
}

/**
 * Looks at all runs at once: when the first of those that sleep is due, all wake, and what they ask then is one request for
 * every 64 of them.
 */
export class SharedLooks implements Looks {
  readonly #clock: Clock
  readonly #projectId: string | undefined
  readonly #sleepers = new Set<Sleeper>()
  #alarm: AbortController | undefined
  #alarmAt = Number.POSITIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  #askers: Asker[] = []
  #isAdaptive = false
  #usuallyMs: number | undefined
  /** How many lists in a row got no answer while the question for one run did: something on the way lets no list through. */
  #blockedLists = 0
  /** When a run was looked at first, by its id. */
  readonly #seenFrom = new Map<string, number>()
  #longestMs = 0

  /** @param projectId where all runs are; undefined if the server does not say */
  constructor(clock: Clock, projectId: string | undefined) {
    this.#clock = clock
    this.#projectId = projectId
  }

  /**
   * To be called unless the user has set an interval.
   *
   * @param usuallyMs what such runs take, in milliseconds; undefined: nobody knows, and these runs tell
   */
  expect(usuallyMs: number | undefined): void {
    this.#isAdaptive = true
    this.#usuallyMs = usuallyMs
  }

  sleep(ms: number, mostMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(reasonOf(signal))
        return
      }
      const now = this.#clock.elapsed()
      const dueAt = Math.min(now + mostMs, Math.max(now + ms, this.#lookedAt + this.#leastMs))
      const leave = (): void => {
        this.#sleepers.delete(sleeper)
        // An alarm that wakes nobody would keep the process alive.
        if (this.#sleepers.size === 0) this.#stopAlarm()
        signal?.removeEventListener('abort', onAbort)
      }
      const sleeper: Sleeper = {
        dueAt,
        wake: () => {
          leave()
          resolve()
        },
      }
      const onAbort = (): void => {
        leave()
        if (signal !== undefined) reject(reasonOf(signal))
      }
      signal?.addEventListener('abort', onAbort)
      this.#sleepers.add(sleeper)
      this.#setAlarm(dueAt)
    })
  }

  look(client: ZenmlClient, id: string): Promise<Run> {
    const now = this.#clock.elapsed()
    const from = this.#seenFrom.get(id) ?? now
    this.#seenFrom.set(id, from)
    this.#longestMs = Math.max(this.#longestMs, now - from)
    return new Promise((resolve, reject) => {
      this.#askers.push({ client, id, resolve, reject })
      // All that woke together have asked before the next turn.
      if (this.#askers.length === 1) setImmediate(() => void this.#askAll())
    })
  }

  /** Between two looks, whoever is due. */
  get #leastMs(): number {
    if (!this.#isAdaptive) return SHORTEST_MS
    // One that has gone on for so long may take as long again.
    const usuallyMs = this.#usuallyMs ?? 2 * this.#longestMs
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, usuallyMs * LATENESS))
  }

  #setAlarm(dueAt: number): void {
    if (dueAt >= this.#alarmAt) return
    this.#stopAlarm()
    const alarm = new AbortController()
    this.#alarm = alarm
    this.#alarmAt = dueAt
    this.#clock.sleep(Math.max(0, dueAt - this.#clock.elapsed()), alarm.signal).then(
      () => {
        this.#ring()
      },
      () => undefined,
    )
  }

  #stopAlarm(): void {
    this.#alarm?.abort()
    this.#alarm = undefined
    this.#alarmAt = Number.POSITIVE_INFINITY
  }

  #ring(): void {
    this.#stopAlarm()
    for (const sleeper of [...this.#sleepers]) sleeper.wake()
  }

  async #askAll(): Promise<void> {
    const askers = this.#askers
    this.#askers = []
    this.#lookedAt = this.#clock.elapsed()
    for (let from = 0; from < askers.length; from += MOST_IDS) {
      await this.#ask(askers.slice(from, from + MOST_IDS))
    }
  }

  async #ask(askers: readonly Asker[]): Promise<void> {
    const [first] = askers
    if (first === undefined) return
    const { client } = first
    if (askers.length === 1 || this.#blockedLists >= MOST_BLOCKED) {
      askAlone(askers)
      return
    }
    try {
      const runs = await client.runsOfIds(
        askers.map(({ id }) => id),
        this.#projectId,
      )
      this.#blockedLists = 0
      // What a list does not have says nothing; the server is asked for that run alone.
      for (const { id, resolve } of askers) resolve(runs.get(id) ?? client.run(id, { hydrate: false }))
    } catch (error) {
      await this.#askBesides(askers, error)
    }
  }

  /** A list failed: whether the server is away, or only lists do not come through, one run alone shows. */
  async #askBesides([first, ...others]: readonly Asker[], listError: unknown): Promise<void> {
    if (first === undefined) return
    try {
      first.resolve(await first.client.run(first.id, { hydrate: false }))
    } catch (error) {
      if (!(error instanceof AnswerError) || isPassing(error)) {
        for (const { reject } of [first, ...others]) reject(listError)
        return
      }
      // A no of ZenML is an answer, too; it says nothing of the other runs.
      first.reject(error)
    }
    this.#blockedLists++
    askAlone(others)
  }
}

function askAlone(askers: readonly Asker[]): void {
  for (const { client, id, resolve } of askers) resolve(client.run(id, { hydrate: false }))
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
}
