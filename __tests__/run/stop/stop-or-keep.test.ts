import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type PipelineSpec, type SimulatorOptions } from '../../../simulator/index.ts'
import { findAndStop } from '../../../src/run/stop/find-and-stop.ts'
import { stopOrKeep } from '../../../src/run/stop/stop-or-keep.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { closeScenes, openScene, TRIGGER, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const long: PipelineSpec = { name: 'long', steps: [{ name: 'only', seconds: 3600 }] }

const STOP = /^POST .*\/stop/

type Moment = 'initializing' | 'running'

/** Runs `long`, and cancels the workflow when the run has reached the moment. */
async function cancelAt(
  moment: Moment,
  options: SimulatorOptions,
  changes: Partial<RunRequest> = {},
): Promise<{ scene: Scene; result: RunResult }> {
  const startupSeconds = moment === 'initializing' ? 600 : 2
  const scene = await openScene({ pipelines: [long], startupSeconds, ...options })
  const controller = new AbortController()
  const target = { kind: 'template', reference: 'long-template' } as const
  const running = scene.execute({ target, ...changes }, controller.signal)
  await until(() => scene.started.length > 0 && scene.server.runs[0]?.status === moment)
  controller.abort(new Error('cancelled'))
  return { scene, result: await running }
}

const goesOn = (scene: Scene): boolean => scene.server.runs.some(({ busy }) => busy)

describe.each(['0.85.0', '0.98.0'] as const)('a workflow is cancelled on Kubernetes, ZenML %s', (version) => {
  test('while the run goes on: it is stopped by force, and said to be stopped', async () => {
    const { scene, result } = await cancelAt('running', { version, orchestrator: 'kubernetes' })
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'stopped' })
    expect(result.error).toMatch(/^Cancelled\. The run "long-gh4711-.*" was stopped: http/)
    expect(scene.sent(STOP)).toEqual([expect.stringContaining('graceful=false')])
    expect(goesOn(scene)).toBe(false)
    expect(scene.settled).toHaveLength(1)
  })

  test('with stop-gracefully: it is asked gracefully', async () => {
    const { scene } = await cancelAt(
      'running',
      { version, orchestrator: 'kubernetes' },
      { onCancel: 'stop-gracefully' },
    )
    expect(scene.sent(STOP)).toEqual([expect.stringContaining('graceful=true')])
  })

  test('with keep-running: nothing is asked, and the log says that it goes on', async () => {
    const { scene, result } = await cancelAt(
      'running',
      { version, orchestrator: 'kubernetes' },
      { onCancel: 'keep-running' },
    )
    expect(result.error).toMatch(/was left running, as requested \(keep-running\): http/)
    expect(scene.sent(STOP)).toEqual([])
    expect(goesOn(scene)).toBe(true)
    expect(scene.settled).toHaveLength(1)
  })

  test('without the right to stop: the step says that it goes on, and why', async () => {
    const body = '{"detail":["IllegalOperationError","Insufficient permissions to UPDATE resource \'run\'."]}'
    const { scene, result } = await cancelAt('running', {
      version,
      orchestrator: 'kubernetes',
      faults: [{ on: 'stop', occurrence: 'always', do: { kind: 'answer', status: 403, body } }],
    })
    expect(result.error).toMatch(
      /may still be running: http.*\. It could not be stopped: .*Insufficient permissions/,
    )
    expect(scene.settled).toHaveLength(0)
  })

  test('and the server is away: asked again until the time is up, and said to go on', async () => {
    const { scene, result } = await cancelAt('running', {
      version,
      orchestrator: 'kubernetes',
      faults: [{ on: 'stop', occurrence: 'always', do: { kind: 'html', status: 502 } }],
    })
    expect(result.error).toMatch(/may still be running: http.*It could not be stopped: .*502/)
    expect(scene.sent(STOP).length).toBeGreaterThan(1)
    expect(scene.settled).toHaveLength(0)
  })
})

