import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS } from '../../../simulator/index.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { Comparison } from '../../../src/run/facts.ts'
import { noteConclusion, originOfRun, type Provenance } from '../../../src/run/origin.ts'
import type { Expectation } from '../../../src/run/outcome/evaluate-expectations.ts'
import { BASE_REQUEST, closeScenes, openScene, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const MAIN: Provenance = {
  ...BASE_REQUEST.provenance!,
  repository: 'o/r',
  ref: 'refs/heads/main',
  eventName: 'push',
}
/** Each push has a workflow run of its own. */
const push = (workflowRun: number): Provenance => ({
  ...MAIN,
  workflowRunUrl: `https://github.com/o/r/actions/runs/${workflowRun}`,
})
const WORKFLOW_RUN = 'https://github.com/o/r/actions/runs/90'
const PULL_REQUEST: Provenance = {
  ...MAIN,
  workflowRunUrl: WORKFLOW_RUN,
  ref: 'refs/pull/7/merge',
  headRef: 'faster',
  baseRef: 'main',
  eventName: 'pull_request',
}

const onMain = { kind: 'branch', branch: 'main', repository: 'o/r', workflowRunUrl: WORKFLOW_RUN } as const

/** The pipeline `training` logs the accuracy that its parameter says. */
function reaching(accuracy: number): Pick<RunRequest, 'overrides'> {
  const value: JsonObject = { steps: { train: { parameters: { accuracy } } } }
  return {
    overrides: { layers: [{ source: 'configuration', value }], tags: undefined, enableCache: undefined },
  }
}

const atLeast = (offset: number, isPercent = false): Expectation => ({
  name: 'train.accuracy',
  operator: '>=',
  wanted: { offset, isPercent },
})

const STRICT: Expectation = { name: 'train.accuracy', operator: '>=', wanted: 0.9 }

const comparisonOf = ({ events }: Scene): Comparison | undefined =>
  events.findLast((event) => event.kind === 'compared')?.comparison

const verdictsOf = ({ events }: Scene) => events.findLast((event) => event.kind === 'expectations')?.verdicts

describe.each(ZENML_VERSIONS)('on ZenML %s', (version) => {
  const open = () => openScene({ version })

  test('a pull request is compared with the newest good run of main, and held against it', async () => {
    const scene = await open()
    await scene.execute({ provenance: MAIN, ...reaching(0.91) })
    const { runId } = await scene.execute({ provenance: MAIN, ...reaching(0.93) })
    const better = await scene.execute({
      provenance: PULL_REQUEST,
      ...reaching(0.95),
      baseline: onMain,
      expectations: [atLeast(0)],
    })
    expect(better).toMatchObject({ conclusion: 'completed', error: undefined })
    expect(comparisonOf(scene)).toMatchObject({
      input: 'main',
      baseline: { id: runId, url: expect.stringContaining(runId ?? '') },
      missing: undefined,
      metrics: [
        { name: 'train.accuracy', value: 0.95, baseline: 0.93, better: 'higher' },
        { name: 'train.loss', value: 0.05, baseline: 0.07, better: undefined },
      ],
    })
    const worse = await scene.execute({
      provenance: PULL_REQUEST,
      ...reaching(0.91),
      baseline: onMain,
      expectations: [atLeast(-0.01)],
    })
    expect(worse.conclusion).toBe('expectation-missed')
    expect(worse.error).toContain('expected train.accuracy >= baseline - 0.01 (0.92), got 0.91')
  })

  test('a run that missed what was expected of it is never a baseline, so the bar does not sink', async () => {
    const scene = await open()
    const { runId } = await scene.execute({ provenance: MAIN, ...reaching(0.93) })
    const missed = await scene.execute({
      provenance: push(91),
      ...reaching(0.8),
      baseline: onMain,
      expectations: [atLeast(0)],
    })
    expect(missed.conclusion).toBe('expectation-missed')
    await scene.execute({ provenance: push(92), ...reaching(0.85), baseline: onMain })
    expect(comparisonOf(scene)?.baseline?.id).toBe(runId)
  })

  test.each<[string, Partial<Provenance>]>([
    ["a fork's branch of the same name", { ...PULL_REQUEST, headRef: 'main' }],
    ['a pull_request_target', { ...PULL_REQUEST, eventName: 'pull_request_target', ref: 'refs/heads/main' }],
    ['a workflow that followed another', { eventName: 'workflow_run' }],
    ['another branch', { ref: 'refs/heads/main-2' }],
    ['a tag called main', { ref: 'refs/tags/main' }],
    ['another repository', { repository: 'o/other' }],
    ['the same workflow run', { workflowRunUrl: WORKFLOW_RUN }],
    ['an earlier attempt of the same workflow run', { workflowRunUrl: `${WORKFLOW_RUN}/attempts/2` }],
  ])('a run of %s is not taken for one of main', async (_, provenance) => {
    const scene = await open()
    await scene.execute({ provenance: { ...MAIN, ...provenance } })
    await scene.execute({ provenance: PULL_REQUEST, baseline: onMain })
    expect(comparisonOf(scene)).toMatchObject({
      baseline: undefined,
      missing: 'no other workflow run on the branch main has passed with this action yet',
    })
  })

  test('a re-run is not compared with its earlier attempt by a workflow of its own that only follows it', async () => {
    const scene = await open()
    for (const workflowRunUrl of [MAIN.workflowRunUrl, `${MAIN.workflowRunUrl}/attempts/2`]) {
      const { runId = '' } = await scene.execute({ provenance: { ...MAIN, workflowRunUrl }, wait: false })
      await scene.attach(runId, { baseline: onMain })
    }
    expect(scene.server.runs[0]?.metadata).toMatchObject({ github_actions: { conclusion: 'completed' } })
    expect(comparisonOf(scene)).toMatchObject({ baseline: undefined })
  })

  test('a run is no baseline whose step only followed it, and which missed what a later step expects', async () => {
    const scene = await open()
    const { runId: good } = await scene.execute({ provenance: MAIN, ...reaching(0.95) })
    const { runId = '' } = await scene.execute({ provenance: MAIN, wait: false, ...reaching(0.2) })
    await scene.attach(runId)
    expect(await scene.attach(runId, { expectations: [STRICT] })).toMatchObject({
      conclusion: 'expectation-missed',
    })
    expect(scene.server.runs[1]?.metadata).toMatchObject({
      github_actions: { repository: 'o/r', branch: 'main', conclusion: 'expectation-missed' },
    })
    await scene.execute({ provenance: PULL_REQUEST, baseline: onMain })
    expect(comparisonOf(scene)).toMatchObject({ baseline: { id: good } })
  })

  test('a miss counts although the step that started the run, and expects nothing, notes its end after it', async () => {
    const scene = await open()
    scene.server.addFault({ on: 'metadata', occurrence: 2, do: { kind: 'html', status: 503 } })
    const deps = scene.dependencies()
    const noted = (): number => scene.sent(/^POST .*run-metadata$/).length
    let release = (): void => undefined
    const missNoted = new Promise<void>((resolve) => (release = resolve))
    const clock = {
      ...deps.clock,
      // The note that failed comes again after the other one.
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (noted() === 2) await missNoted
        await deps.clock.sleep(ms, signal)
      },
    }
    const following = scene.executeWith({ provenance: MAIN, ...reaching(0.2) }, { ...deps, clock })
    await until(() => noted() === 2)
    const runId = scene.server.runs[0]?.id ?? ''
    expect(await scene.attach(runId, { expectations: [STRICT] })).toMatchObject({
      conclusion: 'expectation-missed',
    })
    release()
    expect(await following).toMatchObject({ conclusion: 'completed' })
    expect(noted()).toBe(4)
    expect(scene.server.runs[0]?.metadata).toMatchObject({ github_actions: { conclusion: 'completed' } })
    await scene.execute({ provenance: PULL_REQUEST, baseline: onMain })
    expect(comparisonOf(scene)).toMatchObject({ baseline: undefined })
    await scene.attach(runId)
    const details = scene.events.findLast((event) => event.kind === 'details')
    expect(details?.details.metadata).toEqual({})
  })

  test('a miss is noted although what others have noted cannot be read', async () => {
    const scene = await open()
    const { runId = '' } = await scene.execute({ provenance: MAIN, wait: false, ...reaching(0.2) })
    const deps = scene.dependencies()
    const joined = await deps.client.run(runId, { hydrate: true })
    const place = { server: await deps.client.info(), account: await deps.client.account() }
    const project = { id: scene.server.seeded.project, name: undefined }
    await scene.attach(runId)
    scene.server.addFault({ on: 'run', occurrence: 'always', do: { kind: 'html', status: 403 } })
    await noteConclusion(originOfRun(joined, { ...place, project })!, 'expectation-missed', deps)
    expect(scene.server.runs[0]?.metadata).toMatchObject({
      github_actions: { conclusion: 'expectation-missed' },
    })
  })

  test('whoever joined a run before its miss was noted, and ends later, leaves the miss as it is', async () => {
    const scene = await open()
    const { runId = '' } = await scene.execute({ provenance: MAIN, wait: false, ...reaching(0.1) })
    const deps = scene.dependencies()
    const joined = await deps.client.run(runId, { hydrate: true })
    const server = await deps.client.info()
    const account = await deps.client.account()
    const project = { id: scene.server.seeded.project, name: undefined }
    await scene.attach(runId, { expectations: [STRICT] })
    const origin = originOfRun(joined, { server, account, project })
    await noteConclusion(origin!, 'completed', deps)
    expect(scene.server.runs[0]?.metadata).toMatchObject({
      github_actions: { conclusion: 'expectation-missed' },
    })
  })

  test('a miss is noted although the first note of it fails', async () => {
    const scene = await open()
    scene.server.addFault({ on: 'metadata', occurrence: 2, do: { kind: 'html', status: 503 } })
    const { runId = '' } = await scene.execute({
      provenance: MAIN,
      ...reaching(0.1),
      expectations: [STRICT],
    })
    await scene.attach(runId)
    await scene.execute({ provenance: PULL_REQUEST, baseline: onMain })
    expect(comparisonOf(scene)).toMatchObject({ baseline: undefined })
  })

  test('where main has no run yet, the condition is not checked, unless a baseline is required', async () => {
    const scene = await open()
    const request = { provenance: MAIN, baseline: onMain, expectations: [atLeast(0)] }
    const required = await scene.execute({ ...request, baselineRequired: true })
    expect(required.conclusion).toBe('expectation-missed')
    expect(required.error).toMatch(
      /got nothing to compare with: no other workflow run on the branch main has passed with this action yet$/,
    )
    expect(await scene.execute(request)).toMatchObject({ conclusion: 'completed' })
    expect(verdictsOf(scene)).toEqual([
      {
        wanted: 'train.accuracy >= baseline',
        held: true,
        isUnchecked: true,
        got: 'not checked: no other workflow run on the branch main has passed with this action yet',
      },
    ])
  })

  test('a list that cannot be read is a miss, and never taken for an empty one', async () => {
    const scene = await open()
    await scene.execute({ provenance: MAIN })
    scene.server.addFault({ on: 'runs', occurrence: 'always', do: { kind: 'html', status: 503 } })
    const result = await scene.execute({
      provenance: PULL_REQUEST,
      baseline: onMain,
      expectations: [atLeast(0)],
    })
    expect(result.conclusion).toBe('expectation-missed')
    expect(result.error).toMatch(/got nothing to compare with: could not look up earlier runs: .*503/)
  })

  test('a branch whose name JSON writes in another way is found all the same', async () => {
    const scene = await open()
    const branch = 'größer/"neu"'
    const { runId } = await scene.execute({ provenance: { ...MAIN, ref: `refs/heads/${branch}` } })
    await scene.execute({ provenance: PULL_REQUEST, baseline: { ...onMain, branch } })
    expect(comparisonOf(scene)?.baseline?.id).toBe(runId)
  })

  test('a run that is named is the baseline, by id or name; one that failed or is not there is a miss', async () => {
    const scene = await open()
    const { runId = '' } = await scene.execute({ provenance: undefined, ...reaching(0.7) })
    const name = scene.server.runs[0]?.name ?? ''
    for (const reference of [runId, name]) {
      await scene.execute({ baseline: { kind: 'run', reference } })
      expect(comparisonOf(scene)).toMatchObject({ input: `run:${reference}`, baseline: { id: runId, name } })
    }
    const missing = await scene.execute({
      baseline: { kind: 'run', reference: 'nope' },
      expectations: [atLeast(0)],
    })
    expect(missing.error).toMatch(/nothing to compare with: there is no run "nope", or the account has no/)
  })

  test('who waits for a run that another step started notes its conclusion, and a miss stays one', async () => {
    const scene = await open()
    const { runId = '' } = await scene.execute({ provenance: MAIN, wait: false })
    await scene.attach(runId, { expectations: [{ name: 'train.accuracy', operator: '>', wanted: 1 }] })
    await scene.attach(runId)
    expect(scene.server.runs[0]?.metadata).toMatchObject({
      github_actions: { repository: 'o/r', branch: 'main', conclusion: 'expectation-missed' },
    })
  })
})

