import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.join(import.meta.dirname, '../..')

/** Text of a file of the project, by its path from the root. */
export function projectFile(name: string): string {
  return readFileSync(path.join(ROOT, name), 'utf8')
}

/** Paths of all guides for users: README.md and what is in docs/. */
export function guides(): string[] {
  const docs = readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...docs.map((name) => `docs/${name}`)]
}

/** The code blocks of a language, without their fences. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, found]) => found === language)
    .map(([, , text]) => text ?? '')
}

/** The rows of the table whose header begins with these cells; each row is its cells, trimmed. */
export function table(markdown: string, ...header: readonly string[]): string[][] {
  const lines = markdown.split('\n').map(cells)
  const start = lines.findIndex((row) => header.every((cell, index) => row[index] === cell))
  if (start < 0) throw new Error(`There is no table with the columns ${header.join(', ')}.`)
  const rows = lines.slice(start + 2)
  const end = rows.findIndex((row) => row.length === 0)
  return end < 0 ? rows : rows.slice(0, end)
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
