/** A text as it reads once its escapes are taken for what they stand for. */
export interface UnescapedText {
  /** One character for each escape. */
  readonly text: string
  /** Where the character at an index begins in the text as it was; that text's length for the index behind the last. */
  readonly at: (index: number) => number
}

/**
 * The escapes of HTML, URLs, and JSON and the log (whose backslashes are doubled when they are put into another JSON).
 * Each is bounded: a long row of backslashes must not be gone through again and again.
 */
const ESCAPES =
  /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,13});|%[\da-f]{2}|\\{1,8}(?:u\{[\da-f]{1,6}\}|u[\da-f]{4}|x[\da-f]{2}|[bfnrtv"'/])/gi

/** A server may escape what we escape again, in a summary's table for example. */
const MOST_LAYERS = 4

/** What begins another escape. No name stands for a letter or digit. */
const NAMED: Readonly<Record<string, string>> = { amp: '&', percnt: '%', bsol: '\\' }

const SINGLE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** For a character that is no part of any secret. */
const OTHER = '\u200B'

/** A text of megabytes is put together piece by piece, or a million short texts would be kept until its end. */
const MOST_PARTS = 1_000

/** Reads the escapes of a text, layer by layer. */
export function unescaped(whole: string): UnescapedText {
  let text = whole
  let places: Int32Array | undefined
  for (let layer = 0; layer < MOST_LAYERS && /[&%\\]/.test(text); layer += 1) {
    places ??= Int32Array.from({ length: whole.length + 1 }, (_, index) => index)
    const read = readLayer(text, places)
    if (read.length === text.length) break
    text = read
  }
  const known = places
  return { text, at: known === undefined ? (index) => index : (index) => known[index] ?? whole.length }
}

/** @param places where each character of the text began; moved along with the characters */
function readLayer(text: string, places: Int32Array): string {
  let read = ''
  const parts: string[] = []
  let length = 0
  let from = 0
  const keep = (end: number): void => {
    places.copyWithin(length, from, end)
    parts.push(text.slice(from, end))
    length += end - from
  }
  for (const { 0: escape, index } of text.matchAll(ESCAPES)) {
    keep(index)
    places[length] = places[index] ?? 0
    length += 1
    parts.push(meaningOf(escape))
    from = index + escape.length
    if (parts.length > MOST_PARTS) read += parts.splice(0).join('')
  }
  keep(text.length)
  places[length] = places[text.length] ?? 0
  return read + parts.join('')
}

/** Always one character. */
function meaningOf(escape: string): string {
  if (escape.startsWith('%')) return character(escape.slice(1), 16)
  if (/^&#x/i.test(escape)) return character(escape.slice(3, -1), 16)
  if (escape.startsWith('&#')) return character(escape.slice(2, -1), 10)
  if (escape.startsWith('&')) return NAMED[escape.slice(1, -1).toLowerCase()] ?? OTHER
  const body = escape.replace(/^\\+/, '')
  return body.length === 1 ? (SINGLE[body] ?? body) : character(body.replace(/[ux{}]/gi, ''), 16)
}

function character(digits: string, base: number): string {
  const code = Number.parseInt(digits, base)
  return code > 0xffff ? OTHER : String.fromCharCode(code)
}