describe.each(ZENML_VERSIONS)('a workflow is cancelled, ZenML %s', (version) => {
  test('while the run initializes, with a long address of the workflow run: the reason keeps it whole', async () => {
    const workflowRunUrl = `https://github.example.com/o/${'r'.repeat(180)}/actions/runs/4711`
    const { scene, result } = await cancelAt(
      'initializing',
      { version, orchestrator: 'kubernetes' },
      { workflowRunUrl },
    )
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'failed' })
    const put = scene.server.requests.find(({ method }) => method === 'PUT')
    expect(put).toMatchObject({ status: 200 })
    expect(JSON.parse(put?.body ?? '')).toEqual({
      status: 'failed',
      status_reason: `The workflow step was…: ${workflowRunUrl}`,
    })
  })

  test('while the run initializes: it is ended with a reason that links to the workflow run, and no step starts', async () => {
    const { scene, result } = await cancelAt('initializing', { version })
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'failed' })
    expect(result.error).toMatch(/was stopped and is now failed/)
    const put = scene.server.requests.filter(({ method }) => method === 'PUT')
    expect(put.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      {
        status: 'failed',
        status_reason: 'The workflow step was cancelled: https://github.com/o/r/actions/runs/4711',
      },
    ])
    await scene.clock.sleep(900_000)
    expect(scene.server.runs[0]?.startedSteps).toEqual([])
    expect(scene.settled).toHaveLength(1)
  })

  test('while the run initializes and the server fails for a moment: it is asked again', async () => {
    const { scene, result } = await cancelAt('initializing', {
      version,
      orchestrator: 'kubernetes',
      faults: [{ on: 'update', do: { kind: 'html', status: 502 } }],
    })
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'failed' })
    expect(scene.server.requests.filter(({ method }) => method === 'PUT')).toHaveLength(2)
    expect(scene.settled).toHaveLength(1)
  })

  test('before anything was sent: nothing is looked up, and it says so', async () => {
    const scene = await openScene({ version })
    const controller = new AbortController()
    const running = scene.execute({}, controller.signal)
    await until(() => scene.sent(/info$/).length > 0)
    controller.abort(new Error('cancelled'))
    const result = await running
    expect(result).toMatchObject({
      conclusion: 'cancelled',
      status: '',
      error: 'Cancelled before a run was started',
    })
    expect(scene.server.runs).toHaveLength(0)
  })

  test('while the login hangs: the step ends at once', async () => {
    const scene = await openScene({
      version,
      faults: [{ on: 'login', occurrence: 'always', do: { kind: 'hang' } }],
    })
    const controller = new AbortController()
    const running = scene.execute({}, controller.signal)
    await until(() => scene.sent(/login$/).length > 0)
    controller.abort(new Error('cancelled'))
    expect((await running).error).toBe('Cancelled before a run was started')
  })

  test('while the trigger is under way: the run is found by its name and ended', async () => {
    const scene = await openScene({ version, triggerSeconds: 2, startupSeconds: 600 })
    const controller = new AbortController()
    const running = scene.execute({}, controller.signal)
    await until(() => scene.sent(TRIGGER).length > 0)
    controller.abort(new Error('cancelled'))
    const result = await running
    expect(result.conclusion).toBe('cancelled')
    expect(result.error).toMatch(
      /The run "training-gh4711-.*(was stopped and is now failed|was asked to stop|may still be running)/,
    )
    expect(scene.server.runs).toHaveLength(1)
  })
})

test('a run of which a step has failed, while others go on: the result names that step', async () => {
  const fails = { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 }
  const split = { ...long, steps: [...long.steps, { name: 'short', seconds: 1, fails }] }
  const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
  const controller = new AbortController()
  const running = scene.execute(
    { target: { kind: 'template', reference: 'long-template' } },
    controller.signal,
  )
  await until(() => scene.events.some(({ kind }) => kind === 'failed-but-going-on'))
  controller.abort(new Error('cancelled'))
  expect(await running).toMatchObject({ conclusion: 'cancelled', failedStep: 'short' })
})

test('a run that the local orchestrator of 0.98 cannot end by force is read again and found stopping', async () => {
  const { scene, result } = await cancelAt('running', { version: '0.98.0', orchestrator: 'local' })
  expect(result).toMatchObject({ conclusion: 'cancelled' })
  expect(result.error).toMatch(
    /was stopped|was asked to stop, but had not ended in time \(last status: stopping\)/,
  )
  expect(scene.sent(STOP)[0]).toContain('graceful=false')
})

test('a run that the local orchestrator of 0.85 cannot end is said to go on', async () => {
  const { scene, result } = await cancelAt('running', { version: '0.85.0', orchestrator: 'local' })
  expect(result.error).toMatch(/keeps running: http.*It could not be stopped: .*501/)
  expect(goesOn(scene)).toBe(true)
  expect(scene.settled).toHaveLength(0)
})

test.each(ZENML_VERSIONS)('ZenML %s: a run that had ended already is said to have ended', async (version) => {
  const scene = await openScene({ version })
  await scene.execute()
  const ended = await stopOrKeep(
    {
      run: { ...scene.started[0]!, status: 'completed' },
      mode: 'stop',
      reason: 'r',
      deadline: new Deadline(scene.clock, 60_000),
    },
    { client: scene.client, clock: scene.clock },
  )
  expect(ended).toMatchObject({ settled: true, status: 'completed' })
  expect(ended.sentence).toMatch(/had ended before it could be stopped and is completed/)
})

