import { code, escapeText, fence, blocks as join, table } from '../page/markdown.ts'
import type { Block, Inline, Line, ListItem } from './blocks.ts'

export interface MarkdownLimits {
  /** Blocks; a list or a table is one. */
  readonly blocks: number
  /** Of one block. */
  readonly lines: number
}

const MAX_TEXT_LENGTH = 2_000
const MAX_CELL_LENGTH = 200
const MAX_CODE_LENGTH = 500
const MOST_CELLS = 20

/** Blocks as GitHub Markdown that shows them and does nothing else: no headings, links, pictures, HTML or mentions. */
export function toMarkdown(blocks: readonly Block[], limits: MarkdownLimits): string {
  const left = blocks.length - limits.blocks
  return join(
    ...blocks.slice(0, limits.blocks).map((block) => blockText(block, limits)),
    left > 0 ? '(The rest is not shown here.)' : '',
  )
}

function blockText(block: Block, limits: MarkdownLimits): string {
  switch (block.kind) {
    case 'heading': {
      const text = block.line.map((inline) => inline.text).join('')
      return text.trim() === '' ? '' : `**${escapeText(text.trim(), MAX_TEXT_LENGTH)}**`
    }
    case 'paragraph':
      return bounded(block.lines, limits, '(The rest of the paragraph is not shown here.)')
    case 'list':
      return bounded(
        // One without text would make a heading of the item before it.
        block.items
          .filter(hasText)
          .map(({ mark, depth, line }) => [
            { kind: 'mark', text: `${'  '.repeat(depth)}${mark} ` } as const,
            ...line,
          ]),
        limits,
        '(The rest of the list is not shown here.)',
        '\n',
      )
    case 'code':
      return join(fence(block.lines.slice(0, limits.lines)), left(block.lines.length - limits.lines, 'line'))
    case 'table':
      return tableText(block.heads, block.rows, limits)
    case 'fold':
      return toMarkdown(block.blocks, limits)
  }
}

function hasText({ line }: ListItem): boolean {
  return line.some(({ text }) => text.trim() !== '')
}

type Piece = Inline | { readonly kind: 'mark'; readonly text: string }

function bounded(
  lines: readonly (readonly Piece[])[],
  limits: MarkdownLimits,
  rest: string,
  between = '  \n',
): string {
  const shown = lines.slice(0, limits.lines).map((line) => lineText(line, MAX_TEXT_LENGTH))
  return join(shown.join(between), lines.length > limits.lines ? rest : '')
}

function lineText(line: readonly Piece[], max: number): string {
  return line.map((inline) => inlineText(inline, max)).join('')
}

function inlineText({ kind, text }: Piece, max: number): string {
  if (kind === 'mark') return text
  if (kind === 'code') return code(text, Math.min(max, MAX_CODE_LENGTH))
  const shown = escapeText(text, max)
  const isBold = kind === 'strong' && text.trim() === text && text !== ''
  return isBold ? `**${shown}**` : shown
}

function tableText(
  heads: readonly Line[],
  rows: readonly (readonly Line[])[],
  { lines }: MarkdownLimits,
): string {
  const cells = (row: readonly Line[]): string[] =>
    row.slice(0, MOST_CELLS).map((cell) => lineText(cell, MAX_CELL_LENGTH))
  return join(
    table(cells(heads), rows.slice(0, lines).map(cells)),
    left(rows.length - lines, 'row'),
    left(heads.length - MOST_CELLS, 'column'),
  )
}

function left(count: number, noun: string): string {
  return count > 0 ? `(${count} more ${noun}${count === 1 ? '' : 's'} not shown here.)` : ''
}
