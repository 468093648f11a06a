import { stripVTControlCharacters } from 'node:util'

import { KnownSecrets, type RedactOptions } from '../secrets/redactor.ts'
import {
  breakCommands,
  cut,
  escapeUnprintable,
  removeUnprintable,
  showOnOneLine,
} from '../../base/printable.ts'

interface Annotation {
  readonly title?: string
}

type AnnotationKind = 'notice' | 'warning' | 'error'

/** The runner drops annotations above this number of each kind in a step, without a word. */
const MAX_ANNOTATIONS = 10
/** The runner cuts an annotation's message here. */
const MAX_ANNOTATION_LENGTH = 4096
/** Longer titles are not readable in the list of annotations. */
const MAX_TITLE_LENGTH = 255
const MIN_MASK_LENGTH = 4
const MAX_SERVER_LINE_LENGTH = 1000
const MAX_INLINE_LENGTH = 200
/** For {@link inline}, where the text is most of its line: a sentence, an address, a list of names. */
export const LONG = 500
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
 * process has one: it knows all that was masked, and is the redactor of whatever else leaves the process.
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
  redact(text: string, options?: RedactOptions): string {
    return this.#secrets.redact(text, options)
  }

  /** One line, or several if the message has line ends. */
  info(message: string): void {
    this.#write(plainLines(message))
  }

  /** Shown only when step debugging is on. */
  debug(message: string): void {
    this.#write(commandLine('debug', printableLines(message).join('\n')))
  }

  notice(message: string, annotation: Annotation = {}): void {
    this.#annotate('notice', message, annotation)
  }

  warning(message: string, annotation: Annotation = {}): void {
    this.#annotate('warning', message, annotation)
  }

  /** Annotates the step; it does not decide the exit code. */
  error(message: string, annotation: Annotation = {}): void {
    this.#annotate('error', message, annotation)
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
   * off, and the runner's commands switched off around it. Terminal codes and invisible characters are taken out.
   *
   * @param title one line above the block, in our own words; empty for none
   * @param options `isFolded`: whether the block is folded under its title; `prefix`: what each line begins with
   */
  serverText(text: readonly string[], title: string, { isFolded = false, prefix = '' } = {}): void {
    const lines = text.flatMap((part) => part.split(LINE_END)).map(harmlessLine)
    // A secret that goes on in the next line is known by its pieces only as long as no prefix stands between them.
    const shown = prefix === '' ? lines : this.redact(lines.join('\n')).split('\n')
    // An import would load it for every step, and Node takes a while for it.
    const fence = process.getBuiltinModule('node:crypto').randomUUID()
    const block = text.length === 0 ? '' : shown.map((line) => `│ ${prefix}${line}\n`).join('')
    const fenced = block === '' ? '' : `::stop-commands::${fence}\n${block}::${fence}::\n`
    this.#write(isFolded ? folded(title, fenced) : `${title === '' ? '' : plainLines(title)}${fenced}`)
  }

  #write(text: string): void {
    this.#print(this.redact(text))
  }

  #annotate(kind: AnnotationKind, message: string, { title }: Annotation): void {
    const text = cut(printableLines(message).join('\n'), MAX_ANNOTATION_LENGTH)
    this.#annotations[kind] += 1
    if (this.#annotations[kind] > MAX_ANNOTATIONS) {
      const about = title === undefined ? '' : `${title}: `
      this.info(`${kind.charAt(0).toUpperCase()}${kind.slice(1)}: ${about}${text}`)
      return
    }
    const property = title === undefined ? '' : ` title=${escapeProperty(inline(title, MAX_TITLE_LENGTH))}`
    this.#write(commandLine(`${kind}${property}`, text))
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
