import { afterEach, expect, test } from '@jest/globals'
import {
  startPro,
  type FaultAction,
  type PermissionRules,
  type SimulatorOptions,
  type ZenmlVersion,
} from '../../simulator/index.ts'
import type { RunEvent } from '../../src/run/events.ts'
import type { Target } from '../../src/run/find/definition.ts'
import { stopExistingRun } from '../../src/run/stop-existing-run.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from './scene.ts'

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  await closeScenes()
  await Promise.all(closers.splice(0).map((close) => close()))
})

interface ProScene extends Scene {
  permit(rules: PermissionRules): void
}

/** A server in Pro's mode whose pipelines another account has made. */
async function openPro(version: ZenmlVersion, options: SimulatorOptions = {}): Promise<ProScene> {
  const pro = await startPro()
  closers.push(() => pro.close())
  const scene = await openScene({ version, pro, seededBy: 'another', orchestrator: 'kubernetes', ...options })
  pro.add({ name: 'research', serverUrl: scene.server.url })
  return {
    ...scene,
    permit: (rules) => {
      pro.permit(rules)
    },
  }
}

const TEMPLATE: Target = { kind: 'template', reference: 'training-template' }
const SNAPSHOT: Target = { kind: 'snapshot', reference: 'training-template' }
const PIPELINE: Target = { kind: 'pipeline', pipeline: 'training' }
const START = 'Could not start the run: the server answered 403 IllegalOperationError: '

test.each<[string, ZenmlVersion, PermissionRules, Target, RegExp]>([
  [
    'read projects',
    '0.98.0',
    { deny: { read: ['project'] } },
    TEMPLATE,
    /^project: this account sees no project\. Give it permission to read the project of the snapshot or template$/,
  ],
  [
    'read run templates',
    '0.85.0',
    { deny: { read: ['run_template'] } },
    TEMPLATE,
    /^template: there is no run template named "training-template" .*, or the account has no permission to read run templates\./,
  ],
  [
    'read run templates, for the newest of a pipeline',
    '0.85.0',
    { deny: { read: ['run_template'] } },
    PIPELINE,
    /, or the account has no permission to read run templates\./,
  ],
  [
    'read pipeline snapshots',
    '0.98.0',
    { deny: { read: ['pipeline_deployment'] } },
    SNAPSHOT,
    /^snapshot: there is no snapshot named "training-template" .*, or the account has no permission to read snapshots\./,
  ],
  [
    'read pipeline snapshots, for a template',
    '0.98.0',
    { deny: { read: ['pipeline_deployment'] } },
    TEMPLATE,
    new RegExp(`^${START}Missing .*\\. Give the account permission to read pipeline snapshots$`),
  ],
  [
    'read pipeline snapshots, for a template of an older server',
    '0.85.0',
    { deny: { read: ['pipeline_deployment'] } },
    TEMPLATE,
    new RegExp(`^${START}Missing .*\\. Give the account permission to read pipeline snapshots$`),
  ],
  [
    'read pipeline builds',
    '0.98.0',
    { deny: { read: ['pipeline_build'] } },
    SNAPSHOT,
    new RegExp(`^${START}Missing .*\\. Give the account permission to read pipeline builds$`),
  ],
  [
    'create pipeline snapshots',
    '0.98.0',
    { deny: { create: ['pipeline_deployment'] } },
    SNAPSHOT,
    new RegExp(`^${START}Insufficient .*\\. Give the account permission to create pipeline snapshots$`),
  ],
  [
    'create pipeline runs',
    '0.98.0',
    { deny: { create: ['pipeline_run'] } },
    TEMPLATE,
    new RegExp(`^${START}Insufficient .*\\. Give the account permission to create pipeline runs$`),
  ],
])('without permission to %s (%s) nothing is started', async (_name, version, rules, target, error) => {
  const scene = await openPro(version)
  scene.permit(rules)
  await expect(scene.execute({ target })).rejects.toThrow(error)
  expect(scene.server.runs).toEqual([])
})

