import { shownDifference } from '../log/difference.ts'
import { whyText, type FailureLimits } from './failure.ts'
import type { WorkflowLog } from '../log/workflow-log.ts'
import { blocks, code, escapeMarkdown, escapeText, fence } from './markdown.ts'
import { wouldReplayLine } from '../replay-text.ts'
import { timelineText } from './timeline.ts'
import { appendSummary } from '../append-summary.ts'
import { escapeUnprintable } from '../../base/printable.ts'
import type { RunRecord } from '../run-record.ts'
import { withinSize, type Section } from './size.ts'
import { comparisonText } from './comparison.ts'
import { sweepText } from './sweep.ts'
import { heading, headLine } from './heading.ts'
import { codeLine } from '../code-text.ts'
import { stepsText } from './steps.ts'
import { visualizationSections } from './visualizations.ts'
import { changesText, handedOverText, metricsText, unjudgedText, verdictsText } from './values.ts'

const LIMITS: Omit<FailureLimits, 'showsLogs'> = { failures: 10, messageLength: 1_000 }

const MAX_MISSING_LENGTH = 500
const MAX_SENTENCE_LENGTH = 2_000

/**
 * GitHub drops a step's summary of more than 1 MiB, and a page of half of that is slow; each part is bounded, and
 * this is the bound of all.
 */
const MAX_BYTES = 300_000

/**
 * Appends a section about the run to the job summary. Gives whether that could be done; if not, a warning says so,
 * as it is no reason to call a run a failure.
 */
export async function writeSummary(record: RunRecord, log: SummaryLog): Promise<boolean> {
  return appendToSummary(renderSummary(record), log)
}

/** Appends a sentence to what the job summary says about the run already. */
export async function addToSummary(sentence: string, log: SummaryLog): Promise<void> {
  await appendToSummary(`${code(sentence, MAX_SENTENCE_LENGTH)}\n`, log)
}

type SummaryLog = Pick<WorkflowLog, 'warning' | 'redact'>

/** Appends Markdown to the job summary. Gives whether that could be done; if not, a warning says so. */
export async function appendToSummary(markdown: string, log: SummaryLog): Promise<boolean> {
  try {
    // An empty line before it: whatever an earlier step wrote must not run into it.
    await appendSummary(`\n${markdown}\n`, log)
    return true
  } catch {
    log.warning("The job summary could not be written: the runner's file for it cannot be written")
    return false
  }
}

/** The section as GitHub Markdown, of at most 300,000 bytes; what is left out is said. */
export function renderSummary(record: RunRecord): string {
  const sections = [
    ...recordSections(record, { isMasked: true }),
    ...visualizationSections(record.gallery, record.hasReport),
  ]
  return `${withinSize(sections, MAX_BYTES, (markdown) => Buffer.byteLength(markdown))}\n`
}

/**
 * All that is known of a run but for what its artifacts show.
 *
 * @param isMasked whether the runner masks secrets in it; otherwise lines of logs and values of parameters are left out
 */
export function recordSections(record: RunRecord, { isMasked }: { readonly isMasked: boolean }): Section[] {
  const { verdicts, dryRun, steps, details, asOf } = record
  // Of a server that is lost, nobody knows until when a step ran.
  const isLost = record.conclusion === 'lost'
  return [
    ['heading', heading(record)],
    ['link', headLine(record)],
    ['code', codeLine(record)],
    ['errors', whyText(record, { ...LIMITS, showsLogs: isMasked })],
    ['expectations', blocks(verdictsText(verdicts), unjudgedText(record.unjudged))],
    ['hand-over', handedOverText(record)],
    ['cells', sweepText(record.sweep, { foldsRest: true })],
    ['comparison', comparisonText(record.comparison)],
    ['dry run', dryRun === undefined ? '' : dryRunText(dryRun)],
    ['table of steps', stepsText(record)],
    ['timeline', isLost ? '' : timelineText(steps, asOf)],
    [
      'changed values',
      isMasked && dryRun === undefined ? changesText(record.changes, record.definition?.kind) : '',
    ],
    ['metadata', details === undefined ? '' : metricsText(details)],
    ['unread', missingText(details?.missing ?? [])],
  ]
}

function dryRunText({
  lines,
  expectations,
  earlier,
  onlyWhenTriggered,
}: NonNullable<RunRecord['dryRun']>): string {
  const shown = shownDifference(lines).map((line) => escapeUnprintable(line))
  return blocks(
    'Changes that this run would make to the configuration:',
    fence(shown, 'diff'),
    expectations.length === 0
      ? ''
      : `Would be checked after the run: ${expectations.map((wanted) => code(wanted)).join(', ')}`,
    earlier === undefined ? '' : `${escapeText(wouldReplayLine(earlier))}.`,
    `Only a real start can check: ${escapeMarkdown(onlyWhenTriggered.join(', '))}.`,
  )
}

function missingText(missing: readonly string[]): string {
  if (missing.length === 0) return ''
  return ['Could not be read:', '', ...missing.map((clause) => `- ${code(clause, MAX_MISSING_LENGTH)}`)].join(
    '\n',
  )
}
