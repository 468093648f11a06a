import { afterEach, describe, expect, test } from '@jest/globals'
import type { FaultAction, PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from '../scene.ts'

afterEach(closeScenes)

const REPLAY = /^POST \/api\/v1\/runs\/[^/]+\/replay$/

const fails = { type: 'RuntimeError', message: 'boom', traceback: '', userCodeLine: 1 }

/** load → train → publish, whose last step fails in the first `until` runs. */
const churn = (until = 1): PipelineSpec => ({
  name: 'churn',
  sequential: true,
  tags: ['nightly'],
  steps: [
    { name: 'load', seconds: 60 },
    { name: 'train', seconds: 60, upstream: ['load'], metadata: { accuracy: 0.9 } },
    { name: 'publish', seconds: 60, upstream: ['train'], fails, failsUntil: until, metadata: { url: 'x' } },
  ],
})

const TARGET = { kind: 'template', reference: 'churn-template' } as const

const requester = (attempt: number): RunRequest['requester'] => ({
  workflowRunId: '4711',
  attempt,
  stepIdentity: '0a1b2c3d',
})

const open = (until = 1, options: SimulatorOptions = {}): Promise<Scene> =>
  openScene({ pipelines: [churn(until)], ...options })

/** One attempt of the job. */
const attempt = (scene: Scene, number: number, changes: Partial<RunRequest> = {}): Promise<RunResult> =>
  scene.execute({ target: TARGET, requester: requester(number), resume: 'replay', ...changes })

const starts = (scene: Scene): string[] =>
  scene
    .sent(/^POST .*\/(runs|replay)$/)
    .map((line) => (REPLAY.test(line) ? 'replay' : TRIGGER.test(line) ? 'trigger' : line))

const reasons = (scene: Scene): (string | undefined)[] =>
  scene.events.flatMap((event) =>
    event.kind === 'replay' ? (event.plan.kind === 'new' ? event.plan.why : undefined) : [],
  )

const bodyOf = (scene: Scene, pattern: RegExp): unknown =>
  JSON.parse(
    scene.server.requests.find(({ method, path }) => pattern.test(`${method} ${path}`))?.body ?? 'null',
  )

const layers = (rows: number): RunRequest['overrides']['layers'] => [
  { source: 'configuration', value: { extra: { rows } } },
]

const overrides = (rows: number): RunRequest['overrides'] => ({
  layers: layers(rows),
  tags: undefined,
  enableCache: undefined,
})

describe('a re-run after a failed run', () => {
  test('replays it: only what failed runs again', async () => {
    const scene = await open()
    const first = await attempt(scene, 1)
    const second = await attempt(scene, 2)
    expect([first.conclusion, second.conclusion]).toEqual(['failed', 'completed'])
    expect(starts(scene)).toEqual(['trigger', 'replay'])
    const [earlier, replay] = scene.server.runs
    expect(replay).toMatchObject({ id: second.runId, replayOf: earlier?.id })
    expect(bodyOf(scene, REPLAY)).toEqual({ skip_successful_steps: true, run_name: replay?.name })
    expect(replay?.name).toMatch(/^churn-gh4711-2-[0-9a-f]{8}-[0-9a-f]{12}$/)
    const details = scene.events.findLast((event) => event.kind === 'details')?.details
    expect(details?.reused).toEqual({
      from: { id: earlier?.id, name: earlier?.name },
      steps: ['load', 'train'],
    })
  })

  test('says which run it replays, and what a whole run usually takes is no forecast of it', async () => {
    const scene = await open()
    await attempt(scene, 1)
    const [run] = scene.server.runs
    scene.events.length = 0
    await attempt(scene, 2)
    expect(scene.events.find(({ kind }) => kind === 'replay')).toMatchObject({
      plan: { kind: 'replay', id: run?.id, name: run?.name, attempt: 1, url: expect.any(String) },
    })
    expect(scene.sent(/^GET .*status=completed/)).toHaveLength(1)
  })

  test('notes on the replay where it came from, and its conclusion', async () => {
    const scene = await open()
    await attempt(scene, 1)
    await attempt(scene, 2)
    expect(scene.server.runs[1]?.metadata).toMatchObject({
      github_actions: { repository: 'o/r', conclusion: 'completed' },
    })
  })

  test('expects something of the steps that the replay took over', async () => {
    const scene = await open()
    const expectations = [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 }] as const
    await attempt(scene, 1, { expectations })
    expect(await attempt(scene, 2, { expectations })).toMatchObject({ conclusion: 'completed' })
  })

  test('after a replay that failed replays that, and sees what the first run logged', async () => {
    const scene = await open(3)
    const expectations = [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 }] as const
    const results: RunResult[] = []
    for (const number of [1, 2, 3, 4]) results.push(await attempt(scene, number, { expectations }))
    expect(results.map(({ conclusion }) => conclusion)).toEqual(['failed', 'failed', 'failed', 'completed'])
    expect(starts(scene)).toEqual(['trigger', 'replay', 'replay', 'replay'])
    const ids = scene.server.runs.map(({ id }) => id)
    expect(scene.server.runs.map(({ replayOf }) => replayOf)).toEqual([undefined, ...ids.slice(0, 3)])
  })

  test('after a replay that completed takes that up', async () => {
    const scene = await open()
    await attempt(scene, 1)
    const second = await attempt(scene, 2)
    expect(await attempt(scene, 3)).toMatchObject({ conclusion: 'completed', runId: second.runId })
    expect(scene.server.runs).toHaveLength(2)
  })

  test('of a snapshot replays it as well', async () => {
    const scene = await open()
    const target = { kind: 'snapshot', reference: 'churn-template' } as const
    await attempt(scene, 1, { target })
    await attempt(scene, 2, { target })
    expect(starts(scene)).toEqual(['trigger', 'replay'])
  })

  test('without resume: replay starts a new one', async () => {
    const scene = await open()
    await attempt(scene, 1, { resume: true })
    await attempt(scene, 2, { resume: true })
    expect(starts(scene)).toEqual(['trigger', 'trigger'])
    expect(reasons(scene)).toEqual([])
  })
})

