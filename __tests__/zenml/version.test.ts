import { expect, test } from '@jest/globals'
import { isAtLeast } from '../../src/zenml/version.ts'

test.each([
  ['0.98.0', true],
  ['0.90.0', true],
  ['0.90.0rc1', true],
  ['0.100.0', true],
  ['1.0.0', true],
  ['1.89', true],
  ['0.89.9', false],
  ['0.9.0', false],
  ['0.74.0', false],
  ['nightly', true],
  ['', true],
])('"%s" is at least 0.90: %s', (version, expected) => {
  expect(isAtLeast(version, 0, 90)).toBe(expected)
})