test.each([
  [
    'a replica refuses the token and the new one',
    401,
    ['CredentialsNotValid', 'Error decoding access token'],
  ],
  ["a gateway's 404 comes in between", 404, 'Not Found'],
])('the baseline is found though %s', async (_, status, detail) => {
  const scene = await openScene()
  const { runId = '' } = await scene.execute({ provenance: undefined, ...reaching(0.7) })
  const name = scene.server.runs[0]?.name ?? ''
  const refused = { kind: 'answer', status, body: JSON.stringify({ detail }) } as const
  const compared = scene.execute({ baseline: { kind: 'run', reference: name }, ...reaching(0.8) })
  await until(() => scene.server.runs[1]?.status === 'running')
  scene.server.addFault({ on: 'runs', occurrence: { from: 1, to: 2 }, do: refused })
  await compared
  expect(comparisonOf(scene)).toMatchObject({ baseline: { id: runId }, missing: undefined })
})

test('a baseline whose ID no run has is told at once', async () => {
  const scene = await openScene()
  const reference = '00000000-0000-4000-8000-000000000000'
  await scene.execute({ baseline: { kind: 'run', reference } })
  expect(comparisonOf(scene)?.missing).toMatch(/there is no run/)
  expect(scene.sent(new RegExp(reference))).toHaveLength(1)
})

