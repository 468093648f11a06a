import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { expectGreen, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

test('dist alone is enough: copied to an empty folder, it runs without node_modules', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dist-alone-'))
  try {
    const distDir = path.join(folder, 'dist')
    await cp(path.join(import.meta.dirname, '../../dist'), distDir, { recursive: true })
    await withServer({}, async (scene) => {
      const result = await scene.step(
        // A configuration makes it load the part of the bundle that is loaded only when needed.
        { pipeline: 'training', configuration: 'steps: {}', wait: 'false' },
        { distDir },
      )

      expectGreen(result, 'started')
      expect(scene.runs).toHaveLength(1)
    })
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})
