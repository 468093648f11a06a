import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { readFile } from '../../../src/github/workflow/files.ts'
import { makeWorkspace } from '../inputs/given.ts'

let folder: ReturnType<typeof makeWorkspace>
beforeAll(() => {
  folder = makeWorkspace({ 'ten.txt': '0123456789', 'empty.txt': '' })
})
afterAll(() => folder.remove())

test('a file is read whole up to the limit, and not beyond it', async () => {
  const path = join(folder.path, 'ten.txt')
  const content = await readFile(path, 10)
  expect(content.ok && Buffer.from(content.bytes).toString()).toBe('0123456789')
  expect(await readFile(path, 9)).toMatchObject({ ok: false, reason: 'too-large' })
})

test('an empty file has no bytes', async () => {
  expect(await readFile(join(folder.path, 'empty.txt'), 10)).toMatchObject({
    ok: true,
    bytes: Buffer.alloc(0),
  })
})

test('what is no file says what it is', async () => {
  expect(await readFile(folder.path, 10)).toMatchObject({ ok: false, reason: 'directory' })
  expect(await readFile(join(folder.path, 'none'), 10)).toMatchObject({ ok: false, reason: 'missing' })
})

const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('a device without end is not read', async () => {
  expect(await readFile('/dev/zero', 10)).toMatchObject({ ok: false, reason: 'no-file' })
})

onLinux('a file that hides its size is read up to the limit', async () => {
  expect(await readFile('/proc/self/status', 100_000)).toMatchObject({ ok: true })
  expect(await readFile('/proc/self/status', 10)).toMatchObject({ ok: false, reason: 'too-large' })
})
