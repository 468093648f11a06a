import { isJsonList, isSame, type JsonObject, type JsonValue } from '../../zenml/json.ts'

/** What a type that is neither list nor mapping makes of a value. */
export type ScalarFit =
  { readonly kind: 'fits'; readonly value: JsonValue } | { readonly kind: 'misfit'; readonly wanted: string }

/** How pydantic reads numbers and booleans out of texts (pydantic's conversion table). */
const INTEGER = /^\s*[-+]?\d+(?:_\d+)*(?:\.0*)?\s*$/
const NUMBER =
  /^\s*[-+]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?|inf(?:inity)?|nan)\s*$/i
/** From here on JSON carries a whole number with an exponent, which is no integer to Python. */
const TOO_LARGE = 1e21

const TRUE: readonly string[] = ['1', 'on', 't', 'true', 'y', 'yes']
const FALSE: readonly string[] = ['0', 'off', 'f', 'false', 'n', 'no']

/** Fits a value to a schema of one of the simple types; what is not understood fits as it is. */
export function fitScalar(schema: JsonObject, value: JsonValue): ScalarFit {
  const allowed = Object.hasOwn(schema, 'const') ? [schema['const'] ?? null] : schema['enum']
  if (isJsonList(allowed)) return fitChoice(allowed, value)
  switch (typeof schema['type'] === 'string' ? schema['type'] : '') {
    case 'integer':
      return within(schema, asInteger(value), 'an integer')
    case 'number':
      return within(schema, asNumber(value), 'a number')
    case 'boolean':
      return fitted(asBoolean(value), 'true or false')
    case 'string':
      return asText(schema, value)
    case 'null':
      return fitted(value === null ? null : undefined, 'null')
    default:
      return { kind: 'fits', value }
  }
}

/** Words are compared as they are; numbers may be converted first, which a schema does not tell. */
function fitChoice(allowed: readonly JsonValue[], value: JsonValue): ScalarFit {
  if (allowed.some((each) => isSame(each, value))) return { kind: 'fits', value }
  const asWord = scalarText(value)
  const mayBeConverted = allowed.some(
    (each) => typeof each !== 'string' && asWord !== undefined && scalarText(each) === asWord,
  )
  if (mayBeConverted) return { kind: 'fits', value }
  return { kind: 'misfit', wanted: allowed.map((each) => JSON.stringify(each)).join(' or ') }
}

function scalarText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value.trim().toLowerCase()
  if (typeof value === 'boolean') return value ? '1' : '0'
  return typeof value === 'number' ? String(value) : undefined
}

function asInteger(value: JsonValue): number | string | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < TOO_LARGE ? value : undefined
  if (typeof value !== 'string' || !INTEGER.test(value)) return undefined
  const number = Number(value.replaceAll('_', ''))
  // Python's integers have any number of digits; what JSON cannot carry is shown as it was written.
  return Number.isSafeInteger(number) ? number : value
}

function asNumber(value: JsonValue): number | string | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || !NUMBER.test(value)) return undefined
  const number = Number(value.replaceAll('_', ''))
  return Number.isFinite(number) ? number : value
}

function asBoolean(value: JsonValue): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const word = String(value).toLowerCase()
  if (TRUE.includes(word)) return true
  return FALSE.includes(word) ? false : undefined
}

/** Types that JSON has not, such as times and paths, are texts with a format; some take numbers as well. */
function asText({ format, minLength, maxLength, pattern }: JsonObject, value: JsonValue): ScalarFit {
  if (format !== undefined) return { kind: 'fits', value }
  if (typeof value !== 'string') return { kind: 'misfit', wanted: 'a text' }
  const length = Array.from(value).length
  if (typeof minLength === 'number' && length < minLength) {
    return { kind: 'misfit', wanted: `a text of at least ${minLength} characters` }
  }
  if (typeof maxLength === 'number' && length > maxLength) {
    return { kind: 'misfit', wanted: `a text of at most ${maxLength} characters` }
  }
  if (typeof pattern === 'string' && !mayMatch(pattern, value)) {
    return { kind: 'misfit', wanted: `a text like ${pattern}` }
  }
  return { kind: 'fits', value }
}

/** A longer text is not tried: a pattern can take its time. */
const MAX_MATCHED_LENGTH = 200

/** Whether a text matches, or the pattern is not one that can be read here. */
function mayMatch(pattern: string, text: string): boolean {
  try {
    return text.length > MAX_MATCHED_LENGTH || new RegExp(pattern, 'u').test(text)
  } catch {
    return true
  }
}

const LIMITS = [
  ['minimum', 'at least', (value: number, limit: number) => value >= limit],
  ['maximum', 'at most', (value: number, limit: number) => value <= limit],
  ['exclusiveMinimum', 'above', (value: number, limit: number) => value > limit],
  ['exclusiveMaximum', 'below', (value: number, limit: number) => value < limit],
] as const

function within(schema: JsonObject, value: number | string | undefined, wanted: string): ScalarFit {
  const limits = LIMITS.flatMap(([key, words, holds]) => {
    const limit = schema[key]
    return typeof limit === 'number' ? [{ limit, words, holds }] : []
  })
  const whole = [wanted, ...limits.map(({ words, limit }) => `${words} ${limit}`)].join(', ')
  const broken = typeof value === 'number' && limits.some(({ limit, holds }) => !holds(value, limit))
  return fitted(broken ? undefined : value, whole)
}

function fitted(value: JsonValue | undefined, wanted: string): ScalarFit {
  return value === undefined ? { kind: 'misfit', wanted } : { kind: 'fits', value }
}
