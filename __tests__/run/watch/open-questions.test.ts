import { afterEach, describe, expect, test } from '@jest/globals'
import type { FaultAction, PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import { findAndStop } from '../../../src/run/stop/find-and-stop.ts'
import type { StartedRun, StopMode } from '../../../src/run/recovery-journal.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import { stopExistingRun } from '../../../src/run/stop-existing-run.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { abortQuestion, openQuestions } from '../../../src/run/watch/open-questions.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const NO_PARAMETERS = { parameters: {}, expand: () => [] }

/** A pipeline that asks a person after its step, and pauses after so many seconds without an answer. */
const asking = (patience: number): PipelineSpec => ({
  name: 'gate',
  sequential: true,
  steps: [],
  dynamic: { parameters: {}, expand: () => ['train', 'deploy'].map((name) => ({ name, seconds: 5 })) },
  wait: { name: 'deploy', question: 'Deploy this model?', patience },
})

/** One that calls another, which asks. */
const askingChild = (patience: number): PipelineSpec => ({
  name: 'gate',
  steps: [],
  dynamic: NO_PARAMETERS,
  child: { ...asking(patience), name: 'child' },
})

const target = { kind: 'template', reference: 'gate-template' } as const
const RESOLVE = /^PUT .*\/run_wait_conditions\/[^/]+\/resolve$/
const STOP = /^POST .*\/stop/

const told = (scene: Scene) => scene.events.filter(({ kind }) => kind === 'paused')
const statusOf = (scene: Scene, index = 0) => scene.server.runs[index]?.status

/** What a post step makes of a run that it knows so. */
const stopped = (scene: Scene, run: StartedRun, mode: StopMode = 'stop') => {
  const until = new Deadline(scene.clock, 60_000)
  return findAndStop({ run, mode, reason: 'r', lookUpUntil: until, deadline: until }, scene.dependencies())
}

async function run(
  pipeline: PipelineSpec,
  changes: Partial<RunRequest> = {},
  options: SimulatorOptions = {},
  signal?: AbortSignal,
) {
  const scene = await openScene({ pipelines: [pipeline], ...options })
  return { scene, running: scene.execute({ target, ...changes }, signal) }
}

async function answer(scene: Scene): Promise<string> {
  const { questions } = await scene.client.dag(scene.server.runs[0]?.id ?? '')
  const id = questions[0]?.id ?? ''
  await scene.answer(id)
  return id
}

test('child runs of child runs are asked three levels deep, and it is known that there are more', async () => {
  const { client, server } = await openScene()
  const ids = Array.from({ length: 6 }, (_, index) => `b0000000-0000-4000-8000-00000000000${index}`)
  const graphs = ids.map((id, index) => ({
    id,
    status: 'paused',
    nodes: [
      {
        node_id: 'child_run/next',
        type: 'child_run',
        id: ids[index + 1],
        name: 'next',
        metadata: { status: index < 5 ? 'paused' : 'completed' },
      },
    ],
    edges: [],
  }))
  let asked = 0
  server.addFault({
    on: 'dag',
    occurrence: 'always',
    get do(): FaultAction {
      return { kind: 'answer', status: 200, body: JSON.stringify(graphs[asked++]) }
    },
  })
  expect(await openQuestions(client, ids[0]!)).toEqual({ questions: [], areAll: false })
  expect(asked).toBe(4)
})

describe('a run that asks a person', () => {
  test('is warned about while it is still running, once, also when it pauses later', async () => {
    const { scene, running } = await run(asking(600))
    await until(() => told(scene).length > 0)
    expect(statusOf(scene)).toBe('running')
    await until(() => statusOf(scene) === 'paused')
    await scene.clock.sleep(600_000)
    await answer(scene)
    expect(await running).toMatchObject({ conclusion: 'completed' })
    expect(told(scene)).toEqual([
      { kind: 'paused', question: 'Deploy this model?', url: expect.stringContaining('http') },
    ])
  })

  test('fails the step at once if so wished, though it is still running, and is left as it is', async () => {
    const { scene, running } = await run(asking(600), { onPaused: 'fail' })
    const result = await running
    expect(result).toMatchObject({ conclusion: 'failed', status: 'running', remark: 'waits-for-person' })
    expect(result.error).toMatch(
      /^The run "gate-gh4711-\S+" is waiting for a person \(Deploy this model\?\)\. It was left as it is; answer here: http/,
    )
    expect(scene.clock.elapsed()).toBeLessThan(60_000)
    expect(scene.sent(STOP)).toEqual([])
    expect(scene.sent(RESOLVE)).toEqual([])
    expect(scene.settled).toHaveLength(1)
    expect(statusOf(scene)).toBe('running')
  })

  test('is told by the words of another run never', async () => {
    const scene = await openScene({
      pipelines: [asking(5), { name: 'other', steps: [{ name: 'only', seconds: 60 }] }],
    })
    await scene.execute({ target, wait: false })
    await scene.clock.sleep(60_000)
    expect(statusOf(scene)).toBe('paused')
    const other = await scene.execute({ target: { kind: 'template', reference: 'other-template' } })
    expect(other.conclusion).toBe('completed')
    expect(told(scene)).toEqual([])
  })

  test('has no end that could be foreseen', async () => {
    const { scene, running } = await run(asking(3_600), { timeoutMs: 1_800_000 })
    await running
    const still = scene.events.flatMap((event) => (event.kind === 'still' ? [event] : []))
    expect(still.length).toBeGreaterThan(1)
    expect(still.map(({ forecast }) => forecast)).toEqual(still.map(() => undefined))
  })

  test('in a child run: the question is told from there at once, while the run is still running', async () => {
    const { scene, running } = await run(askingChild(3_600), { onPaused: 'fail' })
    const result = await running
    expect(result).toMatchObject({ conclusion: 'failed', status: 'running' })
    expect(result.error).toContain('is waiting for a person (Deploy this model?)')
    expect(scene.settled).toHaveLength(1)
  })

  test('in a child run: it is told once, though the run pauses later', async () => {
    const { scene, running } = await run(askingChild(120))
    await until(() => statusOf(scene) === 'paused')
    await scene.clock.sleep(600_000)
    expect(told(scene)).toMatchObject([{ question: 'Deploy this model?' }])
    const [question] = (await scene.client.dag(scene.server.runs[1]?.id ?? '')).questions
    await scene.answer(question?.id ?? '')
    expect(await running).toMatchObject({ conclusion: 'completed' })
  })

  test('in the child run of a child run: the question is told from there as well', async () => {
    const calling: PipelineSpec = { ...askingChild(30), child: { ...askingChild(30), name: 'middle' } }
    const { scene, running } = await run(calling, { onPaused: 'fail' })
    const result = await running
    expect(result).toMatchObject({ conclusion: 'failed', status: 'running' })
    expect(result.error).toContain('is waiting for a person (Deploy this model?)')
    expect(scene.settled).toHaveLength(1)
  })
})

describe('a run that waits for a person is stopped by answering its question', () => {
  const cancelWhen = async (
    pipeline: PipelineSpec,
    moment: (scene: Scene) => boolean,
    options: SimulatorOptions = {},
    changes: Partial<RunRequest> = {},
  ) => {
    const controller = new AbortController()
    const { scene, running } = await run(pipeline, changes, options, controller.signal)
    await until(() => moment(scene))
    controller.abort(new Error('cancelled'))
    return { scene, result: await running }
  }

  test.each(['local', 'kubernetes'] as const)('cancelled while it is running (%s)', async (orchestrator) => {
    const { scene, result } = await cancelWhen(asking(600), (each) => told(each).length > 0, { orchestrator })
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'stopped' })
    expect(result.error).toMatch(/^Cancelled\. The run "gate-\S+" was stopped: http/)
    // The stop comes first: what runs beside the question hears of it.
    expect(scene.sent(STOP)).toHaveLength(1)
    expect(scene.sent(RESOLVE)).toHaveLength(1)
    expect(statusOf(scene)).toBe('stopped')
    expect(scene.settled).toHaveLength(1)
  })

  test.each(['stop', 'stop-gracefully'] as const)('cancelled while it is paused (%s)', async (onCancel) => {
    const paused = (scene: Scene) =>
      scene.events.some((event) => event.kind === 'state' && event.status === 'paused')
    const { scene, result } = await cancelWhen(asking(5), paused, {}, { onCancel })
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'stopped' })
    expect(scene.sent(STOP)).toEqual([])
    expect(scene.sent(RESOLVE)).toHaveLength(1)
    expect(statusOf(scene)).toBe('stopped')
  })

  test('at its time-out', async () => {
    const { scene, running } = await run(asking(60), { timeoutMs: 300_000, onTimeout: 'stop' })
    expect(await running).toMatchObject({ conclusion: 'timed-out', status: 'stopped' })
    expect(scene.sent(RESOLVE)).toHaveLength(1)
  })

  test('by stop/', async () => {
    const scene = await openScene({ pipelines: [asking(5)] })
    const { runId = '' } = await scene.execute({ target, wait: false })
    await scene.clock.sleep(60_000)
    expect(statusOf(scene)).toBe('paused')
    const result = await stopExistingRun(
      { run: runId, project: undefined, mode: 'stop', workflowRunUrl: '', timeoutMs: 60_000 },
      scene.dependencies(),
    )
    expect(result).toMatchObject({ conclusion: 'stopped', status: 'stopped', error: undefined })
  })

  test('by a post step that knows no more than that it was started', async () => {
    const scene = await openScene({ pipelines: [asking(600)] })
    await scene.execute({ target, wait: false })
    await scene.clock.sleep(60_000)
    const [started] = scene.started
    const ended = await stopped(scene, started!)
    expect(ended).toMatchObject({ settled: true, status: 'stopped' })
  })

  test('though an earlier stop has left it stopping', async () => {
    const scene = await openScene({ pipelines: [asking(600)] })
    const { runId = '' } = await scene.execute({ target, wait: false })
    await scene.clock.sleep(60_000)
    await scene.client.stop(runId, { graceful: false })
    expect(statusOf(scene)).toBe('stopping')
    const [started] = scene.started
    const ended = await stopped(scene, started!)
    expect(ended).toMatchObject({ settled: true, status: 'stopped' })
  })

  test('also where a child run asks, and nothing is left that would end the run', async () => {
    const { scene, running } = await run(askingChild(30), { timeoutMs: 300_000, onTimeout: 'stop' })
    expect(await running).toMatchObject({ conclusion: 'timed-out', status: 'stopped' })
    expect([statusOf(scene, 0), statusOf(scene, 1)]).toEqual(['stopped', 'stopped'])
  })

  test('also where that is seen only after the first request to stop it, by one who knew it as running', async () => {
    const scene = await openScene({ pipelines: [askingChild(30)] })
    await scene.execute({ target, wait: false })
    await scene.clock.sleep(120_000)
    expect(statusOf(scene)).toBe('paused')
    const body = '{"detail":["RuntimeError","The orchestrator is away."]}'
    scene.server.addFault({ on: 'stop', do: { kind: 'answer', status: 500, body } })
    const [started] = scene.started
    const ended = await stopped(scene, { ...started!, status: 'running' })
    expect(ended).toMatchObject({ settled: true, status: 'stopped' })
    expect([statusOf(scene, 0), statusOf(scene, 1)]).toEqual(['stopped', 'stopped'])
  })

  test('also by the post step of a step that was killed while the run was paused', async () => {
    const { scene, running } = await run(askingChild(30))
    await until(() => scene.started.at(-1)?.status === 'paused')
    const known = scene.started.at(-1)!
    expect(known).toMatchObject({ id: scene.started[0]!.id, status: 'paused' })
    const ended = await stopped(scene, known)
    expect(ended).toMatchObject({ settled: true, status: 'stopped' })
    expect([statusOf(scene, 0), statusOf(scene, 1)]).toEqual(['stopped', 'stopped'])
    expect(await running).toMatchObject({ conclusion: 'stopped' })
  })

  test('also by a post step, where main had asked it to stop before it was killed', async () => {
    const { scene, running } = await run(askingChild(30), { wait: false })
    await running
    await scene.clock.sleep(120_000)
    expect(statusOf(scene)).toBe('paused')
    const [started] = scene.started
    await scene.client.stop(started!.id, { graceful: false })
    expect(statusOf(scene)).toBe('stopping')
    const ended = await stopped(scene, { ...started!, status: 'paused' })
    expect(ended).toMatchObject({ settled: true, status: 'stopped' })
  })

  test('a post step that knew it as paused does not mark it as failed where it was answered since', async () => {
    const { scene, running } = await run(asking(30), { wait: false })
    await running
    await scene.clock.sleep(120_000)
    expect(statusOf(scene)).toBe('paused')
    await answer(scene)
    await scene.clock.sleep(1_000)
    expect(statusOf(scene)).not.toBe('paused')
    const [started] = scene.started
    const ended = await stopped(scene, { ...started!, status: 'paused' }, 'stop-gracefully')
    expect(ended.settled).toBe(true)
    expect(scene.sent(/^PUT .*\/runs\/[^/]+$/)).toEqual([])
  })

  /** A job that is cancelled when so much time has passed, in which main does not look again. */
  const cancelledAfter = async (seconds: number, from: (scene: Scene) => boolean, pipeline: PipelineSpec) => {
    const controller = new AbortController()
    const { scene, running } = await run(pipeline, { pollIntervalMs: 600_000 }, {}, controller.signal)
    await until(() => from(scene))
    return {
      scene,
      cancel: async () => {
        await scene.clock.sleep(seconds * 1_000)
        controller.abort(new Error('cancelled'))
        return running
      },
    }
  }

  test('also where it paused since main last looked at it', async () => {
    const { scene, cancel } = await cancelledAfter(300, ({ started }) => started.length > 0, askingChild(30))
    expect(await cancel()).toMatchObject({ conclusion: 'cancelled', status: 'stopped' })
    expect([statusOf(scene, 0), statusOf(scene, 1)]).toEqual(['stopped', 'stopped'])
    // A post step that has to go on with it would know as well.
    expect(scene.started.map(({ status }) => status)).toEqual(['initializing', 'paused'])
  })

  test('also where it paused since main last looked at it before its timeout', async () => {
    const { scene, running } = await run(askingChild(30), {
      pollIntervalMs: 600_000,
      timeoutMs: 300_000,
      onTimeout: 'stop',
    })
    expect(await running).toMatchObject({ conclusion: 'timed-out', status: 'stopped' })
    expect([statusOf(scene, 0), statusOf(scene, 1)]).toEqual(['stopped', 'stopped'])
  })

  test.each([
    ['dynamic', 'stop', ['GET run', 'POST stop']],
    ['dynamic', 'keep-running', []],
    ['static', 'stop', ['POST stop']],
  ] as const)('a %s run (on-cancel: %s) is looked at first: %j', async (kind, onCancel, expected) => {
    const steps = [{ name: 'train', seconds: 7_200 }]
    const pipeline: PipelineSpec =
      kind === 'static'
        ? { name: 'gate', steps }
        : { name: 'gate', steps: [], dynamic: { parameters: {}, expand: () => steps } }
    const controller = new AbortController()
    const changes = { pollIntervalMs: 600_000, onCancel }
    const { scene, running } = await run(pipeline, changes, {}, controller.signal)
    await until(() => scene.events.some((event) => event.kind === 'state' && event.status === 'running'))
    await scene.clock.sleep(1_000)
    const before = scene.server.requests.length
    controller.abort(new Error('cancelled'))
    expect(await running).toMatchObject({ conclusion: 'cancelled' })
    const sent = scene.server.requests.slice(
      before,
      before + expected.length + (expected.length === 0 ? 1 : 0),
    )
    expect(sent.map(({ method, path }) => `${method} ${path.includes('/stop') ? 'stop' : 'run'}`)).toEqual(
      expected,
    )
  })

  test('one that was answered since main last looked at it is known to its post step as one that runs', async () => {
    const { scene, cancel } = await cancelledAfter(
      3,
      ({ started }) => started.at(-1)?.status === 'paused',
      asking(30),
    )
    await answer(scene)
    expect(await cancel()).toMatchObject({ conclusion: 'cancelled', status: 'stopping' })
    expect(scene.started.map(({ status }) => status)).toEqual(['initializing', 'paused', 'running'])
    // It ends by itself: marked as failed, it would be called stopped while its code goes on.
    expect(await stopped(scene, scene.started.at(-1)!)).toMatchObject({ settled: true, status: 'completed' })
    expect(scene.sent(/^PUT .*\/runs\/[^/]+$/)).toEqual([])
  })

  test.each([
    ['the look', 1, 1],
    ['the look and the graph', 1, 2],
  ])('nor where %s fails just then', async (_, looks, graphs) => {
    const { scene, running } = await run(asking(30), { wait: false })
    await running
    await scene.clock.sleep(120_000)
    await answer(scene)
    await scene.clock.sleep(1_000)
    scene.server.addFault({ on: 'run', occurrence: looks, do: { kind: 'html', status: 502 } })
    if (graphs > 1) scene.server.addFault({ on: 'dag', do: { kind: 'html', status: 502 } })
    const [started] = scene.started
    await stopped(scene, { ...started!, status: 'paused' }, 'stop-gracefully')
    expect(scene.sent(/^PUT .*\/runs\/[^/]+$/)).toEqual([])
  })

  test('a run that goes on after an answer is known to its post step as one that runs', async () => {
    const { scene, running } = await run(asking(30))
    await until(() => told(scene).length > 0 && statusOf(scene) === 'paused')
    await scene.clock.sleep(60_000)
    expect(scene.started.at(-1)).toMatchObject({ status: 'paused' })
    await answer(scene)
    expect(await running).toMatchObject({ conclusion: 'completed' })
    expect(scene.started.at(-1)?.status).not.toBe('paused')
  })

  test('and a step that runs beside the question is named: ZenML calls the run stopped all the same', async () => {
    const pipeline: PipelineSpec = {
      name: 'gate',
      steps: [],
      dynamic: { parameters: {}, expand: () => [{ name: 'endless', seconds: 7_200 }] },
    }
    const { scene, running } = await run(pipeline, { timeoutMs: 300_000, onTimeout: 'stop' })
    await until(() => statusOf(scene) === 'running')
    scene.server.pause(scene.server.runs[0]?.id ?? '', 'Deploy this model?')
    const result = await running
    expect(result).toMatchObject({ conclusion: 'timed-out', status: 'stopped' })
    expect(result.error).toMatch(
      /keeps running: http.* It could not be stopped: ZenML calls it \w+ already, and then no longer stops its steps; still running: endless$/,
    )
    expect(scene.settled).toHaveLength(0)
  })

  test('and says so where that is refused', async () => {
    const refused = '{"detail":["IllegalOperationError","Insufficient permissions to UPDATE resource"]}'
    const { scene, running } = await run(
      asking(600),
      { timeoutMs: 300_000, onTimeout: 'stop' },
      {
        faults: [{ on: 'answer', occurrence: 'always', do: { kind: 'answer', status: 403, body: refused } }],
      },
    )
    expect((await running).error).toMatch(
      /keeps running: http.* It could not be stopped: Could not answer what the run asks: .*403.*Insufficient permissions/,
    )
    expect(scene.settled).toHaveLength(0)
  })

  test('and where a page answers in its place', async () => {
    const { scene, running } = await run(
      asking(600),
      { timeoutMs: 300_000, onTimeout: 'stop' },
      { faults: [{ on: 'answer', occurrence: 'always', do: { kind: 'html', status: 200 } }] },
    )
    expect((await running).error).toMatch(
      /It could not be stopped: Could not answer what the run asks: .*a web page/,
    )
    expect(scene.settled).toHaveLength(0)
  })

  test('but one that was answered meanwhile goes its way', async () => {
    const { scene, running } = await run(asking(600))
    await until(() => told(scene).length > 0)
    await abortQuestion(scene.client, await answer(scene))
    expect(await running).toMatchObject({ conclusion: 'completed' })
  })
})
