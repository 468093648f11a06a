import type { Conclusion, Outcome } from '../conclusion.ts'
import { isGood, isMiss, isUnread, wasNeverStarted, type CellResult, type SweepResult } from './cell.ts'

export interface ConcludeSweepOptions {
  /** Whether each run has to be as expected; otherwise one that is suffices. */
  readonly expectAll: boolean
  readonly isCancelled: boolean
  /** Why not all cells had their turn, as a clause; undefined if they had. */
  readonly whyStopped: string | undefined
  /** Whether one failure, or miss, ended the others. */
  readonly hasFailedFast: boolean
}

/** Of all that went wrong, the first in this list says how the step ended. */
const WORST_FIRST: readonly Conclusion[] = ['lost', 'failed', 'timed-out', 'stopped', 'cancelled']

const MOST_NAMED = 5
const MOST_NUMBERED = 10

/** How the step ends: red if a run failed or was not started, or if no run is good. */
export function concludeSweep(
  { cells, completed, best, rank }: SweepResult,
  { expectAll, isCancelled, whyStopped, hasFailedFast }: ConcludeSweepOptions,
): Outcome {
  const remark = remarkOn(cells)
  const end = (conclusion: Conclusion, error?: string): Outcome => ({
    conclusion,
    status: '',
    error,
    failedStep: undefined,
    remark,
  })
  const broken = cells.filter((result) => !isGood(result) && !isMiss(result)).toSorted(worstFirst)
  const missed = cells.filter(isMiss).toSorted(byNumber)
  if (isCancelled) return end('cancelled', `Cancelled. ${countsOf(cells, completed)}`)
  const why = whyStopped === undefined ? '' : ` The sweep ended early: ${whyStopped}.`
  // Nothing else went wrong: what was stopped for a miss did not fail.
  const isForMiss = hasFailedFast && missed.length > 0 && broken.every(isStoppedForAnother)
  if (broken.length > 0 && !isForMiss) {
    const seen = broken.map(({ outcome }) => outcome?.conclusion)
    const conclusion = WORST_FIRST.find((each) => seen.includes(each)) ?? 'timed-out'
    const which = `${broken.length} of ${cells.length} cells did not complete`
    return end(conclusion, `${which}.${why} ${listed(broken)}`)
  }
  if (missed.length > 0 && (expectAll || missed.length === cells.length)) {
    const what = expectAll
      ? `Not as expected: ${missed.length} of ${cells.filter((cell) => !wasNeverStarted(cell)).length} runs`
      : 'None of the runs is as expected'
    return end('expectation-missed', `${what}.${why} ${listed([...missed, ...broken])}`)
  }
  const unread = cells.find(isUnread)
  if (rank !== undefined && unread !== undefined) {
    const why = `the metadata of cell ${unread.cell.number}'s run could not be read: ${unread.unread ?? ''}`
    return end('expectation-missed', `The best run is not known, because ${why}`)
  }
  if (rank !== undefined && best === undefined) {
    const first = cells.find((result) => result.rank !== undefined && 'problem' in result.rank)?.rank
    const why = first !== undefined && 'problem' in first ? `: ${first.problem}` : ''
    return end('expectation-missed', `No run can be ranked by ${rank.name}${why}`)
  }
  return end('completed')
}

function remarkOn(cells: readonly CellResult[]): Outcome['remark'] {
  return cells.every(wasNeverStarted) ? undefined : 'had-run'
}

/** In a sweep that fail-fast ended: whether it was stopped, or kept from starting, because of another cell. */
function isStoppedForAnother({ outcome }: CellResult): boolean {
  return outcome === undefined || outcome.conclusion === 'cancelled'
}

function byNumber(a: CellResult, b: CellResult): number {
  return a.cell.number - b.cell.number
}

/** What explains the others comes before them: a failure before the runs that were stopped because of it. */
function worstFirst(a: CellResult, b: CellResult): number {
  const place = ({ outcome }: CellResult): number =>
    outcome === undefined ? WORST_FIRST.length : WORST_FIRST.indexOf(outcome.conclusion)
  return place(a) - place(b) || byNumber(a, b)
}

function countsOf(cells: readonly CellResult[], completed: number): string {
  const never = cells.filter(wasNeverStarted).length
  const going = cells.filter(
    (result) => !wasNeverStarted(result) && result.outcome?.conclusion === 'cancelled',
  ).length
  const others = cells.length - completed - never - going
  const failed = others === 0 ? '' : `, failed: ${others}`
  return `Cells completed: ${completed}${failed}, cancelled: ${going}, never started: ${never}`
}

/** A sentence for each of the first cells that had their turn, and one for all that had not: why is said before. */
function listed(results: readonly CellResult[]): string {
  const had = results.filter(({ outcome }) => outcome !== undefined)
  const told = had.slice(0, MOST_NAMED).map(({ cell, reason = '' }) => `Cell ${cell.number}: ${reason}`)
  const never = results.filter(({ outcome }) => outcome === undefined).map(({ cell }) => cell.number)
  return [
    ...told,
    ...(had.length > told.length ? [`And ${had.length - told.length} more`] : []),
    ...(never.length === 0 ? [] : [`Never started: ${numbered(never)}`]),
  ].join('. ')
}

/** `cell 3`; `cells 3, 4`; of many the first. */
function numbered(numbers: readonly number[]): string {
  const shown = numbers.slice(0, MOST_NUMBERED).join(', ')
  const left = numbers.length - MOST_NUMBERED
  return `${numbers.length === 1 ? 'cell' : 'cells'} ${shown}${left > 0 ? ` and ${left} more` : ''}`
}
