import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type Fault, type PipelineSpec } from '../../../simulator/index.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import { collectDetails } from '../../../src/run/outcome/collect.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import type { RunDetails } from '../../../src/run/facts.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const DETAILS_ROUTES = /\/steps\?|\/runs\/[^/]+\?hydrate=true|\/logs/

function detailsOf(events: readonly RunEvent[]): RunDetails | undefined {
  const told = events.flatMap((event) => (event.kind === 'details' ? [event.details] : []))
  expect(told.length).toBeLessThan(2)
  return told[0]
}

function kindsOf(scene: Scene): string[] {
  return scene.events.map(({ kind }) => kind)
}

const UUID = /^[0-9a-f-]{36}$/

describe.each(ZENML_VERSIONS)('%s', (version) => {
  test('at its end a run tells its steps, metadata and artifacts', async () => {
    const scene = await openScene({ version })
    await scene.execute()
    const artifact = (step: string, output: string): object => ({
      step,
      output,
      id: expect.stringMatching(UUID),
      name: output,
      version: '1',
      uri: expect.stringContaining(`/srv/artifacts/${step}/${output}/`),
      type: 'DataArtifact',
    })
    expect(detailsOf(scene.events)).toEqual({
      curated: [],
      durationMs: expect.any(Number),
      steps: ['load', 'train', 'report'].map((name) =>
        expect.objectContaining({ name, status: 'completed', durationMs: expect.any(Number) }),
      ),
      metadata: {},
      stepMetadata: [{ step: 'train', metadata: { accuracy: 0.9, loss: 0.1 } }],
      artifacts: [artifact('load', 'rows'), artifact('train', 'accuracy')],
      missing: [],
    })
  })

  test('what was logged of the run itself is told, and where it came from is not part of it', async () => {
    const scene = await openScene({ version })
    const { runId } = await scene.execute({ wait: false })
    expect(Object.keys(scene.server.runs[0]?.metadata ?? {})).toEqual(['github_actions'])
    const { project } = scene.server.seeded
    const { id: accountId } = await scene.client.account()
    const hasProjects = version !== '0.74.0'
    await scene.client.noteMetadata(
      runId ?? '',
      { scores: { f1: 0.5 } },
      { projectId: project, accountId, server: { hasProjects } },
    )
    await scene.attach(runId ?? '')
    expect(detailsOf(scene.events)?.metadata).toEqual({ scores: { f1: 0.5 } })
  })

  test('names of metadata are in alphabetical order, whatever order the server has', async () => {
    const scene = await openScene({ version })
    const { runId } = await scene.execute({ wait: false })
    const { project } = scene.server.seeded
    const { id: accountId } = await scene.client.account()
    const hasProjects = version !== '0.74.0'
    await scene.client.noteMetadata(
      runId ?? '',
      { recall: { mean: 0.4 }, f1: { mean: 0.5 } },
      { projectId: project, accountId, server: { hasProjects } },
    )
    await scene.attach(runId ?? '')
    expect(Object.keys(detailsOf(scene.events)?.metadata ?? {})).toEqual(['f1', 'recall'])
  })

  test('what was logged of the run itself under a name with :: is not taken for that of a step', async () => {
    const scene = await openScene({ version })
    const { runId } = await scene.execute({ wait: false })
    const { project } = scene.server.seeded
    const { id: accountId } = await scene.client.account()
    const hasProjects = version !== '0.74.0'
    const values: Record<string, JsonObject> = { 'train::f1': { value: 0.5 }, 'nobody::f1': {} }
    // On 0.74 the server itself puts the step's value in the place of the run's.
    if (hasProjects) values['train::accuracy'] = { value: 0.1 }
    await scene.client.noteMetadata(runId ?? '', values, {
      projectId: project,
      accountId,
      server: { hasProjects },
    })
    await scene.attach(runId ?? '')
    expect(detailsOf(scene.events)).toMatchObject({
      stepMetadata: [{ step: 'train', metadata: { accuracy: 0.9, loss: 0.1 } }],
    })
    expect(detailsOf(scene.events)?.metadata).toEqual(values)
  })

  test('of a failed run those steps are told that did not start, where the server knows them', async () => {
    const scene = await openScene({ version })
    const layers = [{ source: 'configuration', value: { steps: { train: { parameters: { fail: 'no' } } } } }]
    await scene.execute({ overrides: { layers, tags: undefined, enableCache: undefined } })
    const states = detailsOf(scene.events)?.steps.map(({ name, status }) => [name, status])
    const notStarted = version === '0.74.0' ? [] : [['report', undefined]]
    expect(states).toEqual([['load', 'completed'], ['train', 'failed'], ...notStarted])
  })
})