describe('a new run is started, and one line says why', () => {
  const NEW = ['trigger', 'trigger']

  test('where the inputs are others', async () => {
    const scene = await open()
    await attempt(scene, 1, { overrides: overrides(1) })
    await attempt(scene, 2, { overrides: overrides(2) })
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)).toEqual(['No earlier attempt has a run with the same inputs'])
  })

  test('where the earlier run was stopped', async () => {
    const scene = await open()
    await attempt(scene, 1, { wait: false })
    const [run] = scene.server.runs
    scene.server.setStatus(run?.id ?? '', 'stopped')
    await attempt(scene, 2)
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)).toEqual([
      `The run ${run?.name ?? ''} of attempt 1 is stopped, and only a failed run is replayed`,
    ])
  })

  const withSlowStep = (): PipelineSpec => {
    const { steps, ...spec } = churn()
    return { ...spec, sequential: false, steps: [...steps, { name: 'slow', seconds: 7_200 }] }
  }

  // Of a run that stops at its first failure, ZenML says that it is not in progress, whatever still runs.
  test.each(['continue_on_failure', 'stop_on_failure'])(
    'where steps of the earlier run may still be running (%s)',
    async (mode) => {
      const scene = await openScene({ pipelines: [withSlowStep()] })
      const value = { execution_mode: mode }
      const given = {
        wait: false,
        overrides: { ...overrides(1), layers: [{ source: 'configuration' as const, value }] },
      }
      await attempt(scene, 1, given)
      await scene.clock.sleep(600_000)
      const [run] = scene.server.runs
      expect(run?.status).toBe('failed')
      await attempt(scene, 2, given)
      expect(starts(scene)).toEqual(NEW)
      expect(reasons(scene)).toEqual([
        `The run ${run?.name ?? ''} of attempt 1 failed, but some of its steps or child runs may still be running`,
      ])
    },
  )

  test('where a run that a stopped child run called still runs', async () => {
    const scene = await open()
    await attempt(scene, 1)
    const [run] = scene.server.runs
    const [child, grandchild] = [
      '5e9bca73-528a-42cc-80bc-7356a1d86eb7',
      'd2f1c8a4-93be-4f07-8f51-0d9b6f0c1e22',
    ]
    const graph = (id: string | undefined, called: string, status: string): FaultAction => ({
      kind: 'answer',
      status: 200,
      body: JSON.stringify({
        id,
        status: 'failed',
        nodes: [{ node_id: 'child_run/b', type: 'child_run', id: called, name: 'b', metadata: { status } }],
        edges: [],
      }),
    })
    scene.server.addFault({ on: 'dag', do: graph(run?.id, child, 'stopped') })
    scene.server.addFault({ on: 'dag', occurrence: 2, do: graph(child, grandchild, 'running') })
    await attempt(scene, 2, { wait: false })
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)).toEqual([
      `The run ${run?.name ?? ''} of attempt 1 failed, but some of its steps or child runs may still be running`,
    ])
  })

  test('where nobody can tell whether steps of the earlier run are still running', async () => {
    const scene = await open()
    await attempt(scene, 1)
    scene.server.addFault({
      on: 'dag',
      occurrence: 'always',
      do: { kind: 'answer', status: 403, body: '{"detail":["IllegalOperationError","no"]}' },
    })
    await attempt(scene, 2, { wait: false })
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)[0]).toMatch(
      /failed, but whether its steps or child runs are still running is not known: could not read .*: the server answered 403/,
    )
  })

  test('where nothing has said for a minute whether steps of the earlier run are still running', async () => {
    const scene = await open()
    await attempt(scene, 1)
    scene.server.addFault({ on: 'dag', occurrence: 'always', do: { kind: 'hang' } })
    await scene.executeWith(
      { target: TARGET, requester: requester(2), resume: 'replay', wait: false },
      {
        ...scene.dependencies(),
        timeLimit: (ms) => AbortSignal.timeout([10_000, 60_000].includes(ms) ? 200 : 600_000),
      },
    )
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)[0]).toMatch(/are still running is not known: the server did not answer in time$/)
  })

  test('where the earlier run has a model version, which would stay without what is reused', async () => {
    const scene = await openScene({ pipelines: [{ ...churn(), model: 'prize' }] })
    await attempt(scene, 1)
    await attempt(scene, 2)
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)).toEqual([
      `The run ${scene.server.runs[0]?.name ?? ''} of attempt 1 failed, but it has a model version, which a replay would not complete`,
    ])
  })

  test('where nobody can tell whether the earlier run has a model version', async () => {
    const scene = await open()
    await attempt(scene, 1)
    scene.server.addFault({
      on: 'model-links',
      occurrence: 'always',
      do: { kind: 'answer', status: 403, body: '{"detail":["IllegalOperationError","no"]}' },
    })
    await attempt(scene, 2)
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)[0]).toMatch(
      /failed, but whether it has a model version is not known: Could not read the run's model versions: the server answered 403/,
    )
  })

  test('where two runs of the attempt before have the same inputs', async () => {
    const scene = await open(9)
    await attempt(scene, 1)
    await attempt(scene, 1)
    await attempt(scene, 2)
    expect(starts(scene)).toEqual([...NEW, 'trigger'])
    expect(reasons(scene)).toEqual([
      expect.stringMatching(/^Several runs of attempt 1 have the same inputs \(churn-\S+, churn-\S+\)$/),
    ])
  })

  test.each([
    ['from another snapshot', { source_snapshot: { id: 'another' } }],
    ['from nobody knows what', {}],
  ])('where the earlier run came %s', async (_title, resources) => {
    const scene = await open()
    await attempt(scene, 1)
    const { id, name } = scene.server.runs[0] ?? {}
    const run = { id, name, body: { status: 'failed' }, metadata: {}, resources }
    const page = { total: 1, total_pages: 1, items: [run] }
    scene.server.addFault({ on: 'runs', do: { kind: 'answer', status: 200, body: JSON.stringify(page) } })
    await attempt(scene, 2)
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)).toEqual([expect.stringContaining('nothing shows that it used the same template')])
  })

  test('where the server is older than 0.95', async () => {
    const scene = await open(1, { version: '0.85.0' })
    await attempt(scene, 1)
    await attempt(scene, 2)
    expect(starts(scene)).toEqual(NEW)
    expect(reasons(scene)).toEqual([
      expect.stringContaining('failed, but resume: replay needs ZenML 0.95 or newer (this server: 0.85.0)'),
    ])
  })

  test.each([
    ['goes on', { wait: false }],
    ['has completed', {}],
  ])('but none where the run of the attempt before %s: it is taken up', async (_title, changes) => {
    const scene = await open(0)
    const first = await attempt(scene, 1, changes)
    expect(await attempt(scene, 2)).toMatchObject({ conclusion: 'completed', runId: first.runId })
    expect(starts(scene)).toEqual(['trigger'])
    expect(reasons(scene)).toEqual([])
  })

  test('but the first attempt says nothing and looks for nothing', async () => {
    const scene = await open()
    await attempt(scene, 1)
    expect(scene.sent(/startswith/)).toEqual([])
    expect(reasons(scene)).toEqual([])
  })
})

