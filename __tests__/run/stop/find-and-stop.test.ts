import { afterEach, expect, test } from '@jest/globals'
import type { FaultAction } from '../../../simulator/index.ts'
import { findAndStop, type FoundAndStopped } from '../../../src/run/stop/find-and-stop.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const MAINTENANCE: FaultAction = { kind: 'answer', status: 503, body: '', headers: { 'retry-after': '600' } }

/** What a post step does to a run of which only the sending is known, unless `isKnown`. */
async function lookAfter(
  scene: Scene,
  { isKnown = false, lookUpMs = 60_000, budgetMs = 110_000 } = {},
): Promise<FoundAndStopped> {
  return findAndStop(
    {
      run: (isKnown ? scene.started[0] : scene.planned[0])!,
      mode: 'stop',
      reason: 'test',
      lookUpUntil: new Deadline(scene.clock, lookUpMs),
      deadline: new Deadline(scene.clock, budgetMs),
    },
    scene.dependencies(),
  )
}

test.each([
  ['looks for a run', 'runs', false],
  ['stops it', 'stop', true],
] as const)(
  'a server that asks for ten minutes of patience while the post step %s is asked again in time',
  async (_, on, isKnown) => {
    const scene = await openScene({ orchestrator: 'kubernetes' })
    await scene.execute({ wait: false })
    scene.server.addFault({ on, do: MAINTENANCE })
    const ended = await lookAfter(scene, { isKnown })
    expect(ended).toMatchObject({ settled: true })
    expect(scene.server.runs).toMatchObject([{ busy: false }])
  },
)

const AWAY: FaultAction = { kind: 'html', status: 503 }
const LOOK = /^GET .*\/runs\?/

test('a look that is not answered is no last one, although nothing can be started any more', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ wait: false })
  const before = scene.sent(LOOK).length
  scene.server.addFault({ on: 'runs', occurrence: { from: 1, to: 3 }, do: AWAY })
  const ended = await lookAfter(scene, { lookUpMs: 0 })
  expect(ended).toMatchObject({ found: 'ours', settled: true })
  expect(scene.sent(LOOK)).toHaveLength(before + 4)
  expect(scene.server.runs).toMatchObject([{ busy: false }])
})

test('a server that answers no look is asked until the budget is over, and nobody says that there is no run', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ wait: false })
  scene.server.addFault({ on: 'runs', occurrence: 'always', do: AWAY })
  const from = scene.clock.elapsed()
  const ended = await lookAfter(scene, { lookUpMs: 20_000, budgetMs: 60_000 })
  expect(ended).toMatchObject({ found: 'unknown', settled: false })
  expect(ended.sentence).toMatch(/^Whether the run ".*" was started is not known/)
  expect(scene.clock.elapsed() - from).toBeGreaterThan(50_000)
})

test('after a look that found nothing, one that is not answered does not count as the last', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ wait: false })
  const nothing: FaultAction = { kind: 'answer', status: 200, body: '{"total":0,"total_pages":0,"items":[]}' }
  scene.server.addFault({ on: 'runs', occurrence: 1, do: nothing })
  scene.server.addFault({ on: 'runs', occurrence: { from: 2, to: 4 }, do: AWAY })
  const ended = await lookAfter(scene, { lookUpMs: 400 })
  expect(ended).toMatchObject({ found: 'ours', settled: true })
})

test('where the time is up before the last look is answered, nobody says that there is no run', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ wait: false })
  const nothing: FaultAction = { kind: 'answer', status: 200, body: '{"total":0,"total_pages":0,"items":[]}' }
  scene.server.addFault({ on: 'runs', occurrence: 1, do: nothing })
  scene.server.addFault({ on: 'runs', occurrence: 2, do: { kind: 'hang' } })
  const over = new AbortController()
  const looks = scene.sent(LOOK).length
  const until = new Deadline(scene.clock, 60_000)
  const request = {
    run: scene.planned[0]!,
    mode: 'stop',
    reason: 'r',
    lookUpUntil: until,
    deadline: until,
  } as const
  const client = scene.client.with({ signal: over.signal })
  const ending = findAndStop(request, { ...scene.dependencies(), client, signal: over.signal })
  while (scene.sent(LOOK).length < looks + 2) await new Promise((resolve) => setImmediate(resolve))
  over.abort(new Error('the time is up'))
  expect(await ending).toMatchObject({
    found: 'unknown',
    settled: false,
    sentence: expect.stringMatching(/^Whether the run "\S+" was started is not known/),
  })
})

test.each([
  [5_500, 1_100],
  [110_000, 10_000],
])(
  'before a stop that has %d ms, a look may take %d ms, and its failure stops nothing',
  async (ms, lookMs) => {
    const scene = await openScene({ orchestrator: 'kubernetes' })
    await scene.execute({ wait: false })
    const limits: number[] = []
    scene.server.addFault({ on: 'run', do: { kind: 'hang' } })
    const timeLimit = (limitMs: number): AbortSignal => {
      limits.push(limitMs)
      return AbortSignal.timeout(50)
    }
    const until = new Deadline(scene.clock, ms)
    const run = { ...scene.started[0]!, isDynamic: true }
    const request = { run, mode: 'stop', reason: 'r', lookUpUntil: until, deadline: until } as const
    expect(await findAndStop(request, { ...scene.dependencies(), timeLimit })).toMatchObject({
      settled: true,
    })
    expect(limits).toEqual([lookMs])
  },
)

test('a state that cannot be saved does not keep a run from being stopped', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ wait: false })
  const journal = {
    ...scene.dependencies().journal,
    started: () => {
      throw new Error('no space left on device')
    },
  }
  const until = new Deadline(scene.clock, 60_000)
  const run = { ...scene.started[0]!, isDynamic: true, status: 'paused' }
  const request = { run, mode: 'stop', reason: 'r', lookUpUntil: until, deadline: until } as const
  expect(await findAndStop(request, { ...scene.dependencies(), journal })).toMatchObject({ settled: true })
})

test("another step's run of the same name, which goes away for want of a slot, does not end the looks", async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ runName: 'nightly', wait: false })
  const extra = { github_actions: { start: 'another' } }
  const item = { id: 'f00', name: 'nightly', body: { status: 'failed' }, metadata: { config: { extra } } }
  const body = JSON.stringify({ total: 1, total_pages: 1, items: [item] })
  scene.server.addFault({
    on: 'runs',
    occurrence: { from: 1, to: 3 },
    do: { kind: 'answer', status: 200, body },
  })
  expect(await lookAfter(scene)).toMatchObject({ found: 'ours', settled: true })
})

test("another step's run of the same name is left alone", async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ runName: 'nightly', wait: false })
  scene.planned[0] = { ...scene.planned[0]!, mark: 'another' }
  expect(await lookAfter(scene)).toMatchObject({
    found: 'another',
    sentence: expect.stringMatching(/^A run named "nightly" \(.*\) is on the server, but nothing shows/),
  })
  expect(scene.server.runs).toMatchObject([{ status: 'completed' }])
})
