import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, FaultAction, PipelineSpec, RouteName } from '../../simulator/index.ts'
import { Deadline } from '../../src/base/deadline.ts'
import { findAndStop } from '../../src/run/stop/find-and-stop.ts'
import { closeScenes, openScene, until, type Scene } from './scene.ts'

afterEach(closeScenes)

/*
 * A no that passes: a replica that lags behind, a gateway that is rolled out, a login that is refused once. Where a run
 * may be under way, none of them ends anything.
 */

const long: PipelineSpec = { name: 'long', steps: [{ name: 'only', seconds: 600 }] }
const target = { kind: 'template', reference: 'long-template' } as const

const said = (status: number, detail: unknown): FaultAction => ({
  kind: 'answer',
  status,
  body: JSON.stringify({ detail }),
})

const NOT_THERE = said(404, ['KeyError', 'No run with this id'])
const NOES: readonly (readonly [string, FaultAction])[] = [
  ['a 403 without an exception', said(403, 'Forbidden')],
  ['a 404 without an exception', said(404, 'Not Found')],
  ['a 401', said(401, ['CredentialsNotValid', 'Error decoding access token'])],
  ['a run that is not there', NOT_THERE],
]

const DENIED = said(403, ['IllegalOperationError', 'Insufficient permissions'])
const HIDDEN: FaultAction = {
  kind: 'answer',
  status: 200,
  body: '{"id":"e9bca733-528a-42cc-80bc-7356a1d86eb7","name":"long","permission_denied":true}',
}
const ZENMLS_OWN = [
  ["ZenML's own 403", DENIED],
  ["ZenML's own 422", said(422, ['ValueError', 'A value is wrong'])],
  ['a run that is hidden', HIDDEN],
] as const

/** Says no on these routes as often as that, from now on. */
function refuse({ server }: Scene, on: readonly RouteName[], action: FaultAction, times: number): void {
  for (const route of on) {
    server.addFault({ on: route, occurrence: { from: 1, to: times }, do: action })
  }
}

async function running(faults: readonly Fault[] = []): Promise<Scene> {
  return openScene({ pipelines: [long], orchestrator: 'kubernetes', faults })
}

const isRunning = ({ events }: Scene) =>
  events.some((event) => event.kind === 'state' && event.status === 'running')

describe.each(NOES)('%s', (_, no) => {
  test('three times while the run is watched: it is watched to its end', async () => {
    const scene = await running()
    const result = scene.execute({ target })
    await until(() => isRunning(scene))
    refuse(scene, ['run', 'dag', 'steps'], no, 3)
    await expect(result).resolves.toMatchObject({ conclusion: 'completed', error: undefined })
  })

  test('three times right after the start: the run is watched to its end', async () => {
    const scene = await running([{ on: 'run', occurrence: { from: 1, to: 3 }, do: no }])
    await expect(scene.execute({ target })).resolves.toMatchObject({ conclusion: 'completed' })
    expect(scene.server.runs).toHaveLength(1)
  })

  test('twice at the request to stop, and at each look: the run is stopped', async () => {
    const scene = await running()
    const result = scene.execute({ target, timeoutMs: 60_000, onTimeout: 'stop' })
    await until(() => isRunning(scene))
    refuse(scene, ['stop'], no, 2)
    const { error } = await result
    expect(error).toMatch(/ was stopped: http/)
  })

  test('twice after the server took the request to stop: it is not said to go on', async () => {
    const scene = await running()
    const result = scene.execute({ target, timeoutMs: 60_000, onTimeout: 'stop' })
    await until(() => scene.sent(/^POST .*\/stop/).length > 0)
    refuse(scene, ['run'], no, 2)
    const { error } = await result
    expect(error).toMatch(/ was stopped: http/)
  })

  test('twice while the post step looks for a run: it is found and stopped', async () => {
    const scene = await running([{ on: 'trigger', do: { kind: 'hang', work: true } }])
    const dying = new AbortController()
    const main = scene.execute({ target, onCancel: 'keep-running' }, dying.signal)
    await until(() => scene.server.runs.length > 0)
    dying.abort(new Error('killed'))
    await main
    refuse(scene, ['runs'], no, 2)
    const { clock } = scene
    const ended = await findAndStop(
      {
        run: scene.planned.at(-1)!,
        mode: 'stop',
        reason: 'ended early',
        lookUpUntil: new Deadline(clock, 0),
        deadline: new Deadline(clock, 110_000),
      },
      scene.dependencies(),
    )
    expect(ended).toMatchObject({ found: 'ours', settled: true })
    expect(scene.server.runs).toMatchObject([{ busy: false }])
  })

  test('once when the trigger is sent again: it is sent once more, and the run is followed', async () => {
    const scene = await running([
      { on: 'trigger', occurrence: 1, do: { kind: 'cut', work: false } },
      { on: 'trigger', occurrence: 2, do: no },
    ])
    const result = await scene.execute({ target, wait: false })
    expect(result).toMatchObject({ conclusion: 'started', runId: scene.server.runs[0]?.id })
    expect(scene.sent(/^POST .*\/runs$/)).toHaveLength(3)
  })

  test('once at the look for a run whose answer got lost: it is found, and nothing is sent again', async () => {
    const scene = await running([
      { on: 'trigger', do: { kind: 'cut', work: true } },
      { on: 'runs', do: no },
    ])
    const result = await scene.execute({ target, wait: false })
    expect(result).toMatchObject({ conclusion: 'started', runId: scene.server.runs[0]?.id })
    expect(scene.sent(/^POST .*\/runs$/)).toHaveLength(1)
  })
})

