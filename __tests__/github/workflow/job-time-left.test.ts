import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { fileAgeMs } from '../../../src/github/workflow/files.ts'
import { jobLeftMs } from '../../../src/github/workflow/job-time-left.ts'

const HOUR = 3_600_000

/** What is left of a job whose event was written so long ago. */
async function leftAfter(ms: number, env: Readonly<Record<string, string>>): Promise<number | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'event-'))
  const file = path.join(folder, 'event.json')
  try {
    writeFileSync(file, '{}')
    const then = new Date(Date.now() - ms)
    utimesSync(file, then, then)
    return await jobLeftMs({ GITHUB_EVENT_PATH: file, ...env }, fileAgeMs)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const HOSTED = { RUNNER_ENVIRONMENT: 'github-hosted' }

test('a job that seems to have begun more than six hours ago had its clock set: nothing is known', async () => {
  expect(await leftAfter(7 * HOUR, HOSTED)).toBeUndefined()
  expect(await leftAfter(24 * HOUR, HOSTED)).toBeUndefined()
})

test.each([
  ['that has just begun', 0, 6 * HOUR],
  ['that began an hour ago', HOUR, 5 * HOUR],
  ['that is about to be ended', 6 * HOUR - 1_000, 1_000],
  ['whose event is of the future, as after a change of the clock,', -HOUR, 6 * HOUR],
])('a job on a hosted runner %s ends six hours after it began', async (_, passedMs, leftMs) => {
  const left = (await leftAfter(passedMs, HOSTED)) ?? NaN
  expect(left).toBeLessThanOrEqual(leftMs)
  expect(left).toBeGreaterThanOrEqual(leftMs - 5_000)
})

test.each(['missing.json', ''])(
  'where the event %j cannot be seen, nothing of the job has passed',
  async (file) => {
    expect(await leftAfter(HOUR, { ...HOSTED, GITHUB_EVENT_PATH: file })).toBe(6 * HOUR)
  },
)

test.each<Readonly<Record<string, string>>>([{ RUNNER_ENVIRONMENT: 'self-hosted' }, {}])(
  'with %j nothing says when GitHub ends the job',
  async (env) => {
    expect(await leftAfter(HOUR, env)).toBeUndefined()
  },
)

test('the event is as old as the job, though the runner writes it again for each step', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'event-'))
  const file = path.join(folder, 'event.json')
  try {
    const began = Date.now()
    writeFileSync(file, '{}')
    while (Date.now() - began < 50) await setImmediate()
    writeFileSync(file, '{}')
    expect(await fileAgeMs(file)).toBeGreaterThanOrEqual(45)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
