import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Simulator } from '../simulator/index.ts'
import { isZenmlError } from '../src/zenml/errors.ts'
import { Http, type HttpAnswer, type HttpLimits, type HttpRequest } from '../src/http/http.ts'
import type { Boundary, Moment } from './draw.ts'

/** A trigger, whichever kind of definition it starts, or run it replays. */
export const TRIGGER_PATH = /\/(?:(?:run_templates|pipeline_snapshots)\/[^/]+\/runs|runs\/[^/]+\/replay)$/

/** A request to stop a run. */
export const STOP_PATH = /\/runs\/[^/]+\/stop$/

/** Something to be done once at a boundary; `dead` ends the sender: it gets no answer and sends nothing more. */
export interface Deed {
  readonly at: Boundary
  act(): 'dead' | 'alive'
}

export interface BoundaryOptions {
  readonly server: Simulator
  readonly deeds: readonly Deed[]
  readonly limits: Partial<HttpLimits>
  /** Told one line about each exchange. */
  readonly note: (line: string) => void
  /** Called for an exchange that nobody answered within the limit, which in virtual time takes none. */
  readonly onTimeout: () => void
}

/** A real connection with something happening at chosen boundaries of its requests. */
export class BoundaryHttp extends Http {
  readonly #options: BoundaryOptions
  readonly #counts = { any: 0, trigger: 0, stop: 0 }
  #waiting: Deed[]

  constructor(options: BoundaryOptions) {
    super('chaos', options.limits)
    this.#options = options
    this.#waiting = [...options.deeds]
  }

  override async send(request: HttpRequest): Promise<HttpAnswer> {
    const { pathname, search } = new URL(request.url)
    this.#counts.any += 1
    if (TRIGGER_PATH.test(pathname)) this.#counts.trigger += 1
    if (STOP_PATH.test(pathname)) this.#counts.stop += 1
    const due = this.#waiting.filter(({ at }) => this.#isDue(at, pathname))
    this.#waiting = this.#waiting.filter((deed) => !due.includes(deed))
    const line = `${String(this.#counts.any)}. ${request.method} ${pathname.replace('/api/v1', '')}${search}`

    await this.#happen(due, 'before', line)
    try {
      const answer = await this.#exchange(request, due, line)
      const told = answer.status === 200 ? '' : ` ${answer.body.slice(0, 160)}`
      this.#options.note(`${line} → ${String(answer.status)}${told}`)
      await this.#happen(due, 'answered', line)
      return answer
    } catch (error) {
      this.#options.note(`${line} → ${error instanceof Error ? error.message : String(error)}`)
      if (isZenmlError(error) && 'code' in error && error.code === 'TIMEOUT') this.#options.onTimeout()
      throw error
    }
  }

  #isDue({ route, nth }: Boundary, pathname: string): boolean {
    if (route === 'trigger' && !TRIGGER_PATH.test(pathname)) return false
    if (route === 'stop' && !STOP_PATH.test(pathname)) return false
    return this.#counts[route] === nth
  }

  /** The exchange, and what happens while it is under way. */
  async #exchange(request: HttpRequest, due: readonly Deed[], line: string): Promise<HttpAnswer> {
    const { server } = this.#options
    const before = server.requests.length
    const exchange = { over: false }
    const answer = super.send(request).finally(() => {
      exchange.over = true
    })
    // Where the sender dies nobody looks at the answer any more.
    answer.catch(() => undefined)
    for (const [moment, reached] of [
      ['arrived', () => server.requests.length > before],
      ['body', () => server.requests[before]?.status !== undefined],
    ] as const) {
      if (!due.some(({ at }) => at.moment === moment)) continue
      while (!exchange.over && !reached()) await nextTurn()
      await this.#happen(due, moment, line)
    }
    return answer
  }

  async #happen(due: readonly Deed[], moment: Moment, line: string): Promise<void> {
    for (const deed of due) {
      if (deed.at.moment !== moment) continue
      this.#options.note(`${line} ⚡ ${moment}`)
      if (deed.act() === 'alive') continue
      this.close()
      await new Promise<never>(() => undefined)
    }
  }
}
