import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { inputTables, type InputName } from '../../../src/github/inputs/table.ts'
import {
  readLoginInputs,
  readPromoteInputs,
  readResolveInputs,
  readStopInputs,
  readWaitInputs,
} from '../../../src/github/inputs/read.ts'
import { workspaceFiles } from './bad-configurations.ts'
import {
  ACCESS_TOKEN,
  GITHUB_TOKEN,
  KEY,
  RUN_ID,
  least,
  makeWorkspace,
  read,
  readWith,
  variables,
  type With,
} from './given.ts'

const inputNames: readonly InputName[] = inputTables.main.names

let workspace: ReturnType<typeof makeWorkspace>
beforeAll(() => {
  workspace = makeWorkspace({
    ...workspaceFiles,
    'configs/good.yaml': '\ufeffenable_cache: no\nmodel: 010\n',
  })
})
afterAll(() => workspace.remove())

async function readGood(given: With) {
  const outcome = await read({ ...variables({ ...least.main, ...given }), GITHUB_WORKSPACE: workspace.path })
  if (!outcome.ok) throw outcome.faults
  return outcome
}

test('the least that a step needs gives the defaults', async () => {
  const { inputs, notices } = await readGood({})
  expect(inputs).toEqual({
    server: { url: 'https://zenml.example.com', proApiUrl: 'https://cloudapi.zenml.io' },
    credential: { kind: 'api-key', key: KEY },
    target: { kind: 'snapshot', reference: 'nightly' },
    configuration: [],
    wait: true,
    triggerTimeoutMs: 30 * 60_000,
    onCancel: 'stop',
    onTimeout: 'stop',
    onPaused: 'wait',
    logs: 'failed',
    onLost: 'keep-running',
    baselineInput: undefined,
    baselineRequired: false,
    lostAfterMs: 1_800_000,
    resume: false,
    expectations: [],
    dryRun: false,
    noteOrigin: true,
    logTail: 50,
    visualizations: false,
    summary: true,
    comment: 'never',
    githubToken: undefined,
    stepKey: '',
  })
  expect(notices).toEqual([])
})

test('an input that an expression left blank has its default', async () => {
  const blank = Object.fromEntries(
    inputNames.filter((name) => !(name in least.main)).map((name) => [name, '  ']),
  )
  expect((await readGood(blank)).inputs).toEqual((await readGood({})).inputs)
})

test('every input reaches its field', async () => {
  const { inputs } = await readGood({
    'server-url': ' http://localhost:8237/zenml/ ',
    'api-key': '',
    'access-token': ` ${ACCESS_TOKEN}\n`,
    snapshot: '',
    template: 'train with ümlauts 🚀',
    pipeline: 'training',
    project: 'vision',
    configuration: '  steps:\n    train: {parameters: {epochs: 5}}',
    'configuration-file': 'configs/good.yaml',
    'run-name': 'nightly-{date}-{time}',
    tags: 'gpu, nightly\n\n  weekly\ngpu',
    'enable-cache': 'False',
    wait: 'TRUE',
    timeout: '2h30m',
    'trigger-timeout': '1.5h',
    'poll-interval': '1s',
    parameters: 'train.epochs: 7',
    expect: 'accuracy >= 0.9',
    'dry-run': 'true',
    'on-cancel': 'keep-running',
    'on-timeout': ' stop-gracefully ',
    'on-paused': 'fail',
    logs: 'live',
    'on-lost': 'stop',
    baseline: ' run:nightly-5 ',
    'baseline-required': 'true',
    'lost-after': '1m',
    resume: 'false',
    'log-tail': ' 1000',
    visualizations: 'true',
    'note-origin': 'false',
    summary: 'False',
    comment: 'on-failure',
    'github-token': ` ${GITHUB_TOKEN}\n`,
    'allow-insecure-http': 'true',
    'step-key': 'train/0',
  })
  const isFunction: unknown = expect.any(Function)
  const places = { locate: isFunction, isEmpty: isFunction, isFloat: isFunction }
  expect(inputs).toEqual({
    server: { url: 'http://localhost:8237/zenml', proApiUrl: 'https://cloudapi.zenml.io' },
    credential: { kind: 'access-token', token: ACCESS_TOKEN },
    target: { kind: 'template', reference: 'train with ümlauts 🚀', pipeline: 'training' },
    project: 'vision',
    configuration: [
      {
        source: 'configuration-file: configs/good.yaml',
        value: { enable_cache: 'no', model: 10 },
        ...places,
      },
      {
        source: 'configuration',
        value: { steps: { train: { parameters: { epochs: 5 } } } },
        ...places,
      },
    ],
    parameters: { source: 'parameters', value: { 'train.epochs': 7 }, ...places },
    runName: 'nightly-{date}-{time}',
    tags: ['gpu', 'nightly', 'weekly'],
    enableCache: false,
    wait: true,
    timeoutMs: 9_000_000,
    triggerTimeoutMs: 5_400_000,
    pollIntervalMs: 1000,
    onCancel: 'keep-running',
    onTimeout: 'stop-gracefully',
    onPaused: 'fail',
    logs: 'live',
    onLost: 'stop',
    baselineInput: { kind: 'run', reference: 'nightly-5' },
    baselineRequired: true,
    lostAfterMs: 60_000,
    resume: false,
    expectations: [{ name: 'accuracy', operator: '>=', wanted: 0.9 }],
    dryRun: true,
    noteOrigin: false,
    logTail: 1000,
    visualizations: true,
    summary: false,
    comment: 'on-failure',
    githubToken: GITHUB_TOKEN,
    stepKey: 'train/0',
  })
})