test('the details come before the expectations are judged by them', async () => {
  const scene = await openScene()
  await scene.execute({ expectations: [{ name: 'accuracy', operator: '>', wanted: 0 }] })
  expect(kindsOf(scene).slice(-2)).toEqual(['details', 'expectations'])
})

test('a run that was stopped after its timeout tells its details as well', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes', startupSeconds: 600 })
  const result = await scene.execute({ timeoutMs: 60_000, onTimeout: 'stop' })
  expect(result.conclusion).toBe('timed-out')
  expect(detailsOf(scene.events)).toBeDefined()
  expect(kindsOf(scene)).not.toContain('run-failed')
})

test('a cancelled step reads no details', async () => {
  const scene = await openScene({ startupSeconds: 3600 })
  const controller = new AbortController()
  const running = scene.execute({}, controller.signal)
  await until(() => scene.started.length > 0)
  controller.abort(new Error('cancelled'))
  await running
  expect(scene.sent(DETAILS_ROUTES)).toEqual([])
  expect(detailsOf(scene.events)).toBeUndefined()
})

interface Item {
  readonly id: string
  readonly name: string
  readonly body: { readonly status: string }
  readonly [more: string]: unknown
}

/** A server that says of any run that these are its steps. */
function withSteps(items: readonly Item[]): Fault[] {
  const node = ({ id, name, body }: Item): object => ({ node_id: id, type: 'step', id, name, metadata: body })
  const graph = { status: 'completed', nodes: items.map(node), edges: [] }
  return [
    { on: 'dag', occurrence: 'always', do: { kind: 'answer', status: 200, body: JSON.stringify(graph) } },
  ]
}

/** What it answers to a request for the list of them. */
function listOf(...items: readonly Item[]): Fault['do'] {
  const body = JSON.stringify({ total: items.length, total_pages: 1, items })
  return { kind: 'answer', status: 200, body }
}