describe('a dry run starts nothing, and says what would be done', () => {
  const foreseen = (scene: Scene): unknown =>
    scene.events.findLast((event) => event.kind === 'dry-run')?.earlier

  test('in the first attempt only what would be sent', async () => {
    const scene = await open()
    await attempt(scene, 1, { dryRun: true })
    expect(foreseen(scene)).toBeUndefined()
  })

  test('the run of the attempt before would be replayed', async () => {
    const scene = await open()
    await attempt(scene, 1)
    await attempt(scene, 2, { dryRun: true })
    const [run] = scene.server.runs
    expect(foreseen(scene)).toMatchObject({ kind: 'replay', name: run?.name, attempt: 1 })
    expect(starts(scene)).toEqual(['trigger'])
  })

  test('it would be taken up', async () => {
    const scene = await open(0)
    await attempt(scene, 1)
    await attempt(scene, 2, { dryRun: true })
    expect(foreseen(scene)).toMatchObject({ kind: 'take-up', attempt: 1, status: 'completed' })
  })

  test('a new one would be started, because earlier attempts left two that go on', async () => {
    const scene = await open()
    await attempt(scene, 1, { wait: false })
    await scene.clock.sleep(10_000)
    await attempt(scene, 1, { wait: false })
    await attempt(scene, 2, { dryRun: true })
    const [first, second] = scene.server.runs.map(({ name }) => name)
    expect(foreseen(scene)).toEqual({
      kind: 'new',
      why: `Several runs of earlier attempts match (${second}, ${first})`,
    })
    expect(starts(scene)).toEqual(['trigger', 'trigger'])
  })

  test('a new one would be started', async () => {
    const scene = await open()
    await attempt(scene, 2, { dryRun: true })
    expect(foreseen(scene)).toEqual({
      kind: 'new',
      why: 'No earlier attempt has a run with the same inputs',
    })
  })
})

