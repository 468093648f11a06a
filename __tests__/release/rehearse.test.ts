import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { git, gitLines } from '../../scripts/release/git.ts'
import { ACCOUNTS, nextReleases, Rehearsal, rehearse } from '../../scripts/release/rehearse.ts'
import { parseVersion } from '../../scripts/release/version.ts'
import { GithubAnswer } from '../../simulator/github/answers.ts'
import { startGithub, type GithubFault, type GithubSimulator } from '../../simulator/github/server.ts'
import { makeRepository, type Repository } from './repository.ts'
import { makeReady, REPOSITORY, type Ready } from './scene.ts'

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
  // As GitHub squashes.
  expect(git(path.join(folder, 'origin.git'), 'rev-list', '--merges', 'main')).toBe('')
  // It only reads.
  expect(repository.git('status', '--porcelain')).toBe('')
  expect(repository.git('tag', '--list')).toBe('')
})

test('that it leaves out what is not committed is said; tags that were there before are none of its own', async () => {
  repository.git('tag', 'v0.9.0')
  repository.write('src/new.ts', '')
  const said: string[] = []
  const releases: string[] = []
  const tags = await rehearse({ source: repository.root, folder, releases, say: (line) => said.push(line) })
  expect(said[0]).toBe('Changes that are not committed are left out.')
  expect([...tags]).toEqual([])
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

/** The last line that it told before it ended with this fault. */
async function lastOf(fault: string, spoil: (server: GithubSimulator) => void = () => undefined) {
  const said: string[] = []
  const say = (line: string): void => void said.push(line)
  const rehearsal = rehearse({ source: repository.root, folder, releases: ['1.0.0'], say, spoil })
  await expect(rehearsal).rejects.toThrow(fault)
  return (/^(?:\d \w+|==)/.exec(said.at(-1) ?? '') ?? [])[0]
}

test.each([
  [
    'an example that names another owner',
    'docs/recipes.md',
    '- uses: acme/zenml-run-action@v1.0.0\n',
    'Expected: verify finds nothing that prevents the release, but it found:\ndocs/recipes.md names acme/zenml-run-action.',
    '2 merge',
  ],
  [
    'a build that fails in another folder',
    'scripts/build.mjs',
    "if (process.cwd().includes('verifies')) process.exit(1)\n",
    'Expected: the release can be built.',
    '3 verify',
  ],
  [
    // The settings of this clone; the check of what is published has a clone of its own.
    'an archive that is another one in the clone that prepared it',
    'scripts/build.mjs',
    "if (process.cwd().includes('prepares')) writeFileSync('.git/info/attributes', 'LICENSE export-ignore')\n",
    'zenml-run-action-1.0.0.tar is not what the commit',
    '3 rebuild',
  ],
])('%s is noticed at once', async (_, file, line, fault, step) => {
  repository.write(file, `${repository.read(file)}${line}`)
  repository.commit('A fault')
  expect(await lastOf(fault)).toBe(step)
})

const DONE = GithubAnswer.json(200, {})

/** GitHub's list of tags, of name → commit. */
function tagsOf(tags: Readonly<Record<string, string>>): GithubAnswer {
  const refs = Object.entries(tags).map(([tag, sha]) => {
    return { ref: `refs/tags/${tag}`, object: { type: 'commit', sha } }
  })
  return GithubAnswer.json(200, refs)
}

/** The one of those that there are, but this one leads to this commit. */
function tagsWith(tag: string, sha: string): GithubAnswer {
  const origin = path.join(folder, 'origin.git')
  const lines = gitLines(origin, 'tag', '--list', '--format=%(refname:short) %(objectname)')
  return tagsOf({ ...Object.fromEntries(lines.map((line) => line.split(' '))), [tag]: sha })
}

/** Answers a call wrongly, from one time of it to another. */
function spoilt(
  call: string,
  from: number,
  answer: GithubAnswer | (() => GithubAnswer),
  to = Infinity,
): GithubFault {
  let count = 0
  return ({ method, path: asked }) => {
    if (!`${method} ${asked.replace(/^\/repos\/[^/]+\/[^/]+/, '')}`.startsWith(call)) return undefined
    count += 1
    if (count < from || count > to) return undefined
    return typeof answer === 'function' ? answer() : answer
  }
}

/** What GitHub answers wrongly, from which time of that call on; what has to be noticed, and after which step. */
test.each([
  ['shows a draft', 'GET /releases/tags/v1.0.0', 1, DONE, 'nobody sees the draft of v1.0.0', '3 pack'],
  [
    'has the tag before',
    'GET /git/ref/tags/v1.0.0',
    4,
    GithubAnswer.json(200, { object: { type: 'commit', sha: 'a' } }),
    'there is no tag v1.0.0 before it is published',
    '3 pack',
  ],
  [
    'forgets the draft',
    'GET /releases?per_page=100',
    1,
    GithubAnswer.json(200, []),
    'a second draft changes nothing',
    '3 pack',
  ],
  [
    'does not let a person publish',
    'PATCH /releases/',
    1,
    new GithubAnswer(403, '{}'),
    'a person can publish the draft',
    '3 draft',
  ],
  ['lets the tag move', 'PATCH /git/refs/tags/v1.0.0', 1, DONE, 'nobody can move the tag', '3 draft'],
  ['lets the tag go', 'DELETE /git/refs/tags/v1.0.0', 1, DONE, 'nobody can delete the tag', '3 draft'],
  ['takes a release back', 'PATCH /releases/', 2, DONE, 'nobody can make it a draft again', '3 draft'],
  ['releases a version twice', 'POST /releases', 2, DONE, 'nobody can release it again', '3 draft'],
  [
    'leads v1 elsewhere by itself',
    'GET /git/matching-refs/tags/v1',
    2,
    () => tagsWith('v1', git(repository.root, 'rev-parse', 'HEAD')),
    'the same again changes nothing',
    '5 move',
  ],
] as const)('a GitHub that %s is noticed', async (_, call, from, answer, fault, step) => {
  const spoil = (server: GithubSimulator): void => server.interfere(spoilt(call, from, answer))
  expect(await lastOf(`Expected: ${fault}.`, spoil)).toBe(step)
})

test('a GitHub that has other files than those that were attached is noticed before v1 moves', async () => {
  const spoil = (server: GithubSimulator): void =>
    server.interfere(spoilt('GET /releases/assets/', 1, GithubAnswer.bytes(Buffer.from('evil'))))
  expect(await lastOf('what was downloaded is not what GitHub says it is', spoil)).toBe('4 publish')
})

describe('the roll back', () => {
  let ready: Ready
  let server: GithubSimulator
  let origin: string
  let older: string
  let newer: string

  beforeAll(() => {
    ready = makeReady()
    newer = ready.commit
    older = git(ready.origin, 'rev-parse', 'HEAD^')
  })

  beforeEach(async () => {
    origin = path.join(folder, 'origin.git')
    cpSync(ready.origin, origin, { recursive: true })
    for (const [tag, commit] of Object.entries({ 'v1.0.0': older, 'v1.0.1': newer, v1: newer })) {
      git(origin, 'update-ref', `refs/tags/${tag}`, commit)
    }
    server = await startGithub({ accounts: ACCOUNTS, repository: REPOSITORY, git: origin })
  })

  afterEach(() => server.close())

  afterAll(() => ready.remove())

  function rollBack(): Promise<void> {
    const options = { source: ready.repository.root, folder, releases: [], say: () => undefined }
    const versions = ['1.0.0', '1.0.1'].map((version) => parseVersion(version)!)
    return new Rehearsal(server, origin, options).rollBack(versions)
  }

  test('leads v1 to the release before', async () => {
    await rollBack()
    expect(git(origin, 'rev-parse', 'refs/tags/v1')).toBe(older)
  })

  const BY_MISTAKE = 'an older version by mistake is refused'

  test.each([
    ['that nothing stops when it is not wanted', 1, () => tagsOf({ 'v1.0.0': older, v1: newer }), BY_MISTAKE],
    ['that only GitHub stops', 1, () => new GithubAnswer(403, '{"message":"No"}'), BY_MISTAKE],
    ['after which v1 is not back', 2, () => tagsWith('v1', older), 'v1 points to v1.0.0'],
    ['that is undone at once', 3, () => tagsWith('v1', newer), 'a second roll back changes nothing'],
  ])('%s is noticed', async (_, time, answer, fault) => {
    server.interfere(spoilt('GET /git/matching-refs/tags/v1', time, answer, time))
    await expect(rollBack()).rejects.toThrow(`Expected: ${fault}.`)
  })
})
