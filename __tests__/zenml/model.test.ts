import { expect, test } from '@jest/globals'
import { toDefinition, toGraph, toInfo, toRun, toStep } from '../../src/zenml/model.ts'
import { dagSchema, definitionSchema, infoSchema, runSchema, stepSchema } from '../../src/zenml/schemas.ts'

const DENIED = { id: 'x', name: 'n', permission_denied: true, body: null, metadata: null, resources: null }

function dag(nodes: readonly object[], edges: readonly (readonly [string, string])[]) {
  return toGraph(
    dagSchema.parse({
      status: 'running',
      nodes,
      edges: edges.map(([source, target]) => ({ source, target })),
    }),
  ).steps
}

function step(name: string, status: string | null, id: string | null = name) {
  return { node_id: `node-${name}`, type: 'step', id, name, metadata: status === null ? {} : { status } }
}

function artifact(name: string) {
  return { node_id: `artifact-${name}`, type: 'artifact', id: null, name }
}

test('a step waits for the steps whose artifacts it takes, and for those it comes after', () => {
  const steps = dag(
    [
      step('load', 'completed'),
      artifact('data'),
      artifact('labels'),
      step('clean', 'cached'),
      step('train', null, null),
    ],
    [
      ['node-load', 'artifact-data'],
      ['node-load', 'artifact-labels'],
      ['artifact-data', 'node-train'],
      ['artifact-labels', 'node-train'],
      ['node-clean', 'node-train'],
    ],
  )
  expect(steps).toMatchObject([
    { name: 'load', status: 'completed', upstream: [] },
    { name: 'clean', status: 'cached', upstream: [] },
    { name: 'train', status: undefined, upstream: ['load', 'clean'] },
  ])
})

test('an artifact from outside the run, or an edge to nowhere, holds nobody up', () => {
  const steps = dag(
    [artifact('external'), step('train', 'running')],
    [
      ['artifact-external', 'node-train'],
      ['node-gone', 'node-train'],
      ['node-train', 'artifact-gone'],
    ],
  )
  expect(steps).toMatchObject([{ name: 'train', status: 'running', upstream: [] }])
})

test('what cannot be understood of an artifact keeps nobody from seeing the steps', () => {
  const steps = dag([step('load', 'completed'), { type: 'artifact', id: '../gone', name: 7 }], [])
  expect(steps).toMatchObject([{ name: 'load', status: 'completed' }])
})

test.each([
  ['none', undefined],
  ['no list', {}],
  ['one that is null', [null]],
  ['one without an end', [{ source: 'node-load' }]],
  ['one that begins at a number', [{ source: 1, target: 'node-load' }]],
  ['more than are read', Array.from({ length: 100_001 }, () => ({ source: 'a', target: 'b' }))],
])('a graph with edges that are wrong is none: %s', (_, edges) => {
  expect(dagSchema.safeParse({ status: 'running', nodes: [], edges }).success).toBe(false)
})

test('a graph tells the state of its run as well', () => {
  expect(toGraph(dagSchema.parse({ status: 'failed', nodes: [], edges: [] }))).toEqual({
    status: 'failed',
    steps: [],
    questions: [],
    childRuns: [],
  })
})

test('a graph tells what the run asks and has no answer to, and its child runs, not those that a step triggered', () => {
  const node = (type: string, id: string | null, metadata: object, place = type) => ({
    node_id: `${place}/${id}`,
    type,
    id,
    name: `the ${type}`,
    metadata,
  })
  const nodes = [
    node('wait_condition', 'w-1', { status: 'resolved', resolution: 'continue', question: 'First?' }),
    node('wait_condition', 'w-2', { status: 'pending', question: 'Second?' }),
    node('wait_condition', 'w-3', { status: 'pending' }),
    node('wait_condition', null, { status: 'pending', question: 'Nobody can answer it' }),
    node('triggered_run', 'r-1', { status: 'failed' }, 'run'),
    node('triggered_run', 'r-2', { status: 'failed' }, 'child_run'),
    node('child_run', 'r-3', { status: 'running' }),
    node('child_run', null, {}),
  ]
  expect(toGraph(dagSchema.parse({ status: 'running', nodes, edges: [] }))).toEqual({
    status: 'running',
    steps: [],
    questions: [
      { id: 'w-2', name: 'the wait_condition', text: 'Second?' },
      { id: 'w-3', name: 'the wait_condition', text: 'the wait_condition' },
    ],
    childRuns: [
      { id: 'r-2', name: 'the triggered_run', status: 'failed' },
      { id: 'r-3', name: 'the child_run', status: 'running' },
    ],
  })
})

