import { expect, test } from '@jest/globals'
import { format } from 'prettier'
import { changelogNotes, changelogVersions, releaseInChangelog } from '../../scripts/release/changelog.ts'
import { formatVersion, parseVersion } from '../../scripts/release/version.ts'
import { projectFile } from '../project/markdown.ts'

const PAGE = 'https://github.com/octo-org/zenml-run-action'

/** All earlier ones were published, unless only some are named. */
function release(text: string, version: string, only?: readonly string[]): string {
  const published = only?.map((each) => parseVersion(each)!) ?? changelogVersions(text)
  return releaseInChangelog(text, {
    version: parseVersion(version)!,
    date: '2026-01-31',
    page: PAGE,
    published,
  })
}

const FIRST = `# Changelog

Newest first.

## [Unreleased]

### Added

- A run.
`

const RELEASED = `# Changelog

Newest first.

## [Unreleased]

## [1.0.0] - 2026-01-31

### Added

- A run.

[Unreleased]: ${PAGE}/compare/v1.0.0...HEAD
[1.0.0]: ${PAGE}/releases/tag/v1.0.0
`

test('the first release gets what is under Unreleased, and a link to its page', () => {
  expect(release(FIRST, '1.0.0')).toBe(RELEASED)
})

test('a later one leads to what changed since the one before', () => {
  const text = RELEASED.replace('## [Unreleased]\n', '## [Unreleased]\n\n### Fixed\n\n- A slip.\n')
  expect(release(text, '1.0.1')).toBe(
    RELEASED.replace(
      '## [Unreleased]\n',
      '## [Unreleased]\n\n## [1.0.1] - 2026-01-31\n\n### Fixed\n\n- A slip.\n',
    )
      .replace('v1.0.0...HEAD', 'v1.0.1...HEAD')
      .replace('[1.0.0]: ', `[1.0.1]: ${PAGE}/compare/v1.0.0...v1.0.1\n[1.0.0]: `),
  )
})

test('a release takes in its candidates, each kind of change once; other sections stay', () => {
  const first = release(
    RELEASED.replace('[Unreleased]\n', '[Unreleased]\n\n### Added\n\n- New.\n'),
    '1.1.0-rc.1',
  )
  const second = release(
    first.replace('[Unreleased]\n', '[Unreleased]\n\n### Fixed\n\n- Slip.\n\n### Added\n\n- Newer.\n'),
    '1.1.0-rc.2',
  )
  expect(changelogVersions(second).map(formatVersion)).toEqual(['1.1.0-rc.2', '1.1.0-rc.1', '1.0.0'])
  const all = release(second, '1.1.0')
  expect(changelogVersions(all).map(formatVersion)).toEqual(['1.1.0', '1.0.0'])
  expect(changelogNotes(all, parseVersion('1.1.0')!)).toBe(
    '### Fixed\n\n- Slip.\n\n### Added\n\n- Newer.\n\n- New.',
  )
})

test.each(['1.0.1', '1.1.0', '1.1.0-rc.1', '2.0.0-rc.1'])(
  'what was prepared and never published becomes a part of %s, and no link leads to it',
  (version) => {
    const changed = RELEASED.replace('[Unreleased]\n', '[Unreleased]\n\n### Fixed\n\n- A slip.\n')
    const prepared = release(changed, '1.0.1', ['1.0.0'])
    const more = prepared.replace('[Unreleased]\n', '[Unreleased]\n\n### Fixed\n\n- Another.\n')
    const text = release(more, version, ['1.0.0'])
    expect(changelogNotes(text, parseVersion(version)!)).toBe('### Fixed\n\n- Another.\n\n- A slip.')
    expect(text.split('\n').filter((line) => line.includes('compare/'))).toEqual([
      `[Unreleased]: ${PAGE}/compare/v${version}...HEAD`,
      `[${version}]: ${PAGE}/compare/v1.0.0...v${version}`,
    ])
    // Without anything else, too.
    expect(changelogNotes(release(prepared, version, ['1.0.0']), parseVersion(version)!)).toContain('A slip.')
  },
)

test('a release without a word about it is refused; one whose candidates say all is not', () => {
  const empty = FIRST.replace(/### Added[^]*/, '')
  expect(() => release(empty, '1.0.0')).toThrow('nothing under Unreleased')
  expect(() => release(release(FIRST, '1.0.0-rc.1'), '1.0.0-rc.2')).toThrow('nothing under Unreleased')
  expect(release(release(FIRST, '1.0.0-rc.1'), '1.0.0')).toBe(RELEASED)
})

test.each([
  ['# Changelog\n\n## [1.0.0] - 2026-01-31\n', 'does not begin with "## [Unreleased]"'],
  ['# Changelog\n\n## [Unreleased]\n\n- A\n\n## [1.0.0] (2026)\n', '"## [1.0.0] (2026)" is not the heading'],
])('a changelog that cannot be read is refused: %j', (text, fault) => {
  expect(() => release(text, '2.0.0')).toThrow(fault)
})

test('notes are those of the version, without the links; none is an error', () => {
  expect(changelogNotes(RELEASED, parseVersion('1.0.0')!)).toBe('### Added\n\n- A run.')
  expect(() => changelogNotes(RELEASED, parseVersion('1.1.0')!)).toThrow('says nothing about 1.1.0')
  const empty = RELEASED.replace('### Added\n\n- A run.\n', '')
  expect(() => changelogNotes(empty, parseVersion('1.0.0')!)).toThrow('says nothing about 1.0.0')
})

test('the real changelog can be released, and is formatted as the repository wants it', async () => {
  const unreleased = projectFile('CHANGELOG.md').replace(
    '## [Unreleased]\n',
    '## [Unreleased]\n\n- One more.\n',
  )
  const text = release(unreleased, '99.0.0')
  expect(await format(text, { parser: 'markdown', semi: false, singleQuote: true, printWidth: 110 })).toBe(
    text,
  )
})
