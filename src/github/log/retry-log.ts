import type { Reporter, RunEvent } from '../../run/events.ts'
import type { Clock } from '../../base/clock.ts'
import { shownDuration } from '../../base/duration-text.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'

/** For work that does little but try again: says why at the first failure, and how often at the end. */
export class RetryLog implements Reporter {
  readonly #log: WorkflowLog
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #budgetMs: number
  #times = 0
  #since = 0

  /** @param budgetMs how long it is tried at most */
  constructor(log: WorkflowLog, clock: Pick<Clock, 'elapsed'>, budgetMs: number) {
    this.#log = log
    this.#clock = clock
    this.#budgetMs = budgetMs
  }

  tell(event: RunEvent): void {
    if (event.kind !== 'retry') return
    this.#times += 1
    if (this.#times > 1) return
    this.#since = this.#clock.elapsed()
    this.#log.info(`${inline(event.line, LONG)}; trying again for up to ${shownDuration(this.#budgetMs)}`)
  }

  /** To be called when nothing is tried any more. */
  end(): void {
    if (this.#times < 2) return
    const tookMs = this.#clock.elapsed() - this.#since
    this.#log.info(`Tried again ${this.#times} times in ${shownDuration(tookMs)}`)
  }
}
