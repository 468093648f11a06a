import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '../..')

/** Text of a file of the project, by its path from the root. */
export function projectFile(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8')
}

/** The README of the action, and those of its sub-actions. */
export const readmes = [
  'README.md',
  'login/README.md',
  'wait/README.md',
  'sweep/README.md',
  'stop/README.md',
  'resolve/README.md',
  'promote/README.md',
]

/** Paths of all guides for users: the READMEs and what is in docs/. */
export function guides(): string[] {
  const docs = readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
  return [...readmes, ...docs.map((name) => `docs/${name}`)]
}

/** A text without its code blocks. */
export function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^( *)```.*?^\1```$/gms, '')
}

/** The code blocks of a language, without their fences. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, found]) => found === language)
    .map(([, , text]) => text ?? '')
}

/** The headings of every level. */
export function headings(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
}

/** What stands below a heading, up to the next one that is not below it. */
export function section(markdown: string, heading: string): string {
  const lines = markdown.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) throw new Error(`There is no heading ${heading}.`)
  const level = heading.indexOf(' ')
  const rest = lines.slice(start + 1)
  let fenced = false
  const end = rest.findIndex((line) => {
    if (line.startsWith('```')) fenced = !fenced
    const hashes = /^#+(?= )/.exec(line)?.[0].length
    return !fenced && hashes !== undefined && hashes <= level
  })
  return rest.slice(0, end < 0 ? undefined : end).join('\n')
}

/** The rows of the table whose header begins with these cells; each row is its cells, trimmed. */
export function table(markdown: string, ...header: readonly string[]): string[][] {
  const rows = rowsOfTables(markdown).find(([head]) => header.every((cell, index) => head?.[index] === cell))
  if (rows === undefined) throw new Error(`There is no table with the columns ${header.join(', ')}.`)
  return rows.slice(2)
}

/** The rows of every table whose first column's head begins with this text. */
export function tables(markdown: string, firstHead: string): string[][][] {
  return rowsOfTables(markdown)
    .filter(([head]) => head?.[0]?.startsWith(firstHead) === true)
    .map((rows) => rows.slice(2))
}

/** Every table with its head, the line below that, and its rows. */
function rowsOfTables(markdown: string): string[][][] {
  return [...markdown.matchAll(/(?:^\|.*\n?)+/gm)].map(([text]) => text.trimEnd().split('\n').map(cells))
}

function cells(line: string): string[] {
  return line.startsWith('|')
    ? line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    : []
}

/** What stands between backticks if the cell is nothing but that; undefined for an empty cell. */
export function code(cell: string | undefined): string | undefined {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1]
}
