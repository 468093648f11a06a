import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, FaultAction, PipelineSpec } from '../../../simulator/index.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import type { StartedRun } from '../../../src/run/recovery-journal.ts'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import { stopExistingRun } from '../../../src/run/stop-existing-run.ts'
import { stopOrKeep } from '../../../src/run/stop/stop-or-keep.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const fails = { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 }
const split: PipelineSpec = {
  name: 'split',
  steps: [
    { name: 'short', seconds: 1, fails },
    { name: 'long', seconds: 3_600 },
  ],
}

/** From 0.85 on, ZenML says `in_progress: false` of such a run as soon as it has failed. */
async function stoppedOnFailure(mode: string): Promise<{ scene: Scene; runId: string }> {
  const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
  const result = await scene.execute({
    target: { kind: 'template', reference: 'split-template' },
    overrides: {
      layers: [{ source: 'configuration', value: { execution_mode: mode } }],
      tags: undefined,
      enableCache: undefined,
    },
  })
  expect(result).toMatchObject({ conclusion: 'failed', failedStep: 'short' })
  return { scene, runId: result.runId ?? '' }
}

function leftGoingOn({ events }: Scene): readonly (readonly string[])[] {
  return events.flatMap((event) => (event.kind === 'left-going-on' ? [event.steps] : []))
}

test('stop_on_failure: at the end of the run the steps that still run are named, and nothing is said to be missing', async () => {
  const { scene } = await stoppedOnFailure('stop_on_failure')
  expect(scene.server.runs[0]?.busy).toBe(true)
  expect(leftGoingOn(scene)).toEqual([['long']])
  const missing = scene.events.flatMap((event) => (event.kind === 'details' ? event.details.missing : []))
  expect(missing).toEqual([])
})

test('stop_on_failure: a step that goes on keeps the run from being called ended, whoever stops it', async () => {
  const { scene } = await stoppedOnFailure('stop_on_failure')
  const run = { ...scene.started[0]!, status: 'running' }
  const deadline = new Deadline(scene.clock, 60_000)
  const ended = await stopOrKeep(
    { run, mode: 'stop', reason: 'r', deadline },
    { client: scene.client, clock: scene.clock },
  )
  expect(ended.settled).toBe(false)
  expect(ended.sentence).toMatch(
    /keeps running: http.* It could not be stopped: ZenML calls it failed already, and then no longer stops its steps; still running: long$/,
  )
})

test('stop_on_failure: a job that is cancelled just after the run failed names the steps that still run', async () => {
  const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
  const controller = new AbortController()
  const layers = [{ source: 'configuration', value: { execution_mode: 'stop_on_failure' } }]
  const running = scene.execute(
    {
      target: { kind: 'template', reference: 'split-template' },
      overrides: { layers, tags: undefined, enableCache: undefined },
    },
    controller.signal,
  )
  // It reads once more, after three seconds, whether they do.
  while (scene.sent(/\/steps\?/).length === 0) await scene.clock.sleep(100)
  await scene.clock.sleep(1_000)
  expect(leftGoingOn(scene)).toEqual([])
  controller.abort(new Error('cancelled'))
  const result = await running
  expect(result).toMatchObject({ conclusion: 'cancelled', status: 'failed' })
  expect(leftGoingOn(scene)).toEqual([['long']])
})

const unfinished: PipelineSpec = {
  name: 'unfinished',
  sequential: true,
  steps: [],
  dynamic: { parameters: {}, expand: () => [{ name: 'train', seconds: 3_600 }] },
}

test('a dynamic run that is failed while a step of it runs is not called ended: the step may still be running', async () => {
  const scene = await openScene({ pipelines: [unfinished], orchestrator: 'kubernetes' })
  await scene.execute({ target: { kind: 'template', reference: 'unfinished-template' }, wait: false })
  await scene.clock.sleep(20_000)
  const { id } = scene.started[0]!
  scene.server.setStatus(id, 'failed', 'the pod of the run is gone')
  const before = scene.clock.now()
  const request = {
    run: id,
    project: undefined,
    mode: 'stop',
    workflowRunUrl: '',
    timeoutMs: 120_000,
  } as const
  const result = await stopExistingRun(request, scene.dependencies())
  expect(result).toMatchObject({ conclusion: 'failed', status: 'failed' })
  expect(result.error).toMatch(
    /may still be running: http.* It could not be stopped: ZenML calls it failed already, and then no longer stops its steps; running when it last heard of them: train$/,
  )
  // What was killed is never heard of again, so nothing is waited for.
  expect(scene.clock.now() - before).toBeLessThan(5_000)
})

