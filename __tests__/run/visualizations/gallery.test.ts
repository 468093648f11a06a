import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ZENML_VERSIONS,
  type PipelineSpec,
  type SimulatorOptions,
  type StepSpec,
  type VisualizationSpec,
} from '../../../simulator/index.ts'
import type { Gallery } from '../../../src/run/facts.ts'
import { closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const template = (pipeline: string) => ({
  target: { kind: 'template' as const, reference: `${pipeline}-template` },
  visualizations: true,
})

const markdown = (value: string): VisualizationSpec => ({ type: 'markdown', value })

/** A step whose outputs show these things; those of a type come in the order of their names. */
function showing(name: string, visualizations: NonNullable<StepSpec['visualizations']>): StepSpec {
  const outputs = Object.fromEntries(Object.keys(visualizations).map((output) => [output, 'builtins.str']))
  return { name, seconds: 0.1, outputs, visualizations }
}

async function look(
  pipeline: Omit<PipelineSpec, 'name'>,
  options: SimulatorOptions = {},
): Promise<{ readonly scene: Scene; readonly gallery: Gallery | undefined }> {
  const scene = await openScene({ ...options, pipelines: [{ name: 'shown', ...pipeline }] })
  await scene.execute(template('shown'))
  return { scene, gallery: galleryOf(scene) }
}

const galleryOf = ({ events }: Scene) => events.find((event) => event.kind === 'visualizations')?.gallery
const LOOK = /^GET \/api\/v1\/artifact_versions\//

describe.each(ZENML_VERSIONS)('on ZenML %s', (version) => {
  test('what artifacts show is read by step, the outputs by name, after the run was judged', async () => {
    const scene = await openScene({ version })
    await scene.execute({
      ...template('evaluation'),
      ...parameters,
      expectations: [{ name: 'train.accuracy', operator: '>=', wanted: 0.5 }],
    })
    expect(galleryOf(scene)).toEqual({
      shown: [
        { name: 'evaluate.confusion', type: 'csv', value: 'actual,cat,dog\ncat,90,10\ndog,10,90\n' },
        { name: 'evaluate.page', type: 'html', value: expect.stringContaining('<h1>Evaluation') },
        { name: 'evaluate.plot', type: 'image', value: expect.stringMatching(/^iVBOR/) },
        { name: 'evaluate.report', type: 'markdown', value: expect.stringMatching(/^## Evaluation/) },
      ],
      missing: [],
    })
    const told = scene.events.map(({ kind }) => kind)
    expect(told.indexOf('visualizations')).toBeGreaterThan(told.indexOf('expectations'))
    const last = scene.server.requests.at(-1)
    expect(last?.path).toMatch(/\/visualize\?index=0$/)
  })

  test('nothing is read where nobody wants to see it', async () => {
    const scene = await openScene({ version })
    await scene.execute({ ...template('evaluation'), ...parameters, visualizations: false })
    expect(galleryOf(scene)).toBeUndefined()
    expect(scene.sent(LOOK)).toEqual([])
  })
})

/** 0.74 wants them all. */
const parameters = {
  overrides: {
    layers: [
      {
        source: 'configuration' as const,
        value: {
          steps: {
            load: { parameters: { rows: 1 } },
            train: { parameters: { seconds: 0.1, accuracy: 0.9, fail: '' } },
          },
        },
      },
    ],
    tags: undefined,
    enableCache: undefined,
  },
}

test('what somebody chose for the page of the run comes first, by their order and names', async () => {
  const { gallery } = await look({
    steps: [
      showing('a', { one: [markdown('1')], two: [markdown('2'), { type: 'json', value: '2' }] }),
      showing('b', { three: [markdown('3')] }),
    ],
    chosen: [
      { step: 'a', output: 'two', index: 1, name: 'The number', order: 2 },
      { step: 'b', output: 'three', index: 0, order: 1 },
    ],
  })
  expect(gallery?.shown.map(({ name, value }) => [name, value])).toEqual([
    ['three', '3'],
    ['The number', '2'],
    ['a.one', '1'],
    ['a.two (1)', '2'],
  ])
})

test('what a failed run left before it failed is shown as well', async () => {
  const fails = { type: 'RuntimeError', message: 'no', traceback: '', userCodeLine: null }
  const { gallery } = await look({
    steps: [
      showing('load', { data: [markdown('the data')] }),
      { name: 'train', seconds: 0.1, upstream: ['load'], fails },
    ],
  })
  expect(gallery).toEqual({
    shown: [{ name: 'load.data', type: 'markdown', value: 'the data' }],
    missing: [],
  })
})

test('of more than fifty the numbers are left out first, and it is said', async () => {
  const many = (type: string, count: number): VisualizationSpec[] =>
    Array.from({ length: count }, (_, index) => ({ type, value: String(index) }))
  const { scene, gallery } = await look({
    steps: [showing('numbers', { all: many('json', 30) }), showing('texts', { all: many('markdown', 40) })],
  })
  expect(gallery?.shown).toHaveLength(50)
  expect(gallery?.shown.filter(({ type }) => type === 'markdown')).toHaveLength(40)
  expect(gallery?.shown[0]).toMatchObject({ name: 'numbers.all (1)' })
  expect(gallery?.missing).toEqual(['numbers.all (11) and 19 more: at most 50 visualizations are shown'])
  expect(scene.sent(/\/visualize/)).toHaveLength(50)
})

test('one that is too large, and what goes beyond ten megabytes in all, is left out and said', async () => {
  const large = (count: number, bytes: number): VisualizationSpec[] =>
    Array.from({ length: count }, () => markdown('x'.repeat(bytes)))
  const { scene, gallery } = await look({
    steps: [
      showing('a', { huge: large(1, 5_000_000), large: large(1, 2_200_000), many: large(14, 1_900_000) }),
    ],
  })
  expect(gallery?.shown).toHaveLength(5)
  expect(gallery?.missing).toEqual([
    'a.huge: could not read a visualization: the answer is larger than 4 MB',
    'a.large: a visualization larger than 2 MB is not shown',
    'a.many (6) and 8 more: the visualizations are larger than 10 MB in total',
  ])
  // Four at a time; those after the eighth are not even asked for.
  expect(scene.sent(/\/visualize/)).toHaveLength(8)
})

test('one that the server cannot read is said, and keeps no other from being shown', async () => {
  const { gallery } = await look(
    { steps: [showing('a', { one: [markdown('1')], two: [markdown('2')] })] },
    {
      faults: [
        {
          on: 'visualization',
          do: {
            kind: 'answer',
            status: 501,
            body: '{"detail": ["NotImplementedError", "Artifact store `s3` could not be loaded"]}',
          },
        },
      ],
    },
  )
  expect(gallery?.shown).toHaveLength(1)
  expect(gallery?.missing).toEqual([
    expect.stringMatching(
      /^a\.(one|two): could not read a visualization: the server answered 501 NotImplementedError: Artifact store/,
    ),
  ])
})

test.each(['artifact', 'visualization'] as const)(
  'where the account may read no %s, it is said once for all of them',
  async (on) => {
    const detail = ['IllegalOperationError', "Insufficient permissions to READ resource 'artifact'."]
    const { gallery } = await look(
      { steps: [showing('a', { one: [markdown('1')], two: [markdown('2')] })] },
      {
        faults: [
          {
            on,
            occurrence: 'always',
            do: { kind: 'answer', status: 403, body: JSON.stringify({ detail }) },
          },
        ],
      },
    )
    expect(gallery?.shown).toEqual([])
    expect(gallery?.missing).toEqual([expect.stringMatching(/^a\.one and 1 more: could not read an? .* 403/)])
  },
)

test('an unknown type is not asked for, and another type than was said is not shown', async () => {
  const { scene, gallery } = await look(
    { steps: [showing('a', { one: [{ type: 'applet', value: '1' }], two: [markdown('2')] })] },
    {
      faults: [
        { on: 'visualization', do: { kind: 'answer', status: 200, body: '{"type": "html", "value": "x"}' } },
      ],
    },
  )
  expect(gallery).toEqual({
    shown: [],
    missing: [
      'a.one: a visualization of the unknown type applet',
      'a.two: the server gave a visualization of a different type than it had announced',
    ],
  })
  expect(scene.sent(/\/visualize/)).toHaveLength(1)
})

test('of more than five hundred artifacts the last ones are not asked, and it is said', async () => {
  const nothing = Object.fromEntries(Array.from({ length: 510 }, (_, index) => [`o${index}`, []]))
  const { scene, gallery } = await look({ steps: [showing('a', nothing)] })
  expect(gallery).toEqual({
    shown: [],
    missing: ['the visualizations of 10 more artifacts: at most 500 are read'],
  })
  expect(scene.sent(LOOK)).toHaveLength(500)
})

test.each([
  ['lists', 'artifact', 7_000],
  ['shows', 'visualization', 15_000],
] as const)(
  'a server that no longer %s them delays the step only until the time is up',
  async (_, on, most) => {
    const scene = await openScene({
      pipelines: [{ name: 'shown', steps: [showing('a', { one: [markdown('1')] })] }],
      faults: [{ on, occurrence: 'always', do: { kind: 'hang' } }],
    })
    const result = await scene.executeWith(template('shown'), {
      ...scene.dependencies(),
      timeLimit: (ms) => AbortSignal.timeout(ms === most ? 200 : 600_000),
    })
    expect(result.conclusion).toBe('completed')
    expect(galleryOf(scene)).toEqual({ shown: [], missing: ['a.one: the server did not answer in time'] })
  },
)

test('a cancellation ends the look at once, and the verdict stays', async () => {
  const scene = await openScene({
    pipelines: [{ name: 'shown', steps: [showing('a', { one: [markdown('1')] })] }],
    faults: [{ on: 'visualization', occurrence: 'always', do: { kind: 'hang' } }],
  })
  const cancelling = new AbortController()
  const ended = scene.execute(template('shown'), cancelling.signal)
  await until(() => scene.sent(/\/visualize/).length > 0)
  cancelling.abort(new Error('cancelled'))
  expect(await ended).toMatchObject({ conclusion: 'completed', error: undefined })
  expect(galleryOf(scene)?.missing).toEqual(['the visualizations: the workflow was cancelled'])
})
