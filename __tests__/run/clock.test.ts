import { afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../simulator/index.ts'
import type { RunRequest } from '../../src/run/start-and-follow-run.ts'
import type { RunResult } from '../../src/run/run-supervisor.ts'
import { Deadline } from '../../src/base/deadline.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from './scene.ts'

afterEach(closeScenes)

const HOUR_MS = 3_600_000

/** A run of an hour. */
const long: PipelineSpec = { name: 'long', steps: [{ name: 'train', seconds: 3_600 }] }

/** A run, in the middle of which the client's clock is set. */
async function executeWhileSet(
  byMs: number,
  changes: Partial<RunRequest>,
): Promise<{ readonly scene: Scene; readonly result: RunResult }> {
  const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
  const running = scene.execute({ target: { kind: 'template', reference: 'long-template' }, ...changes })
  await scene.clock.sleep(600_000)
  scene.setClock(byMs)
  return { scene, result: await running }
}

test.each([HOUR_MS, 30 * 24 * HOUR_MS, -HOUR_MS])(
  'a clock that is set by %d ms changes nothing of the wait for a run',
  async (byMs) => {
    const { scene, result } = await executeWhileSet(byMs, { timeoutMs: 2 * HOUR_MS, onTimeout: 'stop' })
    expect(result.conclusion).toBe('completed')
    expect(scene.clock.elapsed()).toBeGreaterThan(HOUR_MS)
    expect(scene.clock.elapsed()).toBeLessThan(1.1 * HOUR_MS)
    expect(scene.events.filter(({ kind }) => kind === 'still').length).toBeGreaterThan(3)
  },
)

test.each([-HOUR_MS, HOUR_MS])('a clock that is set by %d ms does not move the timeout', async (byMs) => {
  const { scene, result } = await executeWhileSet(byMs, { timeoutMs: 1_800_000, onTimeout: 'stop' })
  expect(result).toMatchObject({ conclusion: 'timed-out', status: 'stopped' })
  expect(scene.clock.elapsed()).toBeGreaterThanOrEqual(1_800_000)
  expect(scene.clock.elapsed()).toBeLessThan(2_000_000)
})

test.each([-HOUR_MS, HOUR_MS])('a clock that is set by %d ms does not move trigger-timeout', async (byMs) => {
  const scene = await openScene({
    faults: [{ on: 'trigger', occurrence: 'always', do: { kind: 'no-slot' } }],
  })
  const from = scene.clock.elapsed()
  const running = scene.execute({ triggerTimeoutMs: 600_000 }).catch((error: unknown) => error)
  await scene.clock.sleep(60_000)
  scene.setClock(byMs)
  expect(String(await running)).toContain('within trigger-timeout')
  expect(scene.clock.elapsed() - from).toBeGreaterThanOrEqual(600_000)
  expect(scene.clock.elapsed() - from).toBeLessThan(700_000)
  expect(scene.sent(TRIGGER).length).toBeGreaterThan(10)
})

test('a server that is away is waited for ten minutes, whatever the clock is set to', async () => {
  const scene = await openScene({ pipelines: [long] })
  const running = scene.execute({ target: { kind: 'template', reference: 'long-template' } })
  await scene.clock.sleep(60_000)
  scene.server.addFault({ on: 'any', occurrence: 'always', do: { kind: 'answer', status: 503 } })
  await scene.clock.sleep(60_000)
  const from = scene.clock.elapsed()
  scene.setClock(HOUR_MS)
  expect((await running).conclusion).toBe('lost')
  expect(scene.clock.elapsed() - from).toBeGreaterThan(480_000)
})

test('a deadline is over when its time is, and never has less than nothing left', () => {
  let elapsed = 5
  const deadline = new Deadline({ elapsed: () => elapsed }, 10)
  expect([deadline.leftMs, deadline.isOver]).toEqual([10, false])
  elapsed = 15
  expect([deadline.leftMs, deadline.isOver]).toEqual([0, true])
  elapsed = 99
  expect([deadline.leftMs, deadline.isOver]).toEqual([0, true])
})
