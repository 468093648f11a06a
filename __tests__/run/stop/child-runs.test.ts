import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import type { StopMode } from '../../../src/run/recovery-journal.ts'
import { stopOrKeep, type StoppedOrKeptRun } from '../../../src/run/stop/stop-or-keep.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const dynamic = (...seconds: readonly number[]): NonNullable<PipelineSpec['dynamic']> => ({
  parameters: {},
  expand: () => seconds.map((each, index) => ({ name: `step-${index + 1}`, seconds: each })),
})

/** Calls the other one after steps that take so many seconds. */
const calling = (child: PipelineSpec, ...seconds: readonly number[]): PipelineSpec => ({
  name: 'parent',
  sequential: true,
  startupSeconds: 2,
  steps: [],
  dynamic: dynamic(...seconds),
  child,
})

const called = (...seconds: readonly number[]): PipelineSpec => ({
  name: 'child',
  sequential: true,
  startupSeconds: 1,
  steps: [],
  dynamic: dynamic(...seconds),
})

/** Its child is hours from its end. */
const parent = calling(called(5, 7_200, 5))

const target = { kind: 'template', reference: 'parent-template' } as const

const stopsOf = (scene: Scene, index: number) =>
  scene.sent(new RegExp(`^POST .*/runs/${scene.server.runs[index]!.id}/stop\\?`))
const statuses = (scene: Scene) => scene.server.runs.map(({ status }) => status)
const refused = '{"detail":["IllegalOperationError","Insufficient permissions to UPDATE resource"]}'

/** A run of `pipeline` as it is after so many seconds. */
async function begun(
  pipeline: PipelineSpec,
  seconds: number,
  options: SimulatorOptions = {},
): Promise<Scene> {
  const scene = await openScene({ pipelines: [pipeline], orchestrator: 'kubernetes', ...options })
  await scene.execute({ target, wait: false })
  await scene.clock.sleep(seconds * 1_000)
  return scene
}

async function end(scene: Scene, seconds = 120, mode: StopMode = 'stop'): Promise<StoppedOrKeptRun> {
  const run = { ...scene.started[0]!, status: 'running' }
  const deadline = new Deadline(scene.clock, seconds * 1_000)
  return stopOrKeep({ run, mode, reason: 'r', deadline }, { client: scene.client, clock: scene.clock })
}

/** What the graph of a run shows, whichever is asked for first. */
function showGraph(
  scene: Scene,
  id: string,
  children: readonly (readonly [id: string, name: string, status?: string])[],
  occurrence: Fault['occurrence'] = 'always',
): void {
  const nodes = children.map(([child, name, status = 'running'], index) => ({
    node_id: `child_run/${index}`,
    type: 'child_run',
    id: child,
    name,
    metadata: { status },
  }))
  const body = JSON.stringify({ id, status: 'running', nodes, edges: [] })
  scene.server.addFault({ on: 'dag', occurrence, do: { kind: 'answer', status: 200, body } })
}

describe.each(['kubernetes', 'local'] as const)(
  'a run whose child run goes on is stopped (%s)',
  (orchestrator) => {
    test.each(['stop', 'stop-gracefully'] as const)('both are, in the same mode (%s)', async (mode) => {
      const scene = await begun(calling(called(5, 30, 5)), 12, { orchestrator })
      expect(statuses(scene)).toEqual(['running', 'running'])
      const ended = await end(scene, 120, mode)
      expect(ended).toMatchObject({ settled: true, status: 'stopped' })
      expect(ended.sentence).toMatch(/^The run "parent-\S+" was stopped: http/)
      expect(statuses(scene)).toEqual(['stopped', 'stopped'])
      expect(scene.server.runs[1]!.startedSteps).toEqual(['step-1', 'step-2'])
      const graceful = `graceful=${String(mode === 'stop-gracefully')}`
      expect(stopsOf(scene, 0)).toEqual([expect.stringContaining(graceful)])
      expect(stopsOf(scene, 1)).toEqual([expect.stringContaining(graceful)])
    })
  },
)

