import type { RunEvent } from '../../run/events.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'

type Told<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>

/** In front of each line, where several steps log at once. */
const MAX_NAME_LENGTH = 60

/** Shows what the steps log while they run. */
export class LiveLog {
  readonly #log: WorkflowLog

  constructor(log: WorkflowLog) {
    this.#log = log
  }

  /** A block has its step's name above it; where several steps run, each line has it, too. */
  lines({ step, lines, areSeveral }: Told<'step-log'>): void {
    const prefix = areSeveral ? `${inline(step, MAX_NAME_LENGTH)}: ` : ''
    this.#log.serverText(lines, `Log of the step ${inline(step)}:`, { prefix })
  }

  ended({ step, why }: Told<'logs-not-followed'>): void {
    const whose = step === undefined ? 'the steps' : `the step ${inline(step)}`
    this.#log.info(`The log of ${whose} is no longer followed: ${inline(why, LONG)}`)
  }
}
