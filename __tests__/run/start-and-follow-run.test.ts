import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type FaultAction, type PipelineSpec } from '../../simulator/index.ts'
import type { Overrides } from '../../src/run/configure/merge.ts'
import { expectations } from '../../src/github/inputs/expectations.ts'
import { closeScenes, openScene, TRIGGER } from './scene.ts'

afterEach(closeScenes)

/** Two branches at once: one fails early, the other takes two minutes. */
const split: PipelineSpec = {
  name: 'split',
  steps: [
    {
      name: 'short',
      seconds: 1,
      fails: { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 },
    },
    { name: 'long', seconds: 120 },
  ],
}

const dotted: PipelineSpec = {
  name: 'dotted',
  steps: [
    { name: 'fit', seconds: 1, metadata: { 'val.accuracy': 0.95, metrics: { f1: 0.88 } } },
    { name: 'eval', seconds: 1 },
  ],
}

describe.each(ZENML_VERSIONS)('on ZenML %s', (version) => {
  test('a run is started once, watched to its end, and completes', async () => {
    const scene = await openScene({ version })
    const result = await scene.execute()
    expect(result).toMatchObject({ conclusion: 'completed', status: 'completed', error: undefined })
    expect(scene.server.runs).toHaveLength(1)
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(scene.server.runs[0]?.name).toMatch(/^training-gh4711-1-[0-9a-f]{8}-[0-9a-f]{12}$/)
    expect(scene.started).toMatchObject([{ id: result.runId, status: 'initializing' }])
  })

  test('a run that fails is a failure that names the run and links to it', async () => {
    const scene = await openScene({ version })
    const layers = [
      { source: 'configuration', value: { steps: { train: { parameters: { fail: 'loss is NaN' } } } } },
    ]
    const result = await scene.execute({ overrides: { layers, tags: undefined, enableCache: undefined } })
    expect(result).toMatchObject({ conclusion: 'failed', status: 'failed' })
    expect(result.error).toMatch(/training-gh4711-1-[0-9a-f]{8}-/)
    expect(result.error).toContain(`${scene.server.url}/`)
    expect(result.error).toContain(`runs/${result.runId}`)
  })

  test('a failed branch is not the end while other steps go on', async () => {
    const scene = await openScene({ version, pipelines: [split] })
    const result = await scene.execute({ target: { kind: 'template', reference: 'split-template' } })
    expect(result).toMatchObject({ conclusion: 'failed' })
    expect(scene.server.runs[0]?.busy).toBe(false)
    expect(scene.events.find(({ kind }) => kind === 'failed-but-going-on')).toBeDefined()
    expect(scene.clock.elapsed()).toBeGreaterThan(120_000)
  })

  test('a step that expect misspells is an error before the start, and a key of the run itself is none', async () => {
    const scene = await openScene({ version })
    const expecting = (name: string) => [{ name, operator: '>', wanted: 0 }] as const
    await expect(scene.execute({ expectations: expecting('trian.accuracy') })).rejects.toThrow(
      'expect: the pipeline has no step "trian"; did you mean train? Put a key with a dot in quotes: "trian.accuracy"',
    )
    expect(scene.server.runs).toEqual([])
    const result = await scene.execute({ expectations: expecting('fairness.gap') })
    expect(result).toMatchObject({ conclusion: 'expectation-missed' })
  })

  test('keys with dots and values in mappings can be expected, also where a step has almost their name', async () => {
    const scene = await openScene({ version, pipelines: [dotted] })
    const target = { kind: 'template', reference: 'dotted-template' } as const
    const text = '"val.accuracy" >= 0.9\nfit.val.accuracy >= 0.9\nfit.metrics.f1 >= 0.8'
    const execute = (lines: string) => scene.execute({ target, expectations: expectations.parse(lines) })
    await expect(execute('val.accuracy >= 0.9')).rejects.toThrow(
      'expect: the pipeline has no step "val"; did you mean eval? Put a key with a dot in quotes: "val.accuracy"',
    )
    expect(scene.server.runs).toEqual([])
    expect(await execute(text)).toMatchObject({ conclusion: 'completed', error: undefined })
    expect(await execute('"val.accuracy" >= 0.99')).toMatchObject({
      error: expect.stringContaining('expected "val.accuracy" >= 0.99, got 0.95'),
    })
  })

  test('without wait the step ends right after the start', async () => {
    const scene = await openScene({ version })
    const result = await scene.execute({ wait: false })
    expect(result).toMatchObject({ conclusion: 'started', status: 'initializing', error: undefined })
    expect(scene.sent(/\/runs\/[^/]+(\?|\/status)/)).toEqual([])
  })

  test('without wait, a run that has failed when it is found after a lost answer is told of as over', async () => {
    const fails = { name: 'training', failsBeforeSteps: { reason: 'no image' }, steps: [] }
    const faults = [{ on: 'trigger', do: { kind: 'html', status: 504, work: true } }] as const
    const scene = await openScene({ version, pipelines: [fails], faults })
    const result = await scene.execute({ wait: false })
    expect(result).toMatchObject({ conclusion: 'started', status: 'failed', error: undefined })
    expect(scene.events.at(-1)).toEqual({ kind: 'over-before', phase: 'failed' })
  })

  test('without wait, a completed run of an earlier attempt is told of as over', async () => {
    const scene = await openScene({ version })
    await scene.execute({ resume: true })
    const requester = { workflowRunId: '4711', attempt: 2, stepIdentity: '0a1b2c3d' }
    const result = await scene.execute({ resume: true, requester, wait: false })
    expect(result).toMatchObject({ conclusion: 'started', status: 'completed', error: undefined })
    expect(scene.events.at(-1)).toEqual({ kind: 'over-before', phase: 'succeeded' })
  })

  test('overrides, tags and the cache switch reach the server', async () => {
    const scene = await openScene({ version })
    const layers = [
      {
        source: 'configuration-file: a.yaml',
        value: { steps: { train: { parameters: { seconds: 9, accuracy: 0.5 } } } },
      },
      { source: 'configuration', value: { steps: { train: { parameters: { seconds: 3 } } } } },
    ]
    await scene.execute({ wait: false, overrides: { layers, tags: ['nightly'], enableCache: false } })
    expect(scene.server.runs[0]?.configuration).toMatchObject({
      steps: { train: { parameters: { seconds: 3, accuracy: 0.5 } } },
      tags: ['nightly'],
      enable_cache: false,
    })
  })

  test('tags are added to those of the snapshot or template, or to those that a configuration has in their place', async () => {
    const tagged = { name: 'tagged', steps: [{ name: 'only', seconds: 1 }], tags: ['own', 'nightly'] }
    const scene = await openScene({ version, pipelines: [tagged] })
    const target = { kind: 'template', reference: 'tagged-template' } as const
    const tags = ['nightly', 'gpu']
    for (const value of [{}, { tags: null }, { tags: ['other', 'other'] }] as const) {
      const layers = [{ source: 'configuration', value }]
      await scene.execute({ target, wait: false, overrides: { layers, tags, enableCache: undefined } })
    }
    await scene.execute({ target, wait: false })
    expect(scene.server.runs.map(({ configuration }) => configuration['tags'])).toEqual([
      ['own', 'nightly', 'gpu'],
      ['own', 'nightly', 'gpu'],
      ['other', 'nightly', 'gpu'],
      undefined,
    ])
  })

  test('a tag that a configuration gives a color keeps it', async () => {
    const scene = await openScene({ version })
    const gold = { name: 'gpu', color: 'yellow' }
    const layers = [{ source: 'configuration', value: { tags: [gold] } }]
    const started = scene.execute({
      wait: false,
      overrides: { layers, tags: ['gpu', 'x'], enableCache: undefined },
    })
    if (version === '0.74.0') {
      await expect(started).rejects.toThrow('"tags.0" must be a string')
      return
    }
    await started
    expect(scene.server.runs[0]?.configuration).toMatchObject({ tags: [gold, 'x'] })
  })

  test('the newest of a pipeline is found', async () => {
    const scene = await openScene({ version })
    const result = await scene.execute({ target: { kind: 'pipeline', pipeline: 'wide' } })
    expect(result.conclusion).toBe('completed')
    const route = version === '0.98.0' ? 'pipeline_snapshots' : 'run_templates'
    expect(scene.sent(TRIGGER)[0]).toContain(route)
  })

  test('an unknown name lists the nearest runnable ones, and nothing is started', async () => {
    const scene = await openScene({ version })
    const target = { kind: 'template', reference: 'trainin-template' } as const
    await expect(scene.execute({ target })).rejects.toThrow(
      /^template: there is no run template named "trainin-template"[^.]*, or the account has no permission to read run templates; did you mean training-template\? Runnable run templates: "training-template", /,
    )
    expect(scene.sent(TRIGGER)).toEqual([])
  })
})

