import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { makeRepository, type Repository } from './repository.ts'

const SCRIPT = 'scripts/check-dist.mjs'

let repository: Repository

beforeEach(() => {
  repository = makeRepository()
  cpSync(path.join(import.meta.dirname, '../..', SCRIPT), path.join(repository.root, SCRIPT))
  for (const name of ['index', 'extra']) repository.write(`dist/${name}.js`, 'run()\n')
  repository.commit('Build')
})

afterEach(() => repository.remove())

function check(): { status: number | null; printed: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(repository.root, SCRIPT)], {
    encoding: 'utf8',
  })
  return { status, printed: stdout + stderr }
}

test('npm run check:dist is green when the build changed nothing', () => {
  repository.write('README.md', 'Not of the build\n')
  expect(check()).toEqual({ status: 0, printed: 'dist/ is what src/ builds.\n' })
})

test('npm run check:dist is red, and names each file, when dist/ is another one', () => {
  repository.write('dist/index.js', 'other()\n')
  repository.write('dist/new.js', 'new()\n')
  rmSync(path.join(repository.root, 'dist/extra.js'))
  const { status, printed } = check()
  expect(status).toBe(1)
  expect(printed.split('\n').slice(1, 4)).toEqual([
    '  dist/extra.js: stale, the build no longer makes it',
    '  dist/index.js: out of date',
    '  dist/new.js: not committed',
  ])
})

test('npm run check:dist is red when git cannot compare', () => {
  repository.write('.git/HEAD', '')
  expect(check()).toMatchObject({ status: 1, printed: expect.stringContaining('git cannot compare dist/') })
})
