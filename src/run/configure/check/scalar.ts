import type { ScalarResult } from './validation-result.ts'
import { isDeepStrictEqual } from 'node:util'
import { isJsonList, type JsonObject, type JsonValue } from '../../../base/json.ts'
import { fitText } from './text.ts'
import { orList, show } from '../../../base/words.ts'

/** How pydantic reads numbers and booleans out of texts (pydantic's conversion table). */
const INTEGER = /^\s*[-+]?\d+(?:_\d+)*(?:\.0*)?\s*$/
const NUMBER =
  /^\s*[-+]?(?:(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+)?|inf(?:inity)?|nan)\s*$/i
/** From here on JSON carries a whole number with an exponent, which is no integer to Python. */
const TOO_LARGE = 1e21

const TRUE: readonly string[] = ['1', 'on', 't', 'true', 'y', 'yes']
const FALSE: readonly string[] = ['0', 'off', 'f', 'false', 'n', 'no']

/** Fits a value to a schema of one of the simple types; what is not understood fits as it is. */
export function validateScalar(schema: JsonObject, value: JsonValue): ScalarResult {
  if (Object.hasOwn(schema, 'const')) return fitChoice([schema['const'] ?? null], value)
  const choices = schema['enum']
  if (isJsonList(choices)) return orFlags(choices, value, fitChoice(choices, value))
  switch (typeof schema['type'] === 'string' ? schema['type'] : '') {
    case 'integer':
      return within(schema, asInteger(value), 'an integer')
    case 'number':
      return within(schema, asNumber(value), 'a number')
    case 'boolean':
      return fitted(asBoolean(value), 'true or false')
    case 'string':
      return fitText(schema, value)
    case 'null':
      return fitted(value === null ? null : undefined, 'null')
    default:
      return { kind: 'fits', value }
  }
}

/** Words are compared as they are; numbers may be converted first, which a schema does not tell. */
function fitChoice(allowed: readonly JsonValue[], value: JsonValue): ScalarResult {
  if (allowed.some((each) => isDeepStrictEqual(each, value))) return { kind: 'fits', value }
  const asWord = scalarText(value)
  const mayBeConverted = allowed.some(
    (each) => typeof each !== 'string' && asWord !== undefined && scalarText(each) === asWord,
  )
  if (mayBeConverted) return { kind: 'fits', value }
  return { kind: 'misfit', wanted: orList(allowed.map(show)) }
}

function scalarText(value: JsonValue): string | undefined {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value !== 'string') return typeof value === 'number' ? String(value) : undefined
  return NUMBER.test(value) ? String(Number(value.replaceAll('_', ''))) : value.trim().toLowerCase()
}

/** Python's flags can be combined, and look like any other choice of numbers. */
function orFlags(choices: readonly JsonValue[], value: JsonValue, fit: ScalarResult): ScalarResult {
  if (fit.kind === 'fits' || !(typeof value === 'boolean' || Number.isSafeInteger(value))) return fit
  const numbers = choices.filter((each) => typeof each === 'number')
  const bits = numbers.filter((each) => Number.isSafeInteger(each) && each >= 0).map(BigInt)
  const single = bits.filter((each) => each > 0n && (each & (each - 1n)) === 0n)
  const all = single.reduce((sum, each) => sum | each, 0n)
  const areFlags = bits.length === choices.length && bits.every((each) => (each & all) === each)
  return areFlags ? { ...fit, isDoubtful: true } : fit
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

const LIMITS = [
  ['minimum', 'at least', (value: number, limit: number) => value >= limit],
  ['maximum', 'at most', (value: number, limit: number) => value <= limit],
  ['exclusiveMinimum', 'above', (value: number, limit: number) => value > limit],
  ['exclusiveMaximum', 'below', (value: number, limit: number) => value < limit],
] as const

function within(schema: JsonObject, value: number | string | undefined, wanted: string): ScalarResult {
  const limits = LIMITS.flatMap(([key, words, holds]) => {
    const limit = schema[key]
    return typeof limit === 'number' ? [{ limit, words, holds }] : []
  })
  const { multipleOf } = schema
  // Of other numbers only nearly: they are rounded.
  const step = typeof multipleOf === 'number' && Number.isSafeInteger(multipleOf) ? multipleOf : 0
  const whole = [
    wanted,
    ...limits.map(({ words, limit }) => `${words} ${limit}`),
    ...(step === 0 ? [] : [`a multiple of ${step}`]),
  ].join(', ')
  const broken =
    typeof value === 'number' &&
    (limits.some(({ limit, holds }) => !holds(value, limit)) ||
      (step !== 0 && Number.isSafeInteger(value) && value % step !== 0))
  return fitted(broken ? undefined : value, whole)
}

function fitted(value: JsonValue | undefined, wanted: string): ScalarResult {
  return value === undefined ? { kind: 'misfit', wanted } : { kind: 'fits', value }
}
