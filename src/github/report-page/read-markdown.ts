import type { Block, Line, ListItem } from './blocks.ts'
import { readLine, readOwnLine } from './read-line.ts'

/** More of a text is cut: a person reads no more, and nobody may make it take long. */
const MOST_LINES = 5_000
const MAX_LINE_LENGTH = 4_000
const MOST_CELLS = 50
const DEEPEST = 5

/** Behind backticks no other may follow on the line: that is a code span. */
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,}) *([\w-]{0,20})/
const HEADING = /^ {0,3}(#{1,6})(?:[ \t](.*))?$/
const ITEM = /^( {0,40})([-*+]|\d{1,9}[.)])[ ](.*)$/
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/
const DELIMITER = /^ *:?-+:? *$/
const FOLD = /^<details><summary>([^<]*)<\/summary>$/

/** Lines that begin anything else than a goes-on of a paragraph. */
const STARTS = [FENCE, HEADING, ITEM, RULE]

/**
 * Reads Markdown that somebody else wrote: headings, paragraphs, lists, tables, blocks of code. Everything else, such as
 * HTML, stays the text that it is; what a link leads to is shown and not linked, a picture is its description.
 *
 * It takes time in proportion to the text, of which 5,000 lines are read.
 */
export function readMarkdown(text: string): Block[] {
  return new Reader(linesOf(text), readLine).blocks()
}

/** Reads the Markdown that this action itself writes, with its links and folds. */
export function readOwnMarkdown(text: string): Block[] {
  return new Reader(text.split('\n'), readOwnLine, true).blocks()
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/, MOST_LINES + 1)
  const shown = lines
    .slice(0, MOST_LINES)
    .map((line) =>
      line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line.replaceAll('\t', '    '),
    )
  return lines.length > MOST_LINES ? [...shown, '', `(cut after ${MOST_LINES} lines)`] : shown
}

class Reader {
  readonly #lines: readonly string[]
  readonly #inline: (line: string) => Line
  /** Whether a block is folded where a line says so. */
  readonly #hasFolds: boolean
  #at = 0

  constructor(lines: readonly string[], inline: (line: string) => Line, hasFolds = false) {
    this.#lines = lines
    this.#inline = inline
    this.#hasFolds = hasFolds
  }

  blocks(until?: string): Block[] {
    const blocks: Block[] = []
    while (this.#at < this.#lines.length && this.#line !== until) {
      const block = this.#block()
      if (block !== undefined) blocks.push(block)
    }
    return blocks
  }

  get #line(): string {
    return this.#lines[this.#at] ?? ''
  }

  #next(): string {
    const line = this.#line
    this.#at += 1
    return line
  }

  /** Undefined for what is between blocks. */
  #block(): Block | undefined {
    const line = this.#line
    if (line.trim() === '' || RULE.test(line)) {
      this.#at += 1
      return undefined
    }
    const fold = this.#hasFolds ? FOLD.exec(line) : null
    if (fold !== null) return this.#fold(fold[1] ?? '')
    const fence = FENCE.exec(line)
    if (fence !== null) return this.#code(fence[1] ?? '', fence[2] ?? '')
    const heading = HEADING.exec(line)
    if (heading !== null) return this.#heading(heading[1] ?? '', heading[2] ?? '')
    if (this.#isTable()) return this.#table()
    return ITEM.test(line) ? this.#list() : this.#paragraph()
  }

  #fold(title: string): Block {
    this.#at += 1
    const blocks = this.blocks('</details>')
    this.#at += 1
    return { kind: 'fold', title, blocks }
  }

  #code(marks: string, language: string): Block {
    this.#at += 1
    const lines: string[] = []
    while (this.#at < this.#lines.length) {
      const line = this.#next()
      const trimmed = line.trim()
      // The end has as many of the same sign, or more, and nothing else.
      if (trimmed.startsWith(marks) && trimmed.replaceAll(marks.charAt(0), '') === '') break
      lines.push(line)
    }
    return { kind: 'code', language, lines }
  }

  #heading(marks: string, rest: string): Block {
    this.#at += 1
    const text = rest.trim()
    const end = text.replaceAll('#', '') === '' ? 0 : endWithout(text, '#')
    return { kind: 'heading', level: marks.length, line: this.#inline(text.slice(0, end).trim()) }
  }

  #isTable(): boolean {
    const delimiter = this.#lines[this.#at + 1]
    if (delimiter === undefined || !this.#line.includes('|') || !delimiter.includes('-')) return false
    const cells = cellsOf(delimiter)
    return cells.every((cell) => DELIMITER.test(cell)) && cells.length === cellsOf(this.#line).length
  }

  #table(): Block {
    const heads = this.#cells()
    this.#at += 1
    const rows: Line[][] = []
    while (this.#line.includes('|')) {
      const cells = this.#cells()
      rows.push(heads.map((_, index) => cells[index] ?? []))
    }
    return { kind: 'table', heads, rows }
  }

  #cells(): Line[] {
    return cellsOf(this.#next())
      .slice(0, MOST_CELLS)
      .map((cell) => this.#inline(cell.trim()))
  }

  #list(): Block {
    const items: ListItem[] = []
    for (let found = ITEM.exec(this.#line); found !== null; found = ITEM.exec(this.#line)) {
      const [, indent = '', mark = '', text = ''] = found
      this.#at += 1
      const more = this.#continued()
      const deepest = items.length === 0 ? 0 : Math.min(DEEPEST, (items.at(-1)?.depth ?? 0) + 1)
      const depth = Math.min(deepest, Math.floor(indent.length / 2))
      const line = this.#inline([text, ...more].join(' ').trim())
      items.push({ mark: /\d/.test(mark) ? `${Number.parseInt(mark, 10)}.` : '-', depth, line })
    }
    return { kind: 'list', items }
  }

  /** The further lines of a paragraph or an item. */
  #continued(): string[] {
    const lines: string[] = []
    while (this.#line.trim() !== '' && !STARTS.some((start) => start.test(this.#line)) && !this.#isTable()) {
      lines.push(this.#next().trimStart())
    }
    return lines
  }

  #paragraph(): Block {
    const lines: string[] = []
    let isBroken = true
    for (const line of [this.#next(), ...this.#continued()]) {
      const text = line.replace(/^ {0,3}(?:> ?){1,9}/, '').trimStart()
      if (isBroken) lines.push(text.trimEnd())
      else lines.push(`${lines.pop() ?? ''} ${text.trimEnd()}`)
      isBroken = line.endsWith('  ')
    }
    return { kind: 'paragraph', lines: lines.map((line) => this.#inline(line)) }
  }
}

/** The length of a text without such signs at its end. */
function endWithout(text: string, sign: string): number {
  let end = text.length
  while (text[end - 1] === sign) end -= 1
  return end
}

/** Between bars; one behind a backslash is a part of a cell. */
function cellsOf(row: string): string[] {
  const cells = row
    .trim()
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll('\\|', '|'))
  if (cells.length > 1 && cells[0]?.trim() === '') cells.shift()
  if (cells.length > 1 && cells.at(-1)?.trim() === '') cells.pop()
  return cells
}