test('what cannot be read is named, and the run is completed all the same', async () => {
  const scene = await openScene({
    faults: [{ on: 'steps', occurrence: 'always', do: { kind: 'html', status: 502 } }],
  })
  const { conclusion } = await scene.execute()
  expect(conclusion).toBe('completed')
  expect(detailsOf(scene.events)).toMatchObject({
    steps: [{ name: 'load' }, { name: 'train' }, { name: 'report' }],
    artifacts: [],
    missing: [
      expect.stringMatching(/^metadata and artifacts of the steps: could not read the run's steps: /),
    ],
  })
  expect(scene.sent(/\/steps\?/)).toHaveLength(1)
})

test('without the graph the states of the started steps are told', async () => {
  const scene = await openScene({
    faults: [{ on: 'dag', occurrence: 'always', do: { kind: 'html', status: 502 } }],
  })
  await scene.execute()
  const details = detailsOf(scene.events)
  expect(details?.steps).toMatchObject([
    { name: 'load', status: 'completed' },
    { name: 'train' },
    { name: 'report' },
  ])
  expect(details?.missing).toEqual([expect.stringMatching(/^the steps that did not start: /)])
})

test('of 1,200 steps the first thousand are read, and the rest is named', async () => {
  const broad: PipelineSpec = {
    name: 'broad',
    steps: Array.from({ length: 1_200 }, (_, index) => ({
      name: `s${index}`,
      seconds: 1,
      metadata: { index },
    })),
  }
  const scene = await openScene({ pipelines: [broad] })
  await scene.execute({ target: { kind: 'template', reference: 'broad-template' } })
  const details = detailsOf(scene.events)
  expect(details?.steps).toHaveLength(1_200)
  expect(details?.stepMetadata).toHaveLength(1_000)
  expect(details?.missing).toEqual(['metadata and artifacts of 200 of 1200 steps: too many to be read'])
})

test.each([
  [
    'a single one instead of a list',
    { only: { id: 'a', body: { uri: 's3://x' } } },
    [{ output: 'only', id: 'a' }],
  ],
  ['of an unknown shape', { odd: [null, 3, { body: {} }], none: null }, []],
  [
    'that the account may not see',
    { hidden: [{ id: 'b', body: null }] },
    [{ output: 'hidden', id: 'b', uri: undefined }],
  ],
  ['with a number as version', { n: [{ id: 'c', body: { version: 7 } }] }, [{ id: 'c', version: '7' }]],
  ['that are no mapping', ['x'], []],
])('outputs %s are read as far as they can be', async (_title, outputs, wanted) => {
  const item: Item = {
    id: 'step',
    name: 'train',
    body: { status: 'completed' },
    metadata: { run_metadata: {}, exception_info: 7 },
    resources: { outputs },
  }
  const scene = await openScene({
    faults: [...withSteps([item]), { on: 'steps', occurrence: 'always', do: listOf(item) }],
  })
  await scene.execute()
  expect(detailsOf(scene.events)).toMatchObject({ artifacts: wanted, stepMetadata: [], missing: [] })
})

/** A step's attempt as a hydrated list has it. */
function attempt(name: string, status: string, metadata: object): Item {
  const output = { id: `${name}-${status}`, body: { uri: `s3://${status}` } }
  return {
    id: `${name}-${status}-${Object.keys(metadata).join('-')}`,
    name,
    body: { status },
    metadata: { run_metadata: metadata },
    resources: { outputs: { model: [output] } },
  }
}

async function collectFrom(items: readonly Item[], more: Partial<RunRequest> = {}) {
  const scene = await openScene({
    faults: [...withSteps(items), { on: 'steps', occurrence: 'always', do: listOf(...items) }],
  })
  const result = await scene.execute(more)
  return { result, details: detailsOf(scene.events) }
}

test.each<[title: string, metadata: unknown]>([
  ['that the account may not see', null],
  ['that is a list', { run_metadata: [0.1] }],
])('metadata %s holds no expectation', async (_, metadata) => {
  const hidden = { ...attempt('train', 'completed', {}), metadata }
  const items = [attempt('load', 'completed', { accuracy: 0.99 }), hidden]
  const expectations = [{ name: 'accuracy', operator: '>=', wanted: 0.9 } as const]
  const { result, details } = await collectFrom(items, { expectations })
  expect(result).toMatchObject({ conclusion: 'expectation-missed' })
  expect(details?.missing).toEqual([
    "metadata of 1 of 2 steps: the account may not read it, or the server's answer was not usable",
  ])
})

/** Pages of a list of steps that says that it has two. */
function pagesOf(...pages: readonly (readonly object[])[]): Fault[] {
  return pages.map((items, index) => ({
    on: 'steps',
    occurrence: index === pages.length - 1 ? { from: index + 1, to: 100 } : index + 1,
    do: { kind: 'answer', status: 200, body: JSON.stringify({ total: 2, total_pages: 2, items }) },
  }))
}

const GOOD = attempt('train', 'completed', { accuracy: 0.95 })
const FOREIGN = {
  ...attempt('other', 'completed', {}),
  metadata: { pipeline_run_id: 'another run', run_metadata: {} },
}

test.each([
  [
    'an empty second page',
    [[GOOD], []],
    "metadata and artifacts of 1 of 2 steps: could not read the run's steps: something that is not a ZenML API answered 200: an unexpected answer: {total, total_pages, items}; check server-url (a proxy may answer there), or update this action if ZenML is newer",
  ],
  [
    'the first page again',
    [[GOOD], [GOOD]],
    'metadata and artifacts of 1 of 2 steps: the server left them out',
  ],
])(
  'steps that are not given for %s are missing, and nothing is said to hold without them',
  async (_, pages, missing) => {
    const scene = await openScene({ faults: pagesOf(...pages) })
    const result = await scene.execute({ expectations: [{ name: 'accuracy', operator: '>=', wanted: 0.9 }] })
    expect(detailsOf(scene.events)?.missing).toEqual([missing])
    expect(result.conclusion).toBe('expectation-missed')
    expect(result.error).toContain(`got nothing, because the metadata could not be read: ${missing}`)
  },
)

test('0.74.0: what is nested too deeply to be compared with the steps is told as that of the run, too', async () => {
  const deep = JSON.parse('['.repeat(300) + ']'.repeat(300)) as []
  const pipeline = { name: 'deep', steps: [{ name: 'train', seconds: 1, metadata: { deep, flat: [] } }] }
  const scene = await openScene({ version: '0.74.0', pipelines: [pipeline] })
  await scene.execute({ target: { kind: 'template', reference: 'deep-template' } })
  expect(Object.keys(detailsOf(scene.events)?.metadata ?? {})).toEqual(['train::deep'])
})

test('metadata that would fill the memory is not read to its end, and nothing is said to hold without the rest', async () => {
  const page = (number: number): Fault => {
    const item = attempt(`s${number}`, 'completed', { text: 'x'.repeat(25 * 1024 * 1024), accuracy: 0.95 })
    const body = JSON.stringify({ total: 200, total_pages: 200, items: [item] })
    return { on: 'steps', occurrence: number, do: { kind: 'answer', status: 200, body } }
  }
  const scene = await openScene({ faults: [1, 2, 3, 4, 5].map(page) })
  const result = await scene.execute({ expectations: [{ name: 's1.accuracy', operator: '>=', wanted: 0.9 }] })
  const missing = 'metadata and artifacts of 197 of 200 steps: too large; at most 64 MB are read'
  expect(detailsOf(scene.events)?.missing).toEqual([missing])
  expect(result.conclusion).toBe('expectation-missed')
  expect(result.error).toContain(`got nothing, because the metadata could not be read: ${missing}`)
  expect(scene.sent(/\/steps\?/)).toHaveLength(3)
})

test("another run's steps, of a server that does not know the filter, count as read", async () => {
  const scene = await openScene({ faults: [...withSteps([GOOD]), ...pagesOf([GOOD], [FOREIGN])] })
  const result = await scene.execute({ expectations: [{ name: 'accuracy', operator: '>=', wanted: 0.9 }] })
  expect(detailsOf(scene.events)).toMatchObject({ missing: [], stepMetadata: [{ step: 'train' }] })
  expect(result.conclusion).toBe('completed')
})

test('of a step that was tried again only what its last attempt left counts', async () => {
  const { result, details } = await collectFrom(
    [
      attempt('train', 'retried', { accuracy: 0.95 }),
      attempt('load', 'completed', { rows: 5 }),
      attempt('train', 'retried', { accuracy: 0.97, epochs: 3 }),
      attempt('train', 'completed', { loss: 0.5 }),
    ],
    { expectations: [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 }] },
  )
  expect(details?.stepMetadata).toEqual([
    { step: 'train', metadata: { loss: 0.5 } },
    { step: 'load', metadata: { rows: 5 } },
  ])
  expect(details?.artifacts.map(({ uri }) => uri)).toEqual(['s3://completed', 's3://completed'])
  expect(result.conclusion).toBe('expectation-missed')
  expect(result.error).toContain('got no such value')
})

