import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { ALLOWED_LICENSES } from '../../scripts/licenses.mjs'
import { git } from '../../scripts/release/git.ts'
import { readProject } from '../../scripts/release/project.ts'
import { EXPECTED, smokeFaults } from '../../scripts/release/smoke.ts'
import { holds } from '../project/expressions.ts'
import { projectFile } from '../project/markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const Permissions = z.record(z.string(), z.enum(['read', 'write', 'none']))
const Step = z.object({
  id: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  env: z.record(z.string(), z.unknown()).default({}),
  with: z.record(z.string(), z.unknown()).default({}),
})
const Job = z.object({
  uses: z.string().optional(),
  if: z.string().optional(),
  needs: z.union([z.string(), z.array(z.string())]).default([]),
  permissions: Permissions,
  environment: z.string().optional(),
  'timeout-minutes': z.number().optional(),
  steps: z.array(Step).default([]),
})
const Workflow = z.object({
  permissions: Permissions,
  jobs: z.record(z.string(), Job),
})

const files = readdirSync(path.join(ROOT, '.github/workflows')).sort()

const workflows = files.map((file) => {
  const text = projectFile(`.github/workflows/${file}`)
  return { name: file.replace(/\.yml$/, ''), text, ...Workflow.parse(parse(text)) }
})

const jobs = workflows.flatMap(({ name, jobs: all }) =>
  Object.entries(all).map(([job, content]) => ({ name: `${name}/${job}`, ...content })),
)

/** The tag that the canary follows, such as v1; RELEASING.md says when it becomes the next one. */
const [, MAJOR = ''] = /@(v\d+) /.exec(projectFile('.github/workflows/canary.yml')) ?? []

function jobNamed(name: string): (typeof jobs)[number] {
  const job = jobs.find((each) => each.name === name)
  if (job === undefined) throw new Error(`There is no job ${name}.`)
  return job
}

/** What each job may do; nothing else. */
const RIGHTS: Readonly<Record<string, string>> = {
  'canary/canary': 'contents: read',
  'canary/released': '',
  'canary/report': 'issues: write',
  'ci/dist': 'contents: read',
  'ci/e2e': 'contents: read',
  'ci/smoke': 'contents: read',
  'ci/test': 'contents: read',
  'ci/workflows': 'contents: read',
  'codeql/analyze': 'contents: read, security-events: write',
  'commit-dist/commit': 'actions: read, contents: read',
  'dependency-review/review': 'contents: read',
  'nightly/e2e': 'contents: read',
  'nightly/mutate': 'contents: read',
  'published/check': 'attestations: read, contents: read',
  'published/move': 'contents: read',
  'published/smoke': 'contents: read',
  'rebuild-dist/rebuild': 'contents: read',
  'release/draft': 'contents: write',
  'release/e2e': 'contents: read',
  'release/package': 'attestations: write, contents: read, id-token: write',
  'release/rebuild': 'contents: read',
  'release/smoke': 'contents: read',
  'release/verify': 'actions: read, contents: read',
  'scorecard/scorecard': 'contents: read, id-token: write, security-events: write',
  'smoke/smoke': 'contents: read',
}

/** The jobs that a person has to let go on. */
const ENVIRONMENTS: Readonly<Record<string, string>> = {
  'commit-dist/commit': 'dependabot',
  'published/move': 'major-tag',
  'release/draft': 'release',
}

