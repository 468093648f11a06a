import { expect, test } from '@jest/globals'
import { expectations as field } from '../../../src/github/inputs/expectations.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import { compareWithBaseline } from '../../../src/run/compare/compare-with-baseline.ts'

const logged = (metadata: JsonObject) => ({ metadata, stepMetadata: [] })

function compared(own: JsonObject, before: JsonObject, conditions: string) {
  const baseline = { kind: 'found', id: '1', name: 'first', url: undefined, values: logged(before) } as const
  return compareWithBaseline('main', logged(own), baseline, field.parse(conditions)).metrics
}

test('a second condition that only guards against nonsense does not turn better into worse', () => {
  const own = { acc: 0.95, loss: 0.05 }
  const conditions = 'acc >= baseline - 0.01\nacc <= 1\nloss <= baseline + 5 %\nloss > 0'
  expect(compared(own, { acc: 0.9, loss: 0.1 }, conditions)).toMatchObject([
    { name: 'acc', better: 'higher' },
    { name: 'loss', better: 'lower' },
  ])
})

test('a condition on a value in a mapping, or on a key in quotes, says which way is good', () => {
  const own = { metrics: { f1: 0.9 }, 'val.loss': 0.1 }
  expect(compared(own, own, 'metrics.f1 >= baseline\n"val.loss" <= baseline')).toMatchObject([
    { name: 'metrics.f1', better: 'higher' },
    { name: 'val.loss', better: 'lower' },
  ])
})

test('where conditions disagree, nothing says which way is good', () => {
  const [metric] = compared({ acc: 0.9 }, { acc: 0.9 }, 'acc >= 0.5\nacc <= 1')
  expect(metric?.better).toBeUndefined()
})

test('a name that stands for two values is left out', () => {
  const twice = { 'm.x': 0.1, m: { x: 0.9 } }
  expect(compared({ ...twice, acc: 1 }, twice, '').map(({ name }) => name)).toEqual(['acc'])
})
