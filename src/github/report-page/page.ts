import { cut } from '../../base/printable.ts'
import type { Visualization } from '../../run/facts.ts'
import { amount } from '../page/markdown.ts'
import { recordSections } from '../page/summary.ts'
import { jsonLines, singleValue, type SingleValue } from '../page/visualizations.ts'
import type { RunRecord } from '../run-record.ts'
import type { Redactor } from '../secrets/redactor.ts'
import { plain } from './blocks.ts'
import { readPicture } from './picture.ts'
import { readCsv } from './read-csv.ts'
import { readMarkdown, readOwnMarkdown } from './read-markdown.ts'
import { STYLE } from './style.ts'
import { timelineSvg } from './timeline.ts'
import { escapeHtml, linkHtml, shown, toHtml } from './to-html.ts'

const MOST_ROWS = 500
const MOST_JSON_LINES = 5_000
const MAX_NAME_LENGTH = 200
const MAX_JSON_LINE = 500

/** Characters of all visualizations: a table of single letters grows to a hundred times its length. */
const MAX_LENGTH = 24_000_000
const TOO_MUCH = '<p>Not shown, because the page has reached its maximum size. View it in ZenML.</p>'

/**
 * What may be loaded: nothing, but for pictures that are a part of the page, and no script runs. A frame's srcdoc obeys
 * the policy of the page that holds it, as the HTML standard has it. frame-src, for which default-src stands, does not
 * keep a srcdoc from being shown, as it is no address; but it keeps the frame from going to one. Both seen in Chromium.
 */
const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/**
 * The same within a frame, for browsers that do not pass a policy on; and no name is looked up beforehand. A link that
 * somebody follows asks nobody for anything, but leaves an error in the frame's place: so none can be clicked.
 */
const FRAME_HEAD =
  `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
  '<meta http-equiv="x-dns-prefetch-control" content="off"><meta name="referrer" content="no-referrer">' +
  '<style>a, area { pointer-events: none !important; }</style>'

/** Pages that show nothing without scripts, which never run here: those of plotly, bokeh, evidently and others. */
const NEEDS_SCRIPTS = /<(?:script|canvas|iframe|frame|object|embed)\b/i

/**
 * A page about a run that needs nothing else: no network, no script. In parts, so that nobody has to hold it twice.
 *
 * @param redactor for what a part hides in an encoding of its own; all parts have to go through it as well
 */
export function* reportPage(record: RunRecord, redactor: Redactor): Generator<string> {
  const title = titleOf(record)
  yield `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${shown(title)}</title><style>${STYLE}</style></head><body>