describe('the workflows', () => {
  test('have no rights, and each job those of the table', () => {
    expect(workflows.filter(({ permissions }) => Object.keys(permissions).length > 0)).toEqual([])
    const rights = jobs.map(({ name, permissions }) => {
      const listed = Object.entries(permissions).map(([right, level]) => `${right}: ${level}`)
      return [name, listed.sort().join(', ')]
    })
    expect(Object.fromEntries(rights)).toEqual(RIGHTS)
  })

  test("run no package's code where a token can write, a release is signed, or an App's key is at hand", () => {
    const strong = jobs.filter(
      ({ permissions, steps }) =>
        permissions['contents'] === 'write' ||
        permissions['attestations'] === 'write' ||
        steps.some((step) => step.uses?.startsWith('actions/create-github-app-token@')),
    )
    expect(strong.map(({ name }) => name).sort()).toEqual(
      [...Object.keys(ENVIRONMENTS), 'release/package'].sort(),
    )
    for (const { name, steps } of strong) {
      expect({ name, runs: steps.filter(({ run = '' }) => /\b(?:npm|npx|tsx|yarn)\b/.test(run)) }).toEqual({
        name,
        runs: [],
      })
      const cached = steps.filter((step) => step.uses?.startsWith('actions/setup-node@'))
      expect(cached.map((step) => step.with['package-manager-cache'])).toEqual(cached.map(() => false))
      const others = steps.flatMap(({ uses = 'actions/' }) => (uses.startsWith('actions/') ? [] : [uses]))
      expect({ name, others }).toEqual({ name, others: [] })
    }
  })

  test('ask a person before anything that users see', () => {
    const asked = jobs.flatMap(({ name, environment }) =>
      environment === undefined ? [] : [[name, environment]],
    )
    expect(Object.fromEntries(asked)).toEqual(ENVIRONMENTS)
  })

  test('put no expression into a command', () => {
    const commands = jobs.flatMap(({ name, steps }) => steps.map(({ run = '' }) => ({ name, run })))
    expect(commands.filter(({ run }) => run.includes('${{'))).toEqual([])
  })

  test('name each action by its commit and version, the same everywhere; only the canary follows a major version', () => {
    const { repository } = readProject(ROOT)
    const uses = workflows.flatMap(({ name, text }) =>
      [...text.matchAll(/uses: ([^\s@]+)@(\S+)(?: # (.+))?$/gm)].map(
        ([, action = '', ref = '', comment = '']) => {
          return { name, action, ref, comment }
        },
      ),
    )
    const own = uses.filter(({ action }) => action.startsWith(repository))
    expect(own.map(({ name, ref }) => `${name} ${ref}`)).toEqual(Array(2).fill(`canary ${MAJOR}`))
    const pins = new Map<string, string>()
    for (const use of uses.filter((each) => !own.includes(each))) {
      expect(use).toEqual({
        ...use,
        ref: expect.stringMatching(/^[0-9a-f]{40}$/),
        comment: expect.stringMatching(/^v\d+\.\d+\.\d+$/),
      })
      const project = use.action.split('/').slice(0, 2).join('/')
      const pin = `${use.ref} ${use.comment}`
      expect([project, pins.get(project) ?? pin]).toEqual([project, pin])
      pins.set(project, pin)
    }
    expect(uses.length).toBeGreaterThan(30)
  })

  test('check out without leaving the token behind, and end by themselves', () => {
    for (const { name, steps, uses, ...job } of jobs) {
      const checkouts = steps.filter((step) => step.uses?.startsWith('actions/checkout@'))
      expect({ name, left: checkouts.filter((step) => step.with['persist-credentials'] !== false) }).toEqual({
        name,
        left: [],
      })
      expect({ name, ends: uses !== undefined || job['timeout-minutes'] !== undefined }).toEqual({
        name,
        ends: true,
      })
    }
  })
})

describe('a release', () => {
  test('is drafted after everything else, and v1 is moved after all checks', () => {
    expect(jobNamed('release/draft').needs).toBe('package')
    expect(jobNamed('release/package').needs).toEqual(['rebuild', 'e2e', 'smoke'])
    for (const name of ['rebuild', 'e2e', 'smoke']) expect(jobNamed(`release/${name}`).needs).toBe('verify')
    expect(jobNamed('published/move').needs).toEqual(['check', 'smoke'])
  })

  test('is verified with all tags and at GitHub, built again on three systems, and tried on real servers', () => {
    const checkoutOf = (name: string): Readonly<Record<string, unknown>> | undefined =>
      jobNamed(name).steps.find(({ uses }) => uses?.startsWith('actions/checkout@'))?.with
    // Without the tags, no version is too low, and none is there already.
    expect(checkoutOf('release/verify')?.['fetch-depth']).toBe(0)
    expect(checkoutOf('published/check')).toMatchObject({
      'fetch-depth': 0,
      ref: '${{ inputs.tag || github.event.release.tag_name }}',
    })
    const verify = jobNamed('release/verify').steps.find(({ run }) => run?.includes('release:verify'))
    expect(Object.keys(verify?.env ?? {})).toEqual(['VERSION', 'GITHUB_TOKEN'])
    const commands = (name: string): string[] => jobNamed(name).steps.flatMap(({ run }) => run ?? [])
    expect(commands('release/rebuild').slice(0, 3)).toEqual([
      'npm ci --ignore-scripts',
      'npm run build',
      'npm run check:dist',
    ])
    expect(commands('ci/dist')).toEqual(['npm ci', 'npm run build', 'npm run check:dist'])
    expect(commands('release/e2e')).toContain('npm run e2e')
    const text = projectFile('.github/workflows/release.yml')
    for (const os of ['ubuntu', 'windows', 'macos'])
      expect(text).toContain(`{ os: ${os}-latest, node: '24' }`)
    expect(commands('smoke/smoke').at(-1)).toBe('node scripts/release/smoke.ts check')
    expect(checkoutOf('smoke/smoke')?.['ref']).toBe('${{ inputs.ref }}')
    expect(projectFile('.github/workflows/smoke.yml')).toContain(
      'os: [ubuntu-latest, windows-latest, macos-latest]',
    )
  })

  test('is checked when a person publishes it, one after the other, and smoked at its tag', () => {
    const published = parse(projectFile('.github/workflows/published.yml'))
    expect(published.on.release).toEqual({ types: ['published'] })
    expect(published.jobs.smoke.with.ref).toBe('${{ inputs.tag || github.event.release.tag_name }}')
    for (const name of ['release', 'published']) {
      // What is half done is never cut off, and nothing else is done beside it.
      expect(parse(projectFile(`.github/workflows/${name}.yml`)).concurrency).toEqual({
        group: name,
        'cancel-in-progress': false,
      })
    }
  })

  test('is signed: the files of SHA256SUMS, twice, and both signatures are attached', () => {
    const { steps } = jobNamed('release/package')
    const signed = steps.filter(({ uses }) => uses?.startsWith('actions/attest@')).map((step) => step.with)
    expect(signed).toEqual([
      { 'subject-checksums': 'out/SHA256SUMS' },
      { 'subject-checksums': 'out/SHA256SUMS', 'sbom-path': 'out/sbom.cdx.json' },
    ])
    const copied = steps.map(({ run = '' }) => run).join('\n')
    expect(copied).toContain('out/provenance.intoto.jsonl')
    expect(copied).toContain('out/sbom.intoto.jsonl')
  })

  test('is checked when it is published: locked, the same as the tag, and signed by release.yml for this commit', () => {
    const commands = jobNamed('published/check')
      .steps.map(({ run = '' }) => run)
      .join('\n')
    for (const part of [
      'cli.ts check "$TAG" out',
      'gh release verify "$TAG"',
      'gh release verify-asset "$TAG" "$file"',
      'out/*.tar out/sbom.cdx.json dist/*',
      '--source-digest "$commit"',
      '.github/workflows/release.yml" --deny-self-hosted-runners',
    ]) {
      expect(commands).toContain(part)
    }
  })

  test.each([
    // The smoke test runs; v1 follows.
    ['is published', 'v1.1.0', '', ['success', 'success'], [true, true]],
    ['is published, and its smoke test fails', 'v1.1.0', '', ['success', 'failure'], [true, false]],
    ['is published, and its check fails', 'v1.1.0', '', ['failure', 'success'], [true, false]],
    ['is published as a candidate', 'v1.1.0-rc.1', '', ['success', 'success'], [true, false]],
    [
      'is rolled back to, without waiting for a smoke test',
      'v1.0.0',
      'true',
      ['success', 'skipped'],
      [false, true],
    ],
    ['is rolled back to, and its check fails', 'v1.0.0', 'true', ['failure', 'skipped'], [false, false]],
  ] as const)('when it %s', (_, tag, allowOlder, [check, smoke], expected) => {
    const contexts = {
      'inputs.tag': '',
      'inputs.allow-older': allowOlder,
      'github.event.release.tag_name': tag,
      'needs.check.result': check,
      'needs.smoke.result': smoke,
    }
    const scope = { contexts, hasFailed: [check, smoke].some((result) => result === 'failure') }
    const move = jobNamed('published/move').if
    expect([
      holds(jobNamed('published/smoke').if, { ...scope, hasFailed: false }),
      holds(move, scope),
    ]).toEqual(expected)
    // Without this, GitHub skips what comes after a job that was skipped.
    expect(move).toContain('!cancelled()')
  })

  test("leads v1 with an App's token for just that", () => {
    const app = jobNamed('published/move').steps.find(({ id }) => id === 'app')
    const asked = Object.entries(app?.with ?? {}).filter(([name]) => name.startsWith('permission-'))
    expect(Object.fromEntries(asked)).toEqual({
      'permission-contents': 'write',
      'permission-workflows': 'write',
    })
  })
})

describe('the canary', () => {
  const [{ run = '' } = {}] = jobNamed('canary/released').steps
  const number = Number(MAJOR.slice(1))
  const next = `v${number + 1}`
  const moved = run.replaceAll(MAJOR, next)

  test.each([
    ['before the first release, is skipped', run, [`${MAJOR}.0.0-rc.1`, `${next}.0.0`], false],
    ['after it, runs', run, [`${MAJOR}.0.0-rc.1`, `${MAJOR}.0.0`, MAJOR], true],
    ['without its tag, though there are releases, runs and fails', run, [`${MAJOR}.0.0`], true],
    ['moved to a new major version, runs', moved, [`${MAJOR}.0.0`, `${next}.0.0`], true],
    ['moved to one that is not released, is skipped', moved, [`${MAJOR}.0.0`, `${next}.0.0-rc.1`], false],
  ])('%s', (_, script, tags, runs) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'canary-'))
    try {
      const origin = path.join(folder, 'octo-org', 'zenml-run-action')
      mkdirSync(origin, { recursive: true })
      git(origin, 'init', '--quiet')
      const author = ['-c', 'user.name=octocat', '-c', 'user.email=octocat@example.invalid']
      git(
        origin,
        ...author,
        '-c',
        'commit.gpgSign=false',
        'commit',
        '--quiet',
        '--allow-empty',
        '--message',
        'All',
      )
      for (const tag of tags) git(origin, 'update-ref', `refs/tags/${tag}`, 'HEAD')
      const output = path.join(folder, 'output')
      const { status, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
        env: {
          ...process.env,
          GITHUB_SERVER_URL: folder,
          GITHUB_REPOSITORY: 'octo-org/zenml-run-action',
          GITHUB_OUTPUT: output,
        },
        encoding: 'utf8',
      })
      expect([status, stderr]).toEqual([0, ''])
      const written = readFileSync(output, 'utf8').replace(/^tags=(.*)\n$/, '$1')
      const scope = { contexts: { 'needs.released.outputs.tags': written }, hasFailed: false }
      expect(holds(jobNamed('canary/canary').if, scope)).toBe(runs)
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  })

  test.each([
    ['failure', true],
    ['skipped', false],
  ])('opens an issue only if v1 itself does not run: %s', (result, expected) => {
    const scope = { contexts: { 'needs.canary.result': result }, hasFailed: true }
    expect(holds(jobNamed('canary/report').if, scope)).toBe(expected)
  })
})