test.each([
  ['is away', { kind: 'answer', status: 503 }],
  ['may not be read', { kind: 'answer', status: 403, body: '{"detail": ["IllegalOperationError", "no"]}' }],
  ['cannot be read', { kind: 'answer', status: 200, body: '{"items": 5}' }],
] satisfies [string, FaultAction][])(
  'an unknown name is told of also where the list of others %s',
  async (_, fault) => {
    const occurrence = { from: 3, to: 100 }
    const scene = await openScene({ version: '0.85.0', faults: [{ on: 'templates', occurrence, do: fault }] })
    const target = { kind: 'template', reference: 'nope' } as const
    await expect(scene.execute({ target })).rejects.toThrow(
      /^template: there is no run template named "nope"[^.]*, or the account has no permission to read run templates$/,
    )
  },
)

test('on 0.74 the overrides are merged into all parameters of the template', async () => {
  const scene = await openScene({ version: '0.74.0' })
  const layers = [{ source: 'configuration', value: { steps: { train: { parameters: { seconds: 2 } } } } }]
  await scene.execute({ wait: false, overrides: { layers, tags: undefined, enableCache: undefined } })
  expect(scene.server.runs[0]?.configuration).toEqual({
    run_name: scene.server.runs[0]?.name,
    steps: {
      load: { parameters: { rows: 10 } },
      train: { parameters: { seconds: 2, accuracy: 0.9, fail: '' } },
    },
  })
})

