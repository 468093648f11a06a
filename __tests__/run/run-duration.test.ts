import { expect, test } from '@jest/globals'
import { ageOf, durationOf } from '../../src/run/run-duration.ts'
import { run, stepState } from '../github/run-events.ts'

const created = Date.UTC(2026, 0, 31, 12)

test.each([
  ['a run that is going on is as old as the server says', {}, created + 18_000, 18_000],
  ['a run that has ended is as old as it became', { endTime: created + 8_000 }, created + 90_000, 8_000],
  ['a replica whose clock is behind does not make a run younger than nothing', {}, created - 5_000, 0],
  ['a server without a clock', {}, undefined, 0],
  ['a run without a creation', { created: undefined }, created, 0],
])('%s', (_, some, serverNow, ageMs) => {
  expect(ageOf({ ...run, created, ...some }, serverNow)).toBe(ageMs)
})

test.each([
  ['from creation to end', { endTime: created + 27_000 }, [], 27_000],
  [
    'to the end of the last step, where a failed run has steps that went on',
    { endTime: created + 4_000 },
    [
      stepState('a', { startTime: created + 1_000, durationMs: 60_000 }),
      stepState('b', { startTime: created + 2_000, durationMs: undefined }),
    ],
    61_000,
  ],
  ['unknown without an end', {}, [stepState('a')], undefined],
  ['unknown without a creation', { created: undefined, endTime: created }, [], undefined],
])('how long a run took: %s', (_, some, steps, ms) => {
  expect(durationOf({ ...run, created, ...some }, steps)).toBe(ms)
})

test('how long a run of 200,000 steps took is told as well', () => {
  const steps = Array.from({ length: 200_000 }, (_, at) =>
    stepState('a', { startTime: created + at, durationMs: 1_000 }),
  )
  expect(durationOf({ created, endTime: created + 4_000 }, steps)).toBe(200_999)
})
