import { parseJson } from '../../base/json.ts'
import { unescaped, type UnescapedText } from './escapes.ts'

export interface RedactOptions {
  /** Whether short passwords are covered too, which may be ordinary words; default: true. */
  readonly passwords?: boolean
}

/** Takes this process's secrets out of a text. Whatever leaves the process goes through it. */
export interface Redactor {
  readonly redact: (text: string, options?: RedactOptions) => string
}

/** Shorter values would blot out ordinary words. */
const SHORTEST_SECRET = 16

/**
 * So many letters and digits of a secret in a row are never there by chance; sixteen characters of a key hold at least
 * as many, whatever the others are.
 */
const STRETCH = 12

/** Stands for a run of characters; never longer than what it covers. */
const COVER = '***'

/** May stand in JSON as it is, where only another number may take its place. */
const BYTE = /^\d{1,3}$/

/** The table has a bit for each hash: nearly everything in a text is passed over without a closer look. */
const HASH_BITS = 22

/** An odd number with well-mixed bits (2^32 divided by the golden ratio). */
const FACTOR = 0x9e3779b1

/** Takes the first character's part out of a hash when the stretch moves on by one. */
const LEAVING = Array.from({ length: STRETCH }).reduce<number>((power) => Math.imul(power, FACTOR), 1)

/** Letters in lower case and digits, by character code; 0 for everything else. */
const LETTERS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code).toLowerCase()
  return /[a-z0-9]/.test(character) ? character.charCodeAt(0) : 0
})

