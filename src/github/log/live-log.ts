import type { RunEvent } from '../../run/events.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'

type Told<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>

/** In front of each line, where several steps log at once. */
const MAX_NAME_LENGTH = 60

/** Shows what the steps log while they run. */
export class LiveLog {
  readonly #log: WorkflowLog
  /** Whose lines came last under a heading. */
  #headed: string | undefined

  constructor(log: WorkflowLog) {
    this.#log = log
  }

  /** Where one step runs, its name stands once above its lines; where several run, in front of each line. */
  lines({ step, lines, areSeveral }: Told<'step-log'>): void {
    if (areSeveral) {
      this.#headed = undefined
      this.#log.serverText(lines, '', { prefix: `${inline(step, MAX_NAME_LENGTH)}: ` })
      return
    }
    const heading = step === this.#headed ? '' : `Log of the step ${inline(step)}:`
    this.#headed = step
    this.#log.serverText(lines, heading)
  }

  ended({ step, why }: Told<'logs-not-followed'>): void {
    const whose = step === undefined ? 'the steps' : `the step ${inline(step)}`
    this.#log.info(`The log of ${whose} is no longer followed: ${inline(why, LONG)}`)
  }
}
