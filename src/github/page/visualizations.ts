import { cut } from '../../base/printable.ts'
import { isDeeperThan, parseJson } from '../../base/json.ts'
import type { Gallery, Visualization } from '../../run/facts.ts'
import { readCsv } from '../report-page/read-csv.ts'
import { readMarkdown } from '../report-page/read-markdown.ts'
import { toMarkdown } from '../report-page/to-markdown.ts'
import { amount, blocks, code, escapeMarkdown, fence, fold, table } from './markdown.ts'
import type { Section } from './size.ts'

const MARKDOWN_LIMITS = { blocks: 100, lines: 50 }
const MOST_ROWS = 20
const MOST_JSON_LINES = 200
const MOST_LISTED = 50
const MAX_NAME_LENGTH = 120
const MAX_VALUE_LENGTH = 200
const MAX_MISSING_LENGTH = 500

/** How a visualization is called where not all of it is shown. */
const NOUNS = { html: 'HTML page', image: 'image' } as const

/**
 * What artifacts show, for the job summary: Markdown, tables and JSON; of pictures and pages only that they are there.
 *
 * @param hasReport whether there is a report page that shows all of it
 */
export function visualizationSections(gallery: Gallery | undefined, hasReport: boolean): Section[] {
  if (gallery === undefined) return []
  const { shown, missing } = gallery
  const values = shown.flatMap((each) => singleValue(each) ?? [])
  const others = shown.filter((each) => singleValue(each) === undefined)
  return [
    ...others.map((each): Section => [escapeMarkdown(each.name, MAX_NAME_LENGTH), visualizationText(each)]),
    ['values of artifacts', valuesText(values)],
    ['images and pages', elsewhereText(shown, hasReport)],
    ['visualizations that are not shown', notShownText(missing)],
  ]
}

function visualizationText({ name, type, value }: Visualization): string {
  const body = bodyText(type, value)
  return body === undefined ? '' : blocks(`**${escapeMarkdown(name, MAX_NAME_LENGTH)}**`, body)
}

/** Undefined for what a summary cannot show. */
function bodyText(type: Visualization['type'], value: string): string | undefined {
  switch (type) {
    case 'markdown':
      return toMarkdown(readMarkdown(value), MARKDOWN_LIMITS)
    case 'csv': {
      const { table, left } = readCsv(value, MOST_ROWS)
      return blocks(
        toMarkdown(table, { blocks: 1, lines: MOST_ROWS }),
        left > 0 ? `(${amount(left, 'more row')} not shown here.)` : '',
      )
    }
    case 'json': {
      const lines = jsonLines(value)
      const shown = lines.slice(0, MOST_JSON_LINES)
      const left = lines.length - shown.length
      return blocks(
        fold(`JSON (${amount(lines.length, 'line')})`, fence(shown, 'json')),
        left > 0 ? `(${amount(left, 'more line')} not shown here.)` : '',
      )
    }
    case 'html':
    case 'image':
      return undefined
  }
}

/** Each level indents what is in it, so a deep one could grow to a hundred times its length. */
const DEEPEST_JSON = 50
const LONGEST_JSON = 200_000

/** JSON as a person reads it; as it came where it is none, or so long or deep that nobody reads it. */
export function jsonLines(value: string): string[] {
  const parsed = value.length > LONGEST_JSON ? undefined : parseJson(value)
  if (parsed === undefined || isDeeperThan(DEEPEST_JSON, parsed)) return value.split('\n')
  return JSON.stringify(parsed, null, 2).split('\n')
}

export interface SingleValue {
  readonly name: string
  readonly value: string
}

/** A number or a short text, as ZenML has it for every artifact of a simple type; undefined for anything else. */
export function singleValue({ name, type, value }: Visualization): SingleValue | undefined {
  const text = value.trim()
  const isSingle = type === 'json' && text.length <= MAX_VALUE_LENGTH && !/^[[{]|\n/.test(text)
  return isSingle ? { name, value: text } : undefined
}

function valuesText(values: readonly SingleValue[]): string {
  if (values.length === 0) return ''
  const rows = values.map(({ name, value }) => [code(name, MAX_NAME_LENGTH), code(value, MAX_VALUE_LENGTH)])
  return fold(`${amount(values.length, 'value')} of artifacts`, table(['Artifact', 'Value'], rows))
}

function elsewhereText(shown: readonly Visualization[], hasReport: boolean): string {
  const names = shown.flatMap(({ name, type }) =>
    type === 'html' || type === 'image' ? `${code(name, MAX_NAME_LENGTH)} (${NOUNS[type]})` : [],
  )
  if (names.length === 0) return ''
  const where = hasReport ? 'On the report page (output `report`)' : 'Only in ZenML'
  return `${where}: ${names.join(', ')}`
}

function notShownText(missing: readonly string[]): string {
  if (missing.length === 0) return ''
  const shown = missing
    .slice(0, MOST_LISTED)
    .map((clause) => `- ${code(cut(clause, MAX_MISSING_LENGTH), MAX_MISSING_LENGTH)}`)
  return ['Visualizations not shown:', '', ...shown].join('\n')
}
