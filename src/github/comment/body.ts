import { markerOf, type CommentOwner } from './marker.ts'
import { errorText, whyText, type FailureLimits } from '../page/failure.ts'
import type { WorkflowContext } from '../workflow/context.ts'
import { blocks, code, fold, link } from '../page/markdown.ts'
import { withinSize, type Section } from '../page/size.ts'
import type { RunRecord } from '../run-record.ts'
import { shownDuration, shownMoment } from '../../base/duration-text.ts'
import { comparisonText } from '../page/comparison.ts'
import { sweepText } from '../page/sweep.ts'
import { heading, headLine, stateText } from '../page/heading.ts'
import { codeLine } from '../code-text.ts'
import { stepsText } from '../page/steps.ts'
import { metricsText, unjudgedText, verdictsText } from '../page/values.ts'

/** GitHub refuses a longer body. */
const MAX_LENGTH = 65_536
/** For the line that says what was left out. */
const RESERVED_LENGTH = 300

/**
 * No line of a log: what stands in a comment is not masked by the runner, and in a public repository everybody
 * reads it for ever.
 */
const FAILURE_LIMITS: FailureLimits = { failures: 5, messageLength: 500, showsLogs: false }
const MOST_METRICS = 20
const MOST_VERDICTS = 20
const MAX_NAME_LENGTH = 300

/** Where a comment stands for. */
export interface CommentPlace extends CommentOwner {
  readonly context: Pick<WorkflowContext, 'runId' | 'runAttempt' | 'workflow' | 'workflowRunUrl'>
  readonly stepKey: string
}

/**
 * The whole body of a comment: a hidden marker, and what is known of the run as GitHub Markdown. At most 65,536
 * characters; what is left out is said. No text in it notifies a person or leaves a reference elsewhere.
 */
export function renderComment(record: RunRecord, place: CommentPlace): string {
  const { verdicts, steps, details } = record
  const isOver = record.conclusion !== undefined
  const sections: readonly Section[] = [
    ['heading', heading(isOver ? record : { ...record, status: 'running' })],
    ['link', linkLine(record)],
    ['code', codeLine(record)],
    ['errors', whyText(record, FAILURE_LIMITS)],
    ['expectations', blocks(verdictsText(verdicts, MOST_VERDICTS), unjudgedText(record.unjudged))],
    ['cells', sweepText(record.sweep, { foldsRest: false })],
    ['comparison', comparisonText(record.comparison)],
    ['metadata', details === undefined ? '' : metricsText(details, MOST_METRICS)],
    ['steps', isOver && steps.length > 0 ? fold('Steps', stepsText(record)) : ''],
    ['workflow', footer(place)],
  ]
  return belowMarker(sections.map(withoutReferences), place)
}

/**
 * The same comment where a record is left that knows little more than how the run ended: heading and link are new, all
 * else stays as it was written, and above the last line stands the news.
 *
 * @param written a body that renderComment gave, of the same run
 * @param news plain text, not trusted; empty if there is none
 */
export function amendComment(written: string, record: RunRecord, news: string, place: CommentPlace): string {
  const line = linkLine(record)
  const parts = written.trimEnd().split(/\r?\n\r?\n/)
  return belowMarker(
    [
      withoutReferences(['heading', heading(record)]),
      withoutReferences(['link', line]),
      // A run without a name has no link.
      ['report', blocks(...parts.slice(line === '' ? 1 : 2, -1))],
      withoutReferences(['errors', news === '' ? '' : errorText(news)]),
      ['workflow', parts.at(-1) ?? ''],
    ],
    place,
  )
}

function belowMarker(sections: readonly Section[], place: CommentPlace): string {
  const marker = markerOf(place, place.context)
  const max = MAX_LENGTH - marker.length - RESERVED_LENGTH
  return `${marker}\n${withinSize(sections, max, ({ length }) => length)}\n`
}

function linkLine(record: RunRecord): string {
  const { conclusion } = record
  return conclusion === undefined || conclusion === 'running' ? goingOnLine(record) : headLine(record)
}

/** A comment does not move on by itself, so it says times and no durations. */
function goingOnLine(record: RunRecord): string {
  const { runName, runId, runUrl, created, usual, conclusion, asOf } = record
  const checked = conclusion === undefined ? undefined : shownMoment(asOf, TO_THE_MINUTE)
  const name = runName ?? runId
  const start = shownMoment(created, TO_THE_MINUTE)
  const end =
    usual === undefined || created === undefined
      ? undefined
      : shownMoment(created + usual.medianMs, TO_THE_MINUTE)
  return [
    ...(name === undefined ? [] : [link(name, runUrl, MAX_NAME_LENGTH)]),
    ...(start === undefined ? [] : [`started at ${start}`]),
    ...(usual === undefined ? [] : [`usually ${shownDuration(usual.medianMs)}`]),
    ...(end === undefined ? [] : [`expected to end at about ${end}`]),
    ...(checked === undefined ? [] : [`last checked at ${checked}`]),
    ...stateText(record),
  ].join(' · ')
}

const TO_THE_MINUTE = 'YYYY-MM-DD hh:mm'.length

function footer({ context: { workflow, workflowRunUrl, runAttempt }, stepKey }: CommentPlace): string {
  const attempt = runAttempt > 1 ? [`attempt ${runAttempt}`] : []
  const parts = [
    link(workflow === '' ? 'Workflow run' : workflow, workflowRunUrl || undefined, MAX_NAME_LENGTH),
    ...attempt,
    ...(stepKey === '' ? [] : [code(stepKey, MAX_NAME_LENGTH)]),
  ]
  return `<sub>${parts.join(' · ')}</sub>`
}

/**
 * GitHub looks for @names and #numbers in the text as it is shown, so escapes do not keep it off; a reply by mail
 * even turns a code span back into text. A space without width behind the sign does, as Dependabot has it.
 */
function withoutReferences([name, markdown]: Section): Section {
  const broken = markdown.replaceAll(
    /\]\(https?:[^()\s]*\)|@|&#64;|&#35;|(?<!&)#(?=\d)|\bGH(?:-|&#45;)(?=\d)/gi,
    (found) => (found.startsWith('](') ? found : `${found}\u200b`),
  )
  return [name, broken]
}