test('the child run of a child run is stopped as well', async () => {
  const middle: PipelineSpec = { ...parent, name: 'middle' }
  const scene = await begun(calling(middle), 30)
  expect(await end(scene)).toMatchObject({ settled: true, status: 'stopped' })
  expect(statuses(scene)).toEqual(['stopped', 'stopped', 'stopped'])
})

describe('a child run that a child run has called which was stopped by somebody else', () => {
  const three = calling({ ...parent, name: 'middle' })

  test.each([
    ['with the run above it', 0],
    ['alone', 1],
  ])('%s is stopped as well', async (_, first) => {
    const scene = await begun(three, 30)
    for (const { id } of scene.server.runs.slice(first, 2)) scene.server.setStatus(id, 'stopped')
    expect(await end(scene)).toMatchObject({ settled: true })
    expect(statuses(scene).slice(1)).toEqual(['stopped', 'stopped'])
    expect(stopsOf(scene, 2)).toHaveLength(1)
  })

  test('is stopped also while the topmost run is on its way out', async () => {
    const scene = await begun(three, 30)
    const [top, middle, lowest] = scene.server.runs.map(({ id }) => id)
    showGraph(scene, top!, [[middle!, 'middle', 'stopped']], 1)
    expect(await end(scene)).toMatchObject({ settled: true })
    const stops = scene.sent(/^POST .*\/stop\?/).map((line) => line.replace(/^.*runs\/(.*)\/stop.*$/, '$1'))
    expect(stops.slice(0, 2)).toEqual([top, lowest])
  })

  test('is named at the end of the run', async () => {
    const scene = await openScene({ pipelines: [three], orchestrator: 'kubernetes' })
    const following = scene.execute({ target })
    await until(() => scene.started.length > 0)
    await scene.clock.sleep(30_000)
    for (const { id } of scene.server.runs.slice(0, 2)) scene.server.setStatus(id, 'failed')
    expect(await following).toMatchObject({ conclusion: 'failed' })
    expect(scene.events.filter(({ kind }) => kind === 'left-going-on')).toEqual([
      {
        kind: 'left-going-on',
        status: 'failed',
        steps: expect.arrayContaining([`the child run ${scene.server.runs[2]!.name}`]),
      },
    ])
  })

  test('where what was stopped cannot be read, the rest is stopped all the same, and it is not called ended', async () => {
    const scene = await begun(three, 30)
    const [top, middle] = scene.server.runs
    scene.server.setStatus(middle!.id, 'failed')
    showGraph(scene, top!.id, [[middle!.id, middle!.name, 'failed']])
    expect(await end(scene, 30)).toMatchObject({ settled: false })
    expect(stopsOf(scene, 0)).not.toEqual([])
  })
})

test('a child run that is called after the stop is stopped, too', async () => {
  const scene = await begun(calling(called(5, 7_200, 5), 20), 5, { orchestrator: 'local' })
  const ending = end(scene, 7_300)
  await until(() => stopsOf(scene, 0).length > 0)
  expect(stopsOf(scene, 1)).toEqual([])
  const ended = await ending
  expect(ended).toMatchObject({ settled: true })
  expect(stopsOf(scene, 1).length).toBeGreaterThan(0)
  expect(statuses(scene)[1]).toBe('stopped')
  expect(scene.server.runs[1]!.startedSteps).not.toContain('step-3')
})

