import { removeUnprintable } from '../../base/printable.ts'
import type { Block, Inline, Line, ListItem } from './blocks.ts'

/** Text that HTML shows as it is, also in an attribute in double quotes. */
export function escapeHtml(text: string): string {
  // One sign after the other leaves nothing behind in memory, as a function called for each of a million signs does.
  return text
    .replace(/&/g, '&#38;')
    .replace(/</g, '&#60;')
    .replace(/>/g, '&#62;')
    .replace(/"/g, '&#34;')
    .replace(/'/g, '&#39;')
}

/** The same of one line, without what does not show. */
export function shown(text: string): string {
  return escapeHtml(removeUnprintable(text))
}

/** Blocks as HTML; headings become those of `level` and below it. */
export function toHtml(blocks: readonly Block[], level = 3): string {
  return blocks.map((block) => blockHtml(block, level)).join('\n')
}

function blockHtml(block: Block, level: number): string {
  switch (block.kind) {
    case 'heading': {
      const tag = `h${Math.min(6, level + block.level - 1)}`
      return `<${tag}>${lineHtml(block.line)}</${tag}>`
    }
    case 'paragraph':
      return `<p>${block.lines.map(lineHtml).join('<br>')}</p>`
    case 'list':
      return `<ul>${block.items.map(itemHtml).join('')}</ul>`
    case 'code':
      return `<pre>${block.lines.map(shown).join('\n')}</pre>`
    case 'table':
      return tableHtml(block.heads, block.rows)
    case 'fold':
      return `<details><summary>${shown(block.title)}</summary>${toHtml(block.blocks, level)}</details>`
  }
}

function itemHtml({ mark, depth, line }: ListItem): string {
  const number = mark === '-' ? '' : ` data-mark="${escapeHtml(mark)}"`
  return `<li class="depth${depth}"${number}>${lineHtml(line)}</li>`
}

function tableHtml(heads: readonly Line[], rows: readonly (readonly Line[])[]): string {
  const row = (cells: readonly Line[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${lineHtml(cell)}</${tag}>`).join('')}</tr>`
  const body = rows.map((cells) => row(cells, 'td')).join('\n')
  return `<div class="wide"><table><thead>${row(heads, 'th')}</thead><tbody>${body}</tbody></table></div>`
}

function lineHtml(line: Line): string {
  return line.map(inlineHtml).join('')
}

function inlineHtml(inline: Inline): string {
  const text = shown(inline.text)
  switch (inline.kind) {
    case 'text':
      return text
    case 'code':
      return `<code>${text}</code>`
    case 'strong':
      return `<strong>${text}</strong>`
    case 'link':
      return linkHtml(inline.url, text)
  }
}

/** @param text HTML */
export function linkHtml(url: string, text: string): string {
  if (!/^https?:\/\//i.test(url)) return text
  return `<a href="${shown(url)}" rel="noreferrer noopener">${text}</a>`
}