test('a no that lasts ends the watch after two minutes, and the line has the reason', async () => {
  const scene = await running()
  const result = scene.execute({ target })
  await until(() => isRunning(scene))
  const from = scene.clock.elapsed()
  refuse(scene, ['run', 'dag', 'steps'], said(403, 'Forbidden'), 999)
  const { conclusion, error } = await result
  expect(conclusion).toBe('lost')
  expect(error).toMatch(/is unknown\. Could not read the run: the server answered 403: Forbidden/)
  expect(scene.clock.elapsed() - from).toBeGreaterThan(120_000)
  expect(scene.clock.elapsed() - from).toBeLessThan(240_000)
})

test('a no to the trigger is told at once the first time, and after two minutes when it is sent again', async () => {
  const no = said(403, 'Forbidden')
  const first = await running([{ on: 'trigger', occurrence: 'always', do: no }])
  await expect(first.execute({ target })).rejects.toThrow(/^Could not start the run: .*403: Forbidden/)
  expect(first.sent(/^POST .*\/runs$/)).toHaveLength(1)
  const again = await running([
    { on: 'trigger', occurrence: 1, do: { kind: 'cut', work: false } },
    { on: 'trigger', occurrence: { from: 2, to: 999 }, do: no },
  ])
  const from = again.clock.elapsed()
  await expect(again.execute({ target })).rejects.toMatchObject({ conclusion: 'lost' })
  expect(again.clock.elapsed() - from).toBeGreaterThan(120_000)
  expect(again.clock.elapsed() - from).toBeLessThan(240_000)
})

