import { afterEach, expect, test } from '@jest/globals'
import type { Outcome } from '../../../src/run/conclusion.ts'
import type { SweepResult } from '../../../src/run/sweep/cell.ts'
import type { SweepRequest } from '../../../src/run/sweep/sweep.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'
import { sweepOver } from './sweep-over.ts'

/** What runs are ranked by, where their own hooks log it after ZenML called them completed. */

afterEach(closeScenes)

const RANK = { direction: 'max', name: 'score' } as const

/** A dynamic pipeline's runs, one after the other, ranked by what no step of them logs. */
function sweep(scene: Scene, changes: Partial<SweepRequest> = {}): Promise<Outcome> {
  const target = { kind: 'template', reference: 'dynamic-template' } as const
  return sweepOver([{ seconds: 0.1 }, { seconds: 0.2 }], scene, { target, rank: RANK, ...changes })
}

async function logScore(scene: Scene, id: string, score: number): Promise<void> {
  const response = await fetch(`${scene.server.url}/api/v1/run-metadata`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${scene.server.issuedTokens.at(-1) ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      project: scene.server.seeded.project,
      resources: [{ id, type: 'pipeline_run' }],
      values: { score },
      types: { score: 'float' },
    }),
  })
  expect(response.status).toBe(200)
}

/** Logs it seconds after what the run logged was first read. */
async function logLate(scene: Scene, index: number, score: number): Promise<void> {
  while (reads(scene, scene.server.runs[index]?.id ?? '?') === 0) await scene.clock.sleep(500)
  await scene.clock.sleep(4_000)
  await logScore(scene, scene.server.runs[index]!.id, score)
}

/** How often the steps of a run with their metadata were read. */
function reads(scene: Scene, id: string): number {
  return scene.sent(/\/steps\?/).filter((line) => line.includes(id)).length
}

function swept({ events }: Scene): SweepResult | undefined {
  return events.flatMap((event) => (event.kind === 'swept' ? [event.result] : []))[0]
}

test('rank: a value that a hook logs seconds after a dynamic run completed counts, and its cell can be the best', async () => {
  const scene = await openScene()
  const running = sweep(scene)
  for (const [index, score] of [0.95, 0.99].entries()) {
    await logLate(scene, index, score)
  }
  expect(await running).toMatchObject({ conclusion: 'completed', error: undefined })
  expect(swept(scene)).toMatchObject({ best: { cell: { number: 2 }, rank: { value: 0.99 } }, unranked: [] })
})

test('rank: a value that a dynamic run never logs is waited for 15 seconds, and its cell is named as not ranked', async () => {
  const scene = await openScene()
  const running = sweep(scene)
  await logLate(scene, 0, 0.95)
  expect(await running).toMatchObject({ conclusion: 'completed', error: undefined })
  expect(reads(scene, scene.server.runs[1]!.id)).toBe(6)
  expect(swept(scene)).toMatchObject({
    best: { cell: { number: 1 } },
    unranked: [{ cell: { number: 2 }, rank: { problem: expect.stringContaining('no such value') } }],
  })
})

test('rank: a value that a run of a static pipeline lacks is not waited for', async () => {
  const scene = await openScene()
  const cell = { number: 1, values: {}, parameters: { source: 'matrix', value: {} } }
  const target = { kind: 'template', reference: 'training-template' } as const
  await sweep(scene, { target, cells: [cell] })
  expect(reads(scene, scene.server.runs[0]!.id)).toBe(1)
})
