import { afterEach, expect, test } from '@jest/globals'
import type { Clock } from '../../../src/base/clock.ts'
import { aloneWith, SharedLooks, type Looks } from '../../../src/run/watch/shared-looks.ts'
import { isNotFound } from '../../../src/zenml/errors.ts'
import { training, type Fault } from '../../../simulator/index.ts'
import { closeScenes, openScene } from '../scene.ts'
import { watchPipeline } from './watched.ts'

afterEach(closeScenes)

/** A clock that stands still unless it is set, and knows who sleeps on it. */
class StillClock implements Clock {
  readonly sleeping = new Set<number>()
  elapsedMs = 0
  now = (): number => this.elapsedMs
  elapsed = (): number => this.elapsedMs
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

test('where nobody knows what such runs take, the one that goes on longest says how often all are looked at', async () => {
  const clock = new StillClock()
  const looks = new SharedLooks(clock, undefined)
  looks.expect(undefined)
  const scene = await openScene()
  const [old, young] = [await scene.execute({ wait: false }), await scene.execute({ wait: false })]
  await looks.look(scene.client, old.runId ?? '')
  clock.elapsedMs = 100_000
  await Promise.all([old, young].map(({ runId = '' }) => looks.look(scene.client, runId)))
  void looks.sleep(1_000, Infinity)
  expect([...clock.sleeping]).toEqual([5_000])
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

test.each([
  ['403 and a page', 403, '<html>blocked</html>'],
  ['502 and a page', 502, '<html>Bad Gateway</html>'],
  ['500 and JSON', 500, '{"detail": ["RuntimeError", "too long"]}'],
])(
  'where each list is answered with %s, runs are looked at all the same, after two lists alone',
  async (_, status, body) => {
    const scene = await openScene()
    const ids = [await scene.execute({ wait: false }), await scene.execute({ wait: false })].map(
      ({ runId = '' }) => runId,
    )
    scene.server.addFault({ on: 'runs', occurrence: 'always', do: { kind: 'answer', status, body } })
    const before = scene.server.requests.length
    const looks = new SharedLooks(scene.clock, undefined)
    for (let look = 0; look < 4; look++) {
      const runs = await Promise.all(ids.map((id) => looks.look(scene.client, id)))
      expect(runs.map(({ id }) => id)).toEqual(ids)
    }
    const sent = scene.server.requests.slice(before).map(({ path }) => path.replace(/\?.*/, ''))
    const attempts = status === 403 ? 1 : 7
    expect(sent.filter((path) => path.endsWith('/runs'))).toHaveLength(2 * attempts)
    expect(sent.filter((path) => path.endsWith(ids[1] ?? ''))).toHaveLength(4)
  },
)

test('where no list comes through, a run that was deleted is gone alone, and the others are looked at', async () => {
  const scene = await openScene()
  const others = [await scene.execute({ wait: false }), await scene.execute({ wait: false })]
  const ids = ['0f8e5c1a-3b2d-4c6f-9a7e-1d2c3b4a5f60', ...others.map(({ runId = '' }) => runId)]
  const page = '<html><title>414 Request-URI Too Large</title></html>'
  scene.server.addFault({ on: 'runs', occurrence: 'always', do: { kind: 'answer', status: 414, body: page } })
  const before = scene.server.requests.length
  const looks = new SharedLooks(scene.clock, undefined)
  for (let look = 0; look < 3; look++) {
    const seen = await Promise.allSettled(ids.map((id) => looks.look(scene.client, id)))
    expect(seen.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(seen[0]?.status === 'rejected' && isNotFound(seen[0].reason)).toBe(true)
  }
  const sent = scene.server.requests.slice(before).map(({ path }) => path.replace(/\?.*/, ''))
  expect(sent.filter((path) => path.endsWith('/runs'))).toHaveLength(2)
  for (const id of ids) expect(sent.filter((path) => path.endsWith(id))).toHaveLength(3)
})

test('a list that fails just before the server is back does not end the looks at all runs at once', async () => {
  const scene = await openScene()
  const ids = [await scene.execute({ wait: false }), await scene.execute({ wait: false })].map(
    ({ runId = '' }) => runId,
  )
  const refused: Fault = { on: 'runs', do: { kind: 'answer', status: 403, body: '<html>starting</html>' } }
  const looks = new SharedLooks(scene.clock, undefined)
  const before = scene.server.requests.length
  for (const fault of [refused, undefined, refused, undefined]) {
    if (fault !== undefined) scene.server.addFault(fault)
    await Promise.all(ids.map((id) => looks.look(scene.client, id)))
  }
  const sent = scene.server.requests.slice(before).map(({ path }) => path.replace(/\?.*/, ''))
  expect(sent.filter((path) => path.endsWith('/runs'))).toHaveLength(4)
})

test('where the server is away, each look fails with what was said of the list', async () => {
  const scene = await openScene()
  const ids = [await scene.execute({ wait: false }), await scene.execute({ wait: false })].map(
    ({ runId = '' }) => runId,
  )
  for (const on of ['runs', 'run'] as const) {
    scene.server.addFault({ on, occurrence: 'always', do: { kind: 'answer', status: 403, body: `no ${on}` } })
  }
  const looks = new SharedLooks(scene.clock, undefined)
  const seen = await Promise.allSettled(ids.map((id) => looks.look(scene.client, id)))
  for (const look of seen) {
    expect(look.status === 'rejected' && String(look.reason)).toContain('no runs')
  }
})

test.each([
  ['has just been started waits for the others', 'initializing', 'sleep'],
  ['had ended before is looked at right away', 'completed', 'look'],
])('of several runs one that %s', async (_, status, first) => {
  const calls: string[] = []
  let looks: Looks | undefined
  const recording: Looks = {
    sleep: async (...given) => {
      calls.push('sleep')
      await looks?.sleep(...given)
    },
    look: async (client, id) => {
      calls.push('look')
      return client.run(id, { hydrate: false })
    },
  }
  const meanwhile = ({ clock }: { clock: Clock }): void => {
    looks = aloneWith(clock)
  }
  await watchPipeline(training, {}, { status, looks: recording, meanwhile })
  expect(calls[0]).toBe(first)
})
