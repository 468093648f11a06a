import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type PipelineSpec, type StepFailure } from '../../../simulator/index.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import { stepsIntervalMs } from '../../../src/run/watch/watched-steps.ts'
import { closeScenes, type Scene } from '../scene.ts'
import { watchPipeline, type WatchedScene } from './watched.ts'

afterEach(closeScenes)

const MINUTE = 60_000

const training: PipelineSpec = {
  name: 'training',
  steps: [
    { name: 'load', seconds: 30 },
    { name: 'train', seconds: 90, upstream: ['load'] },
    { name: 'report', seconds: 20, upstream: ['train'] },
  ],
}

const long = (minutes: number): PipelineSpec => ({
  name: 'long',
  steps: [{ name: 'only', seconds: minutes * 60 }],
})

const failure: StepFailure = { type: 'ValueError', message: 'no data', traceback: '', userCodeLine: 1 }

const split: PipelineSpec = {
  name: 'split',
  steps: [
    { name: 'short', seconds: 40, fails: failure },
    { name: 'other', seconds: 300, fails: failure },
    { name: 'third', seconds: 200 },
  ],
}

type EventOf<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>

function eventsOf<Kind extends RunEvent['kind']>({ scene }: WatchedScene, kind: Kind): EventOf<Kind>[] {
  return scene.events.filter((event): event is EventOf<Kind> => event.kind === kind)
}

const changesOf = (watched: WatchedScene): string[] =>
  eventsOf(watched, 'steps').flatMap(({ changes }) => changes.map(({ name, status }) => `${name} ${status}`))

const lookTimes = ({ requests }: WatchedScene): number[] => [...new Set(requests.map(({ at }) => at))]

const sent = ({ requests }: WatchedScene, pattern: RegExp): number =>
  requests.filter(({ path }) => pattern.test(path)).length

describe.each(ZENML_VERSIONS)('on ZenML %s', (version) => {
  test('each step is told when it starts and when it ends, once, the last one too', async () => {
    const watched = await watchPipeline(training, { version }, { pollIntervalMs: 5_000 })
    expect(watched.watched.kind).toBe('over')
    expect(changesOf(watched)).toEqual([
      'load running',
      'load completed',
      'train running',
      'train completed',
      'report running',
      'report completed',
    ])
    expect(eventsOf(watched, 'steps').at(-1)?.counts).toMatchObject({ total: 3, succeeded: 3, running: 0 })
  })

  test('a run that is half done when the watch begins is told with all that it has done', async () => {
    const watched = await watchPipeline(training, { version }, { afterMs: MINUTE, status: 'running' })
    expect(eventsOf(watched, 'steps')[0]?.changes).toMatchObject([
      { name: 'load', status: 'completed', durationMs: 30_000, attempt: 1 },
      { name: 'train', status: 'running', startTime: expect.any(Number) },
    ])
  })

  test('steps that failed are handed on once each, the last before the watch ends', async () => {
    const watched = await watchPipeline(split, { version })
    expect(watched.watched).toMatchObject({ kind: 'over', run: { status: 'failed' } })
    expect(watched.failed).toEqual([['short'], ['other']])
    const told = watched.scene.events.map(({ kind }) => kind)
    const failedAt = watched.scene.events.findIndex(
      (event) => event.kind === 'state' && event.status === 'failed',
    )
    expect(told.slice(failedAt - 1, failedAt + 2)).toEqual(['steps', 'state', 'failed-but-going-on'])
  })
})

describe('the requests', () => {
  test.each(['0.85.0', '0.98.0'] as const)(
    'ZenML %s: each look is one, but for the start of the steps and the end',
    async (version) => {
      const watched = await watchPipeline(long(9), { version })
      expect(watched.requests.length).toBe(lookTimes(watched).length + 2)
      expect(sent(watched, /\/dag$/)).toBeGreaterThan(8)
      expect(sent(watched, /\/steps/)).toBe(0)
    },
  )

  test('ZenML 0.74.0: a graph is asked for once, and then the list of steps beside the run', async () => {
    const watched = await watchPipeline(long(9), { version: '0.74.0' })
    expect(sent(watched, /\/dag$/)).toBe(1)
    expect(sent(watched, /\/steps/)).toBeGreaterThan(8)
    expect(sent(watched, /\?hydrate=false$/)).toBe(lookTimes(watched).length)
  })

  test('when the run changes its state the steps are read at once, whenever they were last', async () => {
    let changedAt = Infinity
    const meanwhile = ({ server, clock }: Scene): void => {
      void clock.sleep(20.55 * MINUTE).then(() => {
        server.setStatus(server.runs[0]?.id ?? '', 'stopping')
        changedAt = clock.now()
      })
    }
    const request = { pollIntervalMs: 10_000, timeoutMs: 22 * MINUTE, meanwhile }
    const { requests } = await watchPipeline(long(60), {}, request)
    const [next, ...others] = requests.filter(({ at }) => at > changedAt)
    expect(next?.path).toMatch(/\?hydrate=false$/)
    expect(others[0]).toMatchObject({ path: expect.stringMatching(/\/dag$/), at: next?.at })
  })

  test('while a run initializes its steps are not read', async () => {
    const watched = await watchPipeline({ ...long(1), startupSeconds: 600 })
    const running = watched.scene.events.findIndex(
      (event) => event.kind === 'state' && event.status === 'running',
    )
    expect(running).toBeGreaterThan(0)
    const first = watched.requests.find(({ path }) => path.endsWith('/dag'))
    expect((first?.at ?? 0) - (watched.requests[0]?.at ?? 0)).toBeGreaterThanOrEqual(598_000)
  })

  test('a run of an hour that took an hour before needs fewer than 180, and its end is seen in seconds', async () => {
    const usual = { medianMs: 62 * MINUTE, spread: 0.15, runs: 10 }
    const watched = await watchPipeline(long(60), {}, { usual })
    expect(watched.requests.length).toBeLessThan(180)
    const ended = (watched.scene.server.runs[0]?.createdAt ?? 0) + 60 * MINUTE + 2_000
    expect(watched.scene.clock.now() - ended).toBeLessThan(12_000)
  })

  test('steps are read at least every 15 s, later every tenth of the time, many steps every minute', () => {
    expect([0, 5, 10, 20, 600].map((minutes) => stepsIntervalMs(minutes * MINUTE, 10))).toEqual([
      15_000, 30_000, 60_000, 120_000, 120_000,
    ])
    expect([0, 20].map((minutes) => stepsIntervalMs(minutes * MINUTE, 501))).toEqual([60_000, 120_000])
  })
})