describe('a dynamic run that failed before a step of it began', () => {
  /** What the server shows of it is at first empty, and a moment later as `later` says. */
  async function failsEarly(
    later: FaultAction,
    laterGraph = later,
  ): Promise<{ scene: Scene; result: RunResult }> {
    const scene = await openScene({ pipelines: [unfinished], orchestrator: 'kubernetes' })
    const following = scene.execute({ target: { kind: 'template', reference: 'unfinished-template' } })
    await until(() => scene.server.runs[0]?.status === 'running')
    const { id } = scene.started[0]!
    const atFirst = (on: 'dag' | 'steps', answer: object): Fault => ({
      on,
      occurrence: 'always',
      get do(): FaultAction {
        const { at = Infinity } = scene.server.requests.find(({ path }) => path.includes('/steps?')) ?? {}
        const isLater = scene.clock.now() - at >= 3_000
        if (isLater) return on === 'dag' ? laterGraph : later
        return { kind: 'answer', status: 200, body: JSON.stringify(answer) }
      },
    })
    scene.server.addFault(atFirst('dag', { id, status: 'failed', nodes: [], edges: [] }))
    scene.server.addFault(atFirst('steps', { total: 0, total_pages: 1, items: [] }))
    scene.server.setStatus(id, 'failed', 'ValueError')
    return { scene, result: await following }
  }

  test('names the step that begins a moment later', async () => {
    const { scene, result } = await failsEarly({ kind: 'delay', seconds: 0 })
    expect(result).toMatchObject({ conclusion: 'failed' })
    expect(leftGoingOn(scene)).toEqual([['train']])
  })

  const away: FaultAction = { kind: 'html', status: 502 }
  const noSteps: FaultAction = {
    kind: 'answer',
    status: 200,
    body: '{"status":"failed","nodes":[],"edges":[]}',
  }

  test.each([
    ['the second look', away],
    ['of the second look only the list of steps', noSteps],
  ])('is one that failed before any step, also where %s fails', async (_, laterGraph) => {
    const { scene, result } = await failsEarly(away, laterGraph)
    expect(result.error).toContain('failed before any step')
    expect(scene.events.flatMap((each) => (each.kind === 'details' ? each.details.missing : []))).toEqual([])
    expect(scene.sent(/\/steps\?.*hydrate=true/)).toHaveLength(2)
  })
})

describe('a dynamic run that failed and is said to be in progress for ever', () => {
  const completed = (type: 'step' | 'child_run'): object => {
    const id = '5e9bca73-528a-42cc-80bc-7356a1d86eb7'
    return { node_id: `${type}/x`, type, id, name: 'x', metadata: { status: 'completed' } }
  }

  async function inProgressForEver(
    seconds: number,
    nodes: readonly object[],
  ): Promise<{ scene: Scene; id: string }> {
    const scene = await openScene({ pipelines: [unfinished], orchestrator: 'kubernetes' })
    await scene.execute({ target: { kind: 'template', reference: 'unfinished-template' }, wait: false })
    const { id, name } = scene.started[0]!
    const answer = (on: 'run' | 'dag', body: object): void => {
      const action = { kind: 'answer', status: 200, body: JSON.stringify({ id, name, ...body }) } as const
      scene.server.addFault({ on, occurrence: 'always', do: action })
    }
    const updated = new Date(scene.clock.now()).toISOString()
    const snapshot = { id: 'f00', body: { is_dynamic: true } }
    answer('run', { body: { status: 'failed', in_progress: true, updated }, resources: { snapshot } })
    answer('dag', { status: 'failed', nodes, edges: [] })
    await scene.clock.sleep(seconds * 1_000)
    return { scene, id }
  }

  test.each([
    ['never began anything', 0, [], 'failed'],
    ['never began anything', 230, [], 'failed'],
    ['never began anything', 300, [], 'stopped'],
    // Its code may go on, also for hours.
    ['has a step', 3_600, [completed('step')], 'failed'],
    ['has called a run', 3_600, [completed('child_run')], 'failed'],
  ])('%s, after %d s (graph: %j): stop/ ends %s', async (_, seconds, nodes, conclusion) => {
    const { scene, id } = await inProgressForEver(seconds, nodes)
    const request = {
      run: id,
      project: undefined,
      mode: 'stop',
      workflowRunUrl: '',
      timeoutMs: 60_000,
    } as const
    expect(await stopExistingRun(request, scene.dependencies())).toMatchObject({ conclusion })
  })

  test.each([
    ['never began anything', [], 30_000],
    ['has a step', [completed('step')], 300_000],
  ])('%s, after an hour (graph: %j): wait/ waits so many ms: %d', async (_, nodes, forMs) => {
    const { scene, id } = await inProgressForEver(3_600, nodes)
    expect(await scene.attach(id)).toMatchObject({ conclusion: 'failed' })
    expect(scene.events.filter(({ kind }) => kind === 'settling')).toEqual([{ kind: 'settling', forMs }])
  })
})

