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

const BORDERS = 'project/borders'

describe('an import over a border is reported', () => {
  test.each([
    ['src/zenml/a.ts', "import { info } from '@actions/core'"],
    ['src/zenml/a.ts', "import type { InputOptions } from '@actions/core'"],
    ['src/zenml/a.ts', "export * from '@actions/core'"],
    ['src/zenml/a.ts', "export const core = await import('@actions/core')"],
    ['src/zenml/a.ts', "export type Core = typeof import('@actions/core')"],
    ['src/zenml/a.ts', "import { log } from '../github/log.ts'"],
    ['src/zenml/a.ts', "import type { Log } from '../github/log.ts'"],
    ['src/zenml/a.ts', "import { main } from '../actions/main.ts'"],
    ['src/zenml/a.ts', "import { watch } from '../run/watch.ts'"],
    ['src/zenml/a.ts', "import type { Watch } from '../run/watch.ts'"],
    ['src/zenml/deep/a.ts', "import { watch } from '../../run/watch.ts'"],
    ['src/run/a.ts', "import { info } from '@actions/core'"],
    ['src/run/a.ts', "export const github = await import('@actions/github')"],
    ['src/run/a.ts', "import { log } from '../github/log.ts'"],
    ['src/run/a.ts', "import type { Main } from '../actions/main.ts'"],
    ['src/run/a.ts', "import { main } from '../index.ts'"],
    ['src/github/a.ts', "import { Client } from '../zenml/client.ts'"],
    ['src/github/a.ts', "import { type Client } from '../zenml/client.ts'"],
    ['src/github/a.ts', "export { watch } from '../run/watch.ts'"],
    ['src/github/a.ts', "export const run = await import('../run/watch.ts')"],
    ['src/github/a.ts', "import { main } from '../actions/main.ts'"],
    ['src/actions/a.ts', "import { main } from '../index.ts'"],
    ['src/newroom/a.ts', "import { watch } from '../run/watch.ts'"],
    ['src/run/a.ts', "import { serve } from '../../simulator/serve.ts'"],
    ['src/index.ts', "import { fault } from '../__tests__/fault.ts'"],
    ['src/github/a.ts', "import { getOctokit } from '@actions/github'"],
    ['src/run/a.ts', "import { parse } from 'yaml'"],
  ])('%s: %s', async (file, code) => {
    expect(await rulesAgainst(file, code)).toContain(BORDERS)
  })
})

describe('an import inside the borders is not', () => {
  test.each([
    ['src/zenml/a.ts', "import { request } from 'undici'\n\nexport const send = request"],
    ['src/zenml/a.ts', "export { retry } from './retry.ts'"],
    ['src/zenml/a.ts', "export type { Clock } from './clock.ts'"],
    ['src/run/a.ts', "export { Client } from '../zenml/client.ts'"],
    ['src/github/outputs.ts', "export { info } from '@actions/core'"],
    ['src/github/a.ts', "export type { Reporter } from '../run/reporter.ts'"],
    ['src/github/a.ts', "export const github = await import('@actions/github')"],
    ['src/actions/a.ts', "export { watch } from '../run/watch.ts'\nexport { log } from '../github/log.ts'"],
    ['src/index.ts', "export { main } from './actions/main.ts'"],
    ['simulator/a.ts', "export { parse } from 'yaml'"],
  ])('%s: %s', async (file, code) => {
    expect(await rulesAgainst(file, code)).toEqual([])
  })
})

describe('a habit that is broken is reported', () => {
  test.each([
    ['src/run/a.ts', 'process.exitCode = 1', 'no-restricted-properties'],
    ['src/run/a.ts', 'process.exit(1)', 'no-restricted-properties'],
    ['src/index.ts', 'process.exit(1)', 'no-restricted-properties'],
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

test('only src/index.ts may set the exit code', async () => {
  expect(await rulesAgainst('src/index.ts', 'process.exitCode = 1')).toEqual([])
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
