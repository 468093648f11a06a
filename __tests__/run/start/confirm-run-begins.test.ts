import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ZENML_VERSIONS,
  type Fault,
  type FaultAction,
  type SimulatorOptions,
} from '../../../simulator/index.ts'
import { showsHandOver } from '../../../src/run/start/confirm-run-begins.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import { closeScenes, openScene, TRIGGER, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const NEVER_BEGUN: Fault = { on: 'trigger', do: { kind: 'not-dispatched' } }
const MINUTE = 60_000

const PUT = /^PUT .*\/runs\/[^/]+$/

const running = (scene: Scene) =>
  scene.server.runs.filter(({ status }) => !['failed', 'stopped', 'completed'].includes(status))

/** Runs `training`, whose trigger fails after the run was made; nothing hands it over. */
async function open(options: SimulatorOptions = {}): Promise<Scene> {
  const scene = await openScene({ faults: [NEVER_BEGUN], ...options })
  // No run is made at a full second, but on a server that knows no parts of one.
  scene.clock.advance(345)
  return scene
}

async function neverBegun(
  options: SimulatorOptions = {},
  changes: Partial<RunRequest> = {},
  signal?: AbortSignal,
) {
  const scene = await open(options)
  const from = scene.clock.now()
  const result = scene.execute(changes, signal)
  return { scene, from, result }
}

