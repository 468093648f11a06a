import { afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../../simulator/index.ts'
import { closeScenes, openScene, TRIGGER } from '../scene.ts'

afterEach(closeScenes)

const LOCAL: PipelineSpec = { name: 'local', runnable: false, steps: [{ name: 'train', seconds: 1 }] }

test.each([
  ['0.98.0', 'snapshot'],
  ['0.85.0', 'run template'],
] as const)(
  '%s: a pipeline that does not exist is called that, with the nearest name',
  async (version, noun) => {
    const scene = await openScene({ version })
    const target = { kind: 'pipeline', pipeline: 'trainin' } as const
    await expect(scene.execute({ target })).rejects.toThrow(
      new RegExp(
        `^pipeline: there is no pipeline named "trainin" with a named ${noun}[^.]*, or the account has no permission ` +
          `to read ${noun}s\\. Pipelines with a runnable ${noun}: "training", `,
      ),
    )
    expect(scene.sent(TRIGGER)).toEqual([])
  },
)

test('a pipeline of which nothing can be run is not said to be missing', async () => {
  const scene = await openScene({ pipelines: [LOCAL, { ...LOCAL, name: 'remote', runnable: true }] })
  const target = { kind: 'pipeline', pipeline: 'local' } as const
  await expect(scene.execute({ target })).rejects.toThrow(
    /^pipeline: "local" has no named snapshot that can be run[^.]*\. Pipelines with a runnable snapshot: "remote"$/,
  )
})