describe('the smoke test', () => {
  const { steps } = jobNamed('smoke/smoke')

  test('uses the action, every sub-action, and looks at each of them', () => {
    const own = steps.filter(({ uses }) => uses?.startsWith('./'))
    expect(own.map(({ id }) => id).sort()).toEqual(Object.keys(EXPECTED).sort())
    expect([...new Set(own.map(({ uses }) => uses))].sort()).toEqual(
      ['./', './login', './promote', './resolve', './stop', './sweep', './wait'].sort(),
    )
    expect(own.find(({ id }) => id === 'run')?.with).not.toHaveProperty('step-key')
  })

  test('is part of CI, of the release, and of what is done when it is published', () => {
    for (const name of ['ci/smoke', 'release/smoke', 'published/smoke']) {
      expect(jobNamed(name).uses).toBe('./.github/workflows/smoke.yml')
    }
  })

  test('fails for a step that ended otherwise, or did not run', () => {
    const good = Object.fromEntries(
      Object.entries(EXPECTED).map(([id, [outcome, conclusion]]) => {
        return [id, { outcome, outputs: conclusion === undefined ? {} : { conclusion } }]
      }),
    )
    expect(smokeFaults(good)).toEqual([])
    expect(
      smokeFaults({ ...good, failing: { outcome: 'success', outputs: { conclusion: 'failed' } } }),
    ).toEqual(['failing: success, failed; not failure, failed'])
    expect(smokeFaults({ ...good, cancelled: { outcome: 'failure', outputs: {} } })).toEqual([
      'cancelled: failure, no conclusion; not failure, cancelled',
    ])
    const { stop: _, ...others } = good
    expect(smokeFaults(others)).toEqual(['stop did not run'])
  })
})

test('pull requests may bring the licenses that are let into the bundle, and no others', () => {
  const review = jobNamed('dependency-review/review').steps.find(({ uses }) =>
    uses?.includes('dependency-review'),
  )
  expect(review?.with['allow-licenses']).toBe(ALLOWED_LICENSES.join(', '))
})

test("Dependabot's code is built without rights, and what commits it runs nothing of it", () => {
  const build = jobNamed('rebuild-dist/rebuild')
    .steps.map(({ run = '' }) => run)
    .join('\n')
  expect(build).toContain('npm ci --ignore-scripts')
  const commit = jobNamed('commit-dist/commit')
    .steps.map(({ run = '' }) => run)
    .join('\n')
  expect(commit).not.toMatch(/\bnode\b/)
  expect(commit).toContain('git add --all dist')
})

test('each night, the newest ZenML is tried', () => {
  expect(projectFile('.github/workflows/nightly.yml')).toContain('--server newest')
})
