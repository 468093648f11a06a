import { expect, test } from '@jest/globals'
import {
  accountSchema,
  definitionSchema,
  infoSchema,
  pageOf,
  runSchema,
  stepSchema,
  tokenSchema,
} from '../../src/zenml/schemas.ts'

function created(text: unknown): number | null | undefined {
  return runSchema.parse({ id: 'r', body: { status: 'running', created: text } }).body?.created
}

test.each([
  ['2026-01-02T03:04:05', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ['2026-01-02T03:04:05.678901', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
  ['2026-01-02 03:04:05', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ['2026-01-02T03:04:05+01:00', Date.UTC(2026, 0, 2, 2, 4, 5)],
  ['2026-01-02T03:04:05-0130', Date.UTC(2026, 0, 2, 4, 34, 5)],
])('the time %s is UTC unless it says otherwise', (text, expected) => {
  expect(created(text)).toBe(expected)
})

test.each(['yesterday', '', '2026-13-45T00:00:00', 1_700_000_000, true])('%p is no time', (text) => {
  expect(() => created(text)).toThrow()
})

test.each([null, undefined])('a time that is %p is left out', (text) => {
  expect(created(text)).toBe(text)
})

test('an object that the account may not see is understood', () => {
  const denied = { id: 'x', permission_denied: true, body: null, metadata: null, resources: null }
  expect(runSchema.parse(denied)).toEqual(denied)
  expect(definitionSchema.parse(denied)).toMatchObject({ id: 'x', body: null, resources: null })
  expect(stepSchema.parse({ ...denied, name: 'train' })).toMatchObject({ id: 'x', name: 'train', body: null })
})

test.each([
  ['a number as id', { id: 1, body: { status: 'running' } }],
  ['no id', { body: { status: 'running' } }],
  ['a number as status', { id: 'r', body: { status: 5 } }],
  ['text for in_progress', { id: 'r', body: { status: 'running', in_progress: 'yes' } }],
  ['a list', [{ id: 'r' }]],
  ['null', null],
  ['text', 'running'],
])('a run with %s is no run', (_name, value) => {
  expect(runSchema.safeParse(value).success).toBe(false)
})

test.each([
  [{ access_token: 't', expires_in: 3600 }, true],
  [{ access_token: 't', expires_in: null }, true],
  [{ access_token: 't' }, true],
  [{ access_token: '' }, false],
  [{ access_token: null }, false],
  [{ access_token: 't', expires_in: 'soon' }, false],
  [{ detail: 'x' }, false],
])('the login answer %j is understood: %s', (value, expected) => {
  expect(tokenSchema.safeParse(value).success).toBe(expected)
})

test('fields that are not relied on may have any shape', () => {
  expect(infoSchema.safeParse({ version: '0.98.0', secrets_store_type: 5 }).success).toBe(true)
  expect(accountSchema.safeParse({ id: 'u', name: null, body: { full_name: 5 } }).success).toBe(true)
})

test('a page needs its counts and its items', () => {
  const page = pageOf(accountSchema)
  expect(page.safeParse({ total: 1, total_pages: 1, items: [{ id: 'u' }] }).success).toBe(true)
  expect(page.safeParse({ total: 1, total_pages: 1, items: null }).success).toBe(false)
  expect(page.safeParse({ total: 0, total_pages: 1, items: [] }).success).toBe(true)
  expect(page.safeParse({ total: '1', total_pages: 1, items: [] }).success).toBe(false)
  expect(page.safeParse([]).success).toBe(false)
})

test('a step or parameter named like a part of every object does no harm', () => {
  const steps = '{"__proto__":{"parameters":{"polluted":1}},"constructor":{"parameters":{"__proto__":1}}}'
  const text = `{"id":"d","metadata":{"config_template":{"steps":${steps}}}}`
  definitionSchema.safeParse(JSON.parse(text))
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})
