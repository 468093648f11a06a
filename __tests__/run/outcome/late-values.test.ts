import { afterEach, expect, test } from '@jest/globals'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

/** What a run's own hooks log, which a server from 0.96 on lets run after it called the run completed. */

afterEach(closeScenes)

const SCORED = [{ name: 'score', operator: '>=', wanted: 0.9 } as const]
const DYNAMIC = {
  target: { kind: 'template', reference: 'dynamic-template' },
  expectations: SCORED,
} satisfies Partial<RunRequest>

async function logScore(scene: Scene, id: string): Promise<void> {
  const response = await fetch(`${scene.server.url}/api/v1/run-metadata`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${scene.server.issuedTokens.at(-1) ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      project: scene.server.seeded.project,
      resources: [{ id, type: 'pipeline_run' }],
      values: { score: 0.95 },
      types: { score: 'float' },
    }),
  })
  expect(response.status).toBe(200)
}

/** Runs it with a hook that logs a score so long after the action has first read what there is. */
async function runWithHook(scene: Scene, afterMs: number): Promise<RunResult> {
  const running = scene.execute(DYNAMIC)
  while (reads(scene) === 0) await scene.clock.sleep(500)
  await scene.clock.sleep(afterMs)
  await logScore(scene, scene.started[0]?.id ?? '')
  return running
}

/** How often the steps with their metadata were read. */
function reads(scene: Scene): number {
  return scene.sent(/\/steps\?/).length
}

/** Milliseconds from the first reading of the steps to now. */
function waited(scene: Scene): number {
  const first = scene.server.requests.find(({ path }) => path.includes('/steps?'))?.at ?? NaN
  return scene.clock.now() - first
}

test('a value that a hook logs seconds after a dynamic run completed meets the expectation', async () => {
  const scene = await openScene()
  const result = await runWithHook(scene, 5_000)
  expect(result).toMatchObject({ conclusion: 'completed', error: undefined })
  const told = scene.events.filter((event) => event.kind === 'details')
  expect(told.map(({ details }) => details.metadata)).toEqual([{ score: 0.95 }])
  expect(waited(scene)).toBeLessThan(10_000)
})

test('a value that a dynamic run never logs is a miss after 15 seconds', async () => {
  const scene = await openScene()
  const result = await scene.execute(DYNAMIC)
  expect(result).toMatchObject({ conclusion: 'expectation-missed' })
  expect(result.error).toContain('expected score >= 0.9, got no such value')
  expect(reads(scene)).toBe(6)
  expect(waited(scene)).toBeGreaterThanOrEqual(15_000)
  expect(waited(scene)).toBeLessThan(20_000)
})

test('a value that a run of a static pipeline lacks is a miss at once', async () => {
  const scene = await openScene()
  const result = await scene.execute({ expectations: SCORED })
  expect(result).toMatchObject({ conclusion: 'expectation-missed' })
  expect(reads(scene)).toBe(1)
})

test('a value that a dynamic run has and that is too low is a miss at once', async () => {
  const scene = await openScene()
  const expectations = [{ name: 'train.accuracy', operator: '>=', wanted: 2 } as const]
  const result = await scene.execute({ ...DYNAMIC, expectations })
  expect(result).toMatchObject({ conclusion: 'expectation-missed' })
  expect(result.error).not.toContain('no such value')
  expect(reads(scene)).toBe(1)
})

test('a job that is cancelled does not wait for a value that is missing', async () => {
  const scene = await openScene()
  const controller = new AbortController()
  const running = scene.execute(DYNAMIC, controller.signal)
  while (reads(scene) === 0) await scene.clock.sleep(500)
  await scene.clock.sleep(4_000)
  const before = scene.clock.now()
  controller.abort(new Error('cancelled'))
  expect((await running).conclusion).toBe('cancelled')
  expect(scene.clock.now() - before).toBeLessThan(1_000)
})
