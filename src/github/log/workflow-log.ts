import { randomUUID } from 'node:crypto'
import { stripVTControlCharacters } from 'node:util'

import { KnownSecrets } from '../secrets/known-secrets.ts'
import {
  breakCommands,
  cut,
  escapeUnprintable,
  removeUnprintable,
  showOnOneLine,
} from '../../base/printable.ts'

/** Where an annotation points; `file` is relative to the repository's root, lines and columns count from 1. */
export interface AnnotationPlace {
  readonly title?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export interface ServerTextOptions {
  /** One line above the block, in our own words. */
  readonly title?: string
  /** Whether the block is folded under its title. */
  readonly isFolded?: boolean
  /** Which lines stay when there are more than `maxLines`; a log's reason is mostly at its end. */
  readonly keep?: 'first' | 'last'
  readonly maxLines?: number
}

type AnnotationKind = 'notice' | 'warning' | 'error'

/** The runner drops annotations above this number of each kind in a step, without a word. */
const MAX_ANNOTATIONS = 10
/** The runner cuts an annotation's message here. */
const MAX_ANNOTATION_LENGTH = 4096
/** Longer titles are not readable in the list of annotations. */
const MAX_TITLE_LENGTH = 255
const MIN_MASK_LENGTH = 4
const MAX_SERVER_LINES = 200
const MAX_SERVER_LINE_LENGTH = 1000
const MAX_INLINE_LENGTH = 200
/** .NET's line reader, which the runner uses, ends a line at each of these. */
const LINE_END = /\r\n|\r|\n/

/**
 * Makes a server's short text safe inside a line of our own: one line, no terminal codes, nothing invisible,
 * no command of the runner, at most `max` characters.
 */
export function inline(text: string, max = MAX_INLINE_LENGTH): string {
  // A terminal code's end may lie far behind; what is cut away first would never be shown anyway.
  return showOnOneLine(stripVTControlCharacters(text.slice(0, max * 10)), max)
}

/**
 * Writes the workflow's log so that no text, whoever wrote it, becomes a command of the runner or shows a secret. A
 * process has one: it knows all that was masked, and is the gate for whatever else leaves the process.
 *
 * Every call is one write: nothing, not even a signal handler's line, can come between a fence and its end.
 */
export class WorkflowLog {
  readonly #print: (text: string) => void
  readonly #secrets = new KnownSecrets()
  readonly #annotations: Record<AnnotationKind, number> = { notice: 0, warning: 0, error: 0 }

  /** @param print puts text on the standard output; in a workflow `(text) => process.stdout.write(text)`. */
  constructor(print: (text: string) => void) {
    this.#print = print
  }

  /**
   * Hides a value from now on: in the job's log, where the runner does it, and in all that leaves this process, in
   * whatever form. Call it before the value's first use. Values under four characters are left alone: hiding them would
   * make the whole log unreadable.
   */
  mask(secret: string): void {
    if (secret.length < MIN_MASK_LENGTH) return
    this.#secrets.add(secret)
    this.#print(commandLine('add-mask', secret))
  }

  /** The same for a password that a person chose: a short one is hidden as a whole word in what leaves this process. */
  maskPassword(password: string): void {
    this.#secrets.addPassword(password)
    this.mask(password)
  }

  /** A text without anything that was masked; what goes to the log is covered already. */
  cover(text: string): string {
    return this.#secrets.cover(text)
  }

  /** One line, or several if the message has line ends. */
  info(message: string): void {
    this.#write(plainLines(message))
  }

  /** Shown only when step debugging is on. */
  debug(message: string): void {
    this.#command('debug', {}, printableLines(message).join('\n'))
  }

  notice(message: string, place: AnnotationPlace = {}): void {
    this.#annotate('notice', message, place)
  }

  warning(message: string, place: AnnotationPlace = {}): void {
    this.#annotate('warning', message, place)
  }

  /** Annotates the step; it does not decide the exit code. */
  error(message: string, place: AnnotationPlace = {}): void {
    this.#annotate('error', message, place)
  }

  /**
   * Folds lines of our own under one title. Being one write, a group is never left open: an annotation inside would
   * be hidden with it.
   */
  fold(title: string, lines: readonly string[]): void {
    this.#write(folded(title, lines.map(plainLines).join('')))
  }

  /**
   * Shows text that came from a server as a block: each line behind a bar, which also keeps problem matchers
   * off, and the runner's commands switched off around it. Terminal codes and invisible characters are taken
   * out; what is cut is said.
   */
  serverText(text: string | readonly string[], options: ServerTextOptions = {}): void {
    const { title, isFolded = false, keep = 'first', maxLines = MAX_SERVER_LINES } = options
    const lines = (typeof text === 'string' ? [text] : text).flatMap((part) => part.split(LINE_END))
    while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop()
    const left = Math.max(0, lines.length - maxLines)
    const kept = keep === 'first' ? lines.slice(0, maxLines) : lines.slice(left)
    const block = kept.map((line) => `│ ${harmlessLine(line)}\n`)
    const missing = `│ (${left} ${left === 1 ? 'line' : 'lines'} left out)\n`
    if (left > 0 && keep === 'first') block.push(missing)
    if (left > 0 && keep === 'last') block.unshift(missing)
    const heading = title === undefined ? '' : plainLines(title)
    if (block.length === 0) {
      if (heading !== '') this.#write(heading)
      return
    }
    const fence = randomUUID()
    const fenced = `::stop-commands::${fence}\n${block.join('')}::${fence}::\n`
    this.#write(title !== undefined && isFolded ? folded(title, fenced) : `${heading}${fenced}`)
  }

  #write(text: string): void {
    this.#print(this.cover(text))
  }

  #annotate(kind: AnnotationKind, message: string, place: AnnotationPlace): void {
    const text = cut(printableLines(message).join('\n'), MAX_ANNOTATION_LENGTH)
    this.#annotations[kind] += 1
    if (this.#annotations[kind] > MAX_ANNOTATIONS) {
      const title = place.title === undefined ? '' : `${place.title}: `
      this.info(`${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}: ${title}${text}`)
      return
    }
    const properties = {
      title: place.title === undefined ? undefined : inline(place.title, MAX_TITLE_LENGTH),
      file: place.file,
      line: place.line?.toString(),
      col: place.column?.toString(),
    }
    this.#command(kind, properties, text)
  }

  #command(name: string, properties: Readonly<Record<string, string | undefined>>, data: string): void {
    const pairs = Object.entries(properties).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [`${key}=${escapeProperty(value)}`],
    )
    this.#write(commandLine(`${name}${pairs.length === 0 ? '' : ` ${pairs.join(',')}`}`, data))
  }
}

function commandLine(info: string, data: string): string {
  return `::${info}::${escapeData(data)}\n`
}

/** @param lines each with its end */
function folded(title: string, lines: string): string {
  return `${commandLine('group', escapeUnprintable(title))}${lines}${commandLine('endgroup', '')}`
}

function printableLines(text: string): string[] {
  return text.split(LINE_END).map((line) => escapeUnprintable(line))
}

function plainLines(text: string): string {
  return printableLines(text)
    .map((line) => `${breakCommands(line)}\n`)
    .join('')
}

function harmlessLine(line: string): string {
  const shown = removeUnprintable(stripVTControlCharacters(line.slice(0, MAX_SERVER_LINE_LENGTH * 10)))
  return breakCommands(cut(shown, MAX_SERVER_LINE_LENGTH))
}

/** As the runner reads a command's text back. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** As the runner reads a command's property back. */
function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