describe('exactly one replay', () => {
  const after: [string, FaultAction, string[]][] = [
    ['the connection is reset after it was started', { kind: 'reset', when: 'after-work' }, ['replay']],
    ['the connection is reset before', { kind: 'reset', when: 'before-work' }, ['replay', 'replay']],
    ['the answer is cut', { kind: 'cut' }, ['replay']],
    ['a proxy answers 502', { kind: 'html', status: 502, work: true }, ['replay']],
    ['a proxy answers 504 and nothing was started', { kind: 'html', status: 504 }, ['replay', 'replay']],
    ['the answer names it otherwise', { kind: 'about-another', what: 'name' }, ['replay']],
    ['the answer is about another run', { kind: 'about-another', what: 'run' }, ['replay']],
    ['there is no free slot', { kind: 'no-slot' }, ['replay', 'replay']],
  ]
  test.each(after)('when %s', async (_title, action, sent) => {
    const scene = await open()
    await attempt(scene, 1)
    scene.server.addFault({ on: 'trigger', do: action })
    const second = await attempt(scene, 2)
    const [, ...new_] = scene.server.runs.filter(({ gone }) => !gone)
    expect(new_).toMatchObject([{ id: second.runId, status: 'completed' }])
    expect(starts(scene)).toEqual(['trigger', ...sent])
    const requests = scene.server.requests.filter(({ path }) => path.endsWith('/replay'))
    const keys = new Set(requests.map(({ headers }) => headers['idempotency-key']))
    expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)])
  })

  test('when the answer is lost and the server keeps its name in another form', async () => {
    const storesName = (name: string): string => (name.includes('-gh4711-2-') ? name.toUpperCase() : name)
    const scene = await open(1, { storesName })
    await attempt(scene, 1)
    scene.server.addFault({ on: 'trigger', do: { kind: 'reset', when: 'after-work' } })
    const second = await attempt(scene, 2)
    expect(second).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[1]?.id })
    expect(starts(scene)).toEqual(['trigger', 'replay'])
  })

  test('when the server is too busy, the same request joins its work', async () => {
    const scene = await open()
    await attempt(scene, 1)
    scene.server.addFault({ on: 'trigger', do: { kind: 'too-busy', seconds: 20 } })
    await attempt(scene, 2)
    expect(scene.server.runs).toHaveLength(2)
    expect(starts(scene).length).toBeGreaterThan(2)
  })

  test('when the server never hands it over: it is ended, and the run is replayed again', async () => {
    const scene = await open()
    await attempt(scene, 1)
    scene.server.addFault({ on: 'trigger', do: { kind: 'not-dispatched' } })
    const second = await attempt(scene, 2)
    expect(second.conclusion).toBe('completed')
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed', 'failed', 'completed'])
    expect(scene.server.runs[2]).toMatchObject({ id: second.runId, replayOf: scene.server.runs[0]?.id })
  })

  test('its name is in the journal before it is sent', async () => {
    const scene = await open()
    await attempt(scene, 1)
    await attempt(scene, 2)
    const [earlier, replay] = scene.server.runs
    const { templateId, snapshotId } = earlier ?? {}
    expect(scene.planned.at(-1)).toMatchObject({
      name: replay?.name,
      nameIsOurs: true,
      origins: [templateId, snapshotId],
    })
    expect(scene.started.at(-1)).toMatchObject({ id: replay?.id })
  })

  test.each([
    [404, 'KeyError', 'no run RUN', 'The run "NAME" was deleted, or the account can no longer read it'],
    [
      404,
      'KeyError',
      'no secret x',
      'The configuration or the run "NAME" names it: create it, or name another one',
    ],
    [422, 'ValueError', 'no', 'The run "NAME" cannot be replayed: start a new workflow run'],
  ])('a refusal (%d %s: %s) says what to do, and starts nothing', async (status, type, words, advice) => {
    const scene = await open()
    await attempt(scene, 1)
    const [run] = scene.server.runs
    const detail = words.replace('RUN', run?.id ?? '')
    const body = JSON.stringify({ detail: [type, detail] })
    scene.server.addFault({ on: 'trigger', do: { kind: 'answer', status, body } })
    await expect(attempt(scene, 2)).rejects.toThrow(
      `${type}: ${detail}. ${advice.replace('NAME', run?.name ?? '')}`,
    )
    expect(starts(scene)).toEqual(['trigger', 'replay'])
    expect(scene.server.runs).toHaveLength(1)
  })
})
