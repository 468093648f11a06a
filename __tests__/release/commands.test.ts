import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parseCommand } from '../../scripts/release/commands.ts'
import { explain } from '../../scripts/release/explain.ts'
import { git } from '../../scripts/release/git.ts'
import { projectFile } from '../project/markdown.ts'
import { makeReady, makeScene, REPOSITORY, type Ready, type Scene } from './scene.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const { scripts } = JSON.parse(projectFile('package.json')) as { scripts: Record<string, string> }

/** What a shell makes of a call: `"$NAME"` is a value, and `${NAME:+word}` is the word, or nothing. */
function wordsOf(call: string, name: string, isSet: boolean): string[] {
  const expanded = call.replaceAll(/"\$\w+"/g, 'v1.0.0').replaceAll(/\$\{\w+:\+([^}]*)\}/g, isSet ? '$1' : '')
  const words = expanded.split(/\s+/).filter((word) => word !== '')
  return name === '' ? words : [name, ...words.filter((word) => word !== '--')]
}

/** All calls of release commands in a text, with what stands behind them on the line. */
function callsIn(text: string): { name: string; call: string }[] {
  const direct = [...text.matchAll(/scripts\/release\/cli\.ts (.*)$/gm)].map(([, call = '']) => ({
    name: '',
    call,
  }))
  const scripted = [...text.matchAll(/npm run (release:\w+)((?: [^`&#\n]*)?)/g)].flatMap(
    ([, script = '', call = '']) => {
      const [, name] = /^tsx scripts\/release\/cli\.ts (\w+)$/.exec(scripts[script] ?? '') ?? []
      return name === undefined ? [] : [{ name, call }]
    },
  )
  return [...direct, ...scripted]
}

const workflows = readdirSync(path.join(ROOT, '.github/workflows')).map((file) => `.github/workflows/${file}`)

const calls = [...workflows, 'RELEASING.md', 'docs/verify.md'].flatMap((file) =>
  callsIn(projectFile(file)).flatMap(({ name, call }) =>
    [true, false].map((isSet) => [file, wordsOf(call, name, isSet)] as const),
  ),
)

test('all commands that the workflows call are found', () => {
  const called = calls.filter(([file]) => file.startsWith('.github/')).map(([, [name]]) => name)
  expect(new Set(called)).toEqual(new Set(['verify', 'pack', 'draft', 'check', 'move']))
  expect(calls.map(([, words]) => words.join(' '))).toContain('move v1.0.0 --allow-older')
})

test.each(calls)('%s: %j is a command, with all that it needs', (_, words) => {
  expect(() => parseCommand(words)).not.toThrow()
})

test.each([
  [[], 'Which of prepare'],
  [['publish'], 'Which of prepare'],
  [['move'], 'cli.ts move VERSION'],
  [['move', '1.0.0', '1.1.0'], 'cli.ts move VERSION'],
  [['move', '1.0.0', '--force'], "Unknown option '--force'"],
  [['prepare', 'minor', '--allow-older'], "Unknown option '--allow-older'"],
])('%j is refused', (words, reason) => {
  expect(() => parseCommand(words)).toThrow(reason)
})

describe('a command', () => {
  const before = { ...process.env }
  let ready: Ready
  let scene: Scene
  let folder: string

  beforeAll(async () => {
    ready = makeReady()
    scene = await makeScene(ready)
    folder = mkdtempSync(path.join(tmpdir(), 'commands-'))
    writeFileSync(path.join(folder, 'SHA256SUMS'), 'evil')
  })

  beforeEach(() => {
    const kept = Object.entries(before).filter(([name]) => !name.startsWith('GITHUB_'))
    process.env = { ...Object.fromEntries(kept), GITHUB_API_URL: scene.server.apiUrl }
  })

  afterAll(async () => {
    process.env = before
    rmSync(folder, { recursive: true, force: true })
    await scene.close()
    ready.remove()
  })

  test.each([
    ['of what is no version', ['move', 'banana'], {}, '"banana" is not a version like'],
    ['without a token', ['move', '1.0.0'], {}, 'GITHUB_TOKEN is not set.'],
    ['without a repository', ['move', '1.0.0'], { GITHUB_TOKEN: 'app' }, 'GITHUB_REPOSITORY is not set.'],
    ['of a version that is not prepared', ['verify', '99.0.0'], {}, '99.0.0 cannot be released:\n'],
    ['so with an empty token', ['verify', '99.0.0'], { GITHUB_TOKEN: '' }, '99.0.0 cannot be released:\n'],
    [
      'of a commit that GitHub does not know',
      ['verify', '99.0.0'],
      { GITHUB_TOKEN: 'workflow', GITHUB_REPOSITORY: REPOSITORY },
      'CI did not pass on ',
    ],
    ['with files of somebody else', ['draft', '1.0.0', 'FOLDER'], {}, 'is not what the commit'],
  ])('%s is refused', async (_, words, env, reason) => {
    Object.assign(process.env, env)
    const run = parseCommand(words.map((word) => word.replace('FOLDER', folder)))
    await expect((async () => run())()).rejects.toThrow(reason)
  })

  test('says each fault once, though a file has it many times', async () => {
    const error = await (async () => parseCommand(['verify', '99.0.0'])())().catch(explain)
    const lines = String(error).split('\n')
    expect(lines).toContainEqual(expect.stringContaining('package-lock.json has the version '))
    expect(lines).toEqual([...new Set(lines)])
  })
})

test('a rehearsal that cannot be played is red', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', path.join(ROOT, 'scripts/release/rehearse-cli.ts'), '--no-such-flag'],
    { cwd: ROOT, encoding: 'utf8' },
  )
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^Unknown option '--no-such-flag'.*\n$/)])
})

test('a smoke test in which nothing ran is red', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', path.join(ROOT, 'scripts/release/smoke.ts'), 'check'],
    { cwd: ROOT, env: { ...process.env, STEPS: '{}' }, encoding: 'utf8' },
  )
  expect([status, stderr]).toEqual([1, expect.stringContaining('login did not run')])
})

describe('the roll back', () => {
  let ready: Ready
  let scene: Scene

  beforeAll(async () => {
    ready = makeReady()
    scene = await makeScene(ready)
    const newer = git(scene.origin, 'commit-tree', '-p', ready.commit, '-m', 'More', `${ready.commit}^{tree}`)
    for (const tag of ['v1', 'v1.1.0']) git(scene.origin, 'update-ref', `refs/tags/${tag}`, newer)
    git(scene.origin, 'update-ref', 'refs/tags/v1.0.0', ready.commit)
  })

  afterAll(async () => {
    await scene.close()
    ready.remove()
  })

  test.each([
    [false, 1, 'v1.1.0 came after v1.0.0.'],
    [true, 0, 'v1 points to v1.0.0, '],
  ])('as published.yml starts it; allow-older is %s', async (isSet, status, text) => {
    const [call] = callsIn(projectFile('.github/workflows/published.yml')).filter((each) =>
      each.call.startsWith('move'),
    )
    const words = ['scripts/release/cli.ts', ...wordsOf(call!.call, '', isSet)]
    const child = spawn(process.execPath, ['--import', 'tsx', ...words], {
      cwd: ROOT,
      env: {
        ...process.env,
        GITHUB_API_URL: scene.server.apiUrl,
        GITHUB_TOKEN: 'app',
        GITHUB_REPOSITORY: REPOSITORY,
      },
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (printed += String(part)))
    expect([...(await once(child, 'close')), printed]).toEqual([status, null, expect.stringContaining(text)])
    expect(scene.commitOf('refs/tags/v1') === ready.commit).toBe(isSet)
  })
})
