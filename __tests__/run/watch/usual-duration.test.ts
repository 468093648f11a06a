import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type PipelineSpec, type SimulatorOptions } from '../../../simulator/index.ts'
import {
  kinOfDefinition,
  kinOfRun,
  readUsual,
  usualOf,
  type Kin,
} from '../../../src/run/watch/usual-duration.ts'
import type { Usual } from '../../../src/run/facts.ts'
import type { DefinitionKind } from '../../../src/zenml/model.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'
import { startRun } from './watched.ts'

afterEach(closeScenes)

const MINUTE = 60_000

const NO_KIN: Kin = {
  templateId: undefined,
  snapshotId: undefined,
  pipelineId: undefined,
  projectId: undefined,
}

const lasting = (minutes: number): { created: number; endTime: number } => ({
  created: 5_000,
  endTime: 5_000 + minutes * MINUTE,
})

describe('the usual time', () => {
  test('is the median of what runs took from their creation to their end', () => {
    expect(usualOf([lasting(10), lasting(50), lasting(12)])).toMatchObject({ medianMs: 12 * MINUTE, runs: 3 })
  })

  test('of an even number of runs lies between the two in the middle', () => {
    const usual = usualOf([lasting(1), lasting(10), lasting(40), lasting(90)])
    expect(usual?.medianMs).toBe(20 * MINUTE)
  })

  test('is not known where no run tells its time', () => {
    expect(usualOf([])).toBeUndefined()
    expect(
      usualOf([
        { created: undefined, endTime: 7 },
        { created: 7, endTime: undefined },
      ]),
    ).toBeUndefined()
    expect(usualOf([{ created: 7, endTime: 7 }])).toBeUndefined()
  })

  test('has a spread of at least 15 % while few runs tell, and never more than 60', () => {
    expect(usualOf([lasting(10)])?.spread).toBe(0.15)
    expect(usualOf([lasting(10), lasting(10.1)])?.spread).toBe(0.15)
    expect(usualOf([lasting(1), lasting(100)])?.spread).toBe(0.6)
    expect(usualOf(Array.from({ length: 10 }, () => lasting(10)))?.spread).toBe(0.05)
  })

  test('has the standard deviation of the logarithms as its spread', () => {
    const usual = usualOf([-0.3, -0.1, 0, 0.1, 0.3].map((log) => lasting(10 * Math.exp(log))))
    expect(usual?.spread).toBeCloseTo(Math.sqrt(0.2 / 4), 6)
  })
})

const pipeline = (name: string, minutes: number): PipelineSpec => ({
  name,
  startupSeconds: 0,
  steps: [{ name: 'only', seconds: minutes * 60 }],
})

interface Asked {
  readonly scene: Scene
  readonly ask: (kin: Kin) => Promise<Usual | undefined>
}

async function open(options: SimulatorOptions = {}): Promise<Asked> {
  const pipelines = [pipeline('quick', 2), pipeline('slow', 30)]
  const scene = await openScene({ pipelines, ...options })
  const timeLimit = (ms: number): AbortSignal => AbortSignal.timeout(ms)
  return { scene, ask: (kin) => readUsual(scene.client, kin, { timeLimit }) }
}

async function completeRuns(scene: Scene, of: string, count: number, kind?: DefinitionKind): Promise<Kin> {
  let kin = NO_KIN
  for (let each = 0; each < count; each++) {
    const run = await startRun(scene, of, kind)
    await scene.clock.sleep(40 * MINUTE)
    kin = kinOfRun(await scene.client.run(run.id, { hydrate: true }))
  }
  return kin
}

describe.each(ZENML_VERSIONS)('on ZenML %s', (version) => {
  test('a template is known by its own last runs, asked for in one request', async () => {
    const { scene, ask } = await open({ version })
    await completeRuns(scene, 'quick', 2)
    await completeRuns(scene, 'slow', 3)
    const [found] = (await scene.client.definitions('template', { size: 10 })).filter(
      ({ name }) => name === 'slow-template',
    )
    const before = scene.server.requests.length
    expect(await ask(found === undefined ? NO_KIN : kinOfDefinition(found))).toMatchObject({
      medianMs: 30 * MINUTE,
      runs: 3,
    })
    expect(scene.server.requests.length - before).toBe(1)
  })

  test('a run that is followed is known by those of its template', async () => {
    const { scene, ask } = await open({ version })
    const kin = await completeRuns(scene, 'quick', 2)
    expect(kin.templateId).toBe(scene.server.seeded.templates['quick-template'])
    expect(await ask(kin)).toMatchObject({ medianMs: 2 * MINUTE, runs: 2 })
  })

  test('of a pipeline all completed runs count, and those that go on do not', async () => {
    const { scene, ask } = await open({ version })
    await completeRuns(scene, 'quick', 1)
    await startRun(scene, 'quick')
    const pipelineId = scene.server.seeded.pipelines['quick']
    expect(await ask({ ...NO_KIN, pipelineId })).toMatchObject({ medianMs: 2 * MINUTE, runs: 1 })
  })

  test('what never ran has no history', async () => {
    const { scene, ask } = await open({ version })
    expect(
      await ask({ ...NO_KIN, templateId: scene.server.seeded.templates['slow-template'] }),
    ).toBeUndefined()
  })
})