const TOO_EARLY = {
  kind: 'answer',
  status: 403,
  body: '{"detail":["IllegalOperationError","The run has no orchestrator run id."]}',
} as const

test('a run that initializes is asked to stop for a second before it is ended: its orchestrator may come up', async () => {
  const { scene } = await cancelAt('initializing', { orchestrator: 'kubernetes' })
  const at = (wanted: RegExp): number =>
    scene.server.requests.find(({ method, path }) => wanted.test(`${method} ${path}`))?.at ?? 0
  expect(at(/^PUT /) - at(STOP)).toBeGreaterThanOrEqual(1_000)
  expect(at(/^PUT /) - at(STOP)).toBeLessThan(2_000)
})

test('a running run for which a replica says that it is too early is never ended, and asked to stop again', async () => {
  const { scene, result } = await cancelAt('running', {
    orchestrator: 'kubernetes',
    faults: [{ on: 'stop', occurrence: { from: 1, to: 5 }, do: TOO_EARLY }],
  })
  expect(result.error).toMatch(/was stopped: http/)
  expect(scene.sent(/^PUT /)).toEqual([])
  expect(scene.sent(STOP)).toHaveLength(6)
})

test('a run that ended by itself while the server called it too early to stop it is not said to have been stopped', async () => {
  const scene = await openScene({ faults: [{ on: 'stop', do: TOO_EARLY }] })
  await scene.execute()
  const ended = await stopOrKeep(
    { run: scene.started[0]!, mode: 'stop', reason: 'r', deadline: new Deadline(scene.clock, 60_000) },
    { client: scene.client, clock: scene.clock },
  )
  expect(ended.sentence).toMatch(/had ended before it could be stopped and is completed/)
  expect(scene.sent(STOP)).toHaveLength(1)
})

test('a run that has ended is not asked to stop again where the first request to stop it failed', async () => {
  const body = '{"detail":["RuntimeError","The orchestrator is away."]}'
  const scene = await openScene({ faults: [{ on: 'stop', do: { kind: 'answer', status: 500, body } }] })
  await scene.execute()
  const run = { ...scene.started[0]!, status: 'completed' }
  const ended = await stopOrKeep(
    { run, mode: 'stop', reason: 'r', deadline: new Deadline(scene.clock, 60_000) },
    { client: scene.client, clock: scene.clock },
  )
  expect(ended).toMatchObject({ settled: true, status: 'completed' })
  expect(ended.sentence).toMatch(/had ended before it could be stopped and is completed/)
  expect(scene.sent(STOP)).toHaveLength(1)
})

test.each(['0.85.0', '0.98.0'] as const)(
  'ZenML %s: a run that is deleted while it is being stopped is said to be deleted',
  async (version) => {
    const scene = await openScene({
      version,
      pipelines: [long],
      orchestrator: 'kubernetes',
      stopSeconds: 3_600,
    })
    await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
    await scene.clock.sleep(10_000)
    const run = scene.started[0]!
    const ending = stopOrKeep(
      { run, mode: 'stop', reason: 'r', deadline: new Deadline(scene.clock, 60_000) },
      { client: scene.client, clock: scene.clock },
    )
    await until(() => scene.server.runs[0]?.status === 'stopping')
    scene.server.vanish(run.id)
    const ended = await ending
    expect(ended.settled).toBe(true)
    expect(ended.sentence).toMatch(/is no longer on the server: it was deleted there/)
  },
)

test('a run that is deleted just after it was ended before its first step is said to be deleted', async () => {
  const scene = await openScene({ pipelines: [long], startupSeconds: 600 })
  await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
  const run = scene.started[0]!
  const ending = stopOrKeep(
    { run, mode: 'stop', reason: 'r', deadline: new Deadline(scene.clock, 60_000) },
    { client: scene.client, clock: scene.clock },
  )
  await until(() => scene.server.runs[0]?.status === 'failed')
  scene.server.vanish(run.id)
  expect((await ending).sentence).toMatch(/is no longer on the server: it was deleted there/)
})