test('a started step whose state is not told is unknown, not unstarted', () => {
  expect(dag([step('a', null)], [])).toMatchObject([{ name: 'a', status: 'unknown', upstream: [] }])
})

test('edges in a circle are read once', () => {
  const steps = dag(
    [step('a', 'running'), step('b', 'running')],
    [
      ['node-a', 'node-b'],
      ['node-b', 'node-a'],
    ],
  )
  expect(steps.map(({ upstream }) => upstream)).toEqual([['b'], ['a']])
})

test('a run says where it came from and how it is', () => {
  const run = toRun(
    runSchema.parse({
      id: 'r',
      name: 'r-name',
      body: {
        status: 'failed',
        status_reason: 'why',
        in_progress: false,
        created: '2026-01-01T00:00:00',
        project_id: 'p',
        pipeline: { id: 'old', name: 'old' },
      },
      metadata: { end_time: '2026-01-01T00:01:00', template_id: 't', workspace: null },
      resources: { pipeline: { id: 'pl', name: 'training' }, source_snapshot: { id: 's', name: null } },
    }),
  )
  expect(run).toEqual({
    id: 'r',
    name: 'r-name',
    permissionDenied: false,
    status: 'failed',
    statusReason: 'why',
    inProgress: false,
    created: Date.UTC(2026, 0, 1),
    endTime: Date.UTC(2026, 0, 1, 0, 1),
    templateId: 't',
    sourceSnapshotId: 's',
    isDynamic: false,
    code: { kind: 'snapshot', name: 's' },
    pipeline: { id: 'pl', name: 'training' },
    projectId: 'p',
  })
})

test('a run of an old server has its pipeline in the body and its project as workspace', () => {
  const body = { status: 'running', pipeline: { id: 'pl', name: 'training' } }
  const run = toRun(runSchema.parse({ id: 'r', name: 'n', body, metadata: { workspace: { id: 'w' } } }))
  expect(run).toMatchObject({
    pipeline: { id: 'pl', name: 'training' },
    projectId: 'w',
    inProgress: undefined,
    endTime: undefined,
  })
})

test.each([
  ['0.80 and 0.81', { metadata: { project: { id: 'p', name: 'vision' } } }],
  ['0.82 and 0.83', { project_id: 'p', metadata: { project: { id: 'p', name: 'vision' } } }],
  ['0.84 and newer', { body: { status: 'running', project_id: 'p' } }],
])('a run of ZenML %s has its project', (_, answer) => {
  const run = toRun(runSchema.parse({ id: 'r', name: 'n', body: { status: 'running' }, ...answer }))
  expect(run.projectId).toBe('p')
})

test('of a run that the account may not see, the state is unknown', () => {
  expect(toRun(runSchema.parse(DENIED))).toMatchObject({
    id: 'x',
    name: 'n',
    status: 'unknown',
    inProgress: undefined,
    projectId: undefined,
    pipeline: undefined,
  })
})

test('of a template that the account may not see, nothing is made up', () => {
  expect(toDefinition('template', definitionSchema.parse(DENIED))).toEqual({
    kind: 'template',
    id: 'x',
    name: 'n',
    runnable: undefined,
    pipeline: undefined,
    project: undefined,
    sourceSnapshotId: undefined,
    stepParameters: undefined,
    isDynamic: undefined,
    hidesStack: false,
    code: { kind: 'template', name: 'n' },
    documents: { configTemplate: undefined, configSchema: undefined, pipelineSpec: undefined },
  })
})

test('a template gives its pipeline, project, snapshot and the parameters of each step', () => {
  const steps = { load: { parameters: { rows: 10, deep: { a: [null] } } }, report: {}, odd: null }
  const definition = toDefinition(
    'template',
    definitionSchema.parse({
      id: 't',
      name: 'training-template',
      body: { runnable: true, project_id: 'p' },
      metadata: { project: { id: 'p', name: 'default' }, config_template: { steps } },
      resources: { pipeline: { id: 'pl', name: 'training' }, source_snapshot: { id: 's' } },
    }),
  )
  expect(definition).toMatchObject({
    runnable: true,
    pipeline: { id: 'pl', name: 'training' },
    project: { id: 'p', name: 'default' },
    sourceSnapshotId: 's',
    stepParameters: { load: { rows: 10, deep: { a: [null] } }, report: {}, odd: {} },
  })
})

