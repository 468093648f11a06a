import type { Fault, LogTail, RunFailure, StepFailure } from '../../run/facts.ts'
import { amount, blocks, code, escapeMarkdown, fence, fold, grouped } from './markdown.ts'
import { askForLogs } from '../../base/sentences.ts'
import { cut } from '../../base/printable.ts'
import type { RunRecord } from '../run-record.ts'

export interface FailureLimits {
  /** How many failed steps are shown with all that is known of them; of further ones come the names. */
  readonly failures: number
  /** Characters of an exception's message. */
  readonly messageLength: number
  readonly showsLogs: boolean
}

const MAX_ERROR_LENGTH = 2_000
const MAX_NAME_LENGTH = 120
const MAX_MESSAGE_LINES = 12
const MAX_PLACE_LENGTH = 300

/** Bytes of the shown lines of one log. */
const MAX_LOG_BYTES = 16_000
/** A longer line is cut. */
const MAX_LINE_BYTES = 1_500

/**
 * The step's error, and why the run or its steps failed, as Markdown; empty if nothing went wrong. The error of a run
 * that failed says no more than what is known of its failures, nor that of a missed expectation more than their table:
 * it is left out where they are shown.
 */
export function whyText(record: RunRecord, limits: FailureLimits): string {
  const { conclusion, error, failures, runFailure, verdicts } = record
  const isToldBelow =
    (conclusion === 'failed' && (failures.length > 0 || runFailure !== undefined)) ||
    (conclusion === 'expectation-missed' && verdicts.length > 0)
  return blocks(error === undefined || isToldBelow ? '' : errorText(error), failureText(record, limits))
}

/** An error of the step as Markdown, each of its lines as one. */
export function errorText(error: string): string {
  return error
    .split('\n')
    .map((line) => code(line, MAX_ERROR_LENGTH))
    .join('  \n')
}

function failureText({ runFailure, failures, counts }: RunRecord, limits: FailureLimits): string {
  const shown = failures.slice(0, limits.failures)
  // Of very many failures the record holds only the first.
  const more = Math.max(failures.length, counts?.failed ?? 0) - shown.length
  return blocks(
    runFailure === undefined ? '' : runText(runFailure, limits),
    ...shown.map((failure) => stepText(failure, limits)),
    moreText(more, failures.slice(limits.failures)),
  )
}

function stepText({ step, fault, log }: StepFailure, limits: FailureLimits): string {
  const name = `❌ ${code(step, MAX_NAME_LENGTH)} failed`
  if (fault === undefined) return blocks(`${name}; the server does not say why`, logText(log, limits))
  return blocks([name, ...faultLines(fault, limits)].join('  \n'), logText(log, limits))
}

function runText({ failedAt, reason, fault, log }: RunFailure, limits: FailureLimits): string {
  const known = [
    ...(reason === undefined || reason.trim() === '' ? [] : messageLines(reason, limits)),
    ...(fault === undefined ? [] : faultLines(fault, limits)),
  ]
  const text = '❌ The run failed before any step was started'
  const unknown = log.lines.length === 0 ? 'neither a reason nor a log' : 'no reason, only a log'
  const said =
    known.length === 0 ? [`${text}; the server recorded ${unknown}`, askForLogs(failedAt)] : [text, ...known]
  return blocks(said.join('  \n'), logText(log, limits))
}

function faultLines({ type, message, frame, code: source }: Fault, limits: FailureLimits): string[] {
  const told = [type, message].filter((part) => part !== undefined && part !== '').join(': ')
  const place = frame === undefined ? [] : [`at ${code(frame, MAX_PLACE_LENGTH)}`]
  const line = source === undefined || source.trim() === '' ? [] : [code(source.trim(), MAX_PLACE_LENGTH)]
  return [...messageLines(told, limits), ...[[...place, ...line].join(': ')].filter((text) => text !== '')]
}

/** The lines of a message as they are: those of a validation error are read one by one. */
function messageLines(message: string, { messageLength }: FailureLimits): string[] {
  const isCut = message.length > messageLength
  const lines = cut(message, messageLength)
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== '')
  const left = lines.length - MAX_MESSAGE_LINES
  return [
    ...lines.slice(0, MAX_MESSAGE_LINES).map((line) => code(line, messageLength)),
    ...(left > 0 ? [`(${amount(left, 'more line')})`] : []),
    ...(isCut ? [`(cut: the message has ${grouped(message.length)} characters)`] : []),
  ]
}

function logText({ lines, left, missing }: LogTail, { showsLogs }: FailureLimits): string {
  if (!showsLogs) return ''
  if (missing !== undefined) return `Its log is not shown: ${code(missing)}`
  const shown = lastLines(lines)
  if (shown.length === 0) return ''
  const before = left === undefined ? undefined : left + lines.length - shown.length
  const title =
    before === 0
      ? `Its log (${amount(shown.length, 'line')})`
      : `The last ${amount(shown.length, 'line')} of its log${before === undefined ? '' : ` (${grouped(before)} earlier ones not shown)`}`
  return fold(title, fence(shown))
}

/** As many of the last lines as fit. */
function lastLines(lines: readonly string[]): string[] {
  const shown: string[] = []
  let bytes = 0
  for (const line of lines.toReversed()) {
    bytes += Math.min(Buffer.byteLength(line), MAX_LINE_BYTES)
    if (bytes > MAX_LOG_BYTES) break
    shown.unshift(line)
  }
  return shown
}

function moreText(count: number, known: readonly StepFailure[]): string {
  if (count === 0) return ''
  const names = known.map(({ step }) => escapeMarkdown(step, MAX_NAME_LENGTH))
  const rest = count - names.length
  const others = rest > 0 ? [amount(rest, 'other')] : []
  return `❌ ${amount(count, 'more failed step')}: ${[...names, ...others].join(', ')}`
}
