import type { RunEvent } from '../../run/events.ts'
import type { CellResult, SweepResult } from '../../run/sweep/cell.ts'
import type { Clock } from '../../base/clock.ts'
import { shownDuration, stopwatch } from '../../base/duration-text.ts'
import { endText, unrankedText, valuesText } from '../sweep/cell-text.ts'
import { shownNumber } from '../page/comparison.ts'
import { FailureLog } from './failure-log.ts'
import { comparedLine, warnUnchecked } from './judgement.ts'
import { leftText, notResumed } from './step-lines.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'

const SWEEP_KINDS = [
  'cells-configured',
  'sweep-too-long',
  'cell',
  'cell-ended',
  'swept',
] as const satisfies readonly RunEvent['kind'][]

export type SweepEvent = Extract<RunEvent, { kind: (typeof SWEEP_KINDS)[number] }>

export function isSweepEvent(event: RunEvent): event is SweepEvent {
  const kinds: readonly string[] = SWEEP_KINDS
  return kinds.includes(event.kind)
}

type CellEvent = Extract<SweepEvent, { kind: 'cell' }>

const HINDRANCES = [
  'trigger-hindered',
  'answer-lost',
  'not-dispatched',
  'server-lost',
  'server-back',
  'stopping',
  'paused',
  'still-initializing',
  'resume-unclear',
  'resume-foreign',
  'resume-beside',
  'details',
  'left-going-on',
  'left-startable',
] as const satisfies readonly RunEvent['kind'][]

/** What stands in the way of a cell's run, or is missing of it at its end. */
type HindranceEvent = Extract<RunEvent, { kind: (typeof HINDRANCES)[number] }>

function isHindrance(event: RunEvent): event is HindranceEvent {
  const kinds: readonly string[] = HINDRANCES
  return kinds.includes(event.kind)
}

/** With its log; each further one has the line of its cell. */
const MOST_FAILURES = 9

/** What hinders a cell at its start, or the sight of its run, is told so often. */
const MOST_HINDRANCES = 50

/** A sign of life is due after a minute, and later after a twentieth of the time gone by. */
const SHORTEST_SILENCE_MS = 60_000
const SHARE_OF_ELAPSED = 0.05

/** Times up to `9:59:59` stand one below the other. */
const TIME_WIDTH = 7

/** Tells the story of a sweep: a line for each start and each end, the first failures, and a sign of life now and then. */
export class SweepLog {
  readonly #log: WorkflowLog
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #failures: FailureLog
  readonly #startedAt: number
  readonly #urls = new Map<number, string | undefined>()
  readonly #running = new Set<number>()
  #cells = 0
  #rankedBy = ''
  #ended = 0
  #failureCount = 0
  #hindrances = 0
  #isLost = false
  #toldEnding = false
  #spokeAt: number

  constructor(log: WorkflowLog, clock: Pick<Clock, 'elapsed'>) {
    this.#log = log
    this.#clock = clock
    this.#failures = new FailureLog(log)
    this.#startedAt = clock.elapsed()
    this.#spokeAt = this.#startedAt
  }

