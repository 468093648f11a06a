import { SETTLED_CELL } from '../src/github/post-step-state.ts'
import type { CellResult } from '../src/run/sweep/cell.ts'
import { RunError } from '../src/run/errors.ts'
import { isZenmlError } from '../src/zenml/errors.ts'
import type { Case } from './draw.ts'
import type { Ending, HeldRun } from './ending.ts'
import { lastLineOf } from './log-text.ts'

/* What steps and their cells ended with. */

export const KILLED: Ending = {
  conclusion: undefined,
  status: '',
  runId: undefined,
  green: undefined,
  line: '',
  unforeseen: '',
}

/** Of a cell that never had its turn, by the reason that is told. */
export function conclusionOfNone(why: string): 'timed-out' | 'failed' | 'cancelled' {
  if (why.includes('timeout')) return 'timed-out'
  return /could not be started|occupy every slot/.test(why) ? 'failed' : 'cancelled'
}

export function endingOfCell({ run, outcome, reason }: CellResult): Ending {
  const conclusion = outcome?.conclusion ?? conclusionOfNone(reason ?? '')
  return {
    conclusion,
    status: outcome?.status ?? '',
    runId: run?.id,
    green: outcome === undefined ? false : outcome.error === undefined,
    line: outcome === undefined ? 'Nothing was started' : (outcome.error ?? `The run ${conclusion}`),
    unforeseen: '',
  }
}

export interface PostWords {
  readonly printed: string
  readonly unforeseen: string
}

/** What the post step said last, or last of the run that has one of these names. */
export function endingOfPost(words: PostWords | undefined, names: readonly string[]): Ending | undefined {
  if (words === undefined) return undefined
  const { printed, unforeseen } = words
  const lines = printed.split('\n').filter((line) => names.some((name) => line.includes(name)))
  const line = lastLineOf(lines.length > 0 ? lines.join('\n') : printed)
  if (line === '' && unforeseen === '') return undefined
  return { conclusion: undefined, status: '', runId: undefined, green: undefined, line, unforeseen }
}

export function endingOf(error: unknown, runId: string | undefined): Ending {
  const foreseen = error instanceof RunError || isZenmlError(error)
  const line = error instanceof Error ? error.message : String(error)
  const conclusion = error instanceof RunError ? error.conclusion : 'failed'
  const unforeseen = foreseen ? '' : error instanceof Error ? (error.stack ?? line) : line
  return { conclusion, status: '', runId, green: false, line, unforeseen }
}

/** Whether one failure ended the others. */
export function hasFailedFast({ sweep }: Pick<Case, 'sweep'>, ended: readonly Ending[]): boolean {
  return (
    sweep?.failFast === true &&
    ended.some(({ green, conclusion }) => green === false && conclusion !== 'cancelled')
  )
}

type Variables = Readonly<Record<string, string | undefined>>

/** Whether main left nothing to see to, of its one run or of a cell. */
export function isSettled(env: Variables, cell: number | undefined): boolean {
  const isAll = env['STATE_settled'] === 'true'
  if (cell === undefined || isAll) return isAll
  const saved = env[`STATE_cell_${String(cell)}`]
  // Where others were sent, nothing was sent for it.
  return saved === undefined ? env['STATE_cell_1'] !== undefined : saved === SETTLED_CELL
}

/** The names by which a line of the post step says what became of a cell: as it was sent, and as the server holds it. */
export function namesOfCell(env: Variables, cell: number | undefined, held: readonly HeldRun[]): string[] {
  if (cell === undefined) return []
  const [, saved] = /"name":"([^"]+)"/.exec(env[`STATE_cell_${String(cell)}`] ?? '') ?? []
  return [...(saved === undefined ? [] : [saved]), ...held.map(({ name }) => name)]
}