test.each([
  ['true', 'always'],
  ['TRUE', 'always'],
  [' false ', 'never'],
  ['', 'never'],
  ['on-failure', 'on-failure'],
])('comment: %j means %s', async (comment, mode) => {
  expect((await readGood({ comment })).inputs.comment).toBe(mode)
})

test('no line of a log is wanted with log-tail: 0', async () => {
  expect((await readGood({ 'log-tail': '0' })).inputs.logTail).toBe(0)
})

test("the workflow's own token is masked, and alone never a reason to fail", async () => {
  const outcome = await readGood({ 'github-token': GITHUB_TOKEN })
  expect(outcome.masked).toContain(GITHUB_TOKEN)
})

test('a pipeline alone is what will run', async () => {
  const { inputs } = await readGood({ snapshot: '', pipeline: 'training' })
  expect(inputs.target).toEqual({ kind: 'pipeline', pipeline: 'training' })
})

test('the words none and adaptive stand for no value, also without a wait', async () => {
  const { inputs, notices } = await readGood({ wait: 'false', timeout: 'none', 'poll-interval': 'adaptive' })
  expect(notices).toEqual([])
  expect(inputs.timeoutMs).toBeUndefined()
  expect(inputs.pollIntervalMs).toBeUndefined()
})

test('resume goes with a configuration, as long as that names no run', async () => {
  const { inputs } = await readGood({ resume: 'true', configuration: 'enable_cache: true\nrun_name:' })
  expect(inputs.resume).toBe(true)
})

test('resume can be replay', async () => {
  expect((await readGood({ resume: ' replay ' })).inputs.resume).toBe('replay')
})

test('what must happen on cancel can be said without a wait, the run may just be starting', async () => {
  const { inputs, notices } = await readGood({
    wait: 'false',
    'on-cancel': 'keep-running',
    'on-timeout': 'stop',
  })
  expect(notices).toEqual([])
  expect(inputs).toMatchObject({ wait: false, onCancel: 'keep-running' })
})

test('login/ needs a server and a key', async () => {
  const outcome = await readWith(readLoginInputs, variables(least.login))
  expect(outcome).toMatchObject({
    ok: true,
    inputs: {
      server: { url: 'https://zenml.example.com', proApiUrl: 'https://cloudapi.zenml.io' },
      credential: { kind: 'api-key', key: KEY },
    },
  })
})

test('wait/ leaves a run that something else started as it is', async () => {
  const outcome = await readWith(readWaitInputs, variables(least.wait))
  expect(outcome.ok && outcome.inputs).toEqual({
    server: { url: 'https://zenml.example.com', proApiUrl: 'https://cloudapi.zenml.io' },
    credential: { kind: 'api-key', key: KEY },
    run: 'nightly-5',
    onCancel: 'keep-running',
    onTimeout: 'keep-running',
    onPaused: 'wait',
    logs: 'failed',
    onLost: 'keep-running',
    baselineInput: undefined,
    baselineRequired: false,
    lostAfterMs: 1_800_000,
    expectations: [],
    logTail: 50,
    visualizations: false,
    summary: true,
    comment: 'never',
    githubToken: undefined,
    stepKey: '',
  })
})

