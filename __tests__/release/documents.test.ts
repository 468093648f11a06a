import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { readProject, referencePattern } from '../../scripts/release/project.ts'
import { projectFile } from '../project/markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const Ruleset = z.object({
  target: z.string(),
  enforcement: z.literal('active'),
  bypass_actors: z.array(z.unknown()).max(0),
  conditions: z.object({ ref_name: z.object({ include: z.array(z.string()) }) }),
  rules: z.array(
    z.object({
      type: z.string(),
      parameters: z
        .object({ required_status_checks: z.array(z.object({ context: z.string() })).optional() })
        .optional(),
    }),
  ),
})

const ruleset = (name: string): z.infer<typeof Ruleset> =>
  Ruleset.parse(JSON.parse(projectFile(`.github/rulesets/${name}.json`)))

const Jobs = z.object({
  jobs: z.record(
    z.string(),
    z.object({
      name: z.string(),
      uses: z.string().optional(),
      strategy: z.object({ matrix: z.record(z.string(), z.array(z.string())) }).optional(),
    }),
  ),
})

/** The names that GitHub shows for a workflow's jobs, one for each cell of a matrix. */
function checksOf(file: string): string[] {
  const { jobs } = Jobs.parse(parse(projectFile(file)))
  return Object.values(jobs).flatMap(({ name, uses, strategy }) => {
    if (uses !== undefined) return checksOf(uses.replace('./', '')).map((check) => `${name} / ${check}`)
    let names = [name]
    for (const [key, values] of Object.entries(strategy?.matrix ?? {})) {
      names = names.flatMap((each) => values.map((value) => each.replace(`\${{ matrix.${key} }}`, value)))
    }
    return names
  })
}

describe('the rulesets', () => {
  test('let nothing into main that did not pass all of CI and the review of dependencies', () => {
    const { target, rules } = ruleset('main')
    expect(target).toBe('branch')
    const required = rules.flatMap(({ parameters }) => parameters?.required_status_checks ?? [])
    expect(required.map(({ context }) => context).sort()).toEqual(
      [
        ...checksOf('.github/workflows/ci.yml'),
        ...checksOf('.github/workflows/dependency-review.yml'),
      ].sort(),
    )
    // A branch of fixes begins at a tag, whose commit has no review of its own.
    expect(projectFile('.github/rulesets/main.json')).toContain('"do_not_enforce_on_create": true')
    expect(rules.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['deletion', 'non_fast_forward', 'pull_request', 'required_signatures']),
    )
  })

  test('ask for a review by somebody else, and for a state that was tried with what is on main', () => {
    const { rules, conditions } = JSON.parse(projectFile('.github/rulesets/main.json')) as {
      rules: { type: string; parameters?: unknown }[]
      conditions: { ref_name: { include: string[] } }
    }
    expect(conditions.ref_name.include).toEqual(['~DEFAULT_BRANCH', 'refs/heads/release/v*.x'])
    const of = (wanted: string): unknown => rules.find(({ type }) => type === wanted)?.parameters
    expect(of('pull_request')).toMatchObject({ dismiss_stale_reviews_on_push: true })
    expect(of('required_status_checks')).toMatchObject({ strict_required_status_checks_policy: true })
  })

  test('lock the tags of versions, and leave v1 free to move', () => {
    const { target, rules, conditions } = ruleset('versions')
    expect(target).toBe('tag')
    expect(rules.map(({ type }) => type)).toEqual(['update', 'deletion', 'non_fast_forward'])
    expect(conditions.ref_name.include).toEqual(['refs/tags/v*.*.*'])
  })
})

test('the settings have immutable releases, and all environments that the workflows name', () => {
  const { immutable_releases: immutable, environments } = JSON.parse(projectFile('.github/settings.json'))
  expect(immutable).toBe(true)
  expect(environments).toEqual({
    release: { reviewers: 1, branches: ['main', 'release/v*.x'] },
    'major-tag': { reviewers: 1, branches: ['main'], tags: ['v*'] },
    dependabot: { reviewers: 0, branches: ['main'] },
  })
  const named = ['release', 'published', 'commit-dist'].flatMap((name) =>
    [...projectFile(`.github/workflows/${name}.yml`).matchAll(/environment: (\S+)/g)].map(
      ([, found]) => found,
    ),
  )
  expect(Object.keys(environments).sort()).toEqual([...named].sort())
  for (const name of named) expect(projectFile('RELEASING.md')).toContain(`\`${name}\``)
})

test('CI can be run on a branch of fixes, where a merge does not start it: a release asks for its result', () => {
  const { on } = parse(projectFile('.github/workflows/ci.yml'))
  expect(Object.keys(on)).toContain('workflow_dispatch')
  expect(projectFile('RELEASING.md')).toContain('gh workflow run ci.yml --ref release/v1.2.x')
})