test.each([0.4, 0.5])(
  '0.74.0: what the run repeats of a step that was tried again is not told as that of the run, too (%d)',
  async (repeated) => {
    const pipeline = { name: 'plain', steps: [{ name: 'train', seconds: 1 }] }
    const scene = await openScene({ version: '0.74.0', pipelines: [pipeline] })
    const { runId = '' } = await scene.execute({
      target: { kind: 'template', reference: 'plain-template' },
      wait: false,
    })
    const { id: accountId } = await scene.client.account()
    const scope = { projectId: scene.server.seeded.project, accountId, server: { hasProjects: false } }
    await scene.client.noteMetadata(runId, { 'train::scores': { f1: repeated } }, scope)
    const attempts = [0.4, 0.5].map((f1, index) =>
      attempt('train', index === 0 ? 'retried' : 'completed', { scores: { f1 } }),
    )
    scene.server.addFault({ on: 'steps', occurrence: 'always', do: listOf(...attempts) })
    await scene.attach(runId)
    expect(detailsOf(scene.events)?.metadata).toEqual({})
    expect(detailsOf(scene.events)?.stepMetadata).toEqual([
      { step: 'train', metadata: { scores: { f1: 0.5 } } },
    ])
  },
)

test('an attempt that failed and is not followed by another has no results', async () => {
  const { result, details } = await collectFrom([attempt('train', 'retried', { accuracy: 0.95 })], {
    expectations: [{ name: 'accuracy', operator: '>=', wanted: 0.9 }],
  })
  expect(details).toMatchObject({ stepMetadata: [], artifacts: [] })
  expect(result.conclusion).toBe('expectation-missed')
})