test('every input of wait/ reaches its field', async () => {
  const given = {
    'server-url': 'http://10.0.0.5:8080',
    'access-token': ACCESS_TOKEN,
    run: ` ${RUN_ID} `,
    project: 'vision',
    timeout: '90s',
    'poll-interval': '10s',
    'on-cancel': 'stop',
    'on-timeout': 'stop-gracefully',
    'on-paused': 'fail',
    logs: 'live',
    'on-lost': 'stop',
    baseline: ' run:nightly-5 ',
    'baseline-required': 'true',
    'lost-after': '1m',
    expect: 'accuracy >= 0.9',
    'log-tail': '7',
    visualizations: 'true',
    summary: 'false',
    comment: 'true',
    'pull-request': ' 12 ',
    'github-token': GITHUB_TOKEN,
    'allow-insecure-http': 'True',
    'step-key': 'result/',
  }
  const outcome = await readWith(readWaitInputs, variables(given))
  expect(outcome.ok && outcome.inputs).toEqual({
    server: { url: 'http://10.0.0.5:8080', proApiUrl: 'https://cloudapi.zenml.io' },
    credential: { kind: 'access-token', token: ACCESS_TOKEN },
    run: RUN_ID,
    project: 'vision',
    timeoutMs: 90_000,
    pollIntervalMs: 10_000,
    onCancel: 'stop',
    onTimeout: 'stop-gracefully',
    onPaused: 'fail',
    logs: 'live',
    onLost: 'stop',
    baselineInput: { kind: 'run', reference: 'nightly-5' },
    baselineRequired: true,
    lostAfterMs: 60_000,
    expectations: [{ name: 'accuracy', operator: '>=', wanted: 0.9 }],
    logTail: 7,
    visualizations: true,
    pullRequest: 12,
    summary: false,
    comment: 'always',
    githubToken: GITHUB_TOKEN,
    stepKey: 'result/',
  })
})

test.each([
  [{}, { run: RUN_ID, mode: 'stop', timeoutMs: 120_000 }],
  [
    { run: ` ${RUN_ID.toUpperCase()}\n`, mode: 'stop-gracefully', timeout: '30s', project: 'vision' },
    { run: RUN_ID, mode: 'stop-gracefully', timeoutMs: 30_000, project: 'vision' },
  ],
  [{ run: 'Nightly-5' }, { run: 'Nightly-5', mode: 'stop', timeoutMs: 120_000 }],
])(
  'stop/ with %j takes the name or the id in any case, and watches for two minutes',
  async (given, fields) => {
    const outcome = await readWith(readStopInputs, variables({ ...least.stop, ...given }))
    expect(outcome.ok && outcome.inputs).toEqual({
      server: { url: 'https://zenml.example.com', proApiUrl: 'https://cloudapi.zenml.io' },
      credential: { kind: 'api-key', key: KEY },
      ...fields,
    })
  },
)

test.each([
  [{}, { choice: { kind: 'run', run: RUN_ID }, replace: 'older' }],
  [
    { run: 'Nightly-5', replace: 'never' },
    { choice: { kind: 'run', run: 'Nightly-5' }, replace: 'never' },
  ],
  [
    { run: '', model: ' classifier ', version: '7\n', project: 'vision', replace: 'always' },
    {
      choice: { kind: 'model', model: 'classifier', version: '7' },
      replace: 'always',
      project: 'vision',
    },
  ],
])('promote/ with %j takes a run, or a model and a version', async (given, fields) => {
  const outcome = await readWith(readPromoteInputs, variables({ ...least.promote, ...given }))
  expect(outcome.ok && outcome.inputs).toEqual({
    server: { url: 'https://zenml.example.com', proApiUrl: 'https://cloudapi.zenml.io' },
    credential: { kind: 'api-key', key: KEY },
    stage: 'production',
    ...fields,
  })
})

test.each([
  'https://ann:hunter22@zenml.example.com/projects/vision',
  'https://zenml.example.com/projects?token=hunter22',
  'http://zenml.example.com/projects#hunter22',
  `https://ann:hunter22@zenml.example.com/${'a'.repeat(5_000)}`,
  'https://ann:hunter22@zenml.example.com/workspaces/research',
])('what may be a password in a pasted address is not shown: %.50s', async (address) => {
  for (const given of [{ run: address }, { workspace: address, 'server-url': '' }, { mode: address }]) {
    const outcome = await readWith(readStopInputs, variables({ ...least.stop, ...given }))
    expect(outcome).toMatchObject({
      faults: {
        message: expect.stringMatching(
          /^\w+: the address \(not shown, as it can hold a password\) /,
        ) as unknown,
      },
    })
    expect(JSON.stringify(outcome) + String(!outcome.ok && outcome.faults)).not.toContain('hunter22')
  }
})

