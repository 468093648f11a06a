import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { prepare } from '../../scripts/release/prepare.ts'
import { remoteFaults, releaseFaults } from '../../scripts/release/verify.ts'
import { parseVersion } from '../../scripts/release/version.ts'
import { makeReleased } from './repository.ts'
import { makeReady, makeScene, REPOSITORY, type Ready, type Scene } from './scene.ts'

const V1 = parseVersion('1.0.0')!

let ready: Ready

beforeAll(() => {
  ready = makeReady()
})

afterAll(() => ready.remove())

describe('what speaks against a release', () => {
  const faults = (): string[] => releaseFaults(ready.repository.root, V1, REPOSITORY)

  afterEach(() => {
    ready.repository.git('reset', '--quiet', '--hard', ready.commit)
  })

  test('is nothing', () => {
    expect(faults()).toEqual([])
  })

  test.each([
    [
      'another version in package.json',
      'package.json',
      '"1.0.0"',
      '"1.0.1"',
      'package.json has the version 1.0.1.',
    ],
    [
      'in package-lock.json',
      'package-lock.json',
      '"1.0.0"',
      '"1.0.1"',
      'package-lock.json has the version 1.0.1.',
    ],
    [
      'told to servers',
      'src/http/user-agent.ts',
      '1.0.0',
      '1.0.1',
      'src/http/user-agent.ts has the version 1.0.1.',
    ],
    ['in an example', 'README.md', 'v1.0.0', 'v0.9.0', 'README.md names the version v0.9.0.'],
    [
      'of another owner',
      'docs/recipes.md',
      'octo-org/',
      'acme/',
      'docs/recipes.md names acme/zenml-run-action.',
    ],
    [
      'not in the changelog',
      'CHANGELOG.md',
      '[1.0.0]',
      '[1.0.1]',
      'The newest section of CHANGELOG.md is 1.0.1.',
    ],
    [
      'in no section of the changelog',
      'CHANGELOG.md',
      '## [1.0.0] - 2026-01-31',
      '',
      'The newest section of CHANGELOG.md is none.',
    ],
    [
      'with more to come',
      'CHANGELOG.md',
      '[Unreleased]\n',
      '[Unreleased]\n\n- More.\n',
      'CHANGELOG.md has more under Unreleased',
    ],
    [
      'with a section of what was never released',
      'CHANGELOG.md',
      /$/,
      '\n## [0.9.0] - 2026-01-01\n\n- Old.\n',
      'CHANGELOG.md has a section of 0.9.0, which has no tag: prepare the release again.',
    ],
    [
      'too long a description',
      'action.yml',
      /^description: .*$/m,
      `description: ${'x'.repeat(130)}`,
      'action.yml: the description has 130 characters',
    ],
  ])('%s', (_, file, from, to, fault) => {
    ready.repository.change(file, from, to)
    expect(faults().join('\n')).toContain(fault)
    expect(faults()).toContain('There are changes that are not committed.')
  })

  test('is another repository than this one', () => {
    expect(releaseFaults(ready.repository.root, V1, 'acme/zenml-run-action').join('\n')).toContain(
      'package.json names the repository octo-org/zenml-run-action, and this is acme/zenml-run-action',
    )
  })

  test('is that the version is there, or not above the last one, or too low', () => {
    const { repository } = ready
    repository.git('tag', 'v1.0.0')
    expect(faults()).toEqual(['There is a tag v1.0.0 already.', 'It is not above 1.0.0, the last version.'])
    repository.git('tag', '--delete', 'v1.0.0')
    repository.git('tag', 'v0.9.9', 'HEAD^')
    expect(faults()).toEqual(['CHANGELOG.md has no section of 0.9.9, which was released.'])
    repository.change('CHANGELOG.md', /$/, '\n## [0.9.9] - 2026-01-01\n\n- Old.\n')
    repository.change('wait/action.yml', /^ {2}lost-after:$/m, '  gone-after:')
    repository.commit('Renamed')
    expect(faults()).toEqual([])
    expect(releaseFaults(repository.root, parseVersion('0.9.10')!, REPOSITORY).join('\n')).toContain(
      'wait/action.yml: input lost-after is gone',
    )
    repository.git('tag', '--delete', 'v0.9.9')
  })

  test('is not a section of what was released from a branch of its own', () => {
    const { repository } = ready
    repository.change('CHANGELOG.md', /$/, '\n## [0.9.1] - 2026-01-01\n\n- Old.\n')
    repository.commit('The section of 0.9.1')
    repository.git('tag', 'v0.9.1', repository.git('commit-tree', '-m', 'Elsewhere', 'HEAD^{tree}'))
    expect(faults()).toEqual([])
    repository.git('tag', '--delete', 'v0.9.1')
  })

  test('is not what the changelog says about an older version', () => {
    const { repository } = ready
    repository.change('CHANGELOG.md', /$/, `\n- Use ${REPOSITORY}@v0.9.0 no more.\n`)
    repository.commit('More words')
    expect(faults()).toEqual([])
  })
})

test('nothing speaks against a candidate after a release, though the examples stay at that one', () => {
  const repository = makeReleased()
  const version = prepare(repository.root, '1.1.0-rc.1', { date: '2026-01-31', say: () => undefined })
  expect(repository.read('README.md')).toContain('@v1.0.0')
  expect(releaseFaults(repository.root, version, REPOSITORY)).toEqual([])
  repository.remove()
})

describe('what speaks against a release at GitHub', () => {
  let scene: Scene

  beforeEach(async () => {
    scene = await makeScene(ready)
  })

  afterEach(() => scene.close())

  const ask = (): Promise<string[]> => remoteFaults(scene.as('workflow'), ready.repository.root, V1, 'main')

  test('is that main moved on, CI did not pass, or there is a tag', async () => {
    expect(await ask()).toEqual([
      `CI did not pass on ${ready.commit}: it is still running, or was not started.`,
    ])
    scene.server.ran({ head_sha: ready.commit, conclusion: 'success' })
    expect(await ask()).toEqual([])
    const head = scene.mergeMore()
    scene.tagged({ 'v1.0.0': head })
    expect(await ask()).toEqual([
      `main is at ${head}, and this is ${ready.commit}.`,
      'GitHub has a tag v1.0.0 already.',
    ])
  })

  test('is that CI failed; when it ran again, the newest run counts', async () => {
    const failed = [`CI did not pass on ${ready.commit}: failure.`]
    scene.server.ran({ head_sha: ready.commit, conclusion: 'failure' })
    expect(await ask()).toEqual(failed)
    scene.server.ran({ head_sha: ready.commit, conclusion: 'success' })
    expect(await ask()).toEqual([])
    scene.server.ran({ head_sha: ready.commit, conclusion: 'failure' })
    expect(await ask()).toEqual(failed)
  })
})
