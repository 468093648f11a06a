import { stripVTControlCharacters } from 'node:util'
import { cut, escapeUnprintable, removeUnprintable } from '../../base/printable.ts'

/*
 * GitHub Markdown around texts that are not trusted. What these functions give is Markdown already; a text goes
 * through one of them exactly once.
 */

const MAX_TEXT_LENGTH = 2_000
const MAX_CODE_LENGTH = 500
const MAX_LINE_LENGTH = 500

/** An escape of a character is longer than the character, so a text is cut before and after. */
function visible(text: string, max: number): string {
  return cut(escapeUnprintable(cut(text, max)), max)
}

/**
 * Text that GitHub shows as it is, in one line: no formatting, formulas, links or HTML. Mentions and references are
 * looked for in the text as it is shown, where they are acted upon at all, so a comment has to break them.
 */
export function escapeMarkdown(text: string, max = MAX_TEXT_LENGTH): string {
  return visible(text, max).replace(/[\\`*_{}[\]()<>#+!|~&@:.$=-]/g, (c) => `&#${c.charCodeAt(0)};`)
}

/**
 * The same of text that is longer than a name. What stands between two letters or digits and means nothing there stays
 * as it is, so that the runner finds the secrets that it masks.
 */
export function escapeText(text: string, max = MAX_TEXT_LENGTH): string {
  return visible(text, max).replace(
    /[\\`*{}[\]()<>#!|~&@:$]|(?<![A-Za-z0-9])[-_=+.]|[-_=+.](?![A-Za-z0-9])|(?<=www)\./gi,
    (c) => `&#${c.charCodeAt(0)};`,
  )
}

/**
 * A value in a code span of one line, also inside a table's cell.
 *
 * The text stands there unchanged where that is possible: the runner masks a summary as it masks a log, and finds
 * no secret in which characters are escaped.
 */
export function code(text: string, max = MAX_CODE_LENGTH): string {
  const shown = visible(text, max)
  if (shown.trim() === '') return '(empty)'
  // Behind a backslash a bar ends a table's cell for some parsers, escaped or not.
  if (shown.includes('\\|')) return `<code>${escapeMarkdown(shown, max)}</code>`
  const marks = '`'.repeat(longestRun(shown) + 1)
  // Parsers take one space off both ends.
  const gap = /^`|`$|^ .* $/.test(shown) ? ' ' : ''
  return `${marks}${gap}${shown}${gap}${marks}`
}

/** @param text not trusted */
export function link(text: string, url: string | undefined, max = MAX_TEXT_LENGTH): string {
  const shown = escapeMarkdown(text, max)
  return url === undefined ? shown : `[${shown}](${encodeLink(url)})`
}

/** An address inside the round brackets of a link. */
function encodeLink(url: string): string {
  return escapeUnprintable(url).replace(/[()<>\s\\|"`]/g, (character) =>
    encodeURIComponent(character).replace('(', '%28').replace(')', '%29'),
  )
}

/** A block of lines as they are; terminal codes and what does not show are taken out, long lines are cut. */
export function fence(lines: readonly string[], language = ''): string {
  const shown = lines.map((line) =>
    // A terminal code's end may lie far behind; what is cut away first would never be shown anyway.
    cut(removeUnprintable(stripVTControlCharacters(line.slice(0, MAX_LINE_LENGTH * 10))), MAX_LINE_LENGTH),
  )
  const marks = '`'.repeat(Math.max(3, ...shown.map((line) => longestRun(line) + 1)))
  return [`${marks}${language}`, ...shown, marks].join('\n')
}

/** How many backticks stand together at most; a fence around them must be longer. */
function longestRun(line: string): number {
  return Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length))
}

/** Markdown behind a title that opens it. Both are Markdown; the title is one line. */
export function fold(title: string, body: string): string {
  // Between the tags and the Markdown there must be empty lines.
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`
}

/** @param rows cells of Markdown, in one line each */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  // Bars that stand in a cell as they are, are those of code spans.
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Such as `4,800 steps`. */
export function amount(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** Such as `4,800`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

/** Blocks of Markdown below one another; empty ones leave no gap. */
export function blocks(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n')
}
