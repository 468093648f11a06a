import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ZENML_VERSIONS,
  type FaultAction,
  type PipelineSpec,
  type SimulatorOptions,
} from '../../../simulator/index.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const HOUR = 3_600_000

const one = (changes: Partial<PipelineSpec> = {}, seconds = 60): PipelineSpec => ({
  name: 'one',
  steps: [{ name: 'only', seconds }],
  ...changes,
})

async function watchOne(
  options: SimulatorOptions & { pipeline?: PipelineSpec },
  changes: Partial<RunRequest> = {},
  meanwhile: (scene: Scene) => Promise<void> | void = () => undefined,
): Promise<{ scene: Scene; result: RunResult }> {
  const { pipeline = one(), ...rest } = options
  const scene = await openScene({ pipelines: [pipeline], ...rest })
  const running = scene.execute({
    target: { kind: 'template', reference: `${pipeline.name}-template` },
    ...changes,
  })
  while (scene.started.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await meanwhile(scene)
  return { scene, result: await running }
}

async function untilRunning(events: readonly RunEvent[]): Promise<void> {
  while (!events.some((event) => event.kind === 'state' && event.status === 'running')) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const kinds = (scene: Scene): string[] => scene.events.map(({ kind }) => kind)

describe.each(ZENML_VERSIONS)('on ZenML %s', (version) => {
  test('a run that takes longer than the timeout fails the step and is said to go on', async () => {
    const { scene, result } = await watchOne({ version, pipeline: one({}, 600) }, { timeoutMs: 90_000 })
    expect(result).toMatchObject({ conclusion: 'timed-out', status: 'running' })
    expect(result.error).toMatch(
      /did not finish within the timeout of 1m 30s\. It was left running, as requested \(keep-running\)/,
    )
    expect(scene.server.runs[0]?.busy).toBe(true)
    expect(scene.clock.elapsed()).toBeLessThan(95_000)
  })

  test('one no at the end of an outage is not the word of a server that is there', async () => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({}, 3_600) },
      { onLost: 'stop', lostAfterMs: 600_000 },
      async ({ server, events, clock }) => {
        await untilRunning(events)
        const body = '{"detail":["IllegalOperationError","Insufficient permissions to READ resource."]}'
        const from = clock.elapsed()
        server.addFault({
          on: 'any',
          occurrence: 'always',
          get do(): FaultAction {
            return clock.elapsed() - from < 595_000
              ? { kind: 'html', status: 503 }
              : { kind: 'answer', status: 403, body }
          },
        })
      },
    )
    expect(result.conclusion).toBe('lost')
    expect(result.error).toContain('403')
    expect(result.error).not.toContain('It was not stopped')
    expect(scene.endings).toEqual(['stop'])
  })

  test('a server that is away for four minutes is said once to be lost and once to be back', async () => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({}, 900) },
      {},
      async ({ server, events }) => {
        await untilRunning(events)
        await server.restart({ downSeconds: 240, forgetTokens: true })
      },
    )
    expect(result.conclusion).toBe('completed')
    expect(kinds(scene).filter((kind) => kind.startsWith('server-'))).toEqual(['server-lost', 'server-back'])
  })

  test.each([
    [
      'keep-running',
      /it may still be running: http\S+\. It was not stopped \(on-lost: keep-running\)$/,
      1,
      [],
    ],
    ['stop', /it may still be running: http\S+$/, 0, ['stop']],
  ] as const)('a server that stays away, on-lost: %s', async (onLost, says, settled, endings) => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({}, HOUR / 1000) },
      { onLost, lostAfterMs: 300_000 },
      ({ server }) => {
        for (const on of ['run', 'status'] as const)
          server.addFault({ on, occurrence: 'always', do: { kind: 'html', status: 503 } })
      },
    )
    expect(result.conclusion).toBe('lost')
    expect(result.error).toMatch(/is unknown\. .*503/)
    expect(result.error).toMatch(says)
    expect(scene.clock.elapsed()).toBeGreaterThanOrEqual(300_000)
    expect(scene.clock.elapsed()).toBeLessThan(400_000)
    expect(scene.settled).toHaveLength(settled)
    expect(scene.endings).toEqual(endings)
    expect(scene.sent(/\/stop/)).toEqual([])
    expect(kinds(scene).filter((kind) => kind === 'server-lost')).toHaveLength(1)
  })

  test('a server that a gateway reports as down, with a number of its own, stays away: on-lost is obeyed', async () => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({}, HOUR / 1000) },
      { onLost: 'stop', lostAfterMs: 300_000 },
      ({ server }) => {
        const down: FaultAction = { kind: 'answer', status: 521, body: 'error code: 521' }
        for (const on of ['run', 'status'] as const) server.addFault({ on, occurrence: 'always', do: down })
      },
    )
    expect(result.error).toMatch(/is unknown\. .*521/)
    expect(scene.clock.elapsed()).toBeGreaterThanOrEqual(300_000)
    expect(scene.endings).toEqual(['stop'])
  })

  test('a run that was deleted is noticed after three looks', async () => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({}, 600) },
      {},
      async ({ server, events }) => {
        await untilRunning(events)
        server.vanish(server.runs[0]?.id ?? '')
      },
    )
    expect(result).toMatchObject({ conclusion: 'lost' })
    expect(result.error).toMatch(/is no longer on the server: it was deleted while it was running/)
    const last = scene.server.requests.slice(-3)
    expect(last.map(({ status }) => status)).toEqual([404, 404, 404])
  })

  test('a token that expires in the middle of the wait is renewed once, unseen', async () => {
    const { scene, result } = await watchOne({ version, tokenLifetime: 100, pipeline: one({}, 240) })
    expect(result.conclusion).toBe('completed')
    expect(scene.sent(/\/login$/).length).toBeGreaterThanOrEqual(3)
    expect(kinds(scene)).not.toContain('server-lost')
  })

  test('a run that failed before any step is a failure although it says to be in progress', async () => {
    const pipeline = one({ failsBeforeSteps: { reason: null } })
    const { scene, result } = await watchOne({ version, pipeline })
    expect(result).toMatchObject({ conclusion: 'failed', status: 'failed' })
    expect(scene.clock.elapsed()).toBeLessThan(120_000)
    expect(scene.events.filter(({ kind }) => kind === 'settling')).toEqual([
      { kind: 'settling', forMs: 30_000 },
    ])
    // Of the run, which failed at once, not of the half minute of watching.
    const details = scene.events.find((event) => event.kind === 'details')?.details
    expect(details?.durationMs).toBeLessThan(10_000)
  })

  test('a run that initializes for ever is warned about once, and ends at the timeout', async () => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({ neverMoves: true }) },
      { timeoutMs: HOUR },
    )
    expect(result).toMatchObject({ conclusion: 'timed-out', status: 'initializing' })
    expect(kinds(scene).filter((kind) => kind === 'still-initializing')).toHaveLength(1)
  })

  test('a run whose process died is asked after at the orchestrator, and no more once it cannot say', async () => {
    const { scene, result } = await watchOne(
      { version, pipeline: one({ diesAfter: 20 }) },
      { timeoutMs: HOUR },
    )
    expect(result).toMatchObject({ conclusion: 'timed-out', status: 'running' })
    expect(scene.sent(/\/refresh/)).toHaveLength(1)
  })

  test('an unknown state is waited out and is never a success', async () => {
    const { result } = await watchOne(
      { version, pipeline: one({}, 60) },
      { timeoutMs: 300_000 },
      ({ server }) => {
        server.setStatus(server.runs[0]?.id ?? '', 'hibernating')
      },
    )
    expect(result.conclusion).not.toBe('completed')
  })

  test('a stopped run is no success', async () => {
    const { result } = await watchOne({ version, pipeline: one({}, 600) }, {}, async ({ server, events }) => {
      await untilRunning(events)
      server.setStatus(server.runs[0]?.id ?? '', 'stopped')
    })
    expect(result).toMatchObject({ conclusion: 'stopped', status: 'stopped' })
  })
})

