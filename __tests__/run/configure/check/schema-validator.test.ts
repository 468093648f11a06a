import { expect, test } from '@jest/globals'
import { Budget, SchemaValidator } from '../../../../src/run/configure/check/schema-validator.ts'
import type { JsonObject, JsonValue } from '../../../../src/base/json.ts'

/*
 * How values fit the schemas that pydantic writes; each row was held against pydantic 2 itself.
 */

type Verdict = 'fits' | 'doubtful' | 'does not fit'

function fit(schema: JsonObject, value: JsonValue, definitions: JsonObject = {}, stored?: JsonValue) {
  return new SchemaValidator(definitions, new Budget()).validate(schema, value, stored)
}

function verdict(...given: Parameters<typeof fit>): Verdict {
  const { misfits } = fit(...given)
  if (misfits.length === 0) return 'fits'
  return misfits.every(({ isDoubtful }) => isDoubtful) ? 'doubtful' : 'does not fit'
}

test.each<[pattern: string, text: string, verdict: Verdict]>([
  ['^[0-9]+(B|KB|KiB)$', '16KB', 'fits'],
  ['^[0-9]+(B|KB|KiB)$', '16', 'does not fit'],
  ['^[a-z]{2}$', 'größe', 'does not fit'],
  ['^\\w+$', 'a-b', 'does not fit'],
  // What \w, \d and "anything but" mean differs between the engines, and repeated groups can take for ever.
  ['^\\w+$', 'Größe', 'fits'],
  ['^\\d+$', '٣', 'fits'],
  ['^[^a]+$', 'ä', 'fits'],
  ['^([a-zA-Z0-9]+[ -]?)+$', `${'a'.repeat(60)}!`, 'fits'],
  ['^(a|a)(a|a)$', 'b', 'fits'],
  ['^a*a*a*a*a*a*$', `${'a'.repeat(150)}!`, 'fits'],
  ['^(?!a)b$', 'c', 'fits'],
  ['^(a)\\1$', 'ab', 'fits'],
  ['(?i)^abc$', 'ABC', 'fits'],
  ['^[a-z&&[^b]]+$', '1', 'fits'],
])('the pattern %s with %j: %s', (pattern, text, wanted) => {
  expect(verdict({ type: 'string', pattern }, text)).toBe(wanted)
})

const FORMATS = ['path', 'uuid', 'uri', 'password', 'binary', 'date', 'date-time', 'time', 'duration']

test.each(FORMATS)('a %s is no null, list or mapping, and may be null where its type says so', (format) => {
  const schema = { type: 'string', format }
  expect([null, [], {}].map((value) => verdict(schema, value))).toEqual(Array(3).fill('does not fit'))
  expect(verdict({ anyOf: [schema, { type: 'null' }] }, null)).toBe('fits')
})

test.each<[format: string, value: JsonValue, verdict: Verdict]>([
  ['path', 5, 'does not fit'],
  ['path', 'models/a', 'fits'],
  ['uuid', 5, 'does not fit'],
  ['uuid', 'mine', 'does not fit'],
  ['uuid', '{3fa85f64-5717-4562-b3fc-2c963f66afa6}', 'fits'],
  ['uri', false, 'does not fit'],
  ['password', 5, 'does not fit'],
  ['binary', 5, 'does not fit'],
  ['date', 'yesterday', 'does not fit'],
  ['date', '2024-01-01', 'fits'],
  ['date', 0, 'fits'],
  ['date-time', true, 'does not fit'],
  ['time', 5, 'fits'],
  ['duration', true, 'fits'],
  ['ipv4', 5, 'fits'],
])('the format %s with %j: %s', (format, value, wanted) => {
  expect(verdict({ type: 'string', format }, value)).toBe(wanted)
})

test.each<[schema: JsonObject, value: JsonValue, verdict: Verdict]>([
  [{ type: 'integer', multipleOf: 8 }, 9, 'does not fit'],
  [{ type: 'integer', multipleOf: 8 }, '16', 'fits'],
  [{ type: 'object', minProperties: 1 }, {}, 'does not fit'],
  [{ type: 'object', maxProperties: 1 }, { a: 1, b: 2 }, 'does not fit'],
  [{ type: 'object', propertyNames: { enum: ['a'] } }, { b: 1 }, 'does not fit'],
  [{ type: 'object', propertyNames: { enum: ['a'] } }, { a: 1 }, 'fits'],
  [{ type: 'integer', enum: [1, 2] }, '1.0', 'fits'],
  [{ type: 'integer', enum: [1, 2] }, 3, 'doubtful'],
  [{ type: 'integer', enum: [1, 2] }, 'x', 'does not fit'],
  [{ type: 'integer', enum: [5, 10] }, 7, 'does not fit'],
  [{ type: 'array', prefixItems: [{ type: 'integer' }] }, { x: 1 }, 'fits'],
])('%j with %j: %s', (schema, value, wanted) => {
  expect(verdict(schema, value)).toBe(wanted)
})

