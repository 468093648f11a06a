import { afterEach, expect, test } from '@jest/globals'
import type { FaultAction } from '../../simulator/index.ts'
import { cleanUp } from '../../src/run/clean-up.ts'
import { Deadline } from '../../src/zenml/deadline.ts'
import { closeScenes, openScene } from './scene.ts'

afterEach(closeScenes)

const MAINTENANCE: FaultAction = { kind: 'answer', status: 503, body: '', headers: { 'retry-after': '600' } }

test.each([
  ['looks for a run', 'runs', false],
  ['stops it', 'stop', true],
] as const)(
  'a server that asks for ten minutes of patience while the post step %s is asked again in time',
  async (_, on, isKnown) => {
    const scene = await openScene({ orchestrator: 'kubernetes' })
    await scene.execute({ wait: false })
    scene.server.addFault({ on, do: MAINTENANCE })
    const deps = { client: scene.client, clock: scene.clock }
    const ended = await cleanUp(
      {
        planned: scene.planned[0],
        started: isKnown ? scene.started[0] : undefined,
        mode: 'stop',
        reason: 'test',
        lookUpUntil: new Deadline(scene.clock, 60_000),
        deadline: new Deadline(scene.clock, 110_000),
      },
      deps,
    )
    expect(ended).toMatchObject({ settled: true })
    expect(scene.server.runs).toMatchObject([{ busy: false }])
  },
)