describe('a run that the server made and never handed over', () => {
  test('is ended after three minutes, and started again under another name and key', async () => {
    const { scene, from, result } = await neverBegun()
    expect(await result).toMatchObject({ conclusion: 'completed' })
    const [first, second, ...others] = scene.server.runs
    expect(others).toEqual([])
    expect([first?.status, second?.status]).toEqual(['failed', 'completed'])
    expect(second?.name).toMatch(/^training-gh4711-1-[0-9a-f]{8}-[0-9a-f]{12}$/)
    expect(second?.name).not.toBe(first?.name)
    const sent = scene.server.requests.filter(({ method, path }) => TRIGGER.test(`${method} ${path}`))
    expect(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size).toBe(2)
    // Ended, and read to have ended, before anything else is sent.
    const put = scene.server.requests.find(({ method, path }) => PUT.test(`${method} ${path}`))
    expect(put?.at).toBeGreaterThanOrEqual(from + 3 * MINUTE)
    expect(put?.at).toBeLessThan(from + 4 * MINUTE)
    expect(JSON.parse(put?.body ?? '')).toEqual({
      status: 'failed',
      status_reason: 'The server never began this run: https://github.com/o/r/actions/runs/4711',
    })
    expect(sent[1]?.at).toBeGreaterThan(put?.at ?? Infinity)
    const planned = scene.planned.map(({ name, nameIsOurs }) => ({ name, nameIsOurs }))
    expect(planned).toEqual([first, second].map((run) => ({ name: run?.name, nameIsOurs: true })))
    expect(scene.started).toMatchObject([{ id: second?.id, name: second?.name }])
    expect(scene.events).toContainEqual({ kind: 'not-dispatched', name: first?.name, nextName: second?.name })
  })

  test('under a name of the user is started again as that name and digits', async () => {
    const { scene, result } = await neverBegun({}, { runName: 'nightly' })
    expect(await result).toMatchObject({ conclusion: 'completed' })
    const [first, second] = scene.server.runs
    expect(first).toMatchObject({ name: 'nightly', status: 'failed' })
    expect(second?.name).toMatch(/^nightly-[0-9a-f]{12}$/)
    expect(scene.planned.at(-1)).toMatchObject({ name: second?.name, nameIsOurs: true })
  })

  test('with the longest name there is gets another one that ZenML takes', async () => {
    const { scene, result } = await neverBegun({}, { runName: 'n'.repeat(255) })
    expect(await result).toMatchObject({ conclusion: 'completed' })
    expect(scene.server.runs[1]?.name).toMatch(/^n{242}-[0-9a-f]{12}$/)
  })

  test('again and again: at most one is alive at any time, and trigger-timeout holds', async () => {
    const always: Fault = { ...NEVER_BEGUN, occurrence: 'always' }
    const { scene, from, result } = await neverBegun({ faults: [always] }, { triggerTimeoutMs: 10 * MINUTE })
    let most = 0
    const sampling = (async () => {
      for (let i = 0; i < 700; i += 1) {
        await scene.clock.sleep(1_000)
        most = Math.max(most, running(scene).length)
      }
    })()
    await expect(result).rejects.toThrow(
      /^No run could be started within trigger-timeout\. The server created the run "training-\S+" and then failed: Could not start the run: .*500.*contact the central zenml pro service.*\. The run never began, so it was ended\. Run the step again$/,
    )
    expect(scene.clock.now() - from).toBeGreaterThanOrEqual(10 * MINUTE)
    await sampling
    expect(most).toBe(1)
    expect(running(scene)).toEqual([])
    expect(scene.server.runs.length).toBeGreaterThan(2)
    expect(scene.settled).toHaveLength(1)
  })

  test('with wait: false as well, before the step is green', async () => {
    const { scene, result } = await neverBegun({}, { wait: false })
    const { conclusion, runId } = await result
    expect([conclusion, runId]).toEqual(['started', scene.server.runs[1]?.id])
    expect(running(scene)).toHaveLength(1)
  })

  test('is ended when the workflow is cancelled meanwhile', async () => {
    const controller = new AbortController()
    const { scene, result } = await neverBegun({}, {}, controller.signal)
    await until(() => scene.events.some(({ kind }) => kind === 'dispatch-awaited'))
    controller.abort(new Error('cancelled'))
    expect(await result).toMatchObject({ conclusion: 'cancelled', status: 'failed' })
    expect(running(scene)).toEqual([])
    expect(scene.sent(TRIGGER)).toHaveLength(1)
  })

  test('and cannot be ended: nothing else is started, and the step says so', async () => {
    const body = '{"detail":["IllegalOperationError","Insufficient permissions to UPDATE resource"]}'
    const refused = { kind: 'answer', status: 403, body } as const
    const { scene, result } = await neverBegun({
      faults: [NEVER_BEGUN, { on: 'update', occurrence: 'always', do: refused }],
    })
    await expect(result).rejects.toThrow(
      /^The server created the run "training-\S+" and then failed \(.*500.*\)\. It could not be ended: .*403.*Insufficient permissions.*\. Look at it before you start another$/,
    )
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(scene.settled).toEqual([])
  })

  test('whose end cannot be read is not replaced either', async () => {
    const scene = await open()
    const result = scene.execute()
    await until(() => scene.sent(PUT).length > 0)
    for (const on of ['run', 'status', 'dag'] as const)
      scene.server.addFault({ on, occurrence: 'always', do: { kind: 'html', status: 503 } })
    await expect(result).rejects.toThrow(/^Whether the run was started is not known \(.*503/)
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(scene.settled).toEqual([])
  })

  test('is replaced also where one look at it fails for a moment', async () => {
    const { scene, result } = await neverBegun()
    await until(() => scene.events.some(({ kind }) => kind === 'dispatch-awaited'))
    scene.server.addFault({ on: 'run', do: { kind: 'html', status: 503 } })
    expect(await result).toMatchObject({ conclusion: 'completed' })
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed', 'completed'])
  })

  test('is out of doubt once it was ended: a refusal of the next one is all that is said', async () => {
    const body = '{"detail":["ValueError","The stack is gone."]}'
    const refused: Fault = { on: 'trigger', occurrence: 2, do: { kind: 'answer', status: 400, body } }
    const { result } = await neverBegun({ faults: [NEVER_BEGUN, refused] })
    await expect(result).rejects.toMatchObject({ conclusion: 'failed' })
    await expect(result).rejects.toThrow(/^Could not start the run: .* 400 .*retrying would not help$/)
  })

  test('is started again under the same name where somebody deletes it meanwhile', async () => {
    const { scene, result } = await neverBegun()
    await until(() => scene.events.some(({ kind }) => kind === 'dispatch-awaited'))
    scene.server.vanish(scene.server.runs[0]?.id ?? '')
    expect(await result).toMatchObject({ conclusion: 'completed' })
    const [first, second] = scene.server.runs
    expect(second).toMatchObject({ name: first?.name, status: 'completed' })
    expect(scene.server.runs).toHaveLength(2)
  })

  test('and that may no longer be seen is not replaced', async () => {
    const { scene, result } = await neverBegun()
    await until(() => scene.events.some(({ kind }) => kind === 'dispatch-awaited'))
    const body = '{"detail":["IllegalOperationError","Insufficient permissions to READ resource"]}'
    scene.server.addFault({ on: 'run', occurrence: 'always', do: { kind: 'answer', status: 403, body } })
    await expect(result).rejects.toThrow(/^Whether the run was started is not known \(.*403/)
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(scene.sent(/^PUT|\/stop/)).toEqual([])
  })

  test('that begins at the last moment is followed', async () => {
    const scene = await open()
    const result = scene.execute({ triggerTimeoutMs: 10 * MINUTE })
    await until(() => scene.server.runs.length > 0)
    await scene.clock.sleep(2 * MINUTE)
    scene.server.setStatus(scene.server.runs[0]?.id ?? '', 'completed')
    expect(await result).toMatchObject({ conclusion: 'completed' })
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(scene.started[0]?.id).toBe(scene.server.runs[0]?.id)
  })
})

test('a run that completes by itself in the very moment in which it is to be ended is followed', async () => {
  const scene = await open()
  scene.server.addFault({
    on: 'stop',
    get do(): FaultAction {
      scene.server.setStatus(scene.server.runs[0]?.id ?? '', 'completed')
      return { kind: 'delay', seconds: 0 }
    },
  })
  const result = await scene.execute()
  expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[0]?.id })
  expect(scene.sent(/\/stop\?/)).toHaveLength(1)
  expect(scene.sent(TRIGGER)).toHaveLength(1)
  expect(scene.sent(PUT)).toEqual([])
})

