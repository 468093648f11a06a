import type { Fault, LogTail, RunFailure, StepFailure } from '../../run/facts.ts'
import { inline, type WorkflowLog } from './workflow-log.ts'
import { askForLogs } from '../../base/sentences.ts'
import { cut } from '../../base/printable.ts'

/** The runner drops the eleventh error of a step, and the step's own last one must not be that. */
const MOST_ANNOTATED = 9

/** All of it stands in one annotation of at most 4,096 characters, the link at the end included. */
const MAX_MESSAGE_LENGTH = 2_000
const MAX_MESSAGE_LINES = 30
const MAX_LINE_LENGTH = 300

/** Shows why steps, or the run itself, failed: the exception where it is seen at once, the log folded below it. */
export class FailureLog {
  readonly #log: WorkflowLog
  #seen = 0

  constructor(log: WorkflowLog) {
    this.#log = log
  }

  /** Whether the run's failure is annotated already. */
  get hasAnnotated(): boolean {
    return this.#seen > 0
  }

  /** @param url the run's page */
  step({ step, fault, log }: StepFailure, url: string | undefined): void {
    this.#seen += 1
    const name = inline(step)
    if (this.#seen > MOST_ANNOTATED) {
      this.#log.info(`Step ${name} failed${fault === undefined ? '' : `: ${faultLine(fault)}`}`)
      return
    }
    const known = fault === undefined ? [`${name}: the server does not say why`] : faultLines(fault, name)
    this.#log.error(withLink(known, url), { title: `Step ${name} failed${typeOf(fault)}` })
    this.#tail(log, `the step ${name}`)
  }

  /** Of a run that started no step. */
  run({ failedAt, reason, fault, log }: RunFailure, url: string | undefined): void {
    this.#seen += 1
    const known = [
      ...(reason === undefined ? [] : [shownMessage(reason)]),
      ...(fault === undefined ? [] : faultLines(fault)),
    ]
    const nothing = log.lines.length === 0 ? 'neither a reason nor a log' : 'no reason, only a log'
    const said = known.length > 0 ? known : [`The server recorded ${nothing}. ${askForLogs(failedAt)}`]
    this.#log.error(withLink(['The run failed before any step was started', ...said], url), {
      title: `ZenML run failed${typeOf(fault)}`,
    })
    this.#tail(log, "the run's start")
  }

  #tail({ lines, left, missing }: LogTail, whose: string): void {
    if (missing !== undefined)
      this.#log.info(`The log of ${whose} is not shown: ${inline(missing, MAX_LINE_LENGTH)}`)
    if (lines.length === 0) return
    this.#log.serverText(lines, `Log of ${whose}: ${extent(lines.length, left)}`, { isFolded: true })
  }
}

function extent(shown: number, left: number | undefined): string {
  const counted = shown === 1 ? '1 line' : `${shown} lines`
  if (left === 0) return counted
  return `the last ${counted}${left === undefined ? '' : ` (${left} earlier ones not shown)`}`
}

function isSaid(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

function typeOf(fault: Fault | undefined): string {
  return isSaid(fault?.type) ? `: ${inline(fault.type)}` : ''
}

function withLink(lines: readonly string[], url: string | undefined): string {
  return [...lines, ...(url === undefined ? [] : [inline(url, 500)])].join('\n')
}

/** The exception over several lines; in the log an annotation shows without its title, so the step's name comes first. */
function faultLines({ type, message, frame, code }: Fault, step?: string): string[] {
  const first = [step, isSaid(type) ? inline(type) : undefined, shownMessage(message ?? '')]
  return [
    first.filter(isSaid).join(': '),
    ...(isSaid(frame) ? [`at ${inline(frame, MAX_LINE_LENGTH)}`] : []),
    ...(isSaid(code) ? [`    ${inline(code, MAX_LINE_LENGTH)}`] : []),
  ]
}

/** The lines of a message as they are: those of a validation error are read one by one. */
function shownMessage(message: string): string {
  const lines = cut(message, MAX_MESSAGE_LENGTH).split(/\r\n|\r|\n/)
  const left = lines.length - MAX_MESSAGE_LINES
  const shown = lines.slice(0, MAX_MESSAGE_LINES).map((line) => inline(line, MAX_MESSAGE_LENGTH))
  return cut([...shown, ...(left > 0 ? [`(${left} lines left out)`] : [])].join('\n'), MAX_MESSAGE_LENGTH)
}

/** The exception in one line, such as `RuntimeError: no data (train.py, line 42, in train)`. */
export function faultLine({ type, message, frame }: Fault): string {
  const told = [type, message].filter(isSaid).join(': ')
  return `${inline(told, MAX_LINE_LENGTH)}${isSaid(frame) ? ` (${inline(frame, MAX_LINE_LENGTH)})` : ''}`
}
