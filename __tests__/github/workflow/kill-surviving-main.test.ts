import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { killSurvivingMain } from '../../../src/github/workflow/kill-surviving-main.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'entries-'))
for (const name of ['main.js', 'wait.js', 'sweep.js', 'other.js'])
  writeFileSync(path.join(folder, name), 'setInterval(() => undefined, 1_000)')
// Sleeps as well, under a name that is not node's.
symlinkSync(process.execPath, path.join(folder, 'program'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Elsewhere there are no job containers, in which alone a step outlives its end. */
const onLinux = process.platform === 'linux' ? test : test.skip

async function startedProcess(script: string, program = process.execPath): Promise<ChildProcess> {
  const child = spawn(program, [script], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('spawn', resolve))
  return child
}

async function ended(child: ChildProcess): Promise<NodeJS.Signals | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.signalCode
  return new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
}

/** Of each action that has a post step. */
const entries = ['.', 'wait', 'sweep', 'login', 'stop', 'promote'].flatMap((action) => {
  const text = readFileSync(path.join(import.meta.dirname, '../../..', action, 'action.yml'), 'utf8')
  const main = /^ {2}main: .*dist\/(\S+)$/m.exec(text)?.[1] ?? ''
  return /^ {2}post:/m.test(text) ? main : []
})

onLinux.each(entries)('a %s that outlived its step is ended, and not waited for', async (name) => {
  const child = await startedProcess(path.join(folder, name))
  const from = performance.now()

  expect(await killSurvivingMain(child.pid ?? 0, folder)).toBe(true)
  // Where it does not end, the post step gives up after two seconds.
  expect(performance.now() - from).toBeLessThan(1_800)
  expect(await ended(child)).toBe('SIGKILL')
})

onLinux('a step whose path goes out of its folder and back, as that of a sub-action, is found', async () => {
  const child = await startedProcess(`${folder}/../${path.basename(folder)}/sweep.js`)

  expect(await killSurvivingMain(child.pid ?? 0, folder)).toBe(true)
  expect(await ended(child)).toBe('SIGKILL')
})

onLinux.each([
  ['another script of the same folder', path.join(folder, 'other.js'), process.execPath],
  ['another program with the same script', path.join(folder, 'main.js'), path.join(folder, 'program')],
])('%s that has got the process id is left alone', async (_, script, program) => {
  const child = await startedProcess(script, program)
  try {
    expect(await killSurvivingMain(child.pid ?? 0, folder)).toBe(false)
    expect(child.signalCode).toBeNull()
    expect(() => process.kill(child.pid ?? 0, 0)).not.toThrow()
  } finally {
    child.kill('SIGTERM')
    expect(await ended(child)).toBe('SIGTERM')
  }
})

onLinux('a step that has ended is no survivor', async () => {
  const child = await startedProcess(path.join(folder, 'main.js'))
  child.kill('SIGTERM')
  await ended(child)

  expect(await killSurvivingMain(child.pid ?? 0, folder)).toBe(false)
})