const SLOW = { startupSeconds: 600 }

describe('a good run whose trigger failed is never ended for its slow start', () => {
  const lost: [string, Fault['do']][] = [
    [
      '500',
      { kind: 'answer', status: 500, body: 'Internal Server Error', contentType: 'text/plain', work: true },
    ],
    ['504 of a proxy', { kind: 'html', status: 504, work: true }],
    ['a closed connection', { kind: 'reset', when: 'after-work' }],
  ]
  test.each(lost)('%s: it shows that it was handed over, and is followed at once', async (_name, action) => {
    const { scene, from, result } = await neverBegun({ ...SLOW, faults: [{ on: 'trigger', do: action }] })
    expect(await result).toMatchObject({ conclusion: 'completed' })
    expect(scene.server.runs).toHaveLength(1)
    expect(scene.events.map(({ kind }) => kind)).not.toContain('dispatch-awaited')
    const polls = scene.server.requests.filter(({ path }) => /\/runs\/[^/]+\?hydrate=false/.test(path))
    expect(polls[0]?.at).toBeLessThan(from + MINUTE)
  })

  test.each(ZENML_VERSIONS)('ZenML %s, a closed connection: it is followed at once', async (version) => {
    const reset: Fault = { on: 'trigger', do: { kind: 'reset', when: 'after-work' } }
    const { scene, result } = await neverBegun({ version, ...SLOW, wholeSeconds: true, faults: [reset] })
    expect(await result).toMatchObject({ conclusion: 'completed' })
    expect(scene.events.map(({ kind }) => kind)).not.toContain('dispatch-awaited')
  })

  test.each<[string, SimulatorOptions]>([
    ['ZenML 0.85.0', { version: '0.85.0' }],
    ['ZenML 0.98.0 with times of whole seconds', { wholeSeconds: true }],
  ])('%s: after a 500 it is waited for, and followed once it begins', async (_name, options) => {
    const { scene, result } = await neverBegun({
      ...options,
      ...SLOW,
      faults: [{ on: 'trigger', do: lost[0]![1] }],
    })
    expect(await result).toMatchObject({ conclusion: 'completed' })
    expect(scene.server.runs).toHaveLength(1)
    expect(scene.events.map(({ kind }) => kind)).toContain('dispatch-awaited')
    expect(scene.sent(PUT)).toEqual([])
  })
})

describe.each<[string, SimulatorOptions]>([
  ['ZenML 0.74.0', { version: '0.74.0' }],
  ['ZenML 0.85.0', { version: '0.85.0' }],
  ['ZenML 0.98.0 with times of whole seconds', { wholeSeconds: true }],
])('%s does not show whether a run was handed over', (_name, options) => {
  test('after a 500 one that never begins is ended at trigger-timeout, and that is said', async () => {
    const { scene, from, result } = await neverBegun(options, { triggerTimeoutMs: 20 * MINUTE })
    await expect(result).rejects.toThrow(/within trigger-timeout\. .*was ended\. Run the step again$/)
    expect(scene.clock.now() - from).toBeGreaterThanOrEqual(20 * MINUTE)
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(running(scene)).toEqual([])
    expect(scene.settled).toHaveLength(1)
  })
})

