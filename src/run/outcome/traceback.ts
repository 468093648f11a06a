import { cutAtSpace } from '../../base/cut.ts'
import type { Fault } from '../facts.ts'

/** More of a log, from its end, and of one record is never looked at. */
const MOST_CHARACTERS = 200_000
const MOST_OF_A_RECORD = 100_000
const MOST_MESSAGE = 4_000
/** Longer than a message may be, so that it is never cut twice. */
const MOST_LINE = 2 * MOST_MESSAGE
const MOST_NAME = 200

/** Colours and cursor movements of a terminal, and links. */
const TERMINAL_CODES =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /\u001B(?:\[[\d;:?]{0,40}[A-Za-z]|\][^\u0007\u001B]{0,2000}(?:\u0007|\u001B\\)|[@-Z\\-_])/g

const HEADER = /^(\s*(?:[|+]\s*)*)(?:Exception Group )?Traceback \(most recent call last\):\s*$/
const GROUP_HEADER = /^\s*\+ Exception Group Traceback/
const FRAME = /^ {2}File "(.+)", line (\d+)(?:, in (.+))?$/
const EXCEPTION = /^([\p{L}_][\p{L}\p{N}_.<>]*)(?::(?: (.*))?)?$/u
const CARETS = /^[\s~^]*$/

/** Libraries, Python's own modules, and code that has no file. */
const NOT_OF_THE_USER =
  /^<|[\\/](?:site|dist)-packages[\\/]|[\\/]lib(?:64)?[\\/]python[\d.]+[\\/]|[\\/]python[\d.]*[\\/]lib[\\/]/i

interface Line {
  readonly text: string
  /** Number of the record of the log that it stands in: an exception's message ends with its record. */
  readonly record: number
}

interface Frame {
  readonly file: string
  readonly line: string
  readonly within: string | undefined
  readonly code: string | undefined
}

interface Block {
  readonly frames: readonly Frame[]
  readonly type: string | undefined
  readonly message: string | undefined
}

/** Takes out what only a terminal understands, and of a line that was written over keeps the last state. */
export function plainLine(line: string): string {
  const text = line.replace(TERMINAL_CODES, '').trimEnd()
  return text.slice(text.lastIndexOf('\r') + 1)
}

/**
 * Reads the last traceback in a text as Python prints it, chained ones and exception groups included. Undefined if
 * there is none.
 *
 * @param text a traceback, which may lack its first line and its last one; or the records of a log
 */
export function readTraceback(text: string | readonly string[]): Fault | undefined {
  const lines = linesOf(typeof text === 'string' ? [text] : text)
  const headers = lines.flatMap(({ text: line }, index) => (isHeader(line) ? [index] : []))
  // ZenML cuts off the frames of its own, and with them the first line.
  const starts = FRAME.test(lines[0]?.text ?? '') ? [-1, ...headers] : headers
  const blocks = starts.map((start, index) => readBlock(lines, start, starts[index + 1] ?? lines.length))
  const last = blocks.at(-1)
  if (last === undefined) return undefined
  const own = blocks.map(({ frames }) => frames.findLast(({ file }) => !NOT_OF_THE_USER.test(file)))
  const frame = own.findLast((each) => each !== undefined)
  return {
    type: last.type,
    message: last.message,
    frame: frame === undefined ? undefined : describe(frame),
    code: frame?.code,
  }
}

/** The class of `package.module.Class`. */
export function className(source: string): string {
  return source.slice(source.lastIndexOf('.') + 1).slice(0, MOST_NAME)
}

/** A message as far as a person reads it; undefined if there is none. */
export function boundedMessage(message: string): string | undefined {
  const text = message
    .slice(0, 2 * MOST_MESSAGE)
    .split('\n')
    .map(plainLine)
    .join('\n')
    .trim()
  return text === '' ? undefined : cutAtSpace(text, MOST_MESSAGE)
}

/** The lines of the last records, as far as they are looked at. */
function linesOf(records: readonly string[]): Line[] {
  const found: Line[][] = []
  let left = MOST_CHARACTERS
  for (let record = records.length - 1; record >= 0 && left > 0; record -= 1) {
    const text = bothEnds(records[record] ?? '')
    left -= text.length + 1
    found.push(text.split('\n').map((line) => ({ text: plainLine(line).slice(0, MOST_LINE), record })))
  }
  return found.reverse().flat()
}

/** Of a long record: the frames stand at its beginning, the end of a chain at its end. */
function bothEnds(record: string): string {
  if (record.length <= MOST_OF_A_RECORD) return record
  return `${record.slice(0, MOST_OF_A_RECORD / 2)}\n${record.slice(-MOST_OF_A_RECORD / 2)}`
}

/** Exceptions inside a group stand deeper; the group itself is what was raised. */
function isHeader(line: string): boolean {
  const margin = HEADER.exec(line)?.[1]
  return margin !== undefined && (!margin.includes('|') || GROUP_HEADER.test(line))
}

function readBlock(lines: readonly Line[], start: number, end: number): Block {
  const inGroup = GROUP_HEADER.test(lines[start]?.text ?? '')
  const frames: Frame[] = []
  for (let index = start + 1; index < end; index += 1) {
    const line = lines[index]
    if (line === undefined) break
    const text = inGroup ? line.text.replace(/^\s*\| ?/, '') : line.text
    const [, file, number, within] = FRAME.exec(text) ?? []
    if (file !== undefined && number !== undefined) {
      frames.push({ file, line: number, within, code: codeBelow(lines, index, inGroup) })
    } else if (isException(text)) {
      return { frames, ...readException(lines, index, end, inGroup) }
    }
  }
  return { frames, type: undefined, message: undefined }
}

function codeBelow(lines: readonly Line[], index: number, inGroup: boolean): string | undefined {
  const below = lines[index + 1]?.text ?? ''
  const text = inGroup ? below.replace(/^\s*\| ?/, '') : below
  return /^ {4}/.test(text) && !CARETS.test(text) ? text.trim() : undefined
}

/** Other lines can stand in between where several write to one log; a lone word is a class only if it looks like one. */
function isException(text: string): boolean {
  const [, source, message] = EXCEPTION.exec(text) ?? []
  return source !== undefined && (message !== undefined || /^\p{Lu}/u.test(className(source)))
}

/** `Type: message`, whose message goes on to the end of the record, or until another exception follows. */
function readException(
  lines: readonly Line[],
  index: number,
  end: number,
  inGroup: boolean,
): Pick<Block, 'type' | 'message'> {
  const own = lines.slice(index, end).filter(({ record }) => record === lines[index]?.record)
  const texts = own.map(({ text }) => text)
  const stop = texts.findIndex((text) => (inGroup ? /^\s*\+-/.test(text) : CHAINED.test(text)))
  const told = (stop < 0 ? texts : texts.slice(0, stop)).map((text) =>
    inGroup ? text.replace(/^\s*\| ?/, '') : text,
  )
  const [first = '', ...rest] = told
  const [, source = '', message = ''] = EXCEPTION.exec(first) ?? []
  return { type: className(source), message: boundedMessage([message, ...rest].join('\n')) }
}

const CHAINED =
  /^(?:During handling of the above exception, another exception occurred|The above exception was the direct cause of the following exception):$/

function describe({ file, line, within }: Frame): string {
  const name = file
    .split(/[\\/]/)
    .slice(-2)
    .filter((part) => part !== '')
    .join('/')
  const where = within === undefined ? '' : `, in ${within.slice(0, MOST_NAME)}`
  return `${name.slice(-MOST_NAME)}, line ${line.slice(0, 12)}${where}`
}
