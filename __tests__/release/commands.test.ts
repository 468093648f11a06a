import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseCommand } from '../../scripts/release/commands.ts'
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
  [['move', '1.0.0', '--force'], "Unknown option '--force'"],
  [['prepare', 'minor', '--allow-older'], "Unknown option '--allow-older'"],
])('%j is refused', (words, reason) => {
  expect(() => parseCommand(words)).toThrow(reason)
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
    [true, 0, 'v1 leads to v1.0.0, '],
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