describe('a failed run of which another step may start, while no step runs', () => {
  /** The graph as it is while the machine of the step `long` is on its way. */
  function graphBetween(id: string, status = 'failed'): FaultAction {
    const node = (name: string, id: string | null, metadata: object) => ({
      node_id: `step/${name}`,
      type: 'step',
      ...{ id, name, metadata },
    })
    const nodes = [node('short', 'f00', { status }), node('long', null, {})]
    return {
      kind: 'answer',
      status: 200,
      body: JSON.stringify({ id, status, nodes, edges: [] }),
    }
  }

  /** The run as 0.83 and 0.84 show it, which do not say whether it is in progress; seen on 0.84.3. */
  function unsaid({ clock }: Scene, { id, name }: StartedRun, status: string): FaultAction {
    const updated = new Date(clock.now()).toISOString()
    return { kind: 'answer', status: 200, body: JSON.stringify({ id, name, body: { status, updated } }) }
  }

  async function betweenSteps(): Promise<{
    scene: Scene
    run: StartedRun
    stop: () => ReturnType<typeof stopExistingRun>
  }> {
    const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
    const target = { kind: 'template', reference: 'split-template' } as const
    await scene.execute({ target, wait: false })
    await scene.clock.sleep(20_000)
    const run = { ...scene.started[0]!, status: 'running' }
    scene.server.addFault({ on: 'dag', occurrence: 'always', do: graphBetween(run.id) })
    const request = {
      run: run.id,
      project: undefined,
      mode: 'stop',
      workflowRunUrl: '',
      timeoutMs: 60_000,
    } as const
    return { scene, run, stop: async () => stopExistingRun(request, scene.dependencies()) }
  }
  const UNSURE =
    /may still be running: http.* It could not be stopped: ZenML calls it failed already, and then no longer stops it, but more of its steps may start$/

  test('is waited for, and the step that may still start is named at the end', async () => {
    const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
    const following = scene.execute({ target: { kind: 'template', reference: 'split-template' } })
    await until(() => scene.started.length > 0)
    scene.server.addFault({ on: 'dag', occurrence: 'always', do: graphBetween(scene.started[0]!.id) })
    await until(() => scene.events.some(({ kind }) => kind === 'settling'))
    const from = scene.clock.now()
    expect(await following).toMatchObject({ conclusion: 'failed', failedStep: 'short' })
    expect(scene.clock.now() - from).toBeGreaterThanOrEqual(300_000)
    expect(scene.events.filter(({ kind }) => kind.startsWith('left-'))).toEqual([
      { kind: 'left-startable', status: 'failed', steps: ['long'] },
    ])
  })

  test.each([
    [0, 300_000],
    [300, 30_000],
  ])(
    'where the server does not say whether it is in progress and it failed %d s ago, wait/ waits so many ms: %d',
    async (seconds, forMs) => {
      const { scene, run } = await betweenSteps()
      scene.server.addFault({ on: 'run', occurrence: 'always', do: unsaid(scene, run, 'failed') })
      await scene.clock.sleep(seconds * 1_000)
      const from = scene.clock.now()
      expect(await scene.attach(run.id)).toMatchObject({ conclusion: 'failed' })
      const waitedMs = scene.clock.now() - from
      expect(waitedMs).toBeGreaterThanOrEqual(forMs)
      expect(waitedMs).toBeLessThan(forMs + 60_000)
      expect(scene.events.filter(({ kind }) => kind === 'settling')).toEqual([{ kind: 'settling', forMs }])
    },
  )

  test('is not called ended by a step that stops it', async () => {
    const { scene, run } = await betweenSteps()
    const { client, clock } = scene
    const request = { run, mode: 'stop', reason: 'r', deadline: new Deadline(clock, 60_000) } as const
    const ended = await stopOrKeep(request, { client, clock })
    expect(ended.settled).toBe(false)
    expect(ended.sentence).toMatch(UNSURE)
  })

  test('is no success of stop/', async () => {
    const { stop } = await betweenSteps()
    expect(await stop()).toMatchObject({ conclusion: 'failed', error: expect.stringMatching(UNSURE) })
  })

  test('is none either where the server does not say whether it is in progress, until it has not changed for long', async () => {
    const { scene, run, stop } = await betweenSteps()
    scene.server.addFault({ on: 'run', occurrence: 'always', do: unsaid(scene, run, 'failed') })
    expect(await stop()).toMatchObject({
      conclusion: 'failed',
      error: expect.stringMatching(/more of its steps may start$/),
    })
    await scene.clock.sleep(240_000)
    expect(await stop()).toMatchObject({ conclusion: 'failed' })
    await scene.clock.sleep(60_000)
    expect(await stop()).toMatchObject({ conclusion: 'stopped' })
  })

  test('is ended where it was stopped and the server does not say whether it is in progress', async () => {
    const { scene, run, stop } = await betweenSteps()
    scene.server.addFault({ on: 'run', occurrence: 'always', do: unsaid(scene, run, 'stopped') })
    expect(await stop()).toMatchObject({ conclusion: 'stopped' })
  })

  test.each(['failed', 'stopped'])(
    'is over where the server does not say whether it is in progress, and nothing has changed for long (%s)',
    async (status) => {
      const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
      const following = scene.execute({ target: { kind: 'template', reference: 'split-template' } })
      await until(() => scene.started.length > 0)
      const run = scene.started[0]!
      scene.server.addFault({ on: 'dag', occurrence: 'always', do: graphBetween(run.id, status) })
      scene.server.addFault({ on: 'run', occurrence: 'always', do: unsaid(scene, run, status) })
      await following
      expect(scene.events.filter(({ kind }) => kind.startsWith('left-'))).toEqual([])
    },
  )
})