describe('a run that ZenML calls ended', () => {
  test('because its question was answered with abort, is not said to be stopped while its child run goes on', async () => {
    const asking: PipelineSpec = {
      ...calling(called(5, 7_200, 5), 5),
      wait: { name: 'deploy', question: 'Deploy?', patience: 600 },
    }
    const scene = await begun(asking, 20)
    const ended = await end(scene)
    expect(ended).toMatchObject({ settled: true, status: 'stopped' })
    expect(statuses(scene)).toEqual(['stopped', 'stopped'])
    expect(stopsOf(scene, 1)).toHaveLength(1)
  })

  test('by itself, is not left with a child run that goes on', async () => {
    const scene = await begun(parent, 20)
    scene.server.setStatus(scene.server.runs[0]!.id, 'failed')
    const ended = await end(scene)
    expect(ended).toMatchObject({ settled: true, status: 'failed' })
    expect(ended.sentence).toMatch(/had ended before it could be stopped and is failed: http/)
    expect(statuses(scene)).toEqual(['failed', 'stopped'])
  })
})

describe('a child run that goes on is named, with its ID, and nothing is said to be stopped', () => {
  const nameOf = (scene: Scene) => `"${scene.server.runs[1]!.name}" (${scene.server.runs[1]!.id})`

  test('where the time is up', async () => {
    const scene = await begun(parent, 12, { orchestrator: 'local' })
    const ended = await end(scene, 5)
    expect(ended).toMatchObject({ settled: false, status: 'stopping' })
    expect(ended.predicate).toMatch(
      /^was asked to stop, but the child run .* had not ended in time \(last status: stopping\): http/,
    )
    expect(ended.sentence).toContain(
      `but the child run ${nameOf(scene)} had not ended in time (last status: stopping)`,
    )
  })

  test('where it cannot be stopped', async () => {
    const scene = await begun(parent, 12)
    // The first is the parent's.
    const occurrence = { from: 2, to: 1_000 }
    scene.server.addFault({ on: 'stop', occurrence, do: { kind: 'answer', status: 403, body: refused } })
    const ended = await end(scene, 30)
    expect(ended.settled).toBe(false)
    expect(ended.predicate).toContain(
      `was asked to stop, but the child run ${nameOf(scene)} may still be running: the server answered 403`,
    )
  })
})

describe('a child run of a child run that goes on is named', () => {
  const three = calling({ ...parent, name: 'middle' })
  const shown = ({ server: { runs } }: Scene) => `the child run "${runs[2]!.name}" (${runs[2]!.id})`
  /** The first two requests are for the runs above it. */
  const refuse = (scene: Scene): void => {
    const occurrence = { from: 3, to: 1_000 }
    scene.server.addFault({ on: 'stop', occurrence, do: { kind: 'answer', status: 403, body: refused } })
  }

  test('where both runs above it have ended', async () => {
    const scene = await begun(three, 30)
    refuse(scene)
    const ending = end(scene, 30)
    await until(() => stopsOf(scene, 2).length > 0)
    for (const { id } of scene.server.runs.slice(0, 2)) scene.server.setStatus(id, 'failed')
    const ended = await ending
    expect(ended).toMatchObject({ settled: false, status: 'failed' })
    expect(ended.predicate).toContain(
      `is failed, but ${shown(scene)} may still be running: the server answered 403`,
    )
  })

  test('where its parent waits for it, which is counted', async () => {
    const scene = await begun(three, 30)
    refuse(scene)
    const { predicate } = await end(scene, 30)
    expect(predicate).toContain(
      `was asked to stop, but ${shown(scene)} (and 1 more) may still be running: the server answered 403`,
    )
  })

  test('where the time is up', async () => {
    const scene = await begun(three, 30, { orchestrator: 'local' })
    const { predicate } = await end(scene, 5)
    expect(predicate).toContain(
      `was asked to stop, but ${shown(scene)} (and 1 more) had not ended in time (last status: stopping): http`,
    )
  })
})

test('of a run that has ended, only the child run is said to go on', async () => {
  const scene = await begun(parent, 12)
  scene.server.setStatus(scene.server.runs[0]!.id, 'failed')
  scene.server.addFault({
    on: 'stop',
    occurrence: { from: 2, to: 1_000 },
    do: { kind: 'answer', status: 403, body: refused },
  })
  const ended = await end(scene, 30)
  expect(ended).toMatchObject({ settled: false, status: 'failed' })
  const { id, name } = scene.server.runs[1]!
  expect(ended.predicate).toContain(
    `is failed, but the child run "${name}" (${id}) may still be running: the server answered 403`,
  )
})