test.each(['RELEASING.md', 'docs/verify.md', 'CONTRIBUTING.md'])(
  '%s names commands, files and workflows that exist',
  (file) => {
    const text = projectFile(file)
    const { scripts } = JSON.parse(projectFile('package.json'))
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g))
      expect(Object.keys(scripts)).toContain(name)
    for (const [, name = ''] of text.matchAll(/gh workflow run (\S+)/g)) {
      expect([name, existsSync(path.join(ROOT, '.github/workflows', name))]).toEqual([name, true])
    }
    for (const [, name = ''] of text.matchAll(/`(\.github\/[\w./]+)`/g)) {
      expect([name, existsSync(path.join(ROOT, name))]).toEqual([name, true])
    }
  },
)

test('docs/verify.md checks what Published checks, with the version that a release writes there', () => {
  const [block = ''] = /```\n[^]*?```/.exec(projectFile('docs/verify.md')) ?? []
  expect(block.split('\n').length - 2).toBeLessThanOrEqual(15)
  expect(block.match(/\bv\d+\.\d+\.\d+(?:-rc\.\d+)?/g)).toEqual(
    block.match(referencePattern(readProject(ROOT).name)),
  )
  const published = projectFile('.github/workflows/published.yml')
  const flags = (text: string): string[] =>
    [...text.matchAll(/^.*(?:gh attestation verify|--(?:signer|source)).*$/gm)]
      .flatMap(([line]) => line.match(/--[\w-]+/g) ?? [])
      .sort()
  expect(flags(block)).toEqual(flags(published))
  for (const part of ['gh release verify "$', 'dist/*'])
    expect([block, published]).toEqual(Array(2).fill(expect.stringContaining(part)))
  expect(block).toContain('--pattern SHA256SUMS --output - | diff - out/SHA256SUMS && echo "')
  expect(block).toContain('git diff --exit-code dist && echo "')
})

const STOP = 'STOP: no valid signature found for dist/a'
const BUILT = 'dist/ is the same'
const PACKED = 'the files are the same'

const withBash = process.platform === 'win32' ? test.skip : test

withBash.each([
  ['all is well', '', [BUILT, PACKED]],
  ['a signature is bad', '[ "$2" = verify ] && return 1;', [STOP, BUILT, PACKED]],
  ['there is no gh', 'return 127;', [STOP, BUILT]],
  ['the files are others', 'echo other;', [BUILT]],
  ['src/ builds something else', 'echo sum; }; git() { return 1;', [PACKED]],
])('the commands of docs/verify.md, pasted when %s, say so', (_, change, expected) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'verify-'))
  for (const name of ['dist', 'out']) mkdirSync(path.join(folder, name))
  for (const file of ['dist/a', 'dist/b', 'out/SHA256SUMS']) writeFileSync(path.join(folder, file), 'sum\n')
  const [, block = ''] = /```\n([^]*?)```/.exec(projectFile('docs/verify.md')) ?? []
  const played = `cd() { :; }; git() { :; }; npm() { :; }; gh() { ${change} echo sum; }\n${block}`
  const { stdout } = spawnSync('bash', ['-c', played], { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect(stdout.match(/^.*(?:STOP|same).*$/gm)).toEqual(expected)
})

withBash('docs/verify.md shows what the major tag is, without a change for the next major version', () => {
  const lines = projectFile('docs/verify.md').match(/^(?:tag=|git tag ).*$/gm) ?? []
  const script = lines.join('\n').replace(/v\d+\.\d+\.\d+/, 'v12.3.4')
  const { stdout } = spawnSync('bash', ['-c', `git() { echo "git $*"; }; ${script}`], { encoding: 'utf8' })
  expect(stdout).toBe('git tag --points-at v12\n')
})

test('RELEASING.md leaves a branch before it deletes it, which git would refuse otherwise', () => {
  const lines = projectFile('RELEASING.md').match(/[^`]*git branch -D[^`]*/g)
  expect(lines).toEqual(['git switch main && git branch -D release/v1.3.0'])
})

test('RELEASING.md says how long the draft takes at most', () => {
  const { jobs } = parse(projectFile('.github/workflows/release.yml'))
  expect(projectFile('RELEASING.md')).toMatch(
    new RegExp(`end-to-end\\s+tests \\(at most ${jobs.e2e['timeout-minutes']} minutes\\)`),
  )
})

test('RELEASING.md is one page, and docs/verify.md fits on a screen', () => {
  expect(projectFile('RELEASING.md').split('\n').length).toBeLessThanOrEqual(90)
  expect(projectFile('docs/verify.md').split('\n').length).toBeLessThanOrEqual(28)
})
