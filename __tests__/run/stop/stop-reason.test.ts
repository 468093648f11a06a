import { expect, test } from '@jest/globals'
import { stopReason } from '../../../src/run/stop/stop-reason.ts'

const WHAT = 'The workflow step was cancelled'
const urlOf = (length: number): string => 'https://github.example.com/'.padEnd(length, 'x')

test.each([
  ['no address', '', WHAT],
  ['a usual address', urlOf(60), `${WHAT}: ${urlOf(60)}`],
  ['the longest that fits', urlOf(222), `${WHAT}: ${urlOf(222)}`],
  ['one that leaves room for a part', urlOf(223), `The workflow step was…: ${urlOf(223)}`],
  ['one that leaves room for no word', urlOf(250), `…: ${urlOf(250)}`],
  ['one that leaves no room', urlOf(255), urlOf(255)],
  ['one that is too long by itself', urlOf(256), WHAT],
])('with %s the reason is one that ZenML takes, of whole words', (_title, url, expected) => {
  expect(stopReason(WHAT, url)).toBe(expected)
  expect(stopReason(WHAT, url).length).toBeLessThanOrEqual(255)
})

test('a reason that is too long without an address is cut between words', () => {
  const reason = stopReason('word '.repeat(100), '')
  expect(reason).toMatch(/^(word )+word…$/)
  expect(reason.length).toBeLessThanOrEqual(255)
})
