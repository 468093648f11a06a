import { summary } from '@actions/core'
import prettyMilliseconds from 'pretty-ms'
import type { Conclusion } from '../run/conclusion.ts'
import type { Verdict } from '../run/expect.ts'
import type { RunEvent } from '../run/reporter.ts'
import { shownDifference } from './difference-view.ts'
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
  /** Where nothing was to be started: what would have been sent. */
  readonly dryRun?: Pick<Extract<RunEvent, { kind: 'dry-run' }>, 'lines' | 'onlyWhenTriggered'> | undefined
  /** What was expected of the run's metadata. */
  readonly verdicts?: readonly Verdict[] | undefined
}

const SYMBOLS: Readonly<Record<Conclusion, string>> = {
  completed: '✅',
  started: '🚀',
  failed: '❌',
  stopped: '🛑',
  'timed-out': '⏰',
  cancelled: '🚫',
  lost: '❓',
  'expectation-missed': '📉',
  'dry-run': '🧪',
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
    ...(error === undefined ? [] : [error.split('\n').map(escapeMarkdown).join('  \n'), '']),
    ...verdictTable(content.verdicts ?? []),
    ...(content.dryRun === undefined ? [] : dryRunSection(content.dryRun)),
  ].join('\n')
}

function verdictTable(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return []
  const rows = verdicts.map(({ wanted, held, got }) => {
    return `| ${held ? '✅' : '❌'} | ${escapeMarkdown(wanted)} | ${escapeMarkdown(got)} |`
  })
  return ['| | Wanted | Got |', '| --- | --- | --- |', ...rows, '']
}

function dryRunSection({ lines, onlyWhenTriggered }: NonNullable<SummaryContent['dryRun']>): string[] {
  const shown = shownDifference(lines).map((line) => escapeUnprintable(line))
  const fence = '`'.repeat(Math.max(3, ...shown.map((line) => longestRun(line) + 1)))
  return [
    'Nothing was started. The run configuration beside the values of what is to be run:',
    '',
    `${fence}diff`,
    ...shown,
    fence,
    '',
    `Only a start can tell ${escapeMarkdown(onlyWhenTriggered.join('; '))}.`,
    '',
  ]
}

/** How many backticks stand together at most; a fence around them must be longer. */
function longestRun(line: string): number {
  return Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length))
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
