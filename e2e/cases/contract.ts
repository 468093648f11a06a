import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { lastLines, run } from '../processes.ts'
import type { Case, Scene } from '../scene.ts'

/** The suite that the simulator must pass in `npm test`, here against the real server. */
async function contract(scene: Scene): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'contract-'))
  const targets = path.join(folder, 'targets.json')
  try {
    await writeFile(targets, JSON.stringify([scene.server.announcement]), { mode: 0o600 })
    const { code, stdout, stderr } = await run('npm', ['test', '--', '__tests__/contract'], {
      cwd: path.join(import.meta.dirname, '..', '..'),
      env: { ...process.env, CONTRACT_TARGETS: targets },
    })
    assert.equal(code, 0, lastLines(stdout + stderr, 60))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const CONTRACT: readonly Case[] = [{ name: 'contract suite', runs: 'any', run: contract }]
