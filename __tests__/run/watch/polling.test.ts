import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { nextPollMs } from '../../../src/run/watch/polling.ts'
import type { Usual } from '../../../src/run/facts.ts'

const MINUTE = 60_000
const MIDDLE = 0.5

function after(elapsedMs: number, usual?: Usual, random = MIDDLE): number {
  return nextPollMs({ elapsedMs, fixedMs: undefined, usual, random })
}

const usualOf = (medianMs: number, spread = 0.15): Usual => ({ medianMs, spread, runs: 10 })

const anyUsual = fc.record({
  medianMs: fc.integer({ min: 1, max: 30 * 24 * 60 * MINUTE }),
  spread: fc.double({ min: 0.05, max: 0.6, noNaN: true }),
  runs: fc.integer({ min: 1, max: 10 }),
})
const anyElapsed = fc.integer({ min: 0, max: 60 * 24 * 60 * MINUTE })
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test("a user's interval is taken as it is, whatever is known", () => {
  fc.assert(
    fc.property(
      anyElapsed,
      fc.option(anyUsual, { nil: undefined }),
      anyRandom,
      (elapsedMs, usual, random) => {
        expect(nextPollMs({ elapsedMs, fixedMs: 12_345, usual, random })).toBe(12_345)
      },
    ),
  )
})

test('an interval is never below a second nor above 66, whatever the history says', () => {
  fc.assert(
    fc.property(
      anyElapsed,
      fc.option(anyUsual, { nil: undefined }),
      anyRandom,
      (elapsedMs, usual, random) => {
        const ms = after(elapsedMs, usual, random)
        expect(ms).toBeGreaterThanOrEqual(1_000)
        expect(ms).toBeLessThanOrEqual(60_000 * 1.1)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('chance spreads the jobs of a matrix by a tenth to either side', () => {
  expect(after(5 * MINUTE, undefined, 0)).toBe(13_500)
  expect(after(5 * MINUTE, undefined, 0.999_999)).toBe(16_500)
  const usual = usualOf(60 * MINUTE)
  expect(after(20 * MINUTE, usual, 0)).toBe(54_000)
  expect(after(20 * MINUTE, usual, 0.999_999)).toBe(66_000)
})

test('without a history the interval is a twentieth of the time gone by, up to 15 s', () => {
  expect([0, 1, 2, 5, 60].map((minutes) => after(minutes * MINUTE))).toEqual([
    1_000, 3_000, 6_000, 15_000, 15_000,
  ])
})

describe('with a history', () => {
  test.each([2, 10, 60, 360])(
    'the nearer the end of a run of %d min, the shorter the interval',
    (minutes) => {
      const usual = usualOf(minutes * MINUTE)
      const shares = [0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.2, 1.3]
      const intervals = shares.map((share) => after(share * usual.medianMs, usual))
      expect(intervals).toEqual(intervals.toSorted((a, b) => b - a))
      expect(intervals.at(-1)).toBeLessThan((intervals[0] ?? 0) / 3)
    },
  )

  test('it is short at first, because a wrong set-up fails soon', () => {
    const usual = usualOf(60 * MINUTE)
    expect([0, 1_000, 4_000, 20_000, 40_000].map((elapsed) => after(elapsed, usual))).toEqual([
      1_000, 1_500, 6_000, 30_000, 60_000,
    ])
  })

  test('a run of half a minute is looked at every three seconds, and every second at its end', () => {
    const usual = usualOf(30_000)
    expect([2_000, 10_000].map((elapsed) => after(elapsed, usual))).toEqual([3_000, 3_000])
    expect(after(30_000, usual)).toBe(1_000)
  })

  test('a run that is overdue is looked at ever more rarely again, as if nothing were known', () => {
    const usual = usualOf(10 * MINUTE)
    const intervals = [15, 20, 30, 120].map((minutes) => after(minutes * MINUTE, usual))
    expect(intervals).toEqual(intervals.toSorted((a, b) => a - b))
    expect(intervals.at(-1)).toBe(15_000)
    // A twentieth of the time that it is overdue.
    expect(after(17 * MINUTE, usual)).toBeGreaterThan(7_000)
    expect(after(17 * MINUTE, usual)).toBeLessThan(8_000)
  })

  test('the less such runs are alike, the sooner it looks often, and the less often near the middle', () => {
    const [alike, unlike] = [usualOf(60 * MINUTE, 0.05), usualOf(60 * MINUTE, 0.5)]
    expect(after(40 * MINUTE, alike)).toBe(60_000)
    expect(after(40 * MINUTE, unlike)).toBeLessThan(20_000)
    expect(after(60 * MINUTE, alike)).toBeLessThan(after(60 * MINUTE, unlike))
  })
})