test('a key that was rotated during the wait ends the step with what to check', async () => {
  const { result } = await watchOne({ pipeline: one({}, 600) }, {}, ({ server }) => {
    server.expireTokens()
    server.addFault({
      on: 'login',
      occurrence: 'always',
      do: { kind: 'answer', status: 401, body: '{"detail":["CredentialsNotValid","key was rotated"]}' },
    })
  })
  expect(result.conclusion).toBe('lost')
  expect(result.error).toMatch(/key was rotated\. Check that api-key is the whole key/)
})

test('a run whose process died is asked after at the orchestrator after ten minutes, and then every five, also where an answer fails', async () => {
  const { scene } = await watchOne(
    { pipeline: one({ diesAfter: 20 }) },
    { timeoutMs: 1_800_000, pollIntervalMs: 60_000 },
    ({ server }) => {
      server.addFault({ on: 'refresh', occurrence: 1, do: { kind: 'html', status: 503 } })
      server.addFault({ on: 'refresh', occurrence: 2, do: { kind: 'reset', when: 'before-work' } })
      const yes = { kind: 'answer', status: 200, body: 'null' } as const
      server.addFault({ on: 'refresh', occurrence: { from: 3, to: 99 }, do: yes })
    },
  )
  const timesOf = (path: RegExp): number[] =>
    scene.server.requests.filter((request) => path.test(request.path)).map(({ at }) => at)
  const asked = timesOf(/\/refresh/)
  // At the second look it runs, and from then on nothing changes.
  const changed = timesOf(/\/runs\/[^/]+\?hydrate=false/)[1] ?? 0
  expect(asked.map((at) => at - changed)).toEqual([600_000, 900_000, 1_200_000, 1_500_000])
})

test('a fixed poll-interval is kept', async () => {
  const { scene } = await watchOne({ pipeline: one({}, 60) }, { pollIntervalMs: 10_000 })
  const looks = scene.server.requests
    .filter(({ path }) => /\/runs\/[^/]+(\?hydrate=false|\/dag)/.test(path))
    .map(({ at }) => at)
  const times = [...new Set(looks)]
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  expect(new Set(gaps)).toEqual(new Set([10_000]))
})

test('a long run is looked at rarely, a short one often', async () => {
  const { scene } = await watchOne({ pipeline: one({}, 3600) })
  const looks = scene.server.requests.filter(({ path }) => /\/runs\/[^/]+\?hydrate=false/.test(path))
  expect(looks.length).toBeLessThan(360)
  expect((looks[1]?.at ?? 0) - (looks[0]?.at ?? 0)).toBeLessThan(1_500)
})
