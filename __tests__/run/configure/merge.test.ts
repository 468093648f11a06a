import { expect, test } from '@jest/globals'
import { completeFor, mergeOverrides } from '../../../src/run/configure/merge.ts'
import { definition } from '../../github/run-events.ts'

const merged = (tags: readonly unknown[], added: readonly string[]) => {
  const value = JSON.parse(JSON.stringify({ tags }))
  return mergeOverrides({ layers: [], tags: added, enableCache: undefined }, value).body['tags']
}

test("tags are added to the definition's own, each name once, as it was written first", () => {
  const exclusive = { name: 'prod', exclusive: true }
  expect(merged(['a', exclusive, 'a'], ['prod', 'b', 'b'])).toEqual(['a', exclusive, 'b'])
})

test('a definition of very many tags does not hold the step up', () => {
  const own = Array.from({ length: 50_000 }, (_, at) => `tag ${at}`)
  const from = performance.now()
  expect(merged(own, ['new', 'tag 7'])).toHaveLength(50_001)
  expect(performance.now() - from).toBeLessThan(1_000)
})

test.each([
  ['0.80.2', { steps: { read: { parameters: { rows: 10 } } } }],
  ['0.81.0', { steps: { read: { parameters: { rows: 10 } } } }],
  ['0.82.0', {}],
  ['0.85.0', {}],
])('ZenML %s is sent the values that it would not keep', (version, sent) => {
  const known = { ...definition, stepParameters: { read: { rows: 10 } } }
  expect(completeFor(version, known, {})).toEqual(sent)
})

// Seen on 0.84.3, which refuses it.
test.each([
  ['0.84.3', { enable_cache: true, steps: { read: { settings: {} } } }],
  [
    '0.85.0',
    { enable_cache: true, settings: null, steps: { read: { settings: {}, parameters: null, extra: null } } },
  ],
])('ZenML %s: a key with nothing behind it', (version, sent) => {
  const body = {
    enable_cache: true,
    settings: null,
    steps: { read: { settings: {}, parameters: null, extra: null } },
  }
  expect(completeFor(version, definition, body)).toEqual(sent)
  expect(completeFor(version, definition, { steps: null })).toEqual(
    version === '0.84.3' ? {} : { steps: null },
  )
})
