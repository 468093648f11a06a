import type { Conclusion, Outcome } from '../conclusion.ts'
import { isGood, isMiss, isUnread, type CellResult, type SweepResult } from './cell.ts'

export interface SweepOutcome extends Outcome {
  /** Whether some run was started. */
  readonly hadRun: boolean
}

export interface VerdictOptions {
  /** Whether each run has to be as expected; otherwise one that is suffices. */
  readonly expectAll: boolean
  readonly isCancelled: boolean
  /** Why not all cells had their turn, as a clause; undefined if they had. */
  readonly whyStopped: string | undefined
}

/** Of all that went wrong, the first in this list says how the step ended. */
const WORST_FIRST: readonly Conclusion[] = ['lost', 'failed', 'timed-out', 'stopped', 'cancelled']

const MOST_NAMED = 5

/** How the step ends: red if a run failed or was not started, or if no run is good. */
export function verdictOf(
  { cells, completed, best, rank }: SweepResult,
  { expectAll, isCancelled, whyStopped }: VerdictOptions,
): SweepOutcome {
  const hadRun = cells.some(({ run }) => run !== undefined)
  const end = (conclusion: Conclusion, error?: string): SweepOutcome => ({
    conclusion,
    status: '',
    error,
    failedStep: undefined,
    hadRun,
  })
  const broken = cells.filter((result) => !isGood(result) && !isMiss(result)).toSorted(byNumber)
  const missed = cells.filter(isMiss).toSorted(byNumber)
  if (isCancelled) return end('cancelled', `Cancelled. ${countsOf(cells, completed)}`)
  if (broken.length > 0) {
    const seen = broken.map(({ outcome }) => outcome?.conclusion)
    const conclusion = WORST_FIRST.find((each) => seen.includes(each)) ?? 'timed-out'
    const why = whyStopped === undefined ? '' : ` The sweep ended early: ${whyStopped}.`
    const which = `${broken.length} of ${cells.length} cells did not complete`
    return end(conclusion, `${which}.${why} ${listed(broken)}`)
  }
  if (missed.length > 0 && (expectAll || missed.length === cells.length)) {
    const what = expectAll
      ? `Not as expected: ${missed.length} of ${cells.length} runs`
      : 'None of the runs is as expected'
    return end('expectation-missed', `${what}. ${listed(missed)}`)
  }
  const unread = cells.find(isUnread)
  if (rank !== undefined && unread !== undefined) {
    const why = `what the run of cell ${unread.cell.number} logged could not be read: ${unread.unread ?? ''}`
    return end('expectation-missed', `Which run is the best is not known, because ${why}`)
  }
  if (rank !== undefined && best === undefined) {
    const first = cells.find((result) => result.rank !== undefined && 'problem' in result.rank)?.rank
    const why = first !== undefined && 'problem' in first ? `: ${first.problem}` : ''
    return end('expectation-missed', `No run can be ranked by ${rank.name}${why}`)
  }
  return end('completed')
}

function byNumber(a: CellResult, b: CellResult): number {
  return a.cell.number - b.cell.number
}

function countsOf(cells: readonly CellResult[], completed: number): string {
  const never = cells.filter(({ run }) => run === undefined).length
  const going = cells.filter(
    ({ run, outcome }) => run !== undefined && outcome?.conclusion === 'cancelled',
  ).length
  const others = cells.length - completed - never - going
  const failed = others === 0 ? '' : `${others} had not, `
  return `Of ${cells.length} cells ${completed} had completed, ${failed}${going} were under way, and ${never} were never started`
}

function listed(results: readonly CellResult[]): string {
  const lines = results.slice(0, MOST_NAMED).map(({ cell, outcome, notStarted }) => {
    return `Cell ${cell.number}: ${outcome?.error ?? `never started, because ${notStarted ?? ''}`}`
  })
  const left = results.length - lines.length
  return `${lines.join('. ')}${left > 0 ? `. And ${left} more` : ''}`
}