`
  // Whoever uploads the page hands it on as it is: the runner masks secrets in logs and summaries only.
  for (const [name, markdown] of recordSections(record, { isMasked: false })) {
    if (name === 'timeline') yield timelineSvg(record)
    else yield sectionHtml(name, markdown)
  }
  const { shown: all = [], missing = [] } = record.gallery ?? {}
  const values = all.flatMap((each) => singleValue(each) ?? [])
  if (all.length > 0) yield '<h2>Visualizations</h2>\n'
  let length = 0
  for (const each of all) {
    if (singleValue(each) !== undefined) continue
    const html = length > MAX_LENGTH ? captioned(each, TOO_MUCH) : figure(each, record.runUrl, redactor)
    length += html.length
    yield html
  }
  yield valuesHtml(values)
  if (missing.length > 0) yield `<h2>Visualizations not shown</h2>\n${toHtml([missingList(missing)])}\n`
  yield '<footer>Written by the ZenML Run Action. This page needs no network, and runs no scripts.</footer>\n</body></html>\n'
}

function titleOf({ pipeline, runName, runId }: RunRecord): string {
  const names = [runName ?? runId ?? '', ...(pipeline === undefined ? [] : [pipeline]), 'ZenML']
  return names.map((name) => name.slice(0, MAX_NAME_LENGTH)).join(' · ')
}

function sectionHtml(name: string, markdown: string): string {
  // The summary's heading has three marks.
  const level = name === 'heading' ? -1 : 3
  return markdown === '' ? '' : `<section>${toHtml(readOwnMarkdown(markdown), level)}</section>\n`
}

function missingList(missing: readonly string[]) {
  const items = missing.map((clause) => ({ mark: '-', depth: 0, line: plain(clause) }))
  return { kind: 'list', items } as const
}

function figure(visualization: Visualization, runUrl: string | undefined, redactor: Redactor): string {
  const { type, value } = visualization
  // Between the tags of cells and items the pieces of a secret would no longer be recognized.
  const covered = type === 'image' ? value : redactor.redact(value)
  return captioned(visualization, bodyHtml({ ...visualization, value: covered }, runUrl, redactor))
}

function captioned({ name }: Visualization, html: string): string {
  return `<figure><figcaption>${shown(name.slice(0, MAX_NAME_LENGTH))}</figcaption>${html}</figure>\n`
}

function bodyHtml(visualization: Visualization, runUrl: string | undefined, redactor: Redactor): string {
  const { type, value } = visualization
  switch (type) {
    case 'markdown':
      return toHtml(readMarkdown(value))
    case 'csv': {
      const { table, left } = readCsv(value, MOST_ROWS)
      return `${toHtml(table)}${moreHtml(left, 'row')}`
    }
    case 'json':
      return jsonHtml(value)
    case 'image':
      return pictureHtml(visualization, redactor)
    case 'html':
      return frameHtml(visualization, runUrl)
  }
}

function jsonHtml(value: string): string {
  const lines = jsonLines(value)
  const left = lines.length - MOST_JSON_LINES
  const body = `<pre>${lines.slice(0, MOST_JSON_LINES).map(jsonLine).join('\n')}</pre>${moreHtml(left, 'line')}`
  return `<details><summary>JSON (${amount(lines.length, 'line')})</summary>${body}</details>`
}

function jsonLine(line: string): string {
  return shown(cut(line, MAX_JSON_LINE))
}

function moreHtml(left: number, noun: string): string {
  return left > 0 ? `<p>(${amount(left, `more ${noun}`)} not shown here.)</p>` : ''
}

/** A picture is shown as one even if it is a document that could do more: within `img` no script runs. */
function pictureHtml({ name, value }: Visualization, redactor: Redactor): string {
  const picture = readPicture(value)
  if (picture === undefined) return '<p>Not shown: browsers do not know this image format.</p>'
  const { mediaType, bytes } = picture
  // In base64 a secret would have to be recognized by its letters alone.
  const covered = mediaType === 'image/svg+xml' ? Buffer.from(redactor.redact(bytes.toString('utf8'))) : bytes
  const alt = shown(name.slice(0, MAX_NAME_LENGTH))
  return `<img alt="${alt}" src="data:${mediaType};base64,${covered.toString('base64')}">`
}

/** Someone else's page, without scripts, forms, links that lead anywhere, and without this page around it. */
function frameHtml({ name, value }: Visualization, runUrl: string | undefined): string {
  if (NEEDS_SCRIPTS.test(value)) {
    const where = runUrl === undefined ? 'in ZenML' : linkHtml(runUrl, 'in ZenML')
    return `<p>This HTML needs scripts, which the report page does not run. View it ${where}.</p>`
  }
  // A link can make a browser connect to a host, which no policy forbids.
  const inert = value.replaceAll(/<(?=link\b)/gi, '<x-')
  const title = shown(name.slice(0, MAX_NAME_LENGTH))
  return `<iframe sandbox="" loading="lazy" referrerpolicy="no-referrer" title="${title}" srcdoc="${escapeHtml(FRAME_HEAD + inert)}"></iframe>`
}

function valuesHtml(values: readonly SingleValue[]): string {
  if (values.length === 0) return ''
  const rows = values.map(({ name, value }) => [plain(name), plain(value)])
  const table = { kind: 'table', heads: [plain('Artifact'), plain('Value')], rows } as const
  return `<details open><summary>${amount(values.length, 'value')} of artifacts</summary>${toHtml([table])}</details>\n`
}