const model = {
  type: 'object',
  properties: { learningRate: { type: 'number' }, epochs: { type: 'integer' } },
  required: ['learningRate'],
}

test.each<[title: string, value: JsonObject, stored: JsonObject | undefined, verdict: Verdict]>([
  ["with the template's value under the field's name", { lr: 1, epochs: 5 }, { lr: 1, epochs: 3 }, 'fits'],
  ["under the field's name, of which the template has nothing", { lr: 1 }, undefined, 'doubtful'],
  ['neither under one nor another name', { epochs: 5 }, undefined, 'does not fit'],
])('a field that has an alias, %s', (_, value, stored, wanted) => {
  expect(verdict(model, value, {}, stored)).toBe(wanted)
})

test("a field that the template's own value has is not called unknown", () => {
  expect(fit(model, { lr: 1, epochs: 5 }, {}, { lr: 1, epochs: 3 }).ignored).toEqual([])
})

test('a field that a model forbids is an error only where no field can have another name', () => {
  const strict = { ...model, additionalProperties: false }
  const whole = { learningRate: 1, epochs: 3 }
  expect(verdict(strict, { ...whole, epoch: 1 }, {}, whole)).toBe('does not fit')
  expect(verdict(strict, { ...whole, epoch: 1 })).toBe('doubtful')
})

const union = { anyOf: [{ $ref: '#/$defs/Adam' }, { $ref: '#/$defs/Sgd' }] }
const optimizers = {
  Adam: { type: 'object', properties: { kind: { const: 'adam' }, lr: { type: 'number' } } },
  Sgd: { type: 'object', properties: { kind: { const: 'sgd' }, momentum: { type: 'number' } } },
}

test('of several models, the faults are those of the one whose tag was written', () => {
  const { misfits } = fit(union, { kind: 'sgd', momentum: 'high' }, optimizers)
  expect(misfits).toMatchObject([{ path: ['momentum'], wanted: 'a number' }])
})

test('of several models without a tag, the faults are those of the one that has the fewest', () => {
  const { misfits } = fit(
    { anyOf: [model, { type: 'object', properties: { epochs: { type: 'integer' } } }] },
    { epochs: 'x' },
  )
  expect(misfits).toMatchObject([{ path: ['epochs'], wanted: 'an integer' }])
})

test('a discriminator says which model it is', () => {
  const mapping = { adam: '#/$defs/Adam', sgd: '#/$defs/Sgd' }
  const tagged = { oneOf: union.anyOf, discriminator: { propertyName: 'kind', mapping } }
  expect(verdict(tagged, { kind: 'adam', lr: 1 }, optimizers)).toBe('fits')
  expect(fit(tagged, { kind: 'other' }, optimizers).misfits).toMatchObject([
    { path: ['kind'], wanted: '"adam" or "sgd"' },
  ])
  expect(verdict(tagged, {}, optimizers)).toBe('does not fit')
})

test('of very many choices ten are listed', () => {
  const [misfit] = fit({ enum: Array.from({ length: 1000 }, (_, i) => i) }, 'x').misfits
  expect(misfit?.wanted).toBe('0 or 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 or one of 990 more')
})

test('a fault deep inside a type that leads to itself is found', () => {
  const node = {
    type: 'object',
    properties: { v: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/Node' }, { type: 'null' }] } },
  }
  const list = Array.from({ length: 14 }).reduce<JsonValue>((next) => ({ v: 1, next }), { v: 'x' })
  expect(fit(node, list, { Node: node }).misfits).toMatchObject([{ path: [...Array(14).fill('next'), 'v'] }])
})

test('types that lead to more types than anybody can wait for take everything', () => {
  const chain = Array.from({ length: 40 }, (_, i): [string, JsonObject] => [
    `A${i}`,
    { anyOf: [{ $ref: `#/$defs/A${i + 1}` }, { $ref: `#/$defs/A${i + 1}` }] },
  ])
  const definitions = { ...Object.fromEntries(chain), A40: { type: 'integer' } }
  expect(verdict({ $ref: '#/$defs/A0' }, 'x', definitions)).toBe('fits')
})
