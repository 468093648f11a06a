import prettyMilliseconds from 'pretty-ms'
import type { Reporter, RunEvent } from '../../run/events.ts'
import type { Gallery, RunDetails, Usual } from '../../run/facts.ts'
import type { Clock } from '../../base/clock.ts'
import { reusedText } from '../replay-text.ts'
import { FailureLog } from './failure-log.ts'
import { LiveLog } from './live-log.ts'
import { comparedLine, tellVerdicts } from './judgement.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'
import { shownDuration, stopwatch } from '../../base/duration-text.ts'
import { isStartEvent, StartLog, type StartEvent } from './start-log.ts'
import { isSweepEvent, SweepLog, type SweepEvent } from './sweep-log.ts'
import { leftText, StepLines, stillLine } from './step-lines.ts'

const HINDRANCES = [
  'job-too-short',
  'failed-but-going-on',
  'left-going-on',
  'left-startable',
  'settling',
  'stopping',
  'server-lost',
  'server-back',
  'paused',
  'still-initializing',
  'origin-not-noted',
] as const satisfies readonly RunEvent['kind'][]

/** What stands in a run's way, or asks a person to do something. */
type HindranceEvent = Extract<RunEvent, { kind: (typeof HINDRANCES)[number] }>

type ProgressEvent = Exclude<RunEvent, StartEvent | HindranceEvent | SweepEvent>

/** Times up to `9:59:59` stand one below the other. */
const TIME_WIDTH = 7

/** Tells the story of a run in the workflow's log: each thing once, in a bounded number of lines. */
export class RunLog implements Reporter {
  readonly #log: WorkflowLog
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #start: StartLog
  readonly #failures: FailureLog
  readonly #liveLog: LiveLog
  readonly #steps = new StepLines()
  readonly #sweep: SweepLog
  /** When the run was created, on the clock of elapsed time. */
  #createdAt: number | undefined
  #url: string | undefined

  constructor(log: WorkflowLog, clock: Pick<Clock, 'elapsed'>) {
    this.#log = log
    this.#clock = clock
    this.#start = new StartLog(log)
    this.#failures = new FailureLog(log)
    this.#liveLog = new LiveLog(log)
    this.#sweep = new SweepLog(log, clock)
  }

  /** Whether the reason of the run's failure is annotated, so that its end need not be. */
  get hasAnnotatedFailure(): boolean {
    return this.#failures.hasAnnotated
  }

  tell(event: RunEvent): void {
    if (event.kind === 'started' || event.kind === 'attached' || event.kind === 'resumed') {
      this.#createdAt = this.#clock.elapsed() - event.ageMs
      this.#url = event.url
    }
    if (event.kind === 'cells-configured') this.#start.flush()
    if (isSweepEvent(event)) this.#sweep.tell(event)
    else if (isStartEvent(event)) this.#start.tell(event)
    else if (isHindrance(event)) this.#tellHindrance(event)
    else this.#tellProgress(event)
  }

