import type { CellResult, Rank, SweepResult } from '../../run/sweep/cell.ts'
import { shownDuration } from '../../base/duration-text.ts'
import { endText, unrankedText, valueText } from '../sweep/cell-text.ts'
import { shownNumber } from './comparison.ts'
import { amount, blocks, code, fold, link, table } from './markdown.ts'

/** More are folded in a summary, and only counted in a comment. */
const MOST_ROWS = 50
const MOST_KEYS = 6
const MOST_EXPECTATIONS = 4
const MAX_NAME_LENGTH = 80
const MAX_VALUE_LENGTH = 60
const MAX_ERROR_LENGTH = 200

export interface SweepTextOptions {
  /** Whether rows beyond the first are folded; otherwise they are counted. */
  readonly foldsRest: boolean
}

/** The cells of a sweep as a table: the best first, what failed or was never started last. Empty without a sweep. */
export function sweepText(result: SweepResult | undefined, { foldsRest }: SweepTextOptions): string {
  if (result === undefined) return ''
  const { cells, best } = result
  const columns = columnsOf(result)
  const rows = cells.map((cell) => columns.map(({ show }) => show(cell, best)))
  const heads = columns.map(({ head }) => head)
  const rest = rows.slice(MOST_ROWS)
  const left = amount(rest.length, 'more cell')
  return blocks(
    bestLine(result),
    table(heads, rows.slice(0, MOST_ROWS)),
    rest.length === 0
      ? ''
      : foldsRest
        ? fold(left, table(heads, rest))
        : `${left} not shown; see the job summary.`,
  )
}

function bestLine(result: SweepResult): string {
  const { best, rank } = result
  if (rank === undefined) return ''
  const by = `${rank.direction} ${code(rank.name, MAX_NAME_LENGTH)}`
  if (best === undefined) return `No best run (${by}).`
  const name = best.run?.name ?? best.run?.id ?? ''
  const unranked = unrankedText(result, (text) => code(text, MAX_ERROR_LENGTH))
  const [among, note] = unranked === '' ? ['', ''] : [' of those that could be ranked', `. ⚠️ ${unranked}`]
  return `Best${among} (${by}): **${code(shownNumber(best.rank.value))}** by ${link(name, best.run?.url, MAX_NAME_LENGTH)}${note}`
}

interface Column {
  readonly head: string
  readonly show: (cell: CellResult, best: SweepResult['best']) => string
}

function columnsOf({ cells, rank }: SweepResult): Column[] {
  const keys = varyingKeys(cells)
  const wanted = [...new Set(cells.flatMap(({ verdicts }) => verdicts.map((verdict) => verdict.wanted)))]
  return [
    { head: 'Cell', show: (cell, best) => `${cell.cell.number}${cell === best ? ' 🏆' : ''}` },
    ...keys.slice(0, MOST_KEYS).map((key) => valueColumn(key)),
    ...(keys.length > MOST_KEYS ? [moreKeys(keys.slice(MOST_KEYS))] : []),
    ...(rank === undefined ? [] : [rankColumn(rank)]),
    ...wanted.slice(0, MOST_EXPECTATIONS).map((text) => expectationColumn(text)),
    { head: 'Result', show: resultText },
    {
      head: 'Duration',
      show: ({ durationMs }) => (durationMs === undefined ? '' : shownDuration(durationMs)),
    },
    {
      head: 'Run',
      show: ({ run }) => (run === undefined ? '' : link(run.name ?? run.id, run.url, MAX_NAME_LENGTH)),
    },
  ]
}

/** What is the same in all cells tells nothing. */
function varyingKeys(cells: readonly CellResult[]): string[] {
  const keys = [...new Set(cells.flatMap(({ cell }) => Object.keys(cell.values)))]
  const varies = (key: string): boolean =>
    new Set(cells.map(({ cell }) => JSON.stringify(cell.values[key]))).size > 1
  const varying = keys.filter(varies)
  return varying.length === 0 ? keys : varying
}

function valueColumn(key: string): Column {
  return {
    head: code(key, MAX_NAME_LENGTH),
    show: ({ cell: { values } }) => {
      const value = values[key]
      return value === undefined ? '' : code(valueText(value), MAX_VALUE_LENGTH)
    },
  }
}

function moreKeys(keys: readonly string[]): Column {
  return {
    head: 'More',
    show: ({ cell: { values } }) => {
      const more = keys.flatMap((key) => {
        const value = values[key]
        return value === undefined ? [] : `${key}: ${valueText(value)}`
      })
      return more.length === 0 ? '' : code(more.join(', '), MAX_ERROR_LENGTH)
    },
  }
}

function rankColumn({ direction, name }: Rank): Column {
  return {
    head: `${direction} ${code(name, MAX_NAME_LENGTH)}`,
    show: ({ rank }) => {
      if (rank === undefined) return ''
      return 'value' in rank ? code(shownNumber(rank.value)) : code(rank.problem, MAX_VALUE_LENGTH)
    },
  }
}

function expectationColumn(wanted: string): Column {
  return {
    head: code(wanted, MAX_NAME_LENGTH),
    show: ({ verdicts }) => {
      const verdict = verdicts.find((each) => each.wanted === wanted)
      if (verdict === undefined) return ''
      const sign = verdict.isUnchecked === true ? '⚠️' : verdict.held ? '✅' : '❌'
      return `${sign} ${code(verdict.got, MAX_VALUE_LENGTH)}`
    },
  }
}

const SIGNS: Readonly<Record<string, string>> = {
  completed: '✅',
  'not as expected': '📉',
  'not started': '⏸️',
}

function resultText(result: CellResult): string {
  const text = endText(result)
  const { outcome, reason } = result
  const why = outcome?.conclusion === 'expectation-missed' ? undefined : reason
  const shown = `${SIGNS[text] ?? '❌'} ${text}${result.isResumed ? ' (resumed)' : ''}`
  return why === undefined ? shown : `${shown}: ${code(why, MAX_ERROR_LENGTH)}`
}
