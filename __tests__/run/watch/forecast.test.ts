import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { forecast } from '../../../src/run/watch/forecast.ts'

const MINUTE = 60_000
const usual = { medianMs: 10 * MINUTE, spread: 0.15, runs: 10 }

test('at first what is left is the usual time less the time gone by', () => {
  const left = [0, 1, 4, 6].map((minutes) => forecast(usual, minutes * MINUTE))
  expect(left).toEqual([10, 9, 6, 4].map((minutes) => ({ kind: 'left', ms: minutes * MINUTE })))
})

test('about the usual time there is still a little left, because half of such runs take longer', () => {
  expect(forecast(usual, 10 * MINUTE)).toEqual({ kind: 'left', ms: MINUTE })
})

test('a run that takes longer than nine of ten is slower than usual, and by how much is said', () => {
  expect(forecast(usual, 12 * MINUTE)).toMatchObject({ kind: 'left' })
  expect(forecast(usual, 13 * MINUTE)).toEqual({ kind: 'slower-than-usual', byMs: 3 * MINUTE })
})

test('a guess is as coarse as it deserves: steps of 10 s, 30 s, a minute, five minutes', () => {
  const leftAtFirst = (medianMs: number) => forecast({ ...usual, medianMs }, 0)
  expect([47_123, 443_210, 1_234_567, 5_000_000].map(leftAtFirst)).toEqual(
    [50_000, 450_000, 1_260_000, 5_100_000].map((ms) => ({ kind: 'left', ms })),
  )
})

test('while a run goes on there is always something left, or it is slower than usual', () => {
  const anyUsual = fc.record({
    medianMs: fc.integer({ min: 1, max: 1e10 }),
    spread: fc.double({ min: 0.05, max: 0.6, noNaN: true }),
    runs: fc.constant(1),
  })
  fc.assert(
    fc.property(anyUsual, fc.integer({ min: 0, max: 1e11 }), (each, elapsedMs) => {
      const told = forecast(each, elapsedMs)
      const ms = told.kind === 'left' ? told.ms : told.byMs
      expect(Number.isSafeInteger(ms)).toBe(true)
      expect(ms).toBeGreaterThanOrEqual(10_000)
    }),
  )
})