describe('no free slot, and then something in between blocks the answer to a start', () => {
  const blocked: FaultAction = {
    kind: 'answer',
    status: 403,
    body: '<html><body>Blocked</body></html>',
    contentType: 'text/html',
    work: true,
  }
  const noRuns: FaultAction = { kind: 'answer', status: 200, body: '{"total":0,"total_pages":0,"items":[]}' }
  const unpaid = said(402, ['SubscriptionUpgradeRequiredError', 'No runs are left in this plan'])
  const noSlot: Fault = { on: 'trigger', occurrence: 1, do: { kind: 'no-slot' } }
  const blockedFrom2: Fault = { on: 'trigger', occurrence: { from: 2, to: 999 }, do: blocked }
  const blockedThenUnpaid: readonly Fault[] = [
    { on: 'trigger', occurrence: 2, do: blocked },
    { on: 'trigger', occurrence: { from: 3, to: 999 }, do: unpaid },
  ]

  test.each([
    ['each time: the run is found at once', [blockedFrom2], 2],
    ['once, before ZenML refuses: the run is found at once', blockedThenUnpaid, 2],
    [
      'once, before ZenML refuses, and the run is shown late',
      [...blockedThenUnpaid, { on: 'runs', occurrence: { from: 1, to: 2 }, do: noRuns }],
      3,
    ],
  ] as const)('%s', async (_, faults, triggers) => {
    const scene = await running([noSlot, ...faults])
    const { conclusion, runId } = await scene.execute({ target })
    expect(conclusion).toBe('completed')
    expect(scene.sent(/^POST .*\/runs$/)).toHaveLength(triggers)
    expect(scene.server.runs.filter(({ gone }) => !gone)).toMatchObject([{ id: runId }])
  })

  test.each([
    ['each time: after two minutes', [blockedFrom2], 1_800_000, 120_000, 240_000],
    ['each time, until trigger-timeout', [blockedFrom2], 60_000, 60_000, 120_000],
    ['once, before ZenML refuses: at once', blockedThenUnpaid, 1_800_000, 0, 60_000],
  ] as const)(
    '%s the step ends, and a run that is not shown is left to the post step',
    async (_, faults, triggerTimeoutMs, least, most) => {
      const scene = await running([noSlot, ...faults, { on: 'runs', occurrence: 'always', do: noRuns }])
      const from = scene.clock.elapsed()
      await expect(scene.execute({ target, triggerTimeoutMs })).rejects.toMatchObject({
        conclusion: 'lost',
        message: expect.stringMatching(/look for a run named "long-/),
      })
      expect(scene.clock.elapsed() - from).toBeGreaterThanOrEqual(least)
      expect(scene.clock.elapsed() - from).toBeLessThan(most)
      expect(scene.sent(/^GET .*\/runs\?/).length).toBeGreaterThanOrEqual(2)
      expect(scene.settled).toEqual([])
    },
  )

  test('each time, and the step is killed: the post step finds the run and stops it', async () => {
    const scene = await running([
      noSlot,
      blockedFrom2,
      { on: 'runs', occurrence: { from: 1, to: 4 }, do: noRuns },
    ])
    const dying = new AbortController()
    const main = scene.execute({ target, onCancel: 'keep-running' }, dying.signal)
    await until(() => scene.sent(/^POST .*\/runs$/).length >= 3)
    dying.abort(new Error('killed'))
    await main
    const { clock } = scene
    const cleaned = await findAndStop(
      {
        run: scene.planned.at(-1)!,
        mode: 'stop',
        reason: 'ended early',
        lookUpUntil: new Deadline(clock, 30_000),
        deadline: new Deadline(clock, 110_000),
      },
      scene.dependencies(),
    )
    expect(cleaned).toMatchObject({ found: 'ours', settled: true })
    expect(scene.server.runs.filter(({ gone }) => !gone)).toMatchObject([{ busy: false }])
  })
})

describe.each(ZENMLS_OWN)('%s', (_, no) => {
  test('twice while the run is watched: it is watched to its end', async () => {
    const scene = await running()
    const result = scene.execute({ target, onLost: 'stop' })
    await until(() => isRunning(scene))
    refuse(scene, ['run', 'dag', 'steps'], no, 2)
    await expect(result).resolves.toMatchObject({ conclusion: 'completed', error: undefined })
    expect(scene.endings).toEqual([])
  })

  test.each([
    ['keep-running', 'on-lost: keep-running', 600_000, 120_000],
    ['stop', 'on-lost: stop is for a server that does not answer', 600_000, 120_000],
    ['stop', 'on-lost: stop is for a server that does not answer', 30_000, 30_000],
  ] as const)(
    'for good, on-lost: %s: the watch ends, and the run is left alone (%s, lost-after %i ms)',
    async (onLost, why, lostAfterMs, leastMs) => {
      const scene = await running()
      const result = scene.execute({ target, onLost, lostAfterMs, pollIntervalMs: 5_000 })
      await until(() => isRunning(scene))
      const from = scene.clock.elapsed()
      refuse(scene, ['run', 'dag', 'steps'], no, 999)
      const { conclusion, status, error } = await result
      expect({ conclusion, status }).toEqual({ conclusion: 'lost', status: 'running' })
      expect(error).toMatch(`It was not stopped (${why})`)
      expect(scene.clock.elapsed() - from).toBeGreaterThanOrEqual(leastMs)
      expect(scene.clock.elapsed() - from).toBeLessThan(leastMs + 30_000)
      expect(scene.endings).toEqual([])
      expect(scene.settled).toHaveLength(1)
    },
  )
})

test('a run that ZenML does not know for half a minute was deleted', async () => {
  const scene = await running()
  const result = scene.execute({ target, pollIntervalMs: 1_000 })
  await until(() => isRunning(scene))
  const from = scene.clock.elapsed()
  refuse(scene, ['run', 'dag', 'steps'], NOT_THERE, 999)
  const { conclusion, error } = await result
  expect(conclusion).toBe('lost')
  expect(error).toMatch(/is no longer on the server: it was deleted while it was running$/)
  expect(scene.clock.elapsed() - from).toBeGreaterThan(30_000)
})

test('a login that is refused once in mid-run is tried again after its minute', async () => {
  const scene = await openScene({ pipelines: [long], tokenLifetime: 120 })
  const result = scene.execute({ target })
  await until(() => isRunning(scene))
  refuse(scene, ['login'], said(403, 'Forbidden'), 1)
  await expect(result).resolves.toMatchObject({ conclusion: 'completed', error: undefined })
})

test.each([
  ['its id', (id: string) => id],
  ['its name', () => 'started elsewhere'],
])('a run that a replica does not know yet is waited for by %s', async (_, referenceOf) => {
  const scene = await running()
  const { runId = '' } = await scene.execute({ target, wait: false, runName: 'started elsewhere' })
  const nothing: FaultAction = { kind: 'answer', status: 200, body: '{"total":0,"total_pages":0,"items":[]}' }
  refuse(scene, ['run'], NOT_THERE, 3)
  refuse(scene, ['runs'], nothing, 3)
  await expect(scene.attach(referenceOf(runId))).resolves.toMatchObject({ conclusion: 'completed' })
})

test("a gateway's page at the graph of the steps does not switch it off: the question is seen", async () => {
  const asking: PipelineSpec = {
    name: 'asking',
    sequential: true,
    steps: [],
    dynamic: { parameters: {}, expand: () => ['train', 'deploy'].map((name) => ({ name, seconds: 60 })) },
    wait: { name: 'deploy', question: 'Deploy this model?', patience: 600 },
  }
  const scene = await openScene({ pipelines: [asking] })
  const result = scene.execute({
    target: { kind: 'template', reference: 'asking-template' },
    onPaused: 'fail',
  })
  await until(() => isRunning(scene))
  refuse(scene, ['dag'], { kind: 'html', status: 404 }, 1)
  await expect(result).resolves.toMatchObject({ conclusion: 'failed', remark: 'waits-for-person' })
})

describe('for some tries the request to stop is answered with', () => {
  test.each([
    ['a 404 of a route that is not there', said(404, 'Not Found')],
    ['a 405', said(405, 'Method Not Allowed')],
    ['a 501 without an exception', said(501, 'Not Implemented')],
    ['a 500 of a database that is away', said(500, ['RuntimeError', 'database is locked'])],
  ])('%s: it is asked again in the same way, and the run is stopped', async (_, no) => {
    const scene = await running()
    const result = scene.execute({ target, timeoutMs: 60_000, onTimeout: 'stop' })
    await until(() => isRunning(scene))
    refuse(scene, ['stop'], no, 5)
    const { error } = await result
    expect(error).toMatch(/ was stopped: http/)
    expect(scene.sent(/^POST .*\/stop/).filter((line) => line.includes('graceful=true'))).toEqual([])
  })
})

test('noes before an outage and one after it are not noes in a row', async () => {
  const scene = await running()
  const result = scene.execute({ target, pollIntervalMs: 5_000 })
  await until(() => isRunning(scene))
  const no = said(401, ['CredentialsNotValid', 'Error decoding access token'])
  for (const on of ['run', 'dag', 'steps'] as const) {
    scene.server.addFault({ on, occurrence: { from: 1, to: 2 }, do: no })
    scene.server.addFault({ on, occurrence: { from: 3, to: 40 }, do: { kind: 'html', status: 503 } })
    scene.server.addFault({ on, occurrence: { from: 41, to: 42 }, do: no })
  }
  await expect(result).resolves.toMatchObject({ conclusion: 'completed' })
})

test.each(['0.85.0', '0.98.0'] as const)(
  'a no while a run is waited for whose trigger failed (%s): the run is followed',
  async (version) => {
    const no = said(401, ['CredentialsNotValid', 'Error decoding access token'])
    const scene = await openScene({
      version,
      pipelines: [long],
      startupSeconds: 30,
      faults: [{ on: 'trigger', do: { kind: 'html', status: 502, work: true } }],
    })
    const result = scene.execute({ target })
    await until(() => scene.events.some(({ kind }) => kind === 'dispatch-awaited' || kind === 'started'))
    refuse(scene, ['run'], no, 2)
    await expect(result).resolves.toMatchObject({ conclusion: 'completed' })
    expect(scene.server.runs).toHaveLength(1)
  },
)
