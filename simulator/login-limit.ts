import { plainRefusal } from './answers.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Counts failed logins; a refused attempt counts as well, so retrying at once keeps the door shut. */
export class LoginLimit {
  readonly #limits: { readonly perMinute: number; readonly perDay: number } | undefined
  #attempts: number[] = []

  constructor(limits: { readonly perMinute: number; readonly perDay: number } | undefined) {
    this.#limits = limits
  }

  /** Counts the attempt and refuses it if there were too many; `now` in milliseconds. */
  enter(now: number): void {
    if (this.#limits === undefined) return
    this.#attempts = [...this.#attempts.filter((at) => at > now - DAY), now]
    const lastMinute = this.#attempts.filter((at) => at > now - MINUTE).length
    if (this.#attempts.length > this.#limits.perDay) throw plainRefusal(429, 'Daily request limit exceeded.')
    if (lastMinute > this.#limits.perMinute) throw plainRefusal(429, 'Minute request limit exceeded.')
  }

  /** A good login forgets what was counted. */
  succeed(): void {
    this.#attempts = []
  }
}
