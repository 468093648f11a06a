import type { Clock } from '../base/clock.ts'
import type { HttpAnswer } from '../http/http.ts'

/**
 * What time it is on the server, from the Date header of its answers (RFC 9110, 6.6.1). What a server made is dated by
 * its clock, and the runner's may be minutes away from it.
 */
export class ServerTime {
  readonly #clock: Pick<Clock, 'elapsed'>
  #last: { readonly date: number; readonly at: number } | undefined

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  note({ headers }: HttpAnswer): void {
    const given = headers['date']
    const date = typeof given === 'string' ? Date.parse(given) : NaN
    if (!Number.isNaN(date)) this.#last = { date, at: this.#clock.elapsed() }
  }

  /** Milliseconds since the epoch, up to a second early; undefined before an answer that says it. */
  get now(): number | undefined {
    return this.#last === undefined ? undefined : this.#last.date + this.#clock.elapsed() - this.#last.at
  }
}
