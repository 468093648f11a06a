import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { explain } from '../../scripts/release/explain.ts'
import { prepare } from '../../scripts/release/prepare.ts'
import { formatVersion } from '../../scripts/release/version.ts'
import { makeReleased, makeRepository, type Repository } from './repository.ts'

const DATE = '2026-01-31'

let repository: Repository
let said: string[]

beforeEach(() => {
  said = []
})

afterEach(() => repository.remove())

function run(wanted: string): string {
  return formatVersion(prepare(repository.root, wanted, { date: DATE, say: (line) => said.push(line) }))
}

/** All that a refusal must not touch. */
function state(): unknown {
  return [
    repository.git('status', '--porcelain'),
    repository.git('branch', '--list'),
    repository.git('rev-parse', 'HEAD'),
  ]
}

/** Why it is refused; fails if it is not, or if anything has changed. */
function refusal(wanted: string): string {
  const before = state()
  let message = ''
  try {
    run(wanted)
  } catch (error) {
    message = explain(error)
  }
  expect(state()).toEqual(before)
  expect(message).not.toBe('')
  return message
}

describe('the first release', () => {
  beforeEach(() => {
    repository = makeRepository()
    repository.change('README.md', /^/, 'The action is not published yet. Use\na copy.\n\n')
    repository.write('docs/verify.md', 'tag=v0.9.9\nstage=v0.9.9\n')
    repository.commit('More texts')
  })

  test.each(['1.0.0', '1.0.0-rc.1'])(
    '%s is committed on a branch, with all places that hold it',
    (version) => {
      const base = repository.git('rev-parse', 'HEAD')
      expect(run(version)).toBe(version)

      expect(repository.git('branch', '--show-current')).toBe(`release/v${version}`)
      expect(repository.git('status', '--porcelain')).toBe('')
      expect(repository.git('rev-parse', 'HEAD^')).toBe(base)
      expect(repository.git('log', '-1', '--format=%s')).toBe(`Release v${version}`)
      expect(JSON.parse(repository.read('package.json')).version).toBe(version)
      const { version: ofLock, packages } = JSON.parse(repository.read('package-lock.json'))
      expect([ofLock, packages[''].version, packages['node_modules/yaml'].version]).toEqual([
        version,
        version,
        '2.9.1',
      ])
      expect(repository.read('src/http/user-agent.ts')).toContain(`'zenml-run-action/${version}'`)
      expect(repository.read('README.md')).toBe(`- uses: octo-org/zenml-run-action@v${version}\n`)
      expect(repository.read('docs/verify.md')).toBe(`tag=v${version}\nstage=v0.9.9\n`)
      expect(repository.read('docs/recipes.md')).toBe(
        `- uses: octo-org/zenml-run-action/wait@v${version}\n- uses: octo-org/zenml-run-action@v1\n- uses: actions/checkout@v7.0.1\nor \`@<commit SHA> # v${version}\`\n`,
      )
      expect(repository.read('CHANGELOG.md')).toContain(
        `## [Unreleased]\n\n## [${version}] - ${DATE}\n\n### Added`,
      )
      // It was built afterwards, and the build is in the commit.
      expect(repository.git('show', 'HEAD:dist/index.js')).toContain(`'zenml-run-action/${version}'`)
      expect(said.join('\n')).toContain(`git push -u origin release/v${version}`)
    },
  )

  test('2.0.0 is refused, until 1.0.0 is in the changelog', () => {
    expect(refusal('2.0.0')).toContain('2.0.0 skips a major version: the next one is 1.0.0')
    repository.change('CHANGELOG.md', '[Unreleased]\n', '[Unreleased]\n\n## [1.0.0-rc.1] - 2026-01-01\n')
    repository.commit('A candidate')
    expect(refusal('2.0.0')).toContain('2.0.0 skips a major version: the next one is 1.0.0')
    repository.change('CHANGELOG.md', '1.0.0-rc.1', '1.0.0')
    repository.commit('A release')
    expect(run('2.0.0')).toBe('2.0.0')
  })
})

