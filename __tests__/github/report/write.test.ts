import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { writeReport } from '../../../src/github/report/write.ts'
import { recordOf } from '../records.ts'

/** Windows lets only some people make links. */
const onUnix = process.platform === 'win32' ? test.skip : test

onUnix('a link in the place of the page is replaced; what it leads to stays as it is', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reports-'))
  try {
    const other = path.join(folder, 'other')
    const link = path.join(folder, 'zenml-report-run.html')
    await writeFile(other, 'mine')
    await symlink(other, link)
    const log = { warning: () => undefined, cover: (text: string) => text }
    expect(await writeReport(recordOf({ runId: undefined }), folder, log)).toBe(link)
    expect((await lstat(link)).isSymbolicLink()).toBe(false)
    expect(await readFile(link, 'utf8')).toMatch(/^<!doctype html>/)
    expect(await readFile(other, 'utf8')).toBe('mine')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
