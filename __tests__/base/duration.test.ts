import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { anyText } from '../any-text.ts'

import { parseDuration } from '../../src/base/duration.ts'

test.each([
  ['90s', 90_000],
  ['45m', 2_700_000],
  ['2h30m', 9_000_000],
  ['2h 30m', 9_000_000],
  ['2 h 30 m', 9_000_000],
  ['1.5h', 5_400_000],
  ['1d2h3m4s', 93_784_000],
  ['0h5m', 300_000],
  ['0.001s', 1],
  ['35d', 3_024_000_000],
])('%s is %d milliseconds', (text, ms) => {
  expect(parseDuration(text)).toEqual({ ok: true, ms })
})

test('any days, hours, minutes and seconds add up', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(23), fc.nat(59), fc.integer({ min: 1, max: 59 }), (d, h, m, s) => {
      const ms = (((d * 24 + h) * 60 + m) * 60 + s) * 1000
      expect(parseDuration(`${d}d${h}h${m}m${s}s`)).toEqual({ ok: true, ms })
    }),
  )
})

test('any text is a positive time of at most 35 days, or a problem', () => {
  const unit = fc.constantFrom(
    '0',
    '1',
    '5',
    '9',
    '.',
    'd',
    'h',
    'm',
    's',
    ' ',
    '-',
    '+',
    'e',
    'min',
    '٣',
    '\n',
  )
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit }), anyText()), (text) => {
      const parsed = parseDuration(text)
      if (!parsed.ok) return
      expect(Number.isInteger(parsed.ms)).toBe(true)
      expect(parsed.ms).toBeGreaterThan(0)
      expect(parsed.ms).toBeLessThanOrEqual(35 * 86_400_000)
    }),
    { numRuns: 2000 },
  )
})
