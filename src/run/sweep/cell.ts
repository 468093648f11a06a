import type { JsonObject } from '../../base/json.ts'
import type { Layer } from '../configure/layers.ts'
import type { Outcome } from '../conclusion.ts'
import type { Comparison } from '../facts.ts'
import type { RunIdentity, StartedRun } from '../recovery-journal.ts'
import type { Verdict } from '../outcome/evaluate-expectations.ts'

/** One combination of a matrix, for which there is one run. */
export interface Cell {
  /** From 1, in the order of the matrix. */
  readonly number: number
  /** What varies, as the matrix writes it. */
  readonly values: JsonObject
  /** The same for the run's configuration, in the short form of the input `parameters`. */
  readonly parameters: Layer
}

/** By which value of the finished runs the best one is found. */
export interface Rank {
  readonly direction: 'max' | 'min'
  /** As in a condition: `train.accuracy`, or the bare key where only one has it. */
  readonly name: string
}

/** The value that a run is ranked by, or why there is none, to stand behind its name. */
export type RankValue = { readonly value: number } | { readonly problem: string }

/** What became of a cell. Texts come from a server and are not trusted. */
export interface CellResult {
  readonly cell: Cell
  /** Undefined if no run was started, or that is not known. */
  readonly run: (RunIdentity & { readonly url: string | undefined }) | undefined
  /** Whether the run is the one of an earlier attempt. */
  readonly isResumed: boolean
  /** Undefined if its turn never came. */
  readonly outcome: Outcome | undefined
  /** Its error without the run's name and address; of a cell whose turn never came, why, as a clause. */
  readonly reason: string | undefined
  /** Milliseconds; undefined where the server does not say. */
  readonly durationMs: number | undefined
  /** Why what its run logged is not wholly known; undefined if it is. */
  readonly unread: string | undefined
  readonly verdicts: readonly Verdict[]
  /** Undefined where nothing is ranked, and of a run that did not complete. */
  readonly rank: RankValue | undefined
  readonly comparison: Comparison | undefined
}

/** A cell whose run can be the best: it completed, everything that was expected of it held, and it has a value. */
export type Candidate = CellResult & { readonly rank: { readonly value: number } }

/** A cell whose run is as it was wished for, but has nothing to be ranked by: nobody knows whether it is better than the best. */
export type Unranked = CellResult & { readonly rank: { readonly problem: string } }

/** Everything that a sweep came to. */
export interface SweepResult {
  /** The candidates first, best first; then the others in the order of the matrix. */
  readonly cells: readonly CellResult[]
  /** How many runs completed, as expected or not. */
  readonly completed: number
  /** Undefined if nothing is ranked, there is no candidate, or a completed run's metadata could not be read. */
  readonly best: Candidate | undefined
  readonly unranked: readonly Unranked[]
  readonly rank: Rank | undefined
}

/** An error for a place that names the cell and links the run: without the run's name and address. */
export function shortError(
  { error, remark }: Outcome,
  run: Pick<StartedRun, 'name' | 'url'> | undefined,
): string | undefined {
  const plain = error?.replace(/^Cancelled\. /, '')
  if (plain === undefined || run === undefined) return plain
  const unnamed = plain.replace(` "${run.name}"`, '')
  // Where a person has to answer, the address is all that helps.
  if (run.url === undefined || remark === 'waits-for-person') return unnamed
  return unnamed.replace(`. See its steps and logs: ${run.url}`, '').replace(`: ${run.url}`, '')
}

/** Whether it is certain that there is no run. */
export function wasNeverStarted({ run, outcome }: CellResult): boolean {
  if (run !== undefined) return false
  return (
    outcome === undefined ||
    (outcome.remark !== 'had-run' && outcome.remark !== 'in-doubt' && outcome.conclusion !== 'lost')
  )
}

/** Whether everything of this cell is as it was wished for. */
export function isGood({ outcome }: CellResult): boolean {
  return outcome !== undefined && outcome.error === undefined
}

/** Whether its run completed and may be the best, but nobody knows what it logged. */
export function isUnread(result: CellResult): boolean {
  return result.unread !== undefined && (isGood(result) || isMiss(result))
}

/** Whether its run completed, but not as expected. */
export function isMiss({ outcome }: CellResult): boolean {
  return outcome?.conclusion === 'expectation-missed'
}