/** What gives a text its form, as a command, a table or JSON. It stays, also between two halves of a secret. */
const FORM = /[\s"'`()[\]{}<>|,;:*#!@$?^&│]/

/** What belongs to the same word as a stretch before and behind it. */
const WORD_BEFORE = /[A-Za-z0-9_~+\\\u200B-\u200D\uFEFF-]/
const WORD_BEHIND = /[A-Za-z0-9_~+=\u200B-\u200D\uFEFF-]/

/** Indexes of a text's first character and of the one behind its last. */
type Range = readonly [from: number, to: number]

/**
 * The keys and tokens of this process, and the one redactor that takes them out of all text that leaves it. The runner's
 * masks cover only the log and the summary, and no value that was cut or that another program encoded.
 *
 * A secret is recognized by any twelve letters and digits in a row, in whichever case and with anything but letters and
 * digits in between: as it is, in hex, as the numbers of its bytes, and in base64 with anything before it. The escapes of HTML, URLs and JSON are
 * read first, also those inside of one another.
 */
export class KnownSecrets implements Redactor {
  readonly #stretches = new Set<string>()
  readonly #passwords = new Set<string>()
  #passwordPattern: RegExp | undefined
  #table = new Uint8Array()

  /** Values under 16 characters are left to the log's masks. */
  add(secret: string): void {
    if (secret.length < SHORTEST_SECRET) return
    if (this.#stretches.size === 0) this.#table = new Uint8Array(2 ** (HASH_BITS - 3))
    for (const form of formsOf(secret)) {
      const { codes } = lettersOf(form)
      eachStretch(codes, (start, hash) => {
        this.#stretches.add(stretchAt(codes, start))
        this.#table[hash >>> 3] = (this.#table[hash >>> 3] ?? 0) | (1 << (hash & 7))
      })
    }
  }

  /**
   * A password that a person chose and no machine made: one that is short or has few letters and digits is a secret as
   * well, in the same case only. A short one is covered only as a whole word, because it may be a part of ordinary ones.
   */
  addPassword(password: string): void {
    this.add(password)
    const isShort = password.length < SHORTEST_SECRET
    if (password === '' || (!isShort && lettersOf(password).codes.length >= STRETCH)) return
    // What is percent-encoded reads as one character for each byte.
    for (const form of [password, unescaped(password).text, Buffer.from(password).toString('latin1')]) {
      const literal = form.replace(/[^A-Za-z0-9]/g, '\\$&')
      this.#passwords.add(isShort ? `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])` : literal)
    }
    this.#passwordPattern = new RegExp([...this.#passwords].join('|'), 'g')
  }

  /**
   * The text with `***` in the place of each secret, of each stretch of one, and of the rest of the word around it.
   * What gives a text its form stays: JSON stays JSON, a line stays a line, and nothing grows. Takes time in proportion
   * to the text's length.
   *
   * @param options `passwords: false` leaves those that may be ordinary words, in a text that a machine reads
   */
  redact(text: string, { passwords = true }: RedactOptions = {}): string {
    if (this.#stretches.size === 0 && this.#passwords.size === 0) return text
    const read = unescaped(text)
    const words = passwords ? this.#findPasswords(read.text) : []
    const found = [...this.#find(read.text), ...words].sort(([a], [b]) => a - b)
    return found.length === 0 ? text : covered(text, read, found)
  }

  #findPasswords(text: string): Range[] {
    const pattern = this.#passwordPattern
    if (pattern === undefined) return []
    return [...text.matchAll(pattern)].map(({ 0: { length }, index }) => [index, index + length])
  }

  /** In order, and none over another. */
  #find(text: string): Range[] {
    const found: [from: number, to: number][] = []
    const { codes, places } = lettersOf(text)
    eachStretch(codes, (start, hash) => {
      if (((this.#table[hash >>> 3] ?? 0) & (1 << (hash & 7))) === 0) return
      if (!this.#stretches.has(stretchAt(codes, start))) return
      const [from, to] = [places[start] ?? 0, (places[start + STRETCH - 1] ?? 0) + 1]
      const last = found.at(-1)
      if (last !== undefined && from <= last[1]) last[1] = to
      else found.push([from, to])
    })
    return found
  }
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    ...innerKeysOf(secret),
    bytes.toString('hex'),
    bytes.join(''),
    ...[0, 1, 2].map((n) => base64Behind(n, bytes)),
  ]
}

/** The texts that one of ZenML's keys is made of, but for ids: `ZENKEY_` and JSON in base64. */
function innerKeysOf(secret: string): string[] {
  const encoded = /^ZEN(?:PRO)?KEY_(.+)$/.exec(secret)?.[1]
  if (encoded === undefined) return []
  const parts = parseJson(Buffer.from(encoded, 'base64').toString())
  if (typeof parts !== 'object' || parts === null || Array.isArray(parts)) return []
  const values: unknown[] = Object.values(parts)
  const isText = (value: unknown): value is string => typeof value === 'string'
  return values.every(isText) ? values.filter((part) => !part.includes('-')) : []
}

/** The secret's part of the base64 text of some other bytes and the secret; two characters may hold bits of both. */
function base64Behind(others: number, secret: Buffer): string {
  const whole = Buffer.concat([Buffer.alloc(others), secret]).toString('base64')
  return whole.slice(Math.ceil((others * 4) / 3))
}

/** The letters and digits of a text, and where in it they are. */
function lettersOf(text: string): { readonly codes: Buffer; readonly places: Int32Array } {
  const codes = Buffer.alloc(text.length)
  const places = new Int32Array(text.length)
  let count = 0
  for (let index = 0; index < text.length; index += 1) {
    const letter = LETTERS[text.charCodeAt(index)] ?? 0
    if (letter === 0) continue
    codes[count] = letter
    places[count] = index
    count += 1
  }
  return { codes: codes.subarray(0, count), places }
}

/** Visits every stretch with its hash, which is made from that of the stretch before. */
function eachStretch(codes: Buffer, visit: (start: number, hash: number) => void): void {
  let hash = 0
  for (let index = 0; index < codes.length; index += 1) {
    hash = (Math.imul(hash, FACTOR) + (codes[index] ?? 0)) | 0
    const start = index - STRETCH + 1
    if (start > 0) hash = (hash - Math.imul(LEAVING, codes[start - 1] ?? 0)) | 0
    if (start >= 0) visit(start, hash >>> (32 - HASH_BITS))
  }
}

function stretchAt(codes: Buffer, start: number): string {
  return codes.toString('latin1', start, start + STRETCH)
}

function covered(text: string, read: UnescapedText, found: readonly Range[]): string {
  const parts: string[] = []
  let done = 0
  for (const [from, to] of found) {
    if (to <= done) continue
    const [start, end] = [startOfWord(read.text, from, done), endOfWord(read.text, to)]
    parts.push(text.slice(read.at(done), read.at(start)))
    coverRange(text, read, [start, end], parts)
    done = end
  }
  parts.push(text.slice(read.at(done)))
  return parts.join('')
}

function startOfWord(text: string, from: number, least: number): number {
  let start = Math.max(from, least)
  while (start > least && WORD_BEFORE.test(text[start - 1] ?? '')) start -= 1
  return start
}

function endOfWord(text: string, to: number): number {
  let end = to
  while (end < text.length && WORD_BEHIND.test(text[end] ?? '')) end += 1
  return end
}

function coverRange(text: string, read: UnescapedText, [from, to]: Range, parts: string[]): void {
  let run = from
  for (let index = from; index <= to; index += 1) {
    const isForm = index === to || FORM.test(read.text[index] ?? '')
    if (!isForm) continue
    const cover = BYTE.test(read.text.slice(run, index)) ? '0' : COVER
    parts.push(cover.slice(0, read.at(index) - read.at(run)))
    if (index < to) parts.push(text.slice(read.at(index), read.at(index + 1)))
    run = index + 1
  }
}