test.each([
  ['true', true],
  [' "yes"\n', 'yes'],
  [
    '{"stage": "production", "share": [0.5, 9007199254740991]}',
    { stage: 'production', share: [0.5, 2 ** 53 - 1] },
  ],
  ['null', null],
  ['', undefined],
])('resolve/ takes the answer %j as the JSON that it is', async (answer, result) => {
  const outcome = await readWith(readResolveInputs, variables({ ...least.resolve, answer }))
  expect(outcome.ok && outcome.inputs).toMatchObject({ run: RUN_ID, resolution: 'continue', result })
})

const OTHER_ID = '5d1f0c9e-7a3b-4e2d-8c6f-1b2a3c4d5e6f'

test.each<[title: string, page: string, problem: RegExp]>([
  ['stands in the query only', `https://zenml.example.com/login?next=/runs/${RUN_ID}`, /without a run's ID/],
  ['stands in the fragment only', `https://zenml.example.com/#/runs/${RUN_ID}`, /without a run's ID/],
  [
    'is on another server, whatever the query says',
    `https://other.example.com/runs/${RUN_ID}?next=/workspaces/research`,
    /the page is on https:\/\/other/,
  ],
])("a run's id that %s is not taken", async (_, run, problem) => {
  expect(await readWith(readStopInputs, variables({ ...least.stop, run }))).toMatchObject({
    ok: false,
    faults: { message: expect.stringMatching(problem) as unknown },
  })
})

describe("the address of a run's page is taken for the run's id", () => {
  const PRO = { workspace: 'research', 'server-url': '' }
  const DASHBOARD = 'https://cloud.zenml.io/workspaces/research/projects/vision/runs'
  test.each<[title: string, page: string, connection: With]>([
    ['of the newest server', `https://zenml.example.com/projects/vision/runs/${RUN_ID}`, {}],
    ['of an old server', `https://zenml.example.com/runs/${RUN_ID}`, {}],
    [
      'with what the browser adds',
      `https://ZenML.example.com:443/runs/${RUN_ID.toUpperCase()}/logs?tab=dag#x`,
      {},
    ],
    [
      'with the address of another page behind it',
      `https://zenml.example.com/runs/${RUN_ID}?back=/runs/${OTHER_ID}#/runs/${OTHER_ID}`,
      {},
    ],
    ['without TLS', `http://zenml.example.com/runs/${RUN_ID}`, {}],
    [
      'below a path',
      `https://a.example.com/zenml/runs/${RUN_ID}`,
      { 'server-url': 'https://a.example.com/zenml' },
    ],
    ["of ZenML Pro's dashboard, with a workspace", `${DASHBOARD}/${RUN_ID}`, PRO],
    ["of ZenML Pro's dashboard, with a server", `${DASHBOARD}/${RUN_ID}`, {}],
  ])('%s', async (_, page, connection) => {
    const given = variables({ ...least.stop, run: page, ...connection })
    for (const outcome of [await readWith(readStopInputs, given), await readWith(readWaitInputs, given)]) {
      expect(outcome).toMatchObject({ ok: true, inputs: { run: RUN_ID } })
    }
  })
})

test("a baseline may be the address of a run's page: its id counts", async () => {
  const { inputs } = await readGood({
    baseline: `run: https://zenml.example.com/runs/${RUN_ID.toUpperCase()}?tab=overview`,
  })
  expect(inputs.baselineInput).toEqual({ kind: 'run', reference: RUN_ID })
})

test("another action's input is a warning, and ends nothing", async () => {
  const outcome = await readWith(readStopInputs, variables({ ...least.stop, 'on-paused': 'fail' }))
  expect(outcome.ok && outcome.warnings).toEqual(['the action has no input "on-paused", so it is ignored'])
})

test('an absolute path and JSON are taken as configuration file', async () => {
  const other = makeWorkspace({ 'run.json': '{"steps": {"a": [1, 2.5, true, null, "x"]}}' })
  const { inputs } = await readGood({ 'configuration-file': `${other.path}/run.json` })
  expect(inputs.configuration[0]?.value).toEqual({ steps: { a: [1, 2.5, true, null, 'x'] } })
  other.remove()
})

test('anchors and aliases are written out', async () => {
  const { inputs } = await readGood({ configuration: 'a: &x {n: 1}\nb: *x\nc: &x [2]\nd: *x' })
  expect(inputs.configuration[0]?.value).toEqual({ a: { n: 1 }, b: { n: 1 }, c: [2], d: [2] })
})

test('a configuration may hand the key on to its steps', async () => {
  const { inputs } = await readGood({ configuration: `environment: {API_KEY: ${KEY}}` })
  expect(inputs.configuration[0]?.value).toEqual({ environment: { API_KEY: KEY } })
})

test('a made-up key that stands in other inputs by chance is no fault', async () => {
  const { inputs } = await readGood({ 'api-key': 'test', snapshot: 'test-training' })
  expect(inputs.target).toMatchObject({ reference: 'test-training' })
})

test('what was cut from the address is a notice', async () => {
  const { notices } = await readGood({ 'server-url': 'https://zenml.example.com/api/v1' })
  expect(notices).toEqual([
    'server-url: the path /api/v1 is a page of the server and was removed; the server is https://zenml.example.com',
  ])
})

test('an input of another action is a warning, and ends nothing', async () => {
  const { notices, warnings } = await readGood({ 'fetch-depth': '1', submodules: 'true' })
  expect(warnings).toEqual([
    'the action has no input "fetch-depth", so it is ignored',
    'the action has no input "submodules", so it is ignored',
  ])
  expect(notices).toEqual([])
})

test.each<[given: With, unused: string]>([
  [{ timeout: '2h' }, 'timeout'],
  [{ wait: 'FALSE', 'on-paused': 'fail' }, 'on-paused'],
  [
    {
      timeout: '1h',
      'poll-interval': '5s',
      'on-timeout': 'keep-running',
      'on-paused': 'fail',
      expect: 'accuracy > 0',
    },
    'timeout, poll-interval, on-timeout, on-paused, expect',
  ],
  [
    { timeout: '2h', logs: 'live', 'log-tail': '200', visualizations: 'true' },
    'timeout, logs, log-tail, visualizations',
  ],
  [{ timeout: '2h', logs: 'failed', 'log-tail': '50', visualizations: 'False' }, 'timeout'],
])('with wait: false, %j is a notice, so that wait can come from a form', async (given, unused) => {
  const { inputs, notices } = await readGood({ wait: 'false', ...given })
  expect(inputs.wait).toBe(false)
  expect(notices).toEqual([`wait is false, so these inputs have no effect: ${unused}`])
})

test('on a runner that GitHub hosts, the end of the job says when to hand over', async () => {
  const given = variables({ ...least.main, 'on-timeout': 'hand-over' })
  const hosted = await read({ ...given, RUNNER_ENVIRONMENT: 'github-hosted' })
  expect(hosted).toMatchObject({ ok: true, inputs: { onTimeout: 'hand-over', timeoutMs: undefined } })
  const other = await read({ ...given, RUNNER_ENVIRONMENT: 'self-hosted' })
  expect(other.ok).toBe(false)
})

test('with wait: false nothing is handed over, so that needs no timeout', async () => {
  const { inputs, notices } = await readGood({ wait: 'false', 'on-timeout': 'hand-over' })
  expect(inputs.onTimeout).toBe('hand-over')
  expect(notices).toEqual(['wait is false, so these inputs have no effect: on-timeout'])
})

test.each([undefined, 'false', ' False '])(
  'with comment %j the token for it is not checked',
  async (comment) => {
    const { inputs, masked } = await readGood({ 'github-token': 'no token', ...(comment && { comment }) })
    expect(inputs.githubToken).toBeUndefined()
    expect(masked).toContain('no token')
  },
)

test('with plain http allowed, another machine may be meant', async () => {
  const { inputs } = await readGood({ 'server-url': 'http://10.0.0.5:8080', 'allow-insecure-http': 'true' })
  expect(inputs.server).toEqual({ url: 'http://10.0.0.5:8080', proApiUrl: 'https://cloudapi.zenml.io' })
})

test('a secret is masked in each form that a careless paste can have, and no short text is', async () => {
  const outcome = await read(
    variables({ ...least.main, 'api-key': `"${KEY}"`, 'access-token': 'abc\nline-two\n' }),
  )
  expect(new Set(outcome.masked)).toEqual(new Set([`"${KEY}"`, KEY, 'abc\nline-two', 'line-two']))
})
