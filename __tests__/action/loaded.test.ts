import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { z } from 'zod'
import { runAction, type ActionOptions } from '../../e2e/action.ts'
import { withPreload } from '../../e2e/preload.ts'
import { PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/*
 * What a step loads before anybody hears of it. That decides how soon it begins, and unlike the time it takes, it is
 * the same on every machine.
 */

const Loaded = z.object({ files: z.record(z.string(), z.number()), builtin: z.array(z.string()) })
type Loaded = z.infer<typeof Loaded>

/** Notes what is loaded when the first request is written, or else at the end. */
const NOTE = `
const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)
const { readFileSync, writeFileSync } = require('node:fs')
const { Socket } = require('node:net')
let isNoted = false
const note = () => {
  if (isNoted) return
  isNoted = true
  const files = Object.keys(require.cache).filter((file) => /[\\\\/]dist[\\\\/]/.test(file))
  const sizes = Object.fromEntries(files.map((file) => [file, readFileSync(file).length]))
  writeFileSync(process.env.LOADED, JSON.stringify({ files: sizes, builtin: process.moduleLoadList }))
}
const { write } = Socket.prototype
Socket.prototype.write = function (...given) {
  if (this.remotePort !== undefined) note()
  return write.apply(this, given)
}
process.on('exit', note)
`

async function loadedBy(options: ActionOptions): Promise<Loaded> {
  const folder = await mkdtemp(path.join(tmpdir(), 'loaded-'))
  const file = path.join(folder, 'loaded.json')
  try {
    await withPreload(NOTE, async (env) => {
      await runAction({ ...options, env: { ...env, LOADED: file } })
    })
    return Loaded.parse(JSON.parse(await readFile(file, 'utf8')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

function bytes({ files }: Loaded): number {
  return Object.values(files).reduce((sum, size) => sum + size, 0)
}

/** Their graph has 3 MB. */
const WIDE = Array.from({ length: 4_000 }, (_, index) => ({
  name: `step_${index}_of_the_pipeline`,
  seconds: 0,
}))

const MATRIX = 'train.epochs: [1, 2]'

test.concurrent.each<[NonNullable<ActionOptions['entry']>, Readonly<Record<string, string>>]>([
  ['main', { template: 'training' }],
  ['login', {}],
  ['wait', { run: 'nightly' }],
  ['stop', { run: 'nightly' }],
  ['resolve', { run: 'nightly', answer: 'true' }],
  ['sweep', { template: 'training', matrix: MATRIX }],
  ['promote', { model: 'churn', version: '7', stage: 'production' }],
])('%s sends its login with at most 405 KiB loaded, and nothing of the fetch in Node', (entry, inputs) =>
  withServer({}, async ({ server }) => {
    const given = { 'server-url': server.url, 'api-key': 'ZENKEY_wrong', ...inputs }
    const loaded = await loadedBy({ entry, inputs: given })
    expect(server.requests[0]?.path).toBe('/api/v1/login')
    expect(bytes(loaded)).toBeLessThan(405 * 1024)
    expect(loaded.builtin.filter((name) => /undici|http2/.test(name))).toEqual([])
  }),
)

test('a post step that has nothing to do loads 10 KiB, and nothing that could connect', async () => {
  const state = { settled: 'true', summaryDue: 'false' }
  const loaded = await loadedBy({ entry: 'post', inputs: {}, state })
  expect(bytes(loaded)).toBeLessThan(10 * 1024)
  expect(loaded.builtin.filter((name) => /undici|crypto|_http_client/.test(name))).toEqual([])
})

/** Writes at the end how many bytes V8 has set aside for what is new. */
const NOTE_NEW_SPACE = `
const { getHeapSpaceStatistics } = process.getBuiltinModule('node:v8')
const { writeFileSync } = process.getBuiltinModule('node:fs')
process.on('exit', () => {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  writeFileSync(process.env.NOTED, String(space.space_size))
})
`

test('a graph of megabytes does not make the step keep 32 MiB for what is new while it waits', () =>
  withServer({ pipelines: [{ name: 'wide', steps: WIDE }] }, async ({ server }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'noted-'))
    const file = path.join(folder, 'bytes')
    await withPreload(NOTE_NEW_SPACE, async (env) => {
      const given = { 'server-url': server.url, 'api-key': server.apiKey, pipeline: 'wide' }
      const result = await runAction({ inputs: given, env: { ...env, NOTED: file } })
      expect(result.outputs['conclusion']).toBe('completed')
    })
    expect(Number(await readFile(file, 'utf8'))).toBeLessThan(10 * 1024 * 1024)
    await rm(folder, { recursive: true })
  }))