test('on 0.98 nothing but the overrides and the name is sent', async () => {
  const scene = await openScene()
  await scene.execute({ wait: false })
  expect(scene.server.runs[0]?.configuration).toEqual({ run_name: scene.server.runs[0]?.name })
})

test.each<[string, Partial<Overrides>, boolean]>([
  ['nothing', {}, false],
  ['enable-cache: true', { enableCache: true }, true],
  ['enable-cache: false', { enableCache: false }, true],
])(
  'where the inputs give %s, the parameters of a snapshot are asked for only if needed',
  async (_, given, isAsked) => {
    const scene = await openScene()
    const target = { kind: 'snapshot', reference: 'training-template' } as const
    const overrides = { layers: [], tags: undefined, enableCache: undefined, ...given }
    await scene.execute({ target, wait: false, overrides })
    expect(scene.sent(/include_config_schema=true/).length > 0).toBe(isAsked)
    const [configured] = scene.events.filter((event) => event.kind === 'configured')
    expect(configured?.unchecked).toBeUndefined()
  },
)

test('a snapshot asked of a server without snapshots is refused before anything is started', async () => {
  const scene = await openScene({ version: '0.85.0' })
  await expect(
    scene.execute({ target: { kind: 'snapshot', reference: 'training-snapshot' } }),
  ).rejects.toThrow('snapshot: this server is ZenML 0.85.0, which has no snapshots yet; use template instead')
})

test('a name with {date} and {time} is filled in before it is sent', async () => {
  const scene = await openScene()
  await scene.execute({ wait: false, runName: 'nightly-{date}-{time}' })
  expect(scene.planned[0]).toMatchObject({ nameIsOurs: false })
  expect(scene.server.runs[0]?.name).toMatch(/^nightly-2026_01_01-00_00_\d\d_\d{6}$/)
  expect(scene.planned[0]?.name).toBe(scene.server.runs[0]?.name)
})

test('run-name wins over the run_name of a configuration', async () => {
  const scene = await openScene()
  const layers = [{ source: 'configuration', value: { run_name: 'from-configuration' } }]
  const overrides = { layers, tags: undefined, enableCache: undefined }
  await scene.execute({ wait: false, overrides })
  await scene.execute({ wait: false, overrides, runName: 'from-input' })
  expect(scene.server.runs.map(({ name }) => name)).toEqual(['from-configuration', 'from-input'])
})

test('a fixed name that is taken is refused before anything is sent, with a unique one suggested', async () => {
  const scene = await openScene()
  await scene.execute({ wait: false, runName: 'nightly' })
  await expect(scene.execute({ wait: false, runName: 'nightly' })).rejects.toThrow(
    /run-name: a run named "nightly" already exists.*"nightly-\{date\}-\{time\}" or with \$\{\{ github\.run_id \}\}-\$\{\{ github\.run_attempt \}\} and, in a matrix, the cell's value, or leave/,
  )
  expect(scene.sent(TRIGGER)).toHaveLength(1)
})

test('a project that does not exist is named', async () => {
  const scene = await openScene()
  await expect(scene.execute({ project: { nameOrId: 'nope', source: 'project' } })).rejects.toThrow(
    /^project: there is no project "nope" on this server/,
  )
})
