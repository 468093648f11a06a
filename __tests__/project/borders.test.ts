import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The project's own configuration, less the rules that need types: the text under test is in no file. */
const untyped = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] })

/** The rules that find fault with `code` if it stood in `file`. */
async function rulesAgainst(file: string, code: string): Promise<(string | null)[]> {
  const [result] = await untyped.lintText(`${code}\n`, { filePath: path.join(root, file) })
  const ignored = new Set(['@typescript-eslint/no-unused-vars'])
  return result!.messages.map(({ ruleId }) => ruleId).filter((rule) => rule === null || !ignored.has(rule))
}

/** The rules of borders that are broken if these files are all of src/. */
function bordersBroken(files: Readonly<Record<string, string>>): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'borders-'))
  try {
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction')
    for (const [name, code] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
      writeFileSync(path.join(folder, name), code)
    }
    const cruise = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
    const config = path.join(root, '.dependency-cruiser.mjs')
    const args = [cruise, '--config', config, '--output-type', 'json', 'src']
    const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    const { summary } = JSON.parse(stdout) as {
      summary: { violations: { from: string; to: string; rule: { name: string } }[] }
    }
    return summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`).sort()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('imports over a border, circles of types, and slow packages at the start are reported', () => {
  const broken = bordersBroken({
    'src/index.ts': "export * from './actions/main.ts'",
    'src/base/text.ts': "export type { A } from '../http/a.ts'",
    'src/http/a.ts': "import { info } from '@actions/core'\nexport type A = typeof info",
    'src/zenml/circle.ts': "import type { B } from './other.ts'\nexport type C = B",
    'src/zenml/other.ts': "import type { C } from './circle.ts'\nexport type B = C",
    'src/run/watch.ts': "import type { Log } from '../github/log.ts'\nexport const watch = (log: Log) => log",
    'src/github/log.ts':
      "import { watch } from '../run/watch.ts'\nimport { parse } from 'yaml'\nexport type Log = typeof watch | typeof parse\nwatch(parse(''))",
    'src/actions/main.ts': "import { main } from '../index.ts'\nmain()",
    'src/cellar/a.ts': "export { tool } from '../../scripts/tool.ts'",
    'scripts/tool.ts': 'export const tool = 1',
  })
  expect(broken.map((line) => line.replace(/→ .*node_modules/, '→ node_modules'))).toEqual(
    expect.arrayContaining([
      'border-of-actions: src/actions/main.ts → src/index.ts',
      'border-of-base: src/base/text.ts → src/http/a.ts',
      'border-of-run: src/run/watch.ts → src/github/log.ts',
      'known-folder: src/cellar/a.ts → scripts/tool.ts',
      'no-circle: src/zenml/circle.ts → src/zenml/other.ts',
      'only-src-ships: src/cellar/a.ts → scripts/tool.ts',
      'types-only-for-github: src/github/log.ts → src/run/watch.ts',
    ]),
  )
  expect(broken.join('\n')).toMatch(/^loaded-when-needed: src\/github\/log\.ts → .*yaml/m)
  expect(broken.join('\n')).toMatch(/^no-workflow: src\/http\/a\.ts → .*@actions\/core/m)
})

test('imports inside the borders are not', () => {
  expect(
    bordersBroken({
      'src/index.ts': "export * from './actions/main.ts'",
      'src/base/json.ts': 'export const json = 1',
      'src/zenml/a.ts': "export { json } from '../base/json.ts'",
      'src/run/watch.ts': "export { json as watch } from '../zenml/a.ts'",
      'src/github/log.ts':
        "import type { watch } from '../run/watch.ts'\nexport type Log = typeof watch | typeof import('yaml')\nexport const load = async () => import('yaml')",
      'src/actions/main.ts':
        "export { watch } from '../run/watch.ts'\nexport { load } from '../github/log.ts'",
    }),
  ).toEqual([])
})

test('no folder of src holds more than 15 files', () => {
  const folders = readdirSync(path.join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath }) => path.relative(root, parentPath))
  const full = [...new Set(folders)].filter((name) => folders.filter((each) => each === name).length > 15)
  expect(full).toEqual([])
})

describe('a habit that is broken is reported', () => {
  test.each([
    ['src/run/a.ts', 'process.exitCode = 1', 'no-restricted-properties'],
    ['src/run/a.ts', 'process.exit(1)', 'no-restricted-properties'],
    ['src/exit-code.ts', 'process.exit(1)', 'no-restricted-properties'],
    ['scripts/a.mjs', 'process.exit(1)', 'no-restricted-properties'],
    ['src/actions/a.ts', "core.setFailed('no')", 'no-restricted-syntax'],
    ['src/actions/a.ts', "import { setFailed } from '@actions/core'", 'no-restricted-syntax'],
    ['src/run/a.ts', 'let runs = 0\nexport const next = () => runs++', 'no-restricted-syntax'],
    ['src/run/a.ts', 'export class A {\n  private a = 1\n}', 'no-restricted-syntax'],
    ['src/run/a.ts', 'export const n = (s: string) => parseInt(s, 10) || 5', 'no-restricted-syntax'],
    ['src/run/utils.ts', 'export const a = 1', 'no-restricted-syntax'],
    ['src/run/a.ts', 'export default 1', 'no-restricted-exports'],
    ['src/run/a.ts', "import { b } from './b.js'", 'no-restricted-imports'],
    ['__tests__/run/a.test.ts', "import { b } from '../../src/run/b.js'", 'no-restricted-imports'],
    ['src/github/a.ts', "export { info } from '@actions/core'", 'no-restricted-imports'],
    ['src/github/a.ts', "process.stdout.write('here')", 'no-restricted-properties'],
    ['src/run/a.ts', "console.log('here')", 'no-console'],
    ['src/run/a.ts', 'try {\n  go()\n} catch {}', 'no-empty'],
    ['src/run/a.ts', '// TODO: later', 'no-warning-comments'],
    ['src/run/a.ts', 'export const a = (b: any) => String(b)', '@typescript-eslint/no-explicit-any'],
  ])('%s: %s', async (file, code, rule) => {
    expect(await rulesAgainst(file, code)).toContain(rule)
  })
})

test('a function over 60 lines and a file over 300 lines are reported', async () => {
  const long = `export function a() {\n${'  go()\n'.repeat(60)}}`
  expect(await rulesAgainst('src/run/a.ts', long)).toEqual(['max-lines-per-function'])
  expect(await rulesAgainst('src/run/a.ts', 'go()\n'.repeat(301))).toEqual(['max-lines'])
})

test('only src/exit-code.ts may set the exit code', async () => {
  expect(await rulesAgainst('src/exit-code.ts', 'process.exitCode = 1')).toEqual([])
})

test('a script may print, and a test function may be long', async () => {
  expect(await rulesAgainst('e2e/a.ts', "console.log('ok')")).toEqual([])
  const long = `test('long', () => {\n${'  go()\n'.repeat(80)}})`
  expect(await rulesAgainst('__tests__/run/a.test.ts', long)).toEqual([])
})

test.each([
  ['src/run/a.ts', '@typescript-eslint/no-floating-promises'],
  ['src/run/a.ts', '@typescript-eslint/switch-exhaustiveness-check'],
  ['__tests__/run/a.test.ts', '@typescript-eslint/no-floating-promises'],
  ['simulator/a.ts', '@typescript-eslint/no-floating-promises'],
])('in %s, %s is an error', async (file, rule) => {
  const config: unknown = await new ESLint({ cwd: root }).calculateConfigForFile(path.join(root, file))
  expect(config).toHaveProperty(['rules', rule, '0'], 2)
})