describe('a snapshot', () => {
  const twoOfOnePipeline = [
    { ...pipeline('nightly', 2), templateName: 'small-template' },
    { ...pipeline('nightly', 30), templateName: 'large-template' },
  ]

  test('is known by its own runs once there are three', async () => {
    const { scene, ask } = await open({ pipelines: twoOfOnePipeline })
    const small = await completeRuns(scene, 'small', 3, 'snapshot')
    await completeRuns(scene, 'large', 4, 'snapshot')
    expect(small).toMatchObject({ templateId: undefined, snapshotId: expect.any(String) })
    expect(await ask(small)).toMatchObject({ medianMs: 2 * MINUTE, runs: 3 })
  })

  test('is known by all runs of its pipeline before', async () => {
    const { scene, ask } = await open({ pipelines: twoOfOnePipeline })
    const small = await completeRuns(scene, 'small', 2, 'snapshot')
    await completeRuns(scene, 'large', 3, 'snapshot')
    expect(await ask(small)).toMatchObject({ medianMs: 30 * MINUTE, runs: 5 })
  })
})

describe('a history that cannot be had', () => {
  test.each([
    [
      'a server that says no',
      { kind: 'answer', status: 403, body: '{"detail":["IllegalOperationError","no"]}' },
    ],
    ['a server in trouble, asked only once', { kind: 'answer', status: 500, body: 'Internal Server Error' }],
    ['a connection that breaks', { kind: 'reset', when: 'before-work' }],
    ['an answer of another shape', { kind: 'answer', status: 200, body: '{"items":7}' }],
  ] as const)('because of %s is no fault', async (_name, fault) => {
    const { scene, ask } = await open({ faults: [{ on: 'runs', occurrence: 'always', do: fault }] })
    expect(await ask({ ...NO_KIN, templateId: 'some' })).toBeUndefined()
    expect(scene.sent(/\/runs\?/)).toHaveLength(1)
  })

  test('because the server does not answer is given up when its time is over', async () => {
    const { scene } = await open({ faults: [{ on: 'runs', do: { kind: 'hang' } }] })
    const limits: number[] = []
    const timeLimit = (ms: number): AbortSignal => {
      limits.push(ms)
      return AbortSignal.timeout(20)
    }
    const usual = await readUsual(scene.client, { ...NO_KIN, templateId: 'some' }, { timeLimit })
    expect(usual).toBeUndefined()
    expect(limits).toEqual([3_000])
  })

  test('because the workflow is cancelled is given up at once', async () => {
    const { scene } = await open({ faults: [{ on: 'runs', do: { kind: 'hang' } }] })
    const controller = new AbortController()
    const never = (): AbortSignal => new AbortController().signal
    const asking = readUsual(
      scene.client,
      { ...NO_KIN, templateId: 'some' },
      { timeLimit: never, signal: controller.signal },
    )
    while (scene.sent(/\/runs\?/).length === 0) await new Promise((resolve) => setImmediate(resolve))
    controller.abort(new Error('cancelled'))
    await expect(asking).rejects.toThrow('cancelled')
  })

  test('because nothing is known of the run is not asked for', async () => {
    const { scene, ask } = await open()
    expect(await ask(NO_KIN)).toBeUndefined()
    expect(scene.server.requests).toEqual([])
  })
})

test('runs that a server gives although they were not asked for do not count', async () => {
  const run = (id: string, status: string, template: string, minutes: number): object => ({
    id,
    name: id,
    body: { status, created: '2026-01-01T10:00:00' },
    metadata: { template_id: template, end_time: `2026-01-01T10:${minutes}:00` },
    resources: null,
  })
  const items = [
    run('mine', 'completed', 'wanted', 20),
    run('another', 'completed', 'other', 55),
    run('failed', 'failed', 'wanted', 55),
  ]
  const body = JSON.stringify({ total: 3, total_pages: 1, items })
  const { ask } = await open({ faults: [{ on: 'runs', do: { kind: 'answer', status: 200, body } }] })
  expect(await ask({ ...NO_KIN, templateId: 'wanted' })).toMatchObject({ medianMs: 20 * MINUTE, runs: 1 })
})
