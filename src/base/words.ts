import leven, { closestMatch } from 'leven'
import { cutAtSpace } from './cut.ts'
import { isJsonList, isJsonObject, type JsonValue } from './json.ts'

/** Longer values are described: a cut secret would no longer be recognized, and so not be hidden, in a log. */
const MAX_SHOWN = 60
const MAX_LISTED = 12
const MAX_CHOICES = 10

/** How a value stands in a message. */
export type Show = (value: JsonValue) => string

/** Stands for a value in a place where nothing hides a secret. */
export function hide(value: JsonValue): string {
  if (typeof value === 'string') return 'this text'
  if (typeof value === 'number') return 'this number'
  if (isJsonList(value)) return 'this list'
  return isJsonObject(value) ? 'this mapping' : 'this value'
}

/** A value as a person may have written it, on one line. */
export function show(value: JsonValue): string {
  const text = shortJson(value)
  if (text !== undefined) return text
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (isJsonList(value)) return `a list of ${value.length}`
  if (isJsonObject(value)) return `a mapping of ${Object.keys(value).length}`
  return JSON.stringify(value)
}

/** Undefined if it is long, or nested too deeply to be written: that has a limit, where reading JSON has none. */
function shortJson(value: JsonValue): string | undefined {
  try {
    const text = JSON.stringify(value)
    return text.length <= MAX_SHOWN ? text : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** `a or b`; of many the first ones. */
export function orList(words: readonly string[]): string {
  const shown = words.slice(0, MAX_CHOICES).join(' or ')
  return words.length <= MAX_CHOICES ? shown : `${shown} or one of ${words.length - MAX_CHOICES} more`
}

/** A name in quotes, on one line. */
export function quoted(name: string): string {
  return JSON.stringify(cutAtSpace(name, MAX_SHOWN))
}

/** The text between two quotes of one kind; undefined if it does not begin and end with them, or has more of them. */
export function unquoted(text: string): string | undefined {
  const [, double, single] = /^(?:"([^"]*)"|'([^']*)')$/.exec(text) ?? []
  return double ?? single
}

/** `; did you mean epochs?`, or nothing where no name is near. */
export function didYouMean(written: string, names: readonly string[], sign = ';'): string {
  const maxDistance = Math.min(3, Math.floor(written.length / 2))
  const near =
    names.find((name) => name.toLowerCase() === written.toLowerCase()) ??
    closestMatch(written.slice(0, 255), [...names], { maxDistance })
  return near === undefined ? '' : `${sign} did you mean ${plain(near)}?`
}

/**
 * Behind "has no parameter …": the nearest name, and all that there are.
 *
 * @param owners who has them, with the verb
 */
export function alternatives(written: string, names: readonly string[], owners = 'It has'): string {
  const near = didYouMean(written, names) || '.'
  return `${near} ${owners}${names.length === 0 ? ' none' : `: ${listed(names, written)}`}`
}

/**
 * `; write schedule: {warmup: …}` for a name with a dot whose beginning is known; undefined for any other: only a
 * step's name is split off at a dot.
 */
export function asNested(
  written: string,
  value: JsonValue,
  isKnown: (name: string) => boolean,
  shown: Show,
): string | undefined {
  const dot = written.indexOf('.')
  const [name, field] = [written.slice(0, dot), written.slice(dot + 1)]
  if (dot < 1 || field === '' || !isKnown(name)) return undefined
  return `; write ${plain(name)}: {${plain(field)}: ${isJsonObject(value) || Array.isArray(value) ? '…' : shown(value)}}`
}

/** The names, the nearest first where there are more than a reader wants to see. */
export function listed(names: readonly string[], written: string): string {
  if (names.length <= MAX_LISTED) return names.map(plain).join(', ')
  const word = written.slice(0, 255)
  const nearest = [...names].sort((a, b) => leven(a, word) - leven(b, word)).slice(0, MAX_LISTED)
  return `${nearest.map(plain).join(', ')} and ${names.length - MAX_LISTED} more`
}

/** A name as it is where it is a plain word, else in quotes. */
export function plain(name: string): string {
  return /^[\w.-]{1,60}$/.test(name) ? name : quoted(name)
}
