import { summary } from '@actions/core'
import prettyMilliseconds from 'pretty-ms'
import type { Conclusion } from '../run/conclusion.ts'
import { escapeUnprintable } from './printable.ts'

/** What the job summary shows of a run. Texts come from a server and are not trusted. */
export interface SummaryContent {
  readonly conclusion: Conclusion
  readonly pipeline: string | undefined
  readonly runName: string | undefined
  readonly runUrl: string | undefined
  readonly status: string
  readonly durationMs: number
  readonly error: string | undefined
}

const SYMBOLS: Readonly<Record<Conclusion, string>> = {
  completed: '✅',
  started: '🚀',
  failed: '❌',
  stopped: '🛑',
  'timed-out': '⏰',
  cancelled: '🚫',
  lost: '❓',
}

const MAX_TEXT = 2_000

/** Appends a section about the run to the job summary. */
export async function writeSummary(content: SummaryContent): Promise<void> {
  await summary.addRaw(renderSummary(content), true).write()
}

/** The section as GitHub Markdown. */
export function renderSummary(content: SummaryContent): string {
  const { conclusion, pipeline, runName, runUrl, status, durationMs, error } = content
  const subject = pipeline === undefined ? 'ZenML run' : `ZenML run of ${escapeMarkdown(pipeline)}`
  const name = runName === undefined ? undefined : escapeMarkdown(runName)
  const rows = [
    ['Run', name === undefined || runUrl === undefined ? name : `[${name}](${encodeLink(runUrl)})`],
    ['State in ZenML', status === '' ? undefined : escapeMarkdown(status)],
    [
      'Followed for',
      name === undefined ? undefined : prettyMilliseconds(durationMs, { secondsDecimalDigits: 0 }),
    ],
  ].filter(([, value]) => value !== undefined)
  const table =
    rows.length === 0
      ? []
      : ['| | |', '| --- | --- |', ...rows.map(([key, value]) => `| ${key} | ${value} |`), '']
  return [
    `### ${SYMBOLS[conclusion]} ${subject}: ${conclusion}`,
    '',
    ...table,
    ...(error === undefined ? [] : [escapeMarkdown(error), '']),
  ].join('\n')
}

/** Text that GitHub shows as it is: no formatting, formulas, links, mentions, references or HTML, in one line. */
export function escapeMarkdown(text: string): string {
  return escapeUnprintable(text.slice(0, MAX_TEXT)).replace(
    /[\\`*_{}[\]()<>#+!|~&@:.$-]/g,
    (c) => `&#${c.charCodeAt(0)};`,
  )
}

/** An address inside the round brackets of a link. */
function encodeLink(url: string): string {
  return url.replace(/[()<>\s\\|]/g, (character) =>
    encodeURIComponent(character).replace('(', '%28').replace(')', '%29'),
  )
}