  /** Shows what was kept back; nothing comes after it but the step's own end. */
  end(): void {
    this.#start.flush()
    for (const line of this.#steps.rest(this.#elapsedMs())) this.#timed(line)
  }

  #tellProgress(event: ProgressEvent): void {
    switch (event.kind) {
      case 'state':
        this.#timed(`${inline(event.status)}${reasonOf(event.reason)}`)
        return
      case 'usual':
        this.#log.info(usualLine(event.usual))
        return
      case 'steps':
        for (const line of this.#steps.changed(event, this.#elapsedMs())) this.#timed(line)
        return
      case 'still':
        this.#timed(stillLine(event))
        return
      case 'step-failed':
        this.#failures.step(event.failure, this.#url)
        return
      case 'step-log':
        this.#liveLog.lines(event)
        return
      case 'logs-not-followed':
        this.#liveLog.ended(event)
        return
      case 'run-failed':
        this.#failures.run(event.failure, this.#url)
        return
      case 'expectations':
        tellVerdicts(event.verdicts, this.#log)
        return
      case 'compared':
        this.#log.info(comparedLine(event.comparison))
        return
      case 'visualizations':
        for (const line of galleryLines(event.gallery)) this.#log.info(line)
        return
      case 'ended':
        this.#log.info(inline(event.sentence, LONG))
        return
      case 'handed-over':
        for (const wanted of event.expectations) this.#log.info(`Not judged yet: ${inline(wanted, LONG)}`)
        return
      case 'over-before':
        // The log's last line says it.
        return
      case 'details':
        this.#tellDetails(event.details)
        return
    }
  }

  #tellDetails({ reused, missing }: RunDetails): void {
    if (reused !== undefined) this.#log.info(reusedText(reused, (name) => inline(name)))
    if (missing.length > 0) this.#log.warning(unreadLine(missing))
  }

  #tellHindrance(event: HindranceEvent): void {
    switch (event.kind) {
      case 'job-too-short':
        this.#log.warning(jobTooShortLine(event))
        return
      case 'failed-but-going-on':
        this.#timed(
          `The run has failed, but some of its steps keep running: ${inline(event.steps.join(', '), LONG)}. Waiting for them to end`,
        )
        return
      case 'left-going-on':
      case 'left-startable':
        this.#timed(`The run ${leftText(event)}`)
        return
      case 'settling':
        this.#timed(`Waiting up to ${shownDuration(event.forMs)} to see if more steps start`)
        return
      case 'stopping':
        this.#timed(endingLine(event))
        return
      case 'server-lost':
        this.#timed(
          `The server does not answer (${inline(event.detail, LONG)}). The run may still be running; trying again for up to ${shownDuration(event.toleratedMs)}`,
        )
        return
      case 'server-back':
        this.#timed(`The server answers again after ${shownDuration(event.afterMs)}`)
        return
      case 'paused':
        this.#log.warning(
          `The run is waiting for a person${reasonOf(event.question)}. Answer here: ${inline(event.url ?? 'in ZenML', LONG)}`,
        )
        return
      case 'still-initializing':
        this.#log.warning(
          `The run has been initializing for ${shownDuration(event.sinceMs)}${reasonOf(event.reason)}. Its image may be missing, or the orchestrator has no capacity: check the stack's orchestrator and the server's log`,
        )
        return
      case 'origin-not-noted':
        this.#log.warning(notNotedLine(event))
    }
  }

  #timed(line: string): void {
    this.#log.info(`${stopwatch(this.#elapsedMs()).padStart(TIME_WIDTH)}  ${line}`)
  }

  #elapsedMs(): number {
    const now = this.#clock.elapsed()
    return now - (this.#createdAt ?? now)
  }
}

function isHindrance(event: RunEvent): event is HindranceEvent {
  const kinds: readonly string[] = HINDRANCES
  return kinds.includes(event.kind)
}

function notNotedLine({ what, detail }: Extract<RunEvent, { kind: 'origin-not-noted' }>): string {
  const why = inline(detail, LONG)
  return what === 'its origin'
    ? `Where the run came from could not be recorded on it: ${why}`
    : `The run cannot be a baseline, because how the step ended could not be recorded on it: ${why}`
}

function endingLine({
  timeoutMs,
  isAsked,
  mode,
  runId,
  forMs,
}: Extract<RunEvent, { kind: 'stopping' }>): string {
  const why =
    timeoutMs === undefined ? 'Cancelled.' : `The timeout of ${prettyMilliseconds(timeoutMs)} ran out.`
  if (runId === undefined) return `${why} Checking whether a run was started, and stopping it if so`
  const how = mode === 'stop' ? '' : ' once its running steps have ended'
  const what = `Asking ZenML to stop the run${how}, and watching it for up to ${shownDuration(forMs)}`
  return isAsked === true ? what : `${why} ${what}`
}

function jobTooShortLine({
  needsMs,
  leftMs,
  isForecast,
  onTimeout,
}: Extract<RunEvent, { kind: 'job-too-short' }>): string {
  const what = isForecast ? 'The run will usually take another' : 'The timeout is'
  return (
    `${what} ${shownDuration(needsMs)}, but GitHub ends this job in about ${shownDuration(leftMs)}, or sooner if timeout-minutes ` +
    `says so. At six hours, on-timeout applies (${onTimeout}). ` +
    'Write on-timeout: hand-over and follow the run with wait/ in another job, or use a self-hosted runner'
  )
}

/** One annotation, however much it is: a step has room for ten. */
function unreadLine(missing: readonly string[]): string {
  return `Could not be read: ${missing.map((clause) => inline(clause, LONG)).join('; ')}`
}

function usualLine({ medianMs, runs }: Usual): string {
  return `Usually ${shownDuration(medianMs)} (from the last ${runs === 1 ? 'run' : `${runs} runs`})`
}

function reasonOf(reason: string | undefined): string {
  return reason === undefined || reason === '' ? '' : ` (${inline(reason, LONG)})`
}

function galleryLines({ shown, missing }: Gallery): string[] {
  const count = shown.length === 1 ? '1 visualization' : `${shown.length} visualizations`
  return [
    `Read ${count} of the run's artifacts`,
    ...missing.slice(0, MOST_UNREAD).map((clause) => `Not shown: ${inline(clause, LONG)}`),
  ]
}

/** The summary lists more of them. */
const MOST_UNREAD = 10