describe('steps that cannot be read', () => {
  test.each([
    ['500', { kind: 'answer', status: 500, body: 'Internal Server Error', contentType: 'text/plain' }],
    ['403', { kind: 'answer', status: 403, body: '{"detail":["IllegalOperationError","no"]}' }],
    ['a page of a proxy', { kind: 'html', status: 502 }],
    ['a graph of 33 MB', { kind: 'endless-body', megabytes: 33 }],
    ['a graph of another shape', { kind: 'answer', status: 200, body: '{"nodes":7}' }],
  ] as const)(
    'because of %s are asked for ever more rarely, and the run is not lost from sight',
    async (_name, fault) => {
      const watched = await watchPipeline(long(60), {
        faults: [{ on: 'dag', occurrence: 'always', do: fault }],
      })
      expect(watched.watched).toMatchObject({ kind: 'over', run: { status: 'completed' } })
      expect(eventsOf(watched, 'server-lost')).toEqual([])
      expect(sent(watched, /\/dag$/)).toBeLessThan(9)
    },
  )

  test('because the connection broke are no lost server: the run itself is read in the same look', async () => {
    const faults = [{ on: 'dag', occurrence: 2, do: { kind: 'reset', when: 'before-work' } }] as const
    const watched = await watchPipeline(training, { faults })
    expect(watched.watched).toMatchObject({ kind: 'over', run: { status: 'completed' } })
    expect(eventsOf(watched, 'server-lost')).toEqual([])
  })

  test('because the graph never comes are given up in time: the run itself is read in the same look', async () => {
    const faults = [{ on: 'dag', occurrence: { from: 1, to: 2 }, do: { kind: 'hang' } }] as const
    const watched = await watchPipeline(training, { faults }, { longestReadMs: 100 })
    expect(watched.watched).toMatchObject({ kind: 'over', run: { status: 'completed' } })
    expect(eventsOf(watched, 'server-lost')).toEqual([])
  })

  test('because the server asks for patience are left alone for that long', async () => {
    const body = '{"error":"Server too busy. Please try again later."}'
    const patience = { kind: 'answer', status: 429, body, headers: { 'retry-after': '90' } } as const
    const watched = await watchPipeline(long(10), { faults: [{ on: 'dag', occurrence: 2, do: patience }] })
    const refused = watched.scene.server.requests.findIndex(({ status }) => status === 429)
    const [at = 0, next = 0] = watched.scene.server.requests
      .slice(refused, refused + 2)
      .map((each) => each.at)
    expect(next - at).toBeGreaterThanOrEqual(90_000)
  })

  test('at the end do not hold it up', async () => {
    const faults = [
      { on: 'dag', occurrence: { from: 4, to: 999 }, do: { kind: 'reset', when: 'before-work' } },
    ] as const
    const watched = await watchPipeline(training, { faults }, { pollIntervalMs: 30_000 })
    expect(watched.watched).toMatchObject({ kind: 'over', run: { status: 'completed' } })
    expect(watched.requests.at(-1)?.path).toMatch(/\/dag$/)
  })
})

describe('while nothing changes', () => {
  test('a line comes at growing intervals, with what runs', async () => {
    const watched = await watchPipeline(long(35), {}, { pollIntervalMs: 10_000 })
    const still = eventsOf(watched, 'still')
    expect(still.map(({ sinceMs }) => Math.round(sinceMs / MINUTE))).toEqual([1, 3, 7, 15, 30])
    expect(still[0]).toMatchObject({
      status: 'running',
      running: ['only'],
      counts: { total: 1, running: 1 },
      forecast: undefined,
    })
  })

  test("it says how long it will still take, counted from the run's creation", async () => {
    const usual = { medianMs: 20 * MINUTE, spread: 0.1, runs: 3 }
    const watched = await watchPipeline(
      long(40),
      {},
      { usual, pollIntervalMs: 10_000, afterMs: 5 * MINUTE, ageMs: 5 * MINUTE },
    )
    const forecasts = eventsOf(watched, 'still').map(({ forecast }) => forecast)
    expect(forecasts.slice(0, 3)).toMatchObject([
      { kind: 'left', ms: 14 * MINUTE },
      { kind: 'left', ms: 12 * MINUTE },
      { kind: 'left', ms: 8 * MINUTE },
    ])
    expect(forecasts.at(-1)).toMatchObject({ kind: 'slower-than-usual' })
  })

  test('of a run that initializes it says so, and names no steps', async () => {
    const watched = await watchPipeline({ ...long(1), startupSeconds: 300 }, {}, { pollIntervalMs: 10_000 })
    expect(eventsOf(watched, 'still')[0]).toMatchObject({
      status: 'initializing',
      running: [],
      counts: undefined,
    })
  })
})