test('what is unread is no miss for good: the next attempt judges the run, and it can be a baseline', async () => {
  const scene = await openScene({})
  const body = '{"detail":["IllegalOperationError","Insufficient permissions"]}'
  scene.server.addFault({ on: 'steps', do: { kind: 'answer', status: 403, body } })
  const request = { provenance: MAIN, resume: true, expectations: [STRICT], ...reaching(0.95) } as const
  const unread = await scene.execute(request)
  expect(unread).toMatchObject({ conclusion: 'expectation-missed' })
  expect(unread.error).toContain('got nothing, because the metadata could not be read')
  expect(scene.server.runs[0]?.metadata['github_actions']).not.toHaveProperty('conclusion')
  const requester = { ...BASE_REQUEST.requester, attempt: 2 }
  expect(await scene.execute({ ...request, requester })).toMatchObject({ conclusion: 'completed' })
  expect(scene.server.runs[0]?.metadata).toMatchObject({ github_actions: { conclusion: 'completed' } })
  await scene.execute({ provenance: PULL_REQUEST, baseline: onMain })
  expect(comparisonOf(scene)).toMatchObject({ baseline: { id: unread.runId } })
})

test('a baseline that could not be read says nothing of the run; a miss beside it does', async () => {
  const scene = await openScene({})
  const request = { provenance: MAIN, baseline: { kind: 'run', reference: 'nope' } as const }
  await scene.execute({ ...request, expectations: [atLeast(0)], ...reaching(0.95) })
  await scene.execute({ ...request, expectations: [atLeast(0), STRICT], ...reaching(0.2) })
  const [unread, missed] = scene.server.runs.map(({ metadata }) => metadata['github_actions'])
  expect(unread).not.toHaveProperty('conclusion')
  expect(missed).toMatchObject({ conclusion: 'expectation-missed' })
})

test('what could not be read of the run itself is not compared as if it had not been logged', async () => {
  const scene = await openScene({})
  await scene.execute({ provenance: MAIN })
  scene.server.addFault({ on: 'steps', occurrence: 'always', do: { kind: 'html', status: 503 } })
  const result = await scene.execute({ provenance: PULL_REQUEST, baseline: onMain })
  expect(result.conclusion).toBe('completed')
  expect(comparisonOf(scene)).toMatchObject({
    baseline: undefined,
    missing: expect.stringMatching(/^the run's own metadata could not be read: .*503/),
    metrics: [],
  })
})

test('beyond a thousand runs nobody says that there is none', async () => {
  const scene = await openScene({})
  await scene.execute({ provenance: { ...MAIN, repository: 'o/other' } })
  scene.server.addFault({
    on: 'runs',
    occurrence: 'always',
    do: {
      kind: 'answer',
      status: 200,
      body: '{"total": 9999, "total_pages": 200, "index": 1, "max_size": 50, "items": [{"id": "x", "name": "x"}]}',
    },
  })
  const result = await scene.execute({ baseline: onMain, expectations: [atLeast(0)] })
  expect(result.error).toMatch(/nothing to compare with: none of the last 1000 runs is a good run of main$/)
})