test.each([
  ['the project of its metadata', { project: { id: 'p', name: 'a' } }, { id: 'p', name: 'a' }],
  ['the workspace of an old server', { workspace: { id: 'w', name: 'b' } }, { id: 'w', name: 'b' }],
  ['the id in its body where there is no more', null, { id: 'body', name: undefined }],
])('a definition belongs to %s', (_name, metadata, project) => {
  const from = definitionSchema.parse({ id: 'd', body: { project_id: 'body' }, metadata })
  expect(toDefinition('snapshot', from).project).toEqual(project)
})

test('only a deployment of type cloud is Pro', () => {
  const info = { version: '0.98.0', deployment_type: 'cloud', dashboard_url: 'https://cloud.zenml.io' }
  expect(toInfo(infoSchema.parse(info))).toEqual({
    version: '0.98.0',
    isPro: true,
    dashboardUrl: 'https://cloud.zenml.io',
    proApiUrl: undefined,
    hasProjects: true,
  })
  expect(toInfo(infoSchema.parse({ ...info, deployment_type: 'other' })).isPro).toBe(false)
  expect(toInfo(infoSchema.parse({ version: '0.74.0' }))).toMatchObject({
    isPro: false,
    dashboardUrl: undefined,
    hasProjects: false,
  })
})

test('a step without a name is called by its id, one without a body is in an unknown state', () => {
  expect(toStep(stepSchema.parse({ id: 's', body: { status: 'running' } }))).toMatchObject({
    name: 's',
    status: 'running',
    upstream: undefined,
  })
  expect(toStep(stepSchema.parse({ id: 's', name: 'train', body: null })).status).toBe('unknown')
})

test('an artifact that 20,000 steps write and 20,000 read takes no more room than it may', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => String(index))
  const nodes = [
    artifact('a'),
    ...names.map((name) => step(`writer-${name}`, 'completed')),
    ...names.map((name) => step(`reader-${name}`, null, null)),
  ]
  const edges = names.flatMap((name): [string, string][] => [
    [`node-writer-${name}`, 'artifact-a'],
    ['artifact-a', `node-reader-${name}`],
  ])
  const steps = dag(nodes, edges)
  expect(steps).toHaveLength(40_000)
  expect(steps.reduce((sum, { upstream }) => sum + (upstream?.length ?? 0), 0)).toBeLessThanOrEqual(200_000)
  expect(steps.at(-1)?.upstream).toBeUndefined()
})

test('the steps of a graph of 100,000 edges know what they wait for', () => {
  const names = Array.from({ length: 50_000 }, (_, index) => String(index))
  const nodes = [
    step('load', 'completed'),
    ...names.map((name) => artifact(name)),
    ...names.map((name) => step(name, null, null)),
  ]
  const edges = names.flatMap((name): [string, string][] => [
    ['node-load', `artifact-${name}`],
    [`artifact-${name}`, `node-${name}`],
  ])
  expect(dag(nodes, edges).at(-1)?.upstream).toEqual(['load'])
})

test.each([-5, 1e308, 1e15])('a duration of %p seconds is not known', (duration) => {
  const node = { ...step('train', 'completed'), metadata: { status: 'completed', duration } }
  expect(dag([node], [])[0]).toMatchObject({ status: 'completed', durationMs: undefined })
})

test('a step that ended before it started took nobody knows how long', () => {
  const body = { status: 'completed', start_time: '2026-01-01T00:01:00', end_time: '2026-01-01T00:00:00' }
  expect(toStep(stepSchema.parse({ id: 's', name: 'train', body })).durationMs).toBeUndefined()
})

test.each([
  [undefined, false],
  [{ body: { is_dynamic: false } }, false],
  [{ body: { is_dynamic: true } }, true],
  // One that the account may not see may be of either kind.
  [{ body: null }, true],
])('a run whose snapshot is %j is dynamic: %s', (snapshot, isDynamic) => {
  const resources = { pipeline: null, source_snapshot: null, snapshot }
  expect(toRun(runSchema.parse({ id: 'r', resources }))).toMatchObject({ isDynamic })
})
