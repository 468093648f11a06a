import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { changelogVersions } from '../../scripts/release/changelog.ts'
import { gitLines } from '../../scripts/release/git.ts'
import {
  filesWithNames,
  namePattern,
  projectOf,
  readProject,
  referencePattern,
  withoutUnpublished,
  writeRepository,
} from '../../scripts/release/project.ts'
import { formatVersion, isCandidate } from '../../scripts/release/version.ts'
import { guides, projectFile } from '../project/markdown.ts'
import { makeRepository, type Repository } from './repository.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const project = readProject(ROOT)

/** Every place that the pattern fits, with its file. */
function places(pattern: RegExp): { file: string; found: string }[] {
  return filesWithNames(ROOT).flatMap((file) =>
    [...readFileSync(path.join(ROOT, file), 'utf8').matchAll(pattern)].map(([found]) => ({ file, found })),
  )
}

describe('this repository', () => {
  test('has one name, that of package.json, in all files', () => {
    const named = places(namePattern(project.name))
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter(({ found }) => found !== project.repository)).toEqual([])
  })

  test('names one version in all examples: the last release', () => {
    const released = changelogVersions(projectFile('CHANGELOG.md'))
    const last = released.find((version) => !isCandidate(version)) ?? released[0]
    const named = places(referencePattern(project.name)).filter(({ file }) => file !== 'CHANGELOG.md')
    expect(named.length).toBeGreaterThan(30)
    // Before the first release it is the one to come.
    const expected = last === undefined ? 'v1.0.0' : `v${formatVersion(last)}`
    expect(named.filter(({ found }) => found !== expected)).toEqual([])
  })

  test('says that it is not published only where its first release takes that out', () => {
    const left = guides().filter((file) =>
      /not (?:yet )?published/i.test(withoutUnpublished(projectFile(file))),
    )
    expect(left).toEqual([])
  })

  test('has one version: package-lock.json repeats that of package.json', () => {
    const { version, packages } = JSON.parse(projectFile('package-lock.json'))
    expect([version, packages[''].version]).toEqual(Array(2).fill(formatVersion(project.version)))
  })
})

test.each([
  [{ version: '1.0' }, 'version is not like 1.2.3'],
  [{ repository: { url: 'git@example.com:a/b' } }, 'repository.url is not like git+https'],
  [{ name: 'other' }, 'has another name than the package, other.'],
])('a package.json with %j is refused', (change, fault) => {
  const json = JSON.parse(projectFile('package.json')) as object
  expect(() => projectOf(JSON.stringify({ ...json, ...change }))).toThrow(fault)
})

describe('another owner', () => {
  let repository: Repository
  afterEach(() => repository.remove())

  test('is written into all files that name the repository, and into nothing else', () => {
    repository = makeRepository()
    repository.write(
      'docs/verify.md',
      'gh attestation verify dist/index.js --repo octo-org/zenml-run-action\n',
    )
    repository.write('.github/workflows/canary.yml', "if: github.repository == 'octo-org/zenml-run-action'\n")
    repository.commit('More names')
    expect(writeRepository(repository.root, 'acme/zenml-run-action').sort()).toEqual([
      '.github/workflows/canary.yml',
      'README.md',
      'docs/recipes.md',
      'docs/verify.md',
      'package.json',
    ])
    expect(readProject(repository.root).repository).toBe('acme/zenml-run-action')
    expect(repository.read('README.md')).toBe('- uses: acme/zenml-run-action@v1.0.0\n')
    expect(repository.read('docs/verify.md')).toContain('--repo acme/zenml-run-action\n')
    expect(repository.git('grep', '-l', 'octo-org', 'HEAD', '--', '.').split('\n')).toHaveLength(5)
    expect(repository.git('diff', '--stat')).toContain('5 files changed')
    expect(writeRepository(repository.root, 'acme/zenml-run-action')).toEqual([])
  })

  test('is all that remains: the one before is nowhere, however it is spelled', () => {
    const [owner = ''] = project.repository.split('/')
    const before = owner.replaceAll('-', '[^[:alnum:]]{0,2}')
    // The owner with the name behind it, and the one that stands for nobody until there is one.
    const spellings = `your[^[:alnum:] ]{0,2}org|${before}[^[:alnum:]]{1,3}${project.name}`
    const find = ['grep', '-i', '-E', spellings, '--', '.', ':(exclude)__tests__/release'] as const
    const files = gitLines(ROOT, ...find.with(1, '-il'))
    repository = makeRepository()
    for (const file of ['package.json', ...files]) repository.write(file, projectFile(file))
    repository.commit('This repository')
    writeRepository(repository.root, `some-other-owner/${project.name}`)
    repository.commit('Another owner')
    const left = spawnSync('git', find, { cwd: repository.root, encoding: 'utf8' })
    expect(left.stdout).toBe('')
  })

  test.each(['acme', 'acme/other', 'a/b/zenml-run-action', '/zenml-run-action'])('%j is refused', (name) => {
    repository = makeRepository()
    expect(() => writeRepository(repository.root, name)).toThrow('is not like owner/zenml-run-action')
  })
})
