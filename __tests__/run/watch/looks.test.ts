import { afterEach, expect, test } from '@jest/globals'
import type { Clock } from '../../../src/base/clock.ts'
import { SharedLooks } from '../../../src/run/watch/looks.ts'
import { closeScenes, openScene } from '../scene.ts'

afterEach(closeScenes)

/** A clock that stands still, and knows who sleeps on it. */
class StillClock implements Clock {
  readonly sleeping = new Set<number>()
  now = (): number => 0
  elapsed = (): number => 0
  random = (): number => 0.5
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeping.add(ms)
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        this.sleeping.delete(ms)
        reject(new Error('aborted'))
      })
    })
  }
}

test('once nobody waits any more, nothing keeps the process alive', async () => {
  const clock = new StillClock()
  const looks = new SharedLooks(clock, undefined)
  const cancellation = new AbortController()
  const waits = [30_000, 45_000].map((ms) => looks.sleep(ms, Infinity, cancellation.signal))
  expect(clock.sleeping).toEqual(new Set([30_000]))
  cancellation.abort(new Error('cancelled'))
  for (const wait of waits) await expect(wait).rejects.toThrow('cancelled')
  expect(clock.sleeping).toEqual(new Set())
})

test('of short runs none is looked at later than what they take allows, and never after its time is up', async () => {
  const clock = new StillClock()
  const looks = new SharedLooks(clock, undefined)
  const run = await openScene().then(async (scene) => {
    const { runId = '' } = await scene.execute({ wait: false })
    await looks.look(scene.client, runId)
    return runId
  })
  expect(run).not.toBe('')
  looks.expect(400_000)
  void looks.sleep(1_000, Infinity)
  expect([...clock.sleeping]).toEqual([10_000])
  void looks.sleep(1_000, 3_000)
  expect([...clock.sleeping]).toEqual([3_000])
})

test('runs that are asked for together cost one request, and one that the list lacks is asked for alone', async () => {
  const scene = await openScene()
  const first = await scene.execute({ wait: false })
  const second = await scene.execute({ wait: false })
  const ids = [first.runId ?? '', second.runId ?? '', '0f8e5c1a-3b2d-4c6f-9a7e-1d2c3b4a5f60']
  const before = scene.server.requests.length
  const looks = new SharedLooks(scene.clock, undefined)
  const seen = await Promise.allSettled(ids.map((id) => looks.look(scene.client, id)))
  expect(seen.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  const sent = scene.server.requests.slice(before).map(({ path }) => path.replace(/\?.*/, ''))
  expect(sent.filter((path) => path.endsWith('/runs'))).toHaveLength(1)
  expect(sent.filter((path) => path.endsWith(ids[2] ?? ''))).toHaveLength(1)
})
