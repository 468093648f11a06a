import { expect, test } from '@jest/globals'
import { mergeOverrides } from '../../../src/run/configure/merge.ts'

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