describe('a later release', () => {
  beforeEach(() => {
    repository = makeReleased()
  })

  test.each([
    ['patch', '1.0.1'],
    ['minor', '1.1.0'],
    ['major', '2.0.0'],
    ['1.0.7', '1.0.7'],
    ['1.1.0-rc.1', '1.1.0-rc.1'],
  ])('%s is %s', (wanted, version) => {
    expect(run(wanted)).toBe(version)
  })

  test('a release after its candidates is that version, and the next level counts from the last release', () => {
    run('1.1.0-rc.1')
    repository.git('tag', 'v1.1.0-rc.1')
    repository.git('switch', '--quiet', '--force-create', 'main')
    expect(run('minor')).toBe('1.1.0')
  })

  test('a candidate leaves the examples at the last release', () => {
    run('1.1.0-rc.1')
    expect(repository.read('README.md')).toBe('- uses: octo-org/zenml-run-action@v1.0.0\n')
  })

  test('a fix of an older release is made from its branch, whatever is on main', () => {
    repository.git('switch', '--quiet', '--create', 'release/v1.0.x')
    repository.git('switch', '--quiet', 'main')
    repository.git('commit', '--quiet', '--allow-empty', '--message', 'Release v1.1.0')
    repository.git('tag', 'v1.1.0')
    repository.git('switch', '--quiet', 'release/v1.0.x')
    expect(run('patch')).toBe('1.0.1')
  })

  test.each(['minor', '1.1.0-rc.1', '2.0.0'])('from the branch of its fixes, %s is refused', (wanted) => {
    repository.git('switch', '--quiet', '--create', 'release/v1.0.x')
    expect(refusal(wanted)).toContain('cannot be made from release/v1.0.x')
  })

  test('a shallow clone, which may lack tags, is refused', () => {
    repository.write('.git/shallow', `${repository.git('rev-parse', 'HEAD')}\n`)
    expect(refusal('minor')).toContain('git fetch --unshallow --tags')
  })

  test('a fix of an older release keeps its section, though its tag is on another branch', () => {
    repository.git('tag', 'v1.0.1', repository.git('commit-tree', '-m', 'Elsewhere', 'HEAD^{tree}'))
    repository.change('CHANGELOG.md', /^(?=## \[1\.0\.0\])/m, '## [1.0.1] - 2026-01-02\n\n- Old.\n\n')
    repository.commit('The section of 1.0.1')
    run('minor')
    expect(repository.read('CHANGELOG.md').match(/^## .*(?=\])/gm)).toEqual([
      '## [Unreleased',
      '## [1.1.0',
      '## [1.0.1',
      '## [1.0.0',
    ])
    expect(said.join('\n')).not.toContain('has no tag')
  })

  const INPUT = 'inputs:\n  extra:\n    description: One more\n'

  test.each([
    ['a new input', 'patch', 'minor', 'inputs:\n', INPUT, 'input extra is new'],
    ['a renamed input', 'minor', 'major', /^ {2}lost-after:$/m, '  gone-after:', 'input lost-after is gone'],
    ['another default', 'minor', 'major', /default: 30m/, 'default: 60m', "'30m' → '60m'"],
    ['another using', 'minor', 'major', 'using: node24', 'using: node26', 'using: node24 → node26'],
  ] as const)('%s is refused as %s', (_, tooLow, enough, from, to, reason) => {
    repository.change('wait/action.yml', from, to)
    repository.commit('A change')
    const message = refusal(tooLow)
    expect(message).toContain(`need a ${enough} version, at least ${enough === 'minor' ? '1.1.0' : '2.0.0'}`)
    expect(message).toContain(`wait/action.yml: `)
    expect(message).toContain(reason)
    expect(run(enough)).toBe(enough === 'minor' ? '1.1.0' : '2.0.0')
  })

  test.each(['src/new.ts', 'README.md'])('changes that are not committed are refused: %s', (file) => {
    repository.write(file, 'changed\n')
    expect(refusal('minor')).toMatch(
      new RegExp(`not committed[^]*${file.replace(/.*\//, '')}|not committed[^]*src/`),
    )
  })

  /** As if main had been cloned when origin was at this commit. */
  function cloned(commit: string): void {
    repository.git('update-ref', 'refs/remotes/origin/main', commit)
    repository.git('config', 'remote.origin.url', 'https://example.invalid')
    repository.git('config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*')
    repository.git('branch', '--quiet', '--set-upstream-to', 'origin/main')
  }

  test('commits that are not pushed are refused, also if origin has others', () => {
    cloned('HEAD^')
    expect(refusal('minor')).toContain('main has commits that are not pushed')
    cloned(repository.git('commit-tree', '-m', 'Elsewhere', '-p', 'HEAD^', 'HEAD^{tree}'))
    expect(refusal('minor')).toContain('main has commits that are not pushed')
    cloned('HEAD')
    expect(run('minor')).toBe('1.1.0')
  })

  test('another branch is refused', () => {
    repository.git('switch', '--quiet', '--create', 'work')
    expect(refusal('minor')).toContain('This is the branch work.')
  })

  test('nothing under Unreleased is refused', () => {
    repository.change('CHANGELOG.md', '### Fixed\n\n- A slip.\n', '')
    repository.commit('Nothing to say')
    expect(refusal('minor')).toContain('nothing under Unreleased')
  })

  test.each([
    ['1.0.0', '1.0.0 is not above 1.0.0, the last version'],
    ['0.9.9', '0.9.9 is not above 1.0.0'],
    ['1.0.0-rc.9', '1.0.0-rc.9 is not above 1.0.0'],
    ['1.1', '"1.1" is neither major, minor or patch nor a version'],
    ['v1.1.0', '"v1.1.0" is neither'],
    ['', '"" is neither'],
    ['3.0.0', '3.0.0 skips a major version: the next one is 2.0.0'],
    ['11.0.0-rc.1', '11.0.0-rc.1 skips a major version: the next one is 2.0.0'],
  ])('the version %j is refused', (wanted, reason) => {
    expect(refusal(wanted)).toContain(reason)
  })

  test('a version that was released elsewhere is refused', () => {
    repository.git('tag', 'v1.0.1', repository.git('commit-tree', '-m', 'Elsewhere', 'HEAD^{tree}'))
    expect(refusal('patch')).toContain('There is a tag v1.0.1 already')
  })

  /** Prepares a version and merges it; nothing is published. */
  function prepareAndMerge(wanted: string): void {
    const version = run(wanted)
    repository.git('switch', '--quiet', 'main')
    expect(refusal(wanted)).toContain(
      `There is a branch release/v${version} already. To prepare it again, delete it: gh pr close release/v${version} --delete-branch, or, if it is merged or there is no pull request: git branch -D release/v${version}, and git push origin --delete release/v${version} if it is there.`,
    )
    repository.git('merge', '--quiet', `release/v${version}`)
    repository.git('branch', '--quiet', '-d', `release/v${version}`)
  }

  test.each(['1.1.0', '1.1.0-rc.1'])(
    '%s, prepared and not published, is refused while nothing is new: its draft is begun again',
    (version) => {
      prepareAndMerge(version)
      const message = refusal(version)
      expect(message).toContain(
        `${version} is prepared already, and nothing is new. Begin again with the same number`,
      )
      expect(message).toContain(`gh workflow run release.yml -f version=${version}`)
    },
  )

  test.each(['minor', '1.1.0-rc.2'])(
    'after one that was not published, with more to say, %s says all of it; that one is named',
    (wanted) => {
      prepareAndMerge('1.1.0-rc.1')
      repository.change('CHANGELOG.md', '[Unreleased]\n', '[Unreleased]\n\n### Fixed\n\n- Another.\n')
      repository.commit('Another')
      const version = run(wanted)
      expect(repository.read('CHANGELOG.md')).toContain(
        `## [${version}] - ${DATE}\n\n### Fixed\n\n- Another.\n\n- A slip.\n\n## [1.0.0]`,
      )
      expect(said.join('\n')).toContain('1.1.0-rc.1 has no tag, so what it says becomes a part of v1.1.0')
    },
  )

  test('after two that were not published, both are named', () => {
    prepareAndMerge('1.1.0-rc.1')
    repository.change(
      'CHANGELOG.md',
      '[Unreleased]\n',
      '[Unreleased]\n\n## [1.0.1] - 2026-01-02\n\n- Another.\n\n',
    )
    repository.commit('Another')
    run('1.1.0')
    expect(said.join('\n')).toContain(
      '1.0.1, 1.1.0-rc.1 have no tags, so what they say becomes a part of v1.1.0.',
    )
  })

  test('one that was prepared and not published is prepared again, with what is new', () => {
    prepareAndMerge('minor')
    repository.change('CHANGELOG.md', '[Unreleased]\n', '[Unreleased]\n\n### Fixed\n\n- Another.\n')
    repository.commit('Another')
    expect(run('minor')).toBe('1.1.0')
    expect(repository.read('CHANGELOG.md').match(/^## .*$/gm)).toEqual([
      '## [Unreleased]',
      `## [1.1.0] - ${DATE}`,
      '## [1.0.0] - 2026-01-01',
    ])
    expect(said.join('\n')).not.toContain('has no tag')
  })

  test.each([
    ['the build fails', "throw new Error('no')", 'npm run build failed'],
    [
      'git cannot commit',
      "import('node:fs').then((fs) => fs.writeFileSync('.git/hooks/pre-commit', '#!/bin/sh\\nexit 1', { mode: 0o755 }))",
      'git commit',
    ],
  ])('when %s, everything is as it was', (_, line, reason) => {
    repository.write('scripts/build.mjs', `${repository.read('scripts/build.mjs')}\n${line}\n`)
    repository.commit('A broken build')
    const message = refusal('minor')
    expect(message).toContain('v1.1.0 was not prepared, and all files are as they were.')
    expect(message).toContain(reason)
    expect(existsSync(path.join(repository.root, 'dist'))).toBe(false)
  })
})