test('a run whose runner has written something was handed over, whatever the server said', async () => {
  const scene = await open({ version: '0.85.0', startupSeconds: 3_600, faults: [NEVER_BEGUN] })
  scene.server.addFault({
    on: 'logs',
    occurrence: 'always',
    do: { kind: 'answer', status: 200, body: '[{"message":"Building the image"}]' },
  })
  expect(await scene.execute({ wait: false })).toMatchObject({ conclusion: 'started' })
  expect(scene.sent(TRIGGER)).toHaveLength(1)
  expect(scene.sent(PUT)).toEqual([])
})

test.each([
  ['is empty', { kind: 'answer', status: 200, body: '[]' }],
  ['has only blank lines', { kind: 'answer', status: 200, body: '[{"message":"  "},{"message":""}]' }],
  ['cannot be read', { kind: 'html', status: 502 }],
] satisfies [string, Fault['do']][])(
  'a run whose runner log %s need not have been handed over, and is waited for',
  async (_, action) => {
    const faults: Fault[] = [NEVER_BEGUN, { on: 'logs', occurrence: 'always', do: action }]
    const scene = await open({ version: '0.85.0', startupSeconds: 3_600, faults })
    await expect(scene.execute({ wait: false, triggerTimeoutMs: 5 * MINUTE })).rejects.toThrow(
      /within trigger-timeout/,
    )
    expect(scene.events.map(({ kind }) => kind)).toContain('dispatch-awaited')
  },
)

test('a key that is stuck because the server died in mid-work: a run that shows no hand-over is replaced', async () => {
  const scene = await open({
    faults: [
      NEVER_BEGUN,
      { on: 'trigger', occurrence: { from: 2, to: 99 }, do: { kind: 'too-busy-forever' } },
    ],
  })
  const result = await scene.execute()
  expect(result).toMatchObject({ conclusion: 'completed' })
  expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed', 'completed'])
})

test('0.85.0: a run that never begins is ended, though the last answer was that of a gateway', async () => {
  const nothing = JSON.stringify({ total: 0, total_pages: 1, items: [] })
  const faults: Fault[] = [
    NEVER_BEGUN,
    { on: 'runs', occurrence: { from: 1, to: 2 }, do: { kind: 'answer', status: 200, body: nothing } },
    { on: 'trigger', occurrence: 2, do: { kind: 'html', status: 404 } },
  ]
  const scene = await open({ version: '0.85.0', startupSeconds: 3_600, faults })
  await expect(scene.execute({ triggerTimeoutMs: 20 * MINUTE })).rejects.toThrow(/within trigger-timeout/)
  expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
})

test.each([
  ['0.85.0', false],
  ['0.95.1', false],
  ['0.96.0', true],
  ['0.98.0rc1', true],
  ['1.0.0', true],
  ['unknown', false],
  ['dev-0.98.0', false],
])('ZenML %s is trusted to show that a run was handed over: %s', (version, shows) => {
  expect(showsHandOver(version)).toBe(shows)
})

describe('a run that a full queue left behind (0.96.0 and 0.96.1)', () => {
  const options = { maxConcurrentRuns: 1, keepsRunsWithoutSlot: true, startupSeconds: 300 }
  test.each([
    ['of a name of ours', undefined, /left the failed run "training-gh4711-\S+" behind/],
    ['of a name of the user', 'nightly', /left the failed run "nightly" behind/],
  ])('%s ends the step with the reason and what to do', async (_title, runName, words) => {
    const scene = await openScene(options)
    await scene.execute({ wait: false })
    const refused = scene.execute({ runName })
    await expect(refused).rejects.toThrow(words)
    await expect(refused).rejects.toThrow(
      /^The server had no free slot and .*: Snapshot execution queue is full\. Run this step again later\. From ZenML 0\.96\.2, the action waits/,
    )
    expect(scene.server.runs).toHaveLength(2)
    // The first step left its run going on purpose.
    expect(scene.settled).toHaveLength(2)
  })

  test('by an earlier workflow run is just a name that is taken', async () => {
    const scene = await openScene(options)
    await scene.execute({ wait: false })
    await expect(scene.execute({ runName: 'nightly' })).rejects.toThrow(/no free slot/)
    await expect(scene.execute({ runName: 'nightly' })).rejects.toThrow(
      /^run-name: a run named "nightly" already exists/,
    )
  })
})