test.each(['0.85.0', '0.98.0'] as const)(
  'a run that the server made before it refused it is ended (%s)',
  async (version) => {
    const body = {
      detail: ['IllegalOperationError', "Insufficient permissions to CREATE resource 'x:model_version'."],
    }
    const scene = await openPro(version, {
      startupSeconds: 3_600,
      faults: [
        { on: 'trigger', do: { kind: 'answer', status: 403, body: JSON.stringify(body), work: true } },
      ],
    })
    const request = scene.execute()
    await expect(request).rejects.toThrow(
      /\. Give the account permission to create model versions\. The server had created the run anyway\. The run "training-gh.*" was stopped and is now failed$/,
    )
    await expect(request).rejects.toMatchObject({ conclusion: 'failed' })
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
    expect(scene.sent(TRIGGER)).toHaveLength(1)
  },
)

const TAG_GONE = 'Could not start the run: the server answered 404 KeyError: No tag with this ID found'

test.each(['0.85.0', '0.98.0'] as const)(
  'a run whose tags the server refused after it had made the run is ended (%s)',
  async (version) => {
    const scene = await openScene({ version, faults: [{ on: 'trigger', do: { kind: 'not-tagged' } }] })
    const request = scene.execute()
    await expect(request).rejects.toThrow(
      new RegExp(
        `^${TAG_GONE}\\. The server had created the run anyway\\. The run "training-gh.*" was stopped and is now failed$`,
      ),
    )
    await expect(request).rejects.toMatchObject({ conclusion: 'failed' })
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
    expect(scene.sent(TRIGGER)).toHaveLength(1)
  },
)

test('so is one that was made and refused when the request was sent a second time', async () => {
  const scene = await openScene({
    faults: [
      { on: 'trigger', do: { kind: 'no-slot' } },
      { on: 'trigger', occurrence: 2, do: { kind: 'not-tagged' } },
    ],
  })
  await expect(scene.execute()).rejects.toThrow(`${TAG_GONE}. The server had created the run anyway. `)
  expect(scene.server.runs.filter(({ status }) => status === 'initializing')).toEqual([])
  expect(scene.sent(TRIGGER)).toHaveLength(2)
})

const LIMITED = { kind: 'answer', status: 429, body: '{"detail":"slow down"}' } as const

test.each(['0.74.0', '0.85.0', '0.98.0'] as const)(
  'so is one that was made and refused after something else than ZenML had limited requests (%s)',
  async (version) => {
    const scene = await openScene({
      version,
      faults: [
        { on: 'trigger', do: LIMITED },
        { on: 'trigger', occurrence: { from: 2, to: 99 }, do: { kind: 'not-tagged' } },
      ],
    })
    const request = scene.execute()
    await expect(request).rejects.toThrow(`${TAG_GONE}. The server had created the run anyway. `)
    await expect(request).rejects.toMatchObject({ conclusion: 'failed' })
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
    expect(scene.sent(TRIGGER)).toHaveLength(2)
  },
)

test.each(['0.85.0', '0.98.0'] as const)(
  'so is one that a slow server made and refused while this step waited for its answer (%s)',
  async (version) => {
    const scene = await openScene({
      version,
      triggerSeconds: 45,
      requestTimeout: 20,
      faults: [{ on: 'trigger', occurrence: 'always', do: { kind: 'not-tagged' } }],
    })
    await expect(scene.execute()).rejects.toThrow(`${TAG_GONE}. The server had created the run anyway. `)
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
  },
)

const BUSY: FaultAction = { kind: 'too-busy', seconds: 0, failsAt: 'tags' }

test('one that a slow server made and refused unseen is waited for until trigger-timeout (0.85.0)', async () => {
  const scene = await openScene({ version: '0.85.0', faults: [{ on: 'trigger', do: BUSY }] })
  await expect(scene.execute()).rejects.toThrow(
    /The server created the run "training-gh.*" and then failed: .*Server too busy.*The run never began, so it was ended\. Run the step again$/,
  )
  expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
})

test.each([
  ['a slow server', BUSY],
  ['a server behind a limit', { ...LIMITED, work: true, failsAt: 'tags' }],
] as const)(
  'one that %s made and refused unseen is ended after three minutes, and another one started (0.98.0)',
  async (_who, fault) => {
    const scene = await openScene({ faults: [{ on: 'trigger', do: fault }] })
    // Not on a whole second: only then ZenML shows that a run was not handed over.
    scene.clock.advance(345)
    const result = await scene.execute()
    expect(result).toMatchObject({ conclusion: 'completed', runId: scene.server.runs[1]?.id })
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed', 'completed'])
  },
)

