import { lstat, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from '@jest/globals'
import { writeReport } from '../../../src/github/report-page/write.ts'
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
    const log = { warning: () => undefined, redact: (text: string) => text }
    expect(await writeReport(recordOf({ runId: undefined }), folder, log)).toBe(link)
    expect((await lstat(link)).isSymbolicLink()).toBe(false)
    expect(await readFile(link, 'utf8')).toMatch(/^<!doctype html>/)
    expect(await readFile(other, 'utf8')).toBe('mine')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('of a page that could not be written to its end nothing is left, and a warning says so', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reports-'))
  try {
    const warnings: string[] = []
    const redact = (text: string): string => {
      if (text.includes('<footer>')) throw new Error('no space left on device')
      return text
    }
    const log = { warning: (line: string) => warnings.push(line), redact }
    expect(await writeReport(recordOf({}), folder, log)).toBeUndefined()
    expect(await readdir(folder)).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('The report page could not be written')])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