test('a run that a replica does not know for two seconds is no deleted one, and is stopped', async () => {
  const body = '{"detail":["KeyError","Unable to find the run"]}'
  const scene = await openScene({
    pipelines: [long],
    orchestrator: 'kubernetes',
    faults: [{ on: 'stop', occurrence: { from: 1, to: 2 }, do: { kind: 'answer', status: 404, body } }],
  })
  await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
  await scene.clock.sleep(10_000)
  const from = scene.clock.now()
  const ended = await stopOrKeep(
    { run: scene.started[0]!, mode: 'stop', reason: 'r', deadline: new Deadline(scene.clock, 60_000) },
    { client: scene.client, clock: scene.clock },
  )
  expect(ended).toMatchObject({ settled: true, status: 'stopped' })
  const asked = scene.server.requests.filter(({ method, path }) => STOP.test(`${method} ${path}`))
  expect(asked.map(({ at }) => Math.round((at - from) / 1_000))).toEqual([0, 1, 2])
})

test('a running run of 0.74 is said to go on, because that version cannot stop it', async () => {
  const { scene, result } = await cancelAt('running', { version: '0.74.0' })
  expect(result.error).toMatch(/keeps running: http.*this version of ZenML cannot stop a run that has begun/)
  expect(scene.server.requests.filter(({ method }) => method === 'PUT')).toEqual([])
})

test('a failed run whose other steps go on cannot be stopped, and the step names them', async () => {
  const split: PipelineSpec = {
    name: 'split',
    steps: [
      {
        name: 'short',
        seconds: 1,
        fails: { type: 'ValueError', message: 'x', traceback: '', userCodeLine: 1 },
      },
      { name: 'endless', seconds: 3600 },
    ],
  }
  const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
  const controller = new AbortController()
  const running = scene.execute(
    { target: { kind: 'template', reference: 'split-template' } },
    controller.signal,
  )
  await until(() => scene.events.some(({ kind }) => kind === 'failed-but-going-on'))
  controller.abort(new Error('cancelled'))
  const result = await running
  expect(result.error).toMatch(/keeps running: http.*still running: endless$/)
})

describe('the time is up', () => {
  const target = { kind: 'template', reference: 'long-template' } as const

  test('with on-timeout: stop the run is stopped by force', async () => {
    const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
    const result = await scene.execute({ target, timeoutMs: 60_000, onTimeout: 'stop' })
    expect(result).toMatchObject({ conclusion: 'timed-out', status: 'stopped' })
    expect(result.error).toMatch(/did not finish within the timeout of 1m\. It was stopped: http/)
    expect(scene.sent(STOP)).toEqual([expect.stringContaining('graceful=false')])
    expect(scene.settled).toHaveLength(1)
  })

  test('with on-timeout: stop-gracefully the running step may end, and the step says so', async () => {
    const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
    const result = await scene.execute({ target, timeoutMs: 60_000, onTimeout: 'stop-gracefully' })
    expect(result.error).toMatch(
      /timeout of 1m\. It was asked to stop, but had not ended in time \(last status: stopping\): http/,
    )
    expect(scene.sent(STOP)).toEqual([expect.stringContaining('graceful=true')])
    expect(scene.settled).toHaveLength(0)
  })

  test('and the workflow is cancelled meanwhile, with on-cancel: keep-running: it is left to the post step to stop it', async () => {
    const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
    const cancelling = new AbortController()
    const request = {
      target,
      timeoutMs: 60_000,
      onTimeout: 'stop-gracefully',
      onCancel: 'keep-running',
    } as const
    const running = scene.execute(request, cancelling.signal)
    await until(() => scene.sent(STOP).length > 0)
    cancelling.abort(new Error('cancelled'))
    await expect(running).resolves.toMatchObject({ conclusion: 'timed-out' })
    expect(scene.settled).toHaveLength(0)
  })
})

