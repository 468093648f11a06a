import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'

const root = fileURLToPath(new URL('../../', import.meta.url))
const dist = path.join(root, 'dist')

const Action = z.object({ runs: z.object({ main: z.string(), post: z.string().optional() }) })

const inDist = (name: string): string => readFileSync(path.join(dist, name), 'utf8')
const names = readdirSync(dist).sort()
const scripts = names.filter((name) => name.endsWith('.js')).map(inDist)

/** The files of dist/ that the action.yml files start, as paths from the repository's root. */
function startedFiles(): string[] {
  const folders = ['.', 'login', 'wait', 'sweep', 'stop', 'resolve', 'promote'].filter((folder) =>
    existsSync(path.join(root, folder, 'action.yml')),
  )
  return folders.flatMap((folder) => {
    const { runs } = Action.parse(parse(readFileSync(path.join(root, folder, 'action.yml'), 'utf8')))
    return [runs.main, runs.post]
      .filter((file) => file !== undefined)
      .map((file) => path.posix.join(folder, file))
  })
}

test('every file that an action.yml starts is in dist, and is one line that calls the bundle', () => {
  const started = startedFiles()
  expect(started).toContain('dist/main.js')
  for (const file of started) {
    const entry = path.posix.basename(file, '.js')
    expect(file).toBe(`dist/${entry}.js`)
    expect(inDist(`${entry}.js`)).toBe(`require('./index.js').${entry}()\n`)
  }
})

test('dist holds nothing that no action.yml and no part of the bundle uses', () => {
  const loaded = /\.e\((\d+)\)/g
  const chunks = scripts.flatMap((text) => [...text.matchAll(loaded)])
  const used = [
    'index.js',
    'licenses.txt',
    'package.json',
    ...startedFiles().map((file) => path.posix.basename(file)),
    ...chunks.map(([, id]) => `${id!}.index.js`),
  ]
  expect(names).toEqual([...new Set(used)].sort())
})

test('dist is loaded as CommonJS wherever it is copied to', () => {
  expect(JSON.parse(inDist('package.json'))).toEqual({ type: 'commonjs' })
})

test.each(['@actions/core', '@octokit/core', 'yaml', 'zod'])(
  'licenses.txt has the license of %s in full',
  (name) => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8')))
    const section = inDist('licenses.txt')
      .split(`\n\n${'-'.repeat(80)}\n\n`)
      .find((text) => text.startsWith(`${name} ${version}\n`))
    expect(section).toMatch(/Copyright[\s\S]+WARRANT/i)
  },
)

test('dist has at most 2 MiB', () => {
  const bytes = names.reduce((sum, name) => sum + Buffer.byteLength(inDist(name)), 0)
  expect(bytes).toBeLessThan(2 * 1024 * 1024)
})

test('dist does not tell where it was built', () => {
  expect(scripts.filter((text) => text.includes(root.replace(/[\\/]$/, '')))).toEqual([])
})
