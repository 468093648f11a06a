import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index + 1}`)

function pipelineOf(
  ...steps: { name: string; seconds?: number; log: string[]; upstream?: string[] }[]
): PipelineSpec {
  return { name: 'talking', steps: steps.map((step) => ({ seconds: 120, ...step })) }
}

async function followed(pipeline: PipelineSpec, options: SimulatorOptions = {}): Promise<Scene> {
  const scene = await openScene({ pipelines: [pipeline], ...options })
  const target = { kind: 'template', reference: 'talking-template' } as const
  expect(await scene.execute({ target, logs: 'live' })).toMatchObject({ conclusion: 'completed' })
  return scene
}

const blocks = ({ events }: Scene) => events.flatMap((event) => (event.kind === 'step-log' ? [event] : []))
const linesOf = (scene: Scene, step: string) =>
  blocks(scene).flatMap((block) => (block.step === step ? block.lines : []))
const notes = ({ events }: Scene) =>
  events.flatMap((event) => (event.kind === 'logs-not-followed' ? [event] : []))
const LOGS = /^GET .*\/steps\/[^/]+\/logs/

describe('what the steps log is told while they run', () => {
  test.each(['0.74.0', '0.85.0', '0.98.0'] as const)(
    'ZenML %s: each line once and in order',
    async (version) => {
      const scene = await followed(pipelineOf({ name: 'train', log: numbered('line', 300) }), { version })
      const told = linesOf(scene, 'train').filter((line) => line.startsWith('line'))
      expect(told).toEqual(numbered('line', 300))
      expect(blocks(scene).length).toBeGreaterThan(3)
      expect(blocks(scene).every(({ areSeveral }) => !areSeveral)).toBe(true)
      expect(notes(scene)).toEqual([])
    },
  )

  test('of two steps at once, each with its name', async () => {
    const scene = await followed(
      pipelineOf({ name: 'left', log: numbered('l', 100) }, { name: 'right', log: numbered('r', 100) }),
    )
    expect(linesOf(scene, 'left')).toEqual(numbered('l', 100))
    expect(linesOf(scene, 'right')).toEqual(numbered('r', 100))
    expect(blocks(scene).some(({ areSeveral }) => areSeveral)).toBe(true)
  })

  test('of a step that is over between two looks', async () => {
    const scene = await followed(
      pipelineOf(
        { name: 'short', seconds: 1, log: ['only'] },
        { name: 'long', log: ['last'], upstream: ['short'] },
      ),
    )
    expect(linesOf(scene, 'short')).toEqual(['only'])
    expect(linesOf(scene, 'long')).toEqual(['last'])
  })

  test.each<[string, Fault['do']]>([
    ['502', { kind: 'html', status: 502 }],
    ['a reset connection', { kind: 'reset', when: 'before-work' }],
    ['half an answer', { kind: 'cut' }],
    ['404', { kind: 'answer', status: 404, body: JSON.stringify({ detail: ['KeyError', 'No logs found'] }) }],
  ])('whole, also where a read fails with %s', async (_, fault) => {
    const scene = await followed(pipelineOf({ name: 'train', log: numbered('line', 100) }), {
      faults: [{ on: 'logs', occurrence: { from: 2, to: 3 }, do: fault }],
    })
    expect(linesOf(scene, 'train')).toEqual(numbered('line', 100))
    expect(notes(scene)).toEqual([])
  })
})

test('a line that is still being written is told once it is whole', async () => {
  const scene = await followed(pipelineOf({ name: 'train', log: numbered('line', 100) }), {
    version: '0.74.0',
    faults: [{ on: 'logs', do: { kind: 'answer', status: 200, body: JSON.stringify('line 1\nli') } }],
  })
  expect(linesOf(scene, 'train').filter((line) => line.startsWith('li'))).toEqual(numbered('line', 100))
})

test('a server that takes 3 s for a log is asked for it every 30 s, not more often', async () => {
  const scene = await followed(pipelineOf({ name: 'train', log: numbered('line', 100), seconds: 300 }), {
    faults: [{ on: 'logs', occurrence: 'always', do: { kind: 'delay', seconds: 3 } }],
  })
  expect(linesOf(scene, 'train')).toEqual(numbered('line', 100))
  const times = scene.server.requests.filter(({ path }) => path.includes('/logs')).map(({ at }) => at)
  const pauses = times.slice(1).map((at, index) => at - (times[index] ?? NaN))
  // The last three reads are those after the end.
  expect(Math.min(...pauses.slice(0, -3))).toBeGreaterThanOrEqual(30_000)
  expect(times.length).toBeLessThan(14)
})

test('of a run that goes on already, steps that have ended are not told', async () => {
  const short = { name: 'short', seconds: 30, log: ['before'] }
  const scene = await openScene({
    pipelines: [pipelineOf(short, { name: 'long', log: ['now'], upstream: ['short'] })],
  })
  const target = { kind: 'template', reference: 'talking-template' } as const
  const { runId = '' } = await scene.execute({ target, wait: false })
  await scene.clock.sleep(60_000)
  await scene.attach(runId, { logs: 'live' })
  expect(linesOf(scene, 'short')).toEqual([])
  expect(linesOf(scene, 'long')).toEqual(['now'])
})

test('unless it is wished, no log is read while a step runs', async () => {
  const scene = await openScene({ pipelines: [pipelineOf({ name: 'train', log: ['a'] })] })
  await scene.execute({ target: { kind: 'template', reference: 'talking-template' } })
  expect(scene.sent(LOGS)).toEqual([])
  expect(blocks(scene)).toEqual([])
})

test('a server that refuses its logs is asked once, and the run is followed all the same', async () => {
  const body = JSON.stringify({ detail: ['IllegalOperationError', 'no logs for you'] })
  const scene = await followed(pipelineOf({ name: 'train', log: ['a'] }), {
    faults: [{ on: 'logs', occurrence: 'always', do: { kind: 'answer', status: 403, body } }],
  })
  expect(notes(scene)).toEqual([
    { kind: 'logs-not-followed', step: 'train', why: expect.stringContaining('no logs for you') },
  ])
  expect(scene.sent(LOGS)).toHaveLength(1)
})

test('logs that hang delay neither the watch nor the end', async () => {
  const scene = await followed(pipelineOf({ name: 'train', log: ['a'], seconds: 60 }), {
    faults: [{ on: 'logs', do: { kind: 'hang' } }],
  })
  expect(linesOf(scene, 'train')).toEqual(['a'])
  expect(scene.clock.elapsed()).toBeLessThan(150_000)
})

describe('however much there is, the log stays readable', () => {
  test('5,000 lines of a step', async () => {
    const scene = await followed(pipelineOf({ name: 'train', log: numbered('line', 6_000) }))
    expect(linesOf(scene, 'train')).toEqual(numbered('line', 5_000))
    expect(notes(scene)).toEqual([
      {
        kind: 'logs-not-followed',
        step: 'train',
        why: 'the limit of 5,000 lines per step is reached',
      },
    ])
  })

  test('20,000 lines of all steps', async () => {
    const steps = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, log: numbered(name, 4_500) }))
    const scene = await followed(pipelineOf(...steps))
    expect(blocks(scene).flatMap(({ lines }) => lines)).toHaveLength(20_000)
    expect(notes(scene)).toEqual([
      { kind: 'logs-not-followed', step: undefined, why: 'the limit of 20,000 lines is reached' },
    ])
  })

  test('4 MB of all steps', async () => {
    const log = Array.from({ length: 1_200 }, () => 'x '.repeat(2_000))
    const scene = await followed(pipelineOf({ name: 'train', log }))
    const bytes = blocks(scene)
      .flatMap(({ lines }) => lines)
      .join('\n').length
    expect(bytes).toBeGreaterThan(4_000_000)
    expect(bytes).toBeLessThan(4 * 1024 * 1024)
    expect(notes(scene)).toMatchObject([{ why: 'the limit of 4 MB is reached' }])
  })

  test('100 MB that are read, over hours, and then once more at the end', async () => {
    const log = Array.from({ length: 200 }, (_, index) => `${'x'.repeat(20_000)} line ${index}`)
    const scene = await followed(pipelineOf({ name: 'train', log, seconds: 8 * 3_600 }))
    expect(notes(scene)).toMatchObject([{ why: '100 MB were read; the next read is at the end of the run' }])
    expect(linesOf(scene, 'train')).toHaveLength(200)
    expect(scene.sent(LOGS).length).toBeLessThan(300)
  })

  test('a log of more than 8 MB is not read', async () => {
    const scene = await followed(pipelineOf({ name: 'train', log: ['a'] }), {
      faults: [{ on: 'logs', occurrence: 'always', do: { kind: 'endless-body', megabytes: 9 } }],
    })
    expect(notes(scene)).toMatchObject([{ step: 'train', why: expect.stringContaining('larger than 8 MB') }])
    expect(scene.sent(LOGS)).toHaveLength(1)
  })

  test('many steps without a log are asked for it twice, and have one note', async () => {
    const shards = Array.from({ length: 12 }, (_, index) => ({ name: `shard_${index}`, seconds: 1, log: [] }))
    const body = JSON.stringify({ detail: ['KeyError', 'No logs found'] })
    const scene = await followed(pipelineOf(...shards, { name: 'train', log: [], seconds: 300 }), {
      faults: [{ on: 'logs', occurrence: 'always', do: { kind: 'answer', status: 404, body } }],
    })
    expect(notes(scene)).toMatchObject([
      {
        step: undefined,
        why: expect.stringMatching(/^the logs of 13 steps could not be read: .*No logs found/),
      },
    ])
    const times = new Map<string, number>()
    for (const request of scene.sent(LOGS)) times.set(request, (times.get(request) ?? 0) + 1)
    const counts = [...times.values()].toSorted((one, other) => one - other)
    expect(counts.slice(0, 12).every((count) => count <= 3)).toBe(true)
    expect(counts).toHaveLength(13)
  })
})

test('many steps that are over do not keep the one that runs waiting on a slow server', async () => {
  const shards = Array.from({ length: 20 }, (_, index) => ({
    name: `shard_${index}`,
    seconds: 1,
    log: ['a'],
  }))
  const scene = await followed(pipelineOf(...shards, { name: 'train', log: ['b'], seconds: 600 }), {
    faults: [{ on: 'logs', occurrence: 'always', do: { kind: 'delay', seconds: 2 } }],
  })
  const train = scene.sent(LOGS).at(-1)
  const gaps = scene
    .sent(LOGS)
    .map((request) => (request === train ? '|' : '.'))
    .join('')
    .split('|')
  expect(gaps.length).toBeGreaterThan(20)
  expect(Math.max(...gaps.map((gap) => gap.length))).toBeLessThan(12)
  expect(new Set(blocks(scene).map(({ step }) => step)).size).toBe(21)
})

/** What a server answers that gives these lines of a log. */
function given(from: number, to: number): Fault['do'] {
  const entries = Array.from({ length: to - from + 1 }, (_, index) => ({
    message: `line ${from + index}`,
    chunk_index: 0,
    total_chunks: 1,
  }))
  return { kind: 'answer', status: 200, body: JSON.stringify(entries) }
}

describe('what ZenML writes after it said that a step is over', () => {
  test('is told at the end of the run', async () => {
    const scene = await followed(pipelineOf({ name: 'train', seconds: 1, log: numbered('line', 3) }), {
      faults: [{ on: 'logs', do: given(1, 1) }],
    })
    expect(linesOf(scene, 'train')).toEqual(numbered('line', 3))
    expect(notes(scene)).toEqual([])
  })

  test('is told while other steps run, and the log of the step is then left alone', async () => {
    const short = { name: 'short', seconds: 1, log: numbered('line', 3) }
    const scene = await followed(pipelineOf(short, { name: 'long', log: ['last'], upstream: ['short'] }), {
      faults: [{ on: 'logs', occurrence: { from: 1, to: 2 }, do: given(1, 1) }],
    })
    expect(linesOf(scene, 'short')).toEqual(numbered('line', 3))
    const ofShort = scene.sent(LOGS).filter((request, _, all) => request !== all[0])
    expect(new Set(ofShort).size).toBe(1)
    expect(ofShort.length).toBeLessThan(6)
  })
})

test('the end of an attempt that is retried is told, too', async () => {
  const fails = { type: 'RuntimeError', message: 'boom', traceback: '  File "x"\n', userCodeLine: 1 }
  const first = { fails, seconds: 23, log: numbered('first', 23) }
  const train = { name: 'train', seconds: 60, log: numbered('second', 60), retries: 1, retried: [first] }
  const scene = await followed({ name: 'talking', steps: [train] })
  const told = linesOf(scene, 'train')
  expect(told.filter((line) => line.startsWith('first'))).toEqual(numbered('first', 23))
  expect(told.filter((line) => line.includes('boom'))).not.toEqual([])
  expect(told.filter((line) => line.startsWith('second'))).toEqual(numbered('second', 60))
})

describe('a server that gives only a part of a long log', () => {
  test('its newest lines: none is told twice or left out', async () => {
    const scene = await followed(pipelineOf({ name: 'train', log: [] }), {
      faults: [
        { on: 'logs', occurrence: 1, do: given(1, 1_000) },
        { on: 'logs', occurrence: 2, do: given(501, 1_500) },
        { on: 'logs', occurrence: { from: 3, to: 1_000 }, do: given(1_201, 2_200) },
      ],
    })
    expect(linesOf(scene, 'train')).toEqual(numbered('line', 2_200))
    expect(notes(scene)).toEqual([])
  })

  test('its newest lines, with a gap: it says so once', async () => {
    const scene = await followed(pipelineOf({ name: 'train', log: [] }), {
      faults: [
        { on: 'logs', occurrence: 1, do: given(1, 1_000) },
        { on: 'logs', occurrence: { from: 2, to: 1_000 }, do: given(5_001, 6_000) },
      ],
    })
    expect(linesOf(scene, 'train')).toEqual(numbered('line', 1_000))
    const why = 'the server gives only a part of the log, so its new lines cannot be found'
    expect(notes(scene)).toEqual([{ kind: 'logs-not-followed', step: 'train', why }])
  })

  test('its oldest lines: it says so once, while the step runs', async () => {
    const scene = await followed(pipelineOf({ name: 'train', log: [], seconds: 3_600 }), {
      faults: [{ on: 'logs', occurrence: 'always', do: given(1, 1_000) }],
    })
    expect(linesOf(scene, 'train')).toEqual(numbered('line', 1_000))
    const why = 'the server gives exactly 1000 entries of the log, so its end may be cut off'
    expect(notes(scene)).toEqual([{ kind: 'logs-not-followed', step: 'train', why }])
    expect(scene.sent(LOGS).length).toBeLessThan(20)
  })
})
