import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { nextReleases, rehearse } from '../../scripts/release/rehearse.ts'
import { GithubAnswer } from '../../simulator/github/answers.ts'
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
    ...['==', '  refused', '  move', '  again', 'Everything'],
  ])
  expect(said).toContain('5 move     v1.0.0-rc.1 is a candidate: v1 stays where it is.')
  // Nobody takes the command for one that is to be typed now.
  expect(said.join('\n')).toMatch(
    /5 move {5}v1 points to v1\.0\.1, \w{40}\. At GitHub: To undo it: gh workflow run published\.yml -f tag=v1\.0\.0 -f allow-older=true/,
  )
  const played = said.filter((line) => line.includes('(played) ')).map((line) => line.split(' ')[1])
  expect(played.slice(0, 2)).toEqual(['merge', 'publish'])
  // It only reads.
  expect(repository.git('status', '--porcelain')).toBe('')
  expect(repository.git('tag', '--list')).toBe('')
})

test('that it leaves out what is not committed is said', async () => {
  repository.write('src/new.ts', '')
  const said: string[] = []
  await rehearse({ source: repository.root, folder, releases: [], say: (line) => said.push(line) })
  expect(said[0]).toBe('Changes that are not committed are left out.')
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

test.each([
  [
    'an example that names another owner',
    'docs/recipes.md',
    '- uses: acme/zenml-run-action@v1.0.0\n',
    'Expected: verify finds nothing that prevents the release, but it found:\ndocs/recipes.md names acme/zenml-run-action.',
  ],
  [
    'a build that fails in another folder',
    'scripts/build.mjs',
    "if (process.cwd().includes('verifies')) process.exit(1)\n",
    'Expected: the release can be built.',
  ],
  [
    'an archive that is another one in each clone',
    '.gitattributes',
    'LICENSE export-subst\n',
    'zenml-run-action-1.0.0.tar is not what the commit',
  ],
])('%s is noticed', async (_, file, line, fault) => {
  repository.write('LICENSE', '$Format:%d$\n')
  const before = file === '.gitattributes' ? '' : repository.read(file)
  repository.write(file, `${before}${line}`)
  repository.commit('A fault')
  const rehearsal = rehearse({ source: repository.root, folder, releases: ['1.0.0'], say: () => undefined })
  await expect(rehearsal).rejects.toThrow(fault)
})

const DONE = GithubAnswer.json(200, {})

/** What GitHub answers wrongly, from which time of that call on, and what has to be noticed. */
test.each([
  ['shows a draft', 'GET /releases/tags/v1.0.0', 1, DONE, 'nobody sees the draft of v1.0.0'],
  [
    'has the tag before',
    'GET /git/ref/tags/v1.0.0',
    4,
    GithubAnswer.json(200, { object: { type: 'commit', sha: 'a' } }),
    'there is no tag v1.0.0 before it is published',
  ],
  [
    'forgets the draft',
    'GET /releases?per_page=100',
    1,
    GithubAnswer.json(200, []),
    'a second draft changes nothing',
  ],
  [
    'does not let a person publish',
    'PATCH /releases/',
    1,
    new GithubAnswer(403, '{}'),
    'a person can publish the draft',
  ],
  ['lets the tag move', 'PATCH /git/refs/tags/v1.0.0', 1, DONE, 'nobody can move the tag'],
  ['lets the tag go', 'DELETE /git/refs/tags/v1.0.0', 1, DONE, 'nobody can delete the tag'],
  ['takes a release back', 'PATCH /releases/', 2, DONE, 'nobody can make it a draft again'],
  ['releases a version twice', 'POST /releases', 2, DONE, 'nobody can release it again'],
] as const)('a GitHub that %s is noticed', async (_, call, from, answer, fault) => {
  let count = 0
  const rehearsal = rehearse({
    source: repository.root,
    folder,
    releases: ['1.0.0'],
    say: () => undefined,
    spoil: (server) =>
      server.interfere(({ method, path }) => {
        const asked = `${method} ${path.replace(/^\/repos\/[^/]+\/[^/]+/, '')}`
        return asked.startsWith(call) && (count += 1) >= from ? answer : undefined
      }),
  })
  await expect(rehearsal).rejects.toThrow(`Expected: ${fault}.`)
})