test('a run that was handed over is followed, whatever ZenML says to a second request', async () => {
  const none = JSON.stringify({ index: 1, max_size: 100, total_pages: 1, total: 0, items: [] })
  const refusal = JSON.stringify({ detail: ['SubscriptionUpgradeRequiredError', 'No runs left'] })
  const scene = await openScene({
    startupSeconds: 60,
    faults: [
      { on: 'trigger', do: { kind: 'answer', status: 502, body: 'bad gateway', work: true } },
      { on: 'runs', occurrence: { from: 1, to: 2 }, do: { kind: 'answer', status: 200, body: none } },
      { on: 'trigger', occurrence: 2, do: { kind: 'answer', status: 402, body: refusal } },
    ],
  })
  expect(await scene.execute()).toMatchObject({ conclusion: 'completed' })
  expect(scene.sent(TRIGGER)).toHaveLength(2)
  expect(scene.server.runs).toHaveLength(1)
})

test.each([
  [
    400,
    'ValueError',
    'The tag x is a non-exclusive tag',
    'The server refused the request; retrying would not help',
  ],
  [402, 'SubscriptionUpgradeRequiredError', 'No runs left', 'The ZenML subscription does not allow this run'],
  [
    403,
    'IllegalOperationError',
    'Usage was not taken',
    'Give the account permission to read the run template',
  ],
] as const)(
  'a run is ended that was made before any other refusal: %d %s',
  async (status, exception, message, advice) => {
    const body = JSON.stringify({ detail: [exception, message] })
    const refused = { kind: 'answer', status, body } as const
    const said = `Could not start the run: the server answered ${status} ${exception}: ${message}. `
    const left = await openScene({
      startupSeconds: 3_600,
      faults: [{ on: 'trigger', do: { ...refused, work: true } }],
    })
    await expect(left.execute()).rejects.toThrow(
      `${said}The server had created the run anyway. The run "training-gh`,
    )
    expect(left.server.runs.map((run) => run.status)).toEqual(['failed'])

    const none = await openScene({ faults: [{ on: 'trigger', do: refused }] })
    await expect(none.execute()).rejects.toThrow(`${said}${advice}`)
    expect(none.server.runs).toEqual([])
  },
)

test('where no run was made, a refusal for a tag says only that', async () => {
  const body = JSON.stringify({ detail: ['KeyError', 'No tag with this ID found.'] })
  const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'answer', status: 404, body } }] })
  await expect(scene.execute()).rejects.toThrow(
    new RegExp(
      `^${TAG_GONE}\\. The configuration or the run template names it: create it, or name another one$`,
    ),
  )
  expect(scene.sent(/\/stop/)).toEqual([])
})

test('a refusal that surely comes before a run is made is said at once, without a look for a run', async () => {
  const body = JSON.stringify({ detail: ['ValueError', 'The stack e2e has been updated since.'] })
  const scene = await openScene({ faults: [{ on: 'trigger', do: { kind: 'answer', status: 400, body } }] })
  await expect(scene.execute()).rejects.toThrow('The stack was changed after the run template was made')
  expect(scene.server.requests.at(-1)?.method).toBe('POST')
})

test('a project that is given but may not be read is a line with the permission', async () => {
  const scene = await openPro('0.98.0')
  scene.permit({ deny: { read: ['project'] } })
  await expect(
    scene.execute({ project: { nameOrId: scene.server.seeded.project, source: 'project' } }),
  ).rejects.toThrow(/^Could not find the project .* 403 .*\. Give the account permission to read projects$/)
})

test.each<[string, Target]>([
  ['by name', SNAPSHOT],
  ['as the newest of a pipeline', PIPELINE],
])('a snapshot whose stack may not be read is not started, %s', async (_name, target) => {
  const scene = await openPro('0.98.0')
  scene.permit({ deny: { read: ['stack'] } })
  await expect(scene.execute({ target })).rejects.toThrow(
    'snapshot: the snapshot "training-template" cannot be run: the account has no permission to read its stack. ' +
      'Give the account permission to read stacks and stack components',
  )
  expect(scene.sent(TRIGGER)).toEqual([])
})

function eventsOf<Kind extends RunEvent['kind']>(
  { events }: Scene,
  kind: Kind,
): Extract<RunEvent, { kind: Kind }>[] {
  return events.filter((event): event is Extract<RunEvent, { kind: Kind }> => event.kind === kind)
}

