import type { RunDetails } from '../facts.ts'
import { loggedValue } from '../outcome/evaluate-expectations.ts'
import {
  isGood,
  isUnread,
  type Candidate,
  type CellResult,
  type Rank,
  type RankValue,
  type Unranked,
} from './cell.ts'

/** The value that a finished run is ranked by. A number that cannot be told from another one is none. */
export function rankValue({ name }: Rank, details: RunDetails): RankValue {
  const found = loggedValue(name, details)
  if ('problem' in found) return found
  const { value } = found
  if (typeof value !== 'number') return { problem: 'a value that is not a number' }
  if (!Number.isFinite(value)) return { problem: 'a number that is too large to be read' }
  return { value }
}

/** The candidates first, best first and of equals the first of the matrix; then the others in the matrix's order. */
export function inOrder(results: readonly CellResult[], rank: Rank | undefined): CellResult[] {
  const inMatrix = results.toSorted((a, b) => a.cell.number - b.cell.number)
  if (rank === undefined) return inMatrix
  const sign = rank.direction === 'max' ? -1 : 1
  const candidates = inMatrix
    .filter(isCandidate)
    .toSorted((a, b) => sign * Math.sign(a.rank.value - b.rank.value))
  return [...candidates, ...inMatrix.filter((result) => !isCandidate(result))]
}

/** @param ordered as `inOrder` gives them */
export function bestOf(ordered: readonly CellResult[]): Candidate | undefined {
  // Nobody knows whether the one that could not be read is better.
  const isKnown = !ordered.some(isUnread)
  return isKnown ? ordered.find(isCandidate) : undefined
}

function isCandidate(result: CellResult): result is Candidate {
  return isGood(result) && result.rank !== undefined && 'value' in result.rank
}

export function isUnranked(result: CellResult): result is Unranked {
  return isGood(result) && result.rank !== undefined && 'problem' in result.rank
}