const NO_ANSWER: Fault['do'] = { kind: 'html', status: 502 }
const LOADED = { node_id: 'a', type: 'step', id: 'a', name: 'load', metadata: { status: 'completed' } }
const UNSTARTED = { node_id: 'b', type: 'step', id: null, name: 'report', metadata: {} }

function graphOf(...nodes: readonly object[]): Fault['do'] {
  return { kind: 'answer', status: 200, body: JSON.stringify({ status: 'failed', nodes, edges: [] }) }
}

test.each<[title: string, graph: Fault['do'], list: Fault['do'], startedNone: boolean]>([
  ['a graph without steps', graphOf(), listOf(), true],
  ['a graph of steps that did not start', graphOf(UNSTARTED, UNSTARTED), listOf(), true],
  ['a graph with a step that started', graphOf(UNSTARTED, LOADED), listOf(), false],
  ['no graph, and an empty list', NO_ANSWER, listOf(), true],
  ['neither graph nor list', NO_ANSWER, NO_ANSWER, false],
  ['no graph, and a list with a step', NO_ANSWER, listOf(attempt('load', 'completed', {})), false],
])('%s: whether it is certain that no step has started', async (_, graph, list, startedNone) => {
  const scene = await openScene()
  const { runId: id = '' } = await scene.execute({ wait: false })
  scene.server.addFault({ on: 'dag', occurrence: 'always', do: graph })
  scene.server.addFault({ on: 'steps', occurrence: 'always', do: list })
  const reference = { id, projectId: scene.server.seeded.project }
  const options = { ended: undefined, thoroughly: false }
  const collected = await collectDetails(reference, options, scene.dependencies())
  expect(collected.startedNone).toBe(startedNone)
})

const ACCURATE = [{ name: 'accuracy', operator: '>=', wanted: 0.5 } as const]

test('a list of steps that is behind the graph is read once more', async () => {
  const scene = await openScene({ faults: [{ on: 'steps', do: listOf() }] })
  const result = await scene.execute({ expectations: ACCURATE })
  expect(result.conclusion).toBe('completed')
  expect(detailsOf(scene.events)).toMatchObject({ missing: [], stepMetadata: [{ step: 'train' }] })
  expect(scene.sent(/\/steps\?/)).toHaveLength(2)
})

const [SURE, WEAK] = [
  attempt('train_0', 'completed', { accuracy: 0.9 }),
  attempt('train_1', 'completed', { accuracy: 0.1 }),
]

test.each<[string, Item[]]>([
  ['lacks a step', [SURE]],
  [
    'has a step as it was while it ran',
    [SURE, { ...WEAK, body: { status: 'running' }, metadata: { run_metadata: {} } }],
  ],
])('where the list still %s, that is missing, and nothing is said to hold without it', async (_, items) => {
  const scene = await openScene({
    faults: [...withSteps([SURE, WEAK]), { on: 'steps', occurrence: 'always', do: listOf(...items) }],
  })
  const result = await scene.execute({ expectations: ACCURATE })
  const missing = 'metadata and artifacts of 1 of 2 steps: the server left them out'
  expect(detailsOf(scene.events)?.missing).toEqual([missing])
  expect(result.conclusion).toBe('expectation-missed')
  expect(result.error).toContain(`because the metadata could not be read: ${missing}`)
  expect(scene.sent(/\/steps\?/)).toHaveLength(2)
})