describe('a stop that was accepted and forgotten is asked again', () => {
  test('of a child run that had not begun', async () => {
    const scene = await begun(calling({ ...called(7_200, 5), startupSeconds: 20 }), 10)
    expect(statuses(scene)).toEqual(['running', 'initializing'])
    expect(await end(scene)).toMatchObject({ settled: true, status: 'stopped' })
    expect(stopsOf(scene, 0)).toHaveLength(1)
    expect(stopsOf(scene, 1)).toHaveLength(2)
    expect(statuses(scene)).toEqual(['stopped', 'stopped'])
  })

  test('but never one that is only slow', async () => {
    const scene = await begun(parent, 12, { orchestrator: 'local' })
    await end(scene, 60)
    expect([stopsOf(scene, 0), stopsOf(scene, 1)].map(({ length }) => length)).toEqual([1, 1])
  })
})

describe('what a server says of child runs is bounded', () => {
  test('a run that is its own child run is stopped once', async () => {
    const scene = await begun({ ...parent, child: called(5) }, 60)
    const { id } = scene.server.runs[0]!
    showGraph(scene, id, [[id, 'itself']])
    await end(scene, 20)
    expect(stopsOf(scene, 0).length).toBeLessThanOrEqual(1)
  })

  test('of a thousand child runs some are stopped, and it is said that there are more', async () => {
    const scene = await begun(parent, 12)
    const { id } = scene.server.runs[0]!
    const ids = Array.from(
      { length: 1_000 },
      (_, n) => `b0000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    )
    showGraph(
      scene,
      id,
      ids.map((each) => [each, 'x'.repeat(5_000)]),
    )
    const ended = await end(scene, 40)
    expect(ended.settled).toBe(false)
    expect(ended.sentence).toMatch(
      /was asked to stop, but there are more than 49 child runs, and no more than that are stopped at a time: http/,
    )
    expect(ended.sentence.length).toBeLessThan(1_000)
    const asked = new Set(scene.sent(/^POST .*\/stop\?/).map((line) => line.split('?')[0]))
    expect(asked.size).toBe(50)
  })

  test('a hundred below a child run are too many, too: the run above is not called ended', async () => {
    const scene = await begun(calling({ ...parent, name: 'middle' }), 30)
    const [top, middle] = scene.server.runs.map(({ id }) => id)
    scene.server.setStatus(top!, 'failed')
    const ids = Array.from(
      { length: 100 },
      (_, n) => `b0000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    )
    // The first is that of the run above.
    showGraph(
      scene,
      middle!,
      ids.map((each) => [each, 'x']),
      { from: 2, to: 1_000 },
    )
    const ended = await end(scene)
    expect(ended).toMatchObject({ settled: false, status: 'failed' })
    expect(ended.sentence).toMatch(
      /is failed, but there are more than 49 child runs, and no more than that are stopped at a time: http/,
    )
    expect(stopsOf(scene, 1)).toHaveLength(1)
    const asked = new Set(scene.sent(/^POST .*\/b0000000-.*\/stop\?/))
    expect(asked.size).toBe(48)
  })
})

test.each(['0.85.0', '0.98.0'] as const)(
  'a run that cannot have any costs no request more (%s)',
  async (version) => {
    const scene = await begun({ name: 'parent', steps: [{ name: 'only', seconds: 3 }] }, 60, { version })
    expect(statuses(scene)).toEqual(['completed'])
    const before = scene.server.requests.length
    await end(scene)
    expect(
      scene.server.requests.slice(before).map(({ path }) => path.replace(/.*\/runs\/[^/?]+/, '')),
    ).not.toContain('/dag')
  },
)
