import type { JsonObject, JsonValue } from '../../../base/json.ts'
import { mayMatch } from './pattern.ts'
import type { ScalarResult } from './validation-result.ts'

/** Types that JSON has not are texts with a format. These take texts only. */
const TEXTS: Readonly<Record<string, string>> = {
  binary: 'a string',
  base64url: 'a string',
  password: 'a string',
  path: 'a path',
  'file-path': 'a path',
  'directory-path': 'a path',
  regex: 'a regular expression',
  uri: 'a URL',
  uuid: 'a UUID',
  uuid1: 'a UUID',
  uuid3: 'a UUID',
  uuid4: 'a UUID',
  uuid5: 'a UUID',
}
/** And these take numbers as well, which count seconds. */
const TIMES: Readonly<Record<string, string>> = {
  date: 'a date',
  'date-time': 'a date and time',
  time: 'a time',
  duration: 'a duration',
}

/** Fits a value to a schema of the type `string`; a format that is not known fits as it is. */
export function fitText(schema: JsonObject, value: JsonValue): ScalarResult {
  const { format } = schema
  if (format === undefined) return fitPlainText(schema, value)
  const name = typeof format === 'string' ? format : ''
  if (Object.hasOwn(TIMES, name)) return fitTime(name, value)
  if (!Object.hasOwn(TEXTS, name)) return { kind: 'fits', value }
  const canBe = typeof value === 'string' && (!name.startsWith('uuid') || mayBeUuid(value))
  return canBe ? { kind: 'fits', value } : { kind: 'misfit', wanted: TEXTS[name] ?? '' }
}

/** How it is written is not looked at: there are many ways. */
function fitTime(format: string, value: JsonValue): ScalarResult {
  const canBe =
    typeof value === 'number' ||
    (typeof value === 'string' && /\d/.test(value)) ||
    (typeof value === 'boolean' && format === 'duration')
  return canBe ? { kind: 'fits', value } : { kind: 'misfit', wanted: TIMES[format] ?? '' }
}

function mayBeUuid(text: string): boolean {
  return (text.match(/[\da-f]/gi) ?? []).length >= 32
}

function fitPlainText({ minLength, maxLength, pattern }: JsonObject, value: JsonValue): ScalarResult {
  if (typeof value !== 'string') return { kind: 'misfit', wanted: 'a string' }
  if (typeof minLength === 'number' && lengthOf(value) < minLength) {
    return { kind: 'misfit', wanted: `a string of at least ${minLength} characters` }
  }
  // A type can have white space taken away first, which its schema does not tell.
  if (typeof maxLength === 'number' && lengthOf(value.trim()) > maxLength) {
    return { kind: 'misfit', wanted: `a string of at most ${maxLength} characters` }
  }
  if (typeof pattern === 'string' && !mayMatch(pattern, value)) {
    return { kind: 'misfit', wanted: `a string matching ${pattern}` }
  }
  return { kind: 'fits', value }
}

/** As Python counts. */
function lengthOf(text: string): number {
  return Array.from(text).length
}