  tell(event: SweepEvent): void {
    switch (event.kind) {
      case 'cells-configured':
        this.#cells = event.cells
        this.#rankedBy = event.rankedBy ?? ''
        this.#log.info(
          `The matrix has ${event.cells === 1 ? '1 cell' : `${event.cells} cells`}${event.unchecked === undefined ? '; all were checked' : ''}`,
        )
        for (const warning of event.warnings) this.#warn(inline(warning, LONG))
        if (event.unchecked !== undefined) this.#warn(inline(event.unchecked, LONG))
        return
      case 'sweep-too-long':
        this.#log.warning(tooLongLine(event))
        return
      case 'cell':
        this.#tellCell(event)
        return
      case 'cell-ended':
        this.#tellEnd(event.result)
        return
      case 'swept':
        this.#tellResult(event.result)
    }
  }

  #tellCell({ cell, event }: CellEvent): void {
    const name = `Cell ${cell.number}`
    if (event.kind === 'started' || event.kind === 'resumed') {
      this.#urls.set(cell.number, event.url)
      this.#running.add(cell.number)
      const how = event.kind === 'resumed' ? 'reattached to its earlier run' : 'started'
      const where = event.url === undefined ? '' : `: ${inline(event.url, LONG)}`
      this.#timed(`${name} of ${this.#cells} ${how} (${inline(valuesText(cell.values))})${where}`)
    } else if (event.kind === 'step-failed' || event.kind === 'run-failed') {
      this.#failureCount += 1
      if (this.#failureCount > MOST_FAILURES) return
      this.#timed(`${name} failed (${inline(valuesText(cell.values))}):`)
      if (event.kind === 'step-failed') this.#failures.step(event.failure, this.#urls.get(cell.number))
      else this.#failures.run(event.failure, this.#urls.get(cell.number))
    } else if (event.kind === 'still') this.#saySomething()
    else if (isHindrance(event)) this.#tellHindrance(name, event)
  }

  #tellHindrance(name: string, event: HindranceEvent): void {
    switch (event.kind) {
      case 'trigger-hindered':
        this.#hindered(
          `${name} is not started yet: ${inline(event.detail, LONG)}. Trying again in ${shownDuration(event.waitMs)}`,
        )
        return
      case 'answer-lost':
        this.#hindered(
          `${name}: the response was lost (${inline(event.detail, LONG)}). Looking for its run by name`,
        )
        return
      case 'not-dispatched':
        this.#hindered(
          `${name}: the run ${inline(event.name)} never began and was ended. Starting another one`,
        )
        return
      case 'server-lost':
        if (!this.#isLost) {
          this.#hindered(
            `The server does not answer (${inline(event.detail, LONG)}). The runs may still be running; trying again for up to ${shownDuration(event.toleratedMs)}`,
          )
        }
        this.#isLost = true
        return
      case 'server-back':
        if (this.#isLost) this.#hindered(`The server answers again after ${shownDuration(event.afterMs)}`)
        this.#isLost = false
        return
      case 'stopping':
        this.#tellStopping(name, event)
        return
      case 'paused':
        // It waits until somebody knows, so no other lines may stand in its way.
        this.#log.warning(
          `${name}: the run is waiting for a person. Answer it here: ${inline(event.url ?? 'in ZenML', LONG)}`,
        )
        return
      case 'still-initializing':
        this.#warn(`${name}: the run has been initializing for ${shownDuration(event.sinceMs)}`)
        return
      case 'resume-unclear':
      case 'resume-foreign':
      case 'resume-beside':
        this.#warn(`${name}: ${afterColon(notResumed(event))}`)
        return
      case 'details':
        if (event.details.missing.length > 0)
          this.#warn(`${name}: could not be read: ${inline(event.details.missing.join('; '), LONG)}`)
        return
      case 'left-going-on':
      case 'left-startable':
        this.#hindered(`${name}: the run ${leftText(event)}`)
    }
  }

  #tellStopping(name: string, { runId, timeoutMs }: Extract<RunEvent, { kind: 'stopping' }>): void {
    if (runId === undefined) {
      this.#hindered(`${name}: checking whether its run was started, and stopping it if so`)
    } else if (timeoutMs === undefined && !this.#toldEnding) {
      this.#timed('Asking ZenML to stop the runs that are still running')
      this.#toldEnding = true
    }
  }

  #tellEnd(result: CellResult): void {
    const { cell, durationMs, rank, reason } = result
    this.#ended += 1
    this.#running.delete(cell.number)
    const isMissed = result.outcome?.conclusion === 'expectation-missed'
    const how = isMissed ? 'completed' : endText(result)
    const took =
      durationMs === undefined ? '' : ` ${how === 'completed' ? 'in' : 'after'} ${shownDuration(durationMs)}`
    const missed = isMissed ? ', but not as expected' : ''
    const value =
      rank !== undefined && 'value' in rank ? `; ${inline(this.#rankedBy)}: ${shownNumber(rank.value)}` : ''
    const why = reason === undefined ? '' : `: ${inline(reason, LONG)}`
    this.#timed(`Cell ${cell.number} of ${this.#cells} ${how}${took}${missed}${value}${why}`)
  }

  #tellResult(result: SweepResult): void {
    const { cells, best, rank } = result
    // The baseline is the same for all, and so is that there is none.
    const compared = cells.find(({ comparison }) => comparison !== undefined)?.comparison
    if (compared !== undefined) this.#log.info(comparedLine(compared))
    const verdicts = cells
      .map((cell) => cell.verdicts)
      .find((each) => each.some(({ isUnchecked }) => isUnchecked))
    if (verdicts !== undefined) warnUnchecked(verdicts, this.#log)
    if (best === undefined || rank === undefined) return
    const { cell, run } = best
    const where = run?.url === undefined ? '' : `: ${inline(run.url, LONG)}`
    const unranked = unrankedText(result, (text) => inline(text, LONG))
    const among = unranked === '' ? '' : ' of those that could be ranked'
    this.#log.info(
      `Best${among} (${rank.direction} ${inline(rank.name)}): cell ${cell.number} with ${shownNumber(best.rank.value)} (${inline(valuesText(cell.values))})${where}`,
    )
    if (unranked !== '') this.#log.warning(unranked)
  }

  #saySomething(): void {
    const now = this.#clock.elapsed()
    const silenceMs = Math.max(SHORTEST_SILENCE_MS, (now - this.#startedAt) * SHARE_OF_ELAPSED)
    if (now - this.#spokeAt < silenceMs) return
    const waiting = this.#cells - this.#ended - this.#running.size
    this.#timed(`${this.#running.size} running, ${this.#ended} ended, ${waiting} waiting`)
  }

  #hindered(line: string): void {
    if (this.#mayTell()) this.#timed(line)
  }

  #warn(line: string): void {
    if (this.#mayTell()) this.#log.warning(line)
  }

  #mayTell(): boolean {
    this.#hindrances += 1
    if (this.#hindrances === MOST_HINDRANCES + 1) this.#timed('More lines like these are left out')
    return this.#hindrances <= MOST_HINDRANCES
  }

  #timed(line: string): void {
    this.#spokeAt = this.#clock.elapsed()
    this.#log.info(`${stopwatch(this.#spokeAt - this.#startedAt).padStart(TIME_WIDTH)}  ${line}`)
  }
}

function tooLongLine({
  cells,
  maxParallel,
  usuallyMs,
  needsMs,
  limitMs,
  isJob,
}: Extract<SweepEvent, { kind: 'sweep-too-long' }>): string {
  const what = isJob ? 'GitHub ends this job in about' : 'timeout allows'
  return `${cells} cells, ${maxParallel} at a time, usually ${shownDuration(usuallyMs)} each, take about ${shownDuration(needsMs)}, but ${what} ${shownDuration(limitMs)}. Raise max-parallel, or make the matrix smaller`
}

function afterColon(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`
}
