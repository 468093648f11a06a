import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { nextReleases, rehearse } from '../../scripts/release/rehearse.ts'
import { makeRepository, type Repository } from './repository.ts'

// Dozens of clones, on a machine that may be busy.
jest.setTimeout(120_000)

let repository: Repository
let folder: string

beforeEach(() => {
  repository = makeRepository()
  folder = mkdtempSync(path.join(tmpdir(), 'rehearsal-'))
})

afterEach(() => {
  repository.remove()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

test('a candidate, the first release, a patch and the roll back, told as a story', async () => {
  repository.write('.github/workflows/ci.yml', 'name: CI\n')
  repository.commit('CI')
  const said: string[] = []
  const tags = await rehearse({
    source: repository.root,
    folder,
    releases: ['1.0.0-rc.1', '1.0.0', 'patch'],
    say: (line) => said.push(line),
  })
  expect([...tags.keys()]).toEqual(['v1', 'v1.0.0', 'v1.0.0-rc.1', 'v1.0.1'])
  expect(tags.get('v1')).toBe(tags.get('v1.0.0'))
  expect(tags.get('v1.0.1')).not.toBe(tags.get('v1.0.0'))
  const of = [
    '1 prepare',
    '2 merge',
    '3 verify',
    '3 rebuild',
    '3 pack',
    '3 draft',
    '4 publish',
    '5 check',
    '5 move',
    '5 again',
  ]
  expect(said.map((line) => (/^(?:[\d ] \w+|==|\w+)/.exec(line) ?? [])[0])).toEqual([
    'Each',
    ...['v1.0.0-rc.1', 'v1.0.0', 'v1.0.1'].flatMap(() => ['==', ...of]),
    ...['==', '  refused', '  move', '  again', 'All'],
  ])
  expect(said).toContain('5 move     v1.0.0-rc.1 is a candidate: v1 stays where it is.')
  // Nobody takes the command for one that is to be typed now.
  expect(said.join('\n')).toMatch(
    /5 move {5}v1 leads to v1\.0\.1, \w{40}\. At GitHub: To undo it: gh workflow run published\.yml -f tag=v1\.0\.0 -f allow-older=true/,
  )
  const played = said.filter((line) => line.includes('(played) ')).map((line) => line.split(' ')[1])
  expect(played.slice(0, 2)).toEqual(['merge', 'publish'])
  // It only reads.
  expect(repository.git('status', '--porcelain')).toBe('')
  expect(repository.git('tag', '--list')).toBe('')
})

test.each([
  ['nothing is released', '', ['1.0.0-rc.1', '1.0.0', 'patch']],
  ['a candidate', '1.0.0-rc.1', ['1.0.0-rc.2', '1.0.0', 'patch']],
  ['a release', '1.4.2', ['2.0.0-rc.1', '2.0.0', 'patch']],
])('after %s, the next ones are played', (_, version, expected) => {
  if (version !== '') {
    repository.change('CHANGELOG.md', '[Unreleased]\n', `[Unreleased]\n\n## [${version}] - 2026-01-31\n`)
  }
  expect(nextReleases(repository.root)).toEqual(expected)
})

test('a candidate is played after another one, though nothing is new', async () => {
  repository.change('CHANGELOG.md', '[Unreleased]\n', '[Unreleased]\n\n## [1.0.0-rc.1] - 2026-01-31\n')
  repository.commit('Release v1.0.0-rc.1')
  const releases = ['1.0.0-rc.2']
  const tags = await rehearse({ source: repository.root, folder, releases, say: () => undefined })
  expect([...tags.keys()]).toEqual(['v1.0.0-rc.2'])
})

test('a build that is another one each time is noticed', async () => {
  repository.change('scripts/build.mjs', "'utf8'))", "'utf8') + Math.random())")
  repository.commit('Chance')
  const rehearsal = rehearse({ source: repository.root, folder, releases: ['1.0.0'], say: () => undefined })
  await expect(rehearsal).rejects.toThrow('dist/ is what src/ builds, but:\n M dist/index.js')
})
