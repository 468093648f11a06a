import type { RunEvent } from '../../run/events.ts'
import type { Forecast, StepChange, StepCounts } from '../../run/facts.ts'
import { isComputed } from '../replay-text.ts'
import { inline, LONG } from './workflow-log.ts'
import { shownDuration } from '../../base/duration-text.ts'

/** A run with more steps, or one whose steps are tried again and again, is told in sums: nobody reads thousands of lines. */
const MOST_STEPS_BY_NAME = 100
const MOST_CHANGE_LINES = 500
const MOST_FAILED_BY_NAME = 50

/**
 * Between two sums there is a twentieth of the time since the start, but no less than this: 226 lines in the 35 days
 * that a workflow can last.
 */
const LEAST_BETWEEN_SUMS_MS = 5_000
const PART_BETWEEN_SUMS = 0.05

const MOST_RUNNING_NAMES = 3

/** What the steps of a run do, in a bounded number of lines; a step's name comes from a server. */
export class StepLines {
  #changesTold = 0
  #failedTold = 0
  #sumAtMs = Number.NEGATIVE_INFINITY
  #toldSum: string | undefined
  #sum: string | undefined

  /** @param elapsedMs since the run was started */
  changed(
    { changes, counts }: Pick<Extract<RunEvent, { kind: 'steps' }>, 'changes' | 'counts'>,
    elapsedMs: number,
  ): string[] {
    if (counts.total <= MOST_STEPS_BY_NAME && this.#changesTold < MOST_CHANGE_LINES) {
      this.#changesTold += changes.length
      return changes.map(changeLine)
    }
    const failed = changes
      .filter(({ status }) => status === 'failed')
      .slice(0, MOST_FAILED_BY_NAME - this.#failedTold)
    this.#failedTold += failed.length
    this.#sum = sumLine(counts)
    const due = Math.max(LEAST_BETWEEN_SUMS_MS, elapsedMs * PART_BETWEEN_SUMS)
    return [...failed.map(changeLine), ...(elapsedMs - this.#sumAtMs < due ? [] : this.rest(elapsedMs))]
  }

  /** The last sum if it was kept back: nothing comes after it. */
  rest(elapsedMs: number): string[] {
    if (this.#sum === undefined || this.#sum === this.#toldSum) return []
    this.#toldSum = this.#sum
    this.#sumAtMs = elapsedMs
    return [this.#sum]
  }
}

function changeLine({ name, status, durationMs, attempt }: StepChange): string {
  const state = inline(status)
  const taken = durationMs === undefined ? '' : ` ${wordOf(status)} ${shownDuration(durationMs)}`
  const again = attempt > 1 ? ` (attempt ${attempt})` : ''
  return `${inline(name)}: ${state}${isComputed(status) ? taken : ''}${again}`
}

function wordOf(status: string): string {
  return status === 'completed' ? 'in' : 'after'
}

/** Such as `1,240 of 5,000 steps done (900 cached), 12 running, 1 failed`. */
function sumLine(counts: StepCounts): string {
  const { cached, running, failed, stopped } = counts
  return [
    `${doneOf(counts)}${cached > 0 ? ` (${amount(cached)} cached)` : ''}`,
    ...(running > 0 ? [`${amount(running)} running`] : []),
    ...(failed > 0 ? [`${amount(failed)} failed`] : []),
    ...(stopped > 0 ? [`${amount(stopped)} stopped`] : []),
  ].join(', ')
}

/** What goes on, or may, of a run that is no longer waited for: what follows its name. */
export function leftText({
  kind,
  status,
  steps,
}: Extract<RunEvent, { kind: 'left-going-on' | 'left-startable' }>): string {
  const names = inline(steps.join(', '), LONG)
  const is = `is ${inline(status)}, but`
  if (kind === 'left-going-on')
    return `${is} parts of it are still running: ${names}. Not waiting for them to end`
  const which = names === '' ? 'more of its steps may start' : `some of its steps may still start: ${names}`
  return `${is} ${which}. No longer waiting for that`
}

/** That nothing has changed, and how long it may still take. */
export function stillLine({
  status,
  running,
  counts,
  forecast,
}: Omit<Extract<RunEvent, { kind: 'still' }>, 'kind' | 'sinceMs'>): string {
  return [
    `still ${running.length === 0 ? inline(status) : `running: ${someOf(running)}`}`,
    ...(counts === undefined || counts.total === 0 ? [] : [doneOf(counts)]),
    ...(forecast === undefined ? [] : [forecastText(forecast)]),
  ].join('; ')
}

function doneOf({ total, succeeded, failed, stopped }: StepCounts): string {
  return `${amount(succeeded + failed + stopped)} of ${amount(total)} ${total === 1 ? 'step' : 'steps'} done`
}

function someOf(names: readonly string[]): string {
  const more = names.length - MOST_RUNNING_NAMES
  const shown = names.slice(0, MOST_RUNNING_NAMES).map((name) => inline(name))
  return `${shown.join(', ')}${more > 0 ? ` and ${amount(more)} more` : ''}`
}

function forecastText(forecast: Forecast): string {
  switch (forecast.kind) {
    case 'left':
      return `about ${shownDuration(forecast.ms)} left`
    case 'slower-than-usual':
      return `slower than usual by ${shownDuration(forecast.byMs)}`
  }
}

function amount(count: number): string {
  return count.toLocaleString('en-US')
}

/** Why a new run is started, as a sentence without its full stop. */
export function notResumed({
  kind,
  names,
}: Extract<RunEvent, { kind: 'resume-unclear' | 'resume-foreign' | 'resume-beside' }>): string {
  const shown = inline(names.join(', '), LONG)
  switch (kind) {
    case 'resume-unclear':
      return `Several runs of earlier attempts match (${shown}), so a new one is started`
    case 'resume-foreign':
      return `Runs of earlier attempts (${shown}) used another template or snapshot, so a new run is started`
    case 'resume-beside':
      return `Steps or child runs of earlier attempts' runs may still be running (${shown}), and a new run is started beside them`
  }
}