test('without permission to create run metadata the run goes on, without the note', async () => {
  const scene = await openPro('0.98.0')
  scene.permit({ deny: { create: ['run_metadata'] } })
  expect(await scene.execute()).toMatchObject({ conclusion: 'completed' })
  expect(eventsOf(scene, 'origin-not-noted')).toEqual([
    {
      kind: 'origin-not-noted',
      what: 'its origin',
      detail: expect.stringMatching(/\. Give the account permission to create run metadata$/),
    },
  ])
})

/** Id of a run that another account started, and that has ended. */
async function runOfAnother(scene: ProScene): Promise<string> {
  const { runId = '' } = await scene.execute()
  scene.events.length = 0
  scene.server.disown(runId)
  return runId
}

test.each(['0.85.0', '0.98.0'] as const)(
  "another account's run cannot be followed without permission to read runs (%s)",
  async (version) => {
    const scene = await openPro(version)
    const id = await runOfAnother(scene)
    scene.permit({ deny: { read: ['pipeline_run'] } })
    await expect(scene.attach(id)).rejects.toThrow(
      /^Could not read the run: .* 403 .*\. Give the account permission to read pipeline runs$/,
    )
    const name = scene.server.runs[0]?.name ?? ''
    await expect(scene.attach(name)).rejects.toThrow(
      `run: there is no run named "${name}", or the account has no permission to read it`,
    )
  },
)

test("another account's run cannot be stopped without permission to update runs", async () => {
  const scene = await openPro('0.98.0', { startupSeconds: 600 })
  const { runId = '' } = await scene.execute({ wait: false })
  scene.server.disown(runId)
  scene.permit({ deny: { update: ['pipeline_run'] } })
  const request = {
    run: runId,
    project: undefined,
    mode: 'stop',
    workflowRunUrl: '',
    timeoutMs: 60_000,
  } as const
  const { conclusion, error } = await stopExistingRun(request, scene.dependencies())
  expect(conclusion).toBe('failed')
  expect(error).toMatch(
    /^The run ".*" may still be running: http.*\. It could not be stopped: .* 403 .*\. Give the account permission to update pipeline runs$/,
  )
  expect(scene.sent(/^POST .*\/stop/)).toHaveLength(1)
})

test('without permission to read artifacts their names are missing, and that is reported', async () => {
  const scene = await openPro('0.98.0')
  const id = await runOfAnother(scene)
  scene.permit({ deny: { read: ['artifact'] } })
  expect(await scene.attach(id)).toMatchObject({ conclusion: 'completed' })
  const [details] = eventsOf(scene, 'details')
  expect(details?.details.artifacts).toMatchObject([
    { step: 'load', output: 'rows', name: undefined, uri: undefined },
    { step: 'train', output: 'accuracy', name: undefined, uri: undefined },
  ])
  expect(details?.details.missing).toEqual([
    'names, versions and addresses of 2 artifacts: the account needs permission to read artifacts',
  ])
})

const FAILS = {
  layers: [{ source: 'configuration', value: { steps: { train: { parameters: { fail: 'no data' } } } } }],
  tags: undefined,
  enableCache: undefined,
}

test('the log of a failed step needs permission to read runs, even if the account started the run', async () => {
  const scene = await openPro('0.98.0')
  scene.permit({ deny: { read: ['pipeline_run'] } })
  expect(await scene.execute({ overrides: FAILS })).toMatchObject({ conclusion: 'failed' })
  expect(eventsOf(scene, 'step-failed')).toMatchObject([
    {
      failure: {
        fault: { message: 'no data' },
        log: {
          missing: expect.stringMatching(/403 .*\. Give the account permission to read pipeline runs$/),
        },
      },
    },
  ])
})

test("what the pipeline's own code may not do is explained: a run acts as the account that started it", async () => {
  const scene = await openPro('0.98.0')
  const overrides = structuredClone(FAILS)
  const [layer] = overrides.layers
  if (layer !== undefined) {
    layer.value.steps.train.parameters.fail =
      "Insufficient permissions to CREATE resource 'a0000000-0000-4000-8000-000000000001:artifact_version'."
  }
  const { error } = await scene.execute({ overrides })
  expect(error).toMatch(
    /failed in the step "train": RuntimeError: Insufficient permissions to CREATE resource '[^']+'\. The account that started the run needs permission to create artifact versions \(.*\)\. See its steps/,
  )
})
