import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  compareVersions,
  formatVersion,
  isBelow,
  levelBetween,
  LEVELS,
  nextVersion,
  parseVersion,
  versionOfTag,
  type Version,
} from '../../scripts/release/version.ts'

const number = fc.nat({ max: 30 })
const anyVersion = fc
  .record({
    major: number,
    minor: number,
    patch: number,
    candidate: fc.option(fc.integer({ min: 1, max: 30 })),
  })
  .map(({ candidate, ...rest }): Version => (candidate === null ? rest : { ...rest, candidate }))

test('what is written can be read', () => {
  fc.assert(
    fc.property(anyVersion, (version) => {
      expect(parseVersion(formatVersion(version))).toEqual(version)
    }),
  )
})

test.each([
  '',
  '1',
  '1.2',
  'v1.2.3',
  '1.2.3.4',
  '01.2.3',
  '1.2.3-rc',
  '1.2.3-rc.0',
  '1.2.3-beta.1',
  '1.2.3\n',
])('no version: %j', (text) => {
  expect(parseVersion(text)).toBeUndefined()
})

test('v1 and v1.2 are no versions of their own', () => {
  expect(['v1', 'v1.2', 'v1.2.3', '1.2.3', 'v1.2.3-rc.4'].map(versionOfTag)).toEqual([
    undefined,
    undefined,
    { major: 1, minor: 2, patch: 3 },
    undefined,
    { major: 1, minor: 2, patch: 3, candidate: 4 },
  ])
})

test('versions are ordered: candidates before their release, and numbers as numbers', () => {
  const ordered = [
    '0.9.0',
    '1.0.0-rc.1',
    '1.0.0-rc.2',
    '1.0.0-rc.10',
    '1.0.0',
    '1.0.1',
    '1.2.0',
    '1.10.0-rc.1',
    '2.0.0',
  ]
  const shuffled = [...ordered].reverse().map((text) => parseVersion(text)!)
  expect(shuffled.sort(compareVersions).map(formatVersion)).toEqual(ordered)
  fc.assert(
    fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0)
      expect(compareVersions(a, b) === 0).toBe(formatVersion(a) === formatVersion(b))
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

test('the next version of a level is above the last one, and changes as much as it says', () => {
  fc.assert(
    fc.property(anyVersion, fc.constantFrom(...LEVELS), ({ major, minor, patch }, level) => {
      const last = { major, minor, patch }
      const next = nextVersion(last, level)
      expect(compareVersions(next, last)).toBeGreaterThan(0)
      expect(levelBetween(last, next)).toBe(level)
    }),
  )
  expect(formatVersion(nextVersion(undefined, 'patch'))).toBe('1.0.0')
})

test('a level is below those that change more', () => {
  expect(isBelow('patch', 'minor') && isBelow('minor', 'major') && isBelow('patch', 'major')).toBe(true)
  expect(LEVELS.some((level) => isBelow(level, level)) || isBelow('major', 'patch')).toBe(false)
})
