import { Refusal, tooBusy, type Answer } from './answers.ts'
import type { SimulatorClock } from './clock.ts'

/** A piece of work that is done at `doneAt` (milliseconds), whether its client still waits or not. */
interface Job {
  readonly doneAt: number
  readonly work: (at: number) => Answer
  outcome: Answer | undefined
}

/**
 * Triggers under way and their idempotency keys (from ZenML 0.84 on:
 * zenml/zen_server/request_management.py): the same key joins the work or gets its
 * answer; a keyed request gives up waiting after the request timeout while the work goes on. Refused work is
 * forgotten, so the same key tries again.
 */
export class IdempotencyKeys {
  readonly #clock: SimulatorClock
  readonly #timeoutMs: number
  readonly #keyed = new Map<string, Job>()
  #open: Job[] = []
  readonly #stuck = new Set<string>()

  constructor(clock: SimulatorClock, timeoutSeconds: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutSeconds * 1000
  }

  /** Does all work that is due by `now`, in order. */
  settle(now: number): void {
    const due = this.#open.filter((job) => job.doneAt <= now).sort((a, b) => a.doneAt - b.doneAt)
    this.#open = this.#open.filter((job) => job.doneAt > now)
    for (const job of due) {
      try {
        job.outcome = job.work(job.doneAt)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        job.outcome = error.answer
      }
    }
    for (const [key, job] of this.#keyed) if ((job.outcome?.status ?? 0) >= 400) this.#keyed.delete(key)
  }

  /** Runs `work` after `workMs`, or joins what already runs under the key, and answers as the server does. */
  async run(key: string | undefined, workMs: number, work: Job['work']): Promise<Answer> {
    if (key !== undefined && this.#stuck.has(key)) return tooBusy
    const job = (key === undefined ? undefined : this.#keyed.get(key)) ?? this.#start(key, workMs, work)
    const left = job.doneAt - this.#clock.now()
    const patience = key === undefined ? left : Math.min(left, this.#timeoutMs)
    if (patience > 0) await this.#clock.sleep(patience)
    const now = this.#clock.now()
    // A timer may fire a moment early.
    this.settle(patience === left ? Math.max(now, job.doneAt) : now)
    return job.outcome ?? tooBusy
  }

  /** Begins the work without waiting for it. */
  begin(key: string | undefined, workMs: number, work: Job['work']): void {
    if (this.isKnown(key)) return
    this.#start(key, workMs, work)
    this.settle(this.#clock.now())
  }

  /** Whether another request of this key is at work, or was answered: it says what becomes of this one. */
  isKnown(key: string | undefined): boolean {
    return key !== undefined && (this.#stuck.has(key) || this.#keyed.has(key))
  }

  /** This key is answered "too busy" from now on, for ever. */
  stick(key: string): void {
    this.#stuck.add(key)
  }

  /** The process dies: work under way is lost; its keys stay in the database as if someone were at it. */
  die(stuckKeys: boolean): void {
    for (const [key, job] of this.#keyed) {
      if (job.outcome !== undefined) continue
      this.#keyed.delete(key)
      if (stuckKeys) this.#stuck.add(key)
    }
    for (const job of this.#open) job.outcome = tooBusy
    this.#open = []
  }

  #start(key: string | undefined, workMs: number, work: Job['work']): Job {
    const job: Job = { doneAt: this.#clock.now() + workMs, work, outcome: undefined }
    this.#open.push(job)
    if (key !== undefined) this.#keyed.set(key, job)
    return job
  }
}