describe('the post step', () => {
  const afterwards = async (
    scene: Scene,
    lookUpForMs = 60_000,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<typeof findAndStop>>> =>
    findAndStop(
      {
        run: (scene.started.at(-1) ?? scene.planned.at(-1))!,
        mode: 'stop',
        reason: 'ended early',
        lookUpUntil: new Deadline(scene.clock, lookUpForMs),
        deadline: new Deadline(scene.clock, 110_000),
      },
      { ...scene.dependencies(), signal },
    )

  test('stops a run whose id main has saved', async () => {
    const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
    await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
    await until(() => scene.server.runs.length > 0)
    await scene.clock.sleep(10_000)
    expect(await afterwards(scene)).toMatchObject({ settled: true, status: 'stopped' })
    expect(goesOn(scene)).toBe(false)
  })

  test('finds by its name a run that appears only later, and ends it', async () => {
    const scene = await openScene({ triggerSeconds: 40, startupSeconds: 600 })
    const controller = new AbortController()
    const running = scene.execute({}, controller.signal)
    await until(() => scene.sent(TRIGGER).length > 0)
    controller.abort(new Error('killed'))
    await running
    expect(scene.settled).toHaveLength(0)
    expect(await afterwards(scene)).toMatchObject({ settled: true, status: 'failed' })
    expect(scene.sent(TRIGGER)).toHaveLength(1)
  })

  test('says with its name that no run is there, and starts none', async () => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'reset', when: 'before-work' } }] })
    const controller = new AbortController()
    const running = scene.execute({}, controller.signal)
    await until(() => scene.sent(TRIGGER).length > 0)
    controller.abort(new Error('killed'))
    await running
    const ended = await afterwards(scene)
    expect(ended.sentence).toMatch(
      /^No run named "training-gh4711-1-[0-9a-f]{8}-[0-9a-f]{12}" is on the server/,
    )
    expect(ended.settled).toBe(false)
    expect(scene.server.runs).toHaveLength(0)
    expect(scene.sent(TRIGGER)).toHaveLength(1)
  })

  test('says that nothing is known where the server does not answer', async () => {
    const scene = await openScene({
      faults: [
        { on: 'trigger', do: { kind: 'reset', when: 'after-work' } },
        { on: 'runs', occurrence: 'always', do: { kind: 'html', status: 503 } },
      ],
    })
    const controller = new AbortController()
    const running = scene.execute({}, controller.signal)
    await until(() => scene.server.runs.length > 0)
    controller.abort(new Error('killed'))
    await running
    const ended = await afterwards(scene)
    expect(ended.sentence).toMatch(/^Whether the run "training-gh4711-.*" was started is not known/)
    expect(ended.settled).toBe(false)
  })

  test('whose time is up while it stops a run says that the run goes on', async () => {
    const scene = await openScene({
      pipelines: [long],
      orchestrator: 'kubernetes',
      faults: [{ on: 'stop', do: { kind: 'hang' } }],
    })
    await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
    await scene.clock.sleep(10_000)
    const budget = new AbortController()
    const ending = afterwards(scene, 60_000, budget.signal)
    await until(() => scene.sent(STOP).length > 0)
    budget.abort(new Error('the budget is over'))
    const ended = await ending
    expect(ended.sentence).toMatch(
      /may still be running: http.*It could not be stopped: the server did not answer in time/,
    )
    expect(ended.settled).toBe(false)
  })

  test('whose time is up says so, and does not fail', async () => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'reset', when: 'after-work' } }] })
    const cancelled = new AbortController()
    const running = scene.execute({}, cancelled.signal)
    await until(() => scene.server.runs.length > 0)
    cancelled.abort(new Error('killed'))
    await running
    scene.server.addFault({ on: 'runs', occurrence: 'always', do: { kind: 'hang' } })
    const asked = scene.sent(/^GET .*\/runs\?/).length
    const budget = new AbortController()
    const ending = afterwards(scene, 60_000, budget.signal)
    await until(() => scene.sent(/^GET .*\/runs\?/).length > asked)
    budget.abort(new Error('the budget is over'))
    const ended = await ending
    expect(ended.sentence).toMatch(/^Whether the run "training-gh4711-.*" was started is not known/)
    expect(ended.settled).toBe(false)
  })
})

const DATABASE_AWAY = {
  kind: 'answer',
  status: 500,
  body: '{"detail":["OperationalError","Lost connection to MySQL server"]}',
} as const

test.each([
  ['stop', 'graceful=false'],
  ['stop-gracefully', 'graceful=true'],
] as const)(
  'a server whose database is away for two requests is asked again in the same way (on-cancel: %s)',
  async (onCancel, query) => {
    const { scene, result } = await cancelAt(
      'running',
      {
        orchestrator: 'kubernetes',
        faults: [{ on: 'stop', occurrence: { from: 1, to: 2 }, do: DATABASE_AWAY }],
      },
      { onCancel },
    )
    expect(scene.sent(STOP).map((line) => line.split('?')[1])).toEqual([query, query, query])
    expect(result.error).not.toMatch(/could not be stopped/)
  },
)

test('something in between that says yes to the end of an initializing run is asked again', async () => {
  const { scene, result } = await cancelAt('initializing', {
    orchestrator: 'kubernetes',
    startupSeconds: 3_600,
    faults: [{ on: 'update', occurrence: 1, do: { kind: 'html', status: 200 } }],
  })
  expect(result.error).toMatch(/was stopped and is now failed/)
  expect(scene.server.runs).toMatchObject([{ status: 'failed', busy: false }])
})
