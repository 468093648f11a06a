import { plain, type Block, type Line } from './blocks.ts'

const MOST_COLUMNS = 50
const MAX_CELL_LENGTH = 500

/** What a spreadsheet takes for a formula, unless it is a number. */
const FORMULA = /^\s*[=+\-@\t\r]/
const NUMBER = /^[+-]?(?:\d[\d,]{0,30})?(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?\s*%?$/i

/**
 * A table of comma-separated values, the first row as its heads; of a great many rows the first, and how many there
 * are beside it. A cell that a spreadsheet would take for a formula gets an apostrophe in front, so that it stays text
 * where somebody copies it. Empty if there is nothing in it.
 *
 * @param most rows without the heads
 */
export function readCsv(
  text: string,
  most: number,
): { readonly table: readonly Block[]; readonly left: number } {
  const rows: string[][] = []
  let count = 0
  for (const row of rowsOf(text)) {
    count += 1
    if (rows.length <= most) rows.push(row)
  }
  const [heads, ...others] = rows
  if (heads === undefined) return { table: [], left: 0 }
  const columns = Math.min(MOST_COLUMNS, Math.max(...rows.map(({ length }) => length)))
  const cells = (row: readonly string[]): Line[] =>
    Array.from({ length: columns }, (_, index) => plain(harmless(row[index] ?? '')))
  return {
    table: [{ kind: 'table', heads: cells(heads), rows: others.map(cells) }],
    left: Math.max(0, count - rows.length),
  }
}

function harmless(cell: string): string {
  const isFormula = FORMULA.test(cell) && !NUMBER.test(cell.trim())
  const text = cell.replaceAll(/\r\n|\r|\n/g, ' ')
  return isFormula ? `'${text}` : text
}

/** As RFC 4180 has it; lines without anything are left out. */
function* rowsOf(text: string): Generator<string[]> {
  let row: string[] = []
  let at = 0
  while (at < text.length) {
    const { cell, end } = cellAt(text, at)
    if (row.length < MOST_COLUMNS) row.push(cell.slice(0, MAX_CELL_LENGTH))
    at = end + 1
    if (text[end] === ',') {
      if (at === text.length) row.push('')
      else continue
    }
    if (row.length > 1 || row[0]?.trim() !== '') yield row
    row = []
  }
}

/** A cell, and the index of what ends it: a comma, the end of its line or that of the text. */
function cellAt(text: string, start: number): { readonly cell: string; readonly end: number } {
  const quoted = text[start] === '"' ? endOfQuotes(text, start) : undefined
  const end = endOfCell(text, quoted ?? start)
  const cell = quoted === undefined ? text.slice(start, end) : text.slice(start + 1, quoted - 1)
  return { cell: quoted === undefined ? cell : cell.slice(0, 2 * MAX_CELL_LENGTH).replaceAll('""', '"'), end }
}

/** Index behind the quote that ends a quoted cell; undefined if none does. */
function endOfQuotes(text: string, start: number): number | undefined {
  let quote = text.indexOf('"', start + 1)
  while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2)
  return quote < 0 ? undefined : quote + 1
}

function endOfCell(text: string, start: number): number {
  let end = start
  while (end < text.length && !ENDS.has(text.charCodeAt(end))) end += 1
  return end
}

/** A comma and the ends of lines. */
const ENDS = new Set([0x2c, 0x0a, 0x0d])
