import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS } from '../../simulator/index.ts'
import type { Provenance } from '../../src/run/origin.ts'
import { closeScenes, openScene, until, type Scene } from './scene.ts'

afterEach(closeScenes)

const PUSH: Provenance = {
  repository: 'octo-org/example',
  sha: '0123456789abcdef0123456789abcdef01234567',
  ref: 'refs/heads/feature/rate',
  headRef: '',
  baseRef: '',
  eventName: 'push',
  actor: 'octocat',
  workflow: 'Train',
  workflowRunUrl: 'https://github.com/octo-org/example/actions/runs/4711',
}

const NOTED = /^POST .*run-metadata$/

function notTold(scene: Scene): string[] {
  return scene.events.flatMap((event) => (event.kind === 'origin-not-noted' ? [event.detail] : []))
}

describe.each(ZENML_VERSIONS)('%s', (version) => {
  test('a run says where it came from', async () => {
    const scene = await openScene({ version })
    await scene.execute({ provenance: PUSH })
    expect(scene.server.runs[0]?.metadata).toEqual({
      github_actions: {
        repository: 'octo-org/example',
        event: 'push',
        commit: '0123456789abcdef0123456789abcdef01234567',
        branch: 'feature/rate',
        actor: 'octocat',
        workflow: 'Train',
        workflow_run: 'https://github.com/octo-org/example/actions/runs/4711',
        conclusion: 'completed',
      },
    })
    expect(notTold(scene)).toEqual([])
  })

  test('a step that does not wait notes it as well', async () => {
    const scene = await openScene({ version })
    const { conclusion } = await scene.execute({ provenance: PUSH, wait: false })
    expect(conclusion).toBe('started')
    expect(scene.server.runs[0]?.metadata).toHaveProperty('github_actions')
  })

  test('if so wished, nothing is noted, and no permission is needed', async () => {
    const scene = await openScene({ version })
    const { conclusion } = await scene.execute({ provenance: undefined })
    expect(conclusion).toBe('completed')
    expect(scene.server.runs[0]?.metadata).toEqual({})
    expect(scene.sent(NOTED)).toEqual([])
  })

  test('a refusal is told once, and changes nothing', async () => {
    const body =
      '{"detail":["IllegalOperationError","Insufficient permissions to CREATE resource \'run_metadata\'."]}'
    const scene = await openScene({
      version,
      faults: [{ on: 'metadata', occurrence: 'always', do: { kind: 'answer', status: 403, body } }],
    })
    const { conclusion, error } = await scene.execute({ provenance: PUSH })
    expect({ conclusion, error }).toEqual({ conclusion: 'completed', error: undefined })
    expect(notTold(scene)).toEqual([
      expect.stringMatching(
        /^could not record metadata on the run: .*403 .*\. Give the account permission to create run metadata$/,
      ),
    ])
    expect(scene.sent(NOTED)).toHaveLength(1)
  })
})

test("a page in between, whose 200 is not the server's, is no note", async () => {
  const scene = await openScene({ faults: [{ on: 'metadata', do: { kind: 'html', status: 200 } }] })
  await scene.execute({ provenance: PUSH })
  expect(notTold(scene)).toEqual([
    expect.stringMatching(/^could not record metadata on the run: .* a web page/),
  ])
})

test.each<[string, Partial<Provenance>, object]>([
  [
    'a pull request',
    { ref: 'refs/pull/17/merge', headRef: 'rate', baseRef: 'main', eventName: 'pull_request' },
    { pull_request: 17, branch: 'rate', base_branch: 'main', event: 'pull_request' },
  ],
  ['a tag', { ref: 'refs/tags/v1.2.0' }, { tag: 'v1.2.0' }],
  ['a branch of many parts', { ref: 'refs/heads/a/b/c' }, { branch: 'a/b/c' }],
])('%s is noted as such', async (_title, changes, wanted) => {
  const scene = await openScene()
  const empty = { repository: '', sha: '', actor: '', workflow: '', workflowRunUrl: '', eventName: '' }
  await scene.execute({ wait: false, provenance: { ...PUSH, ...empty, ...changes } })
  expect(scene.server.runs[0]?.metadata).toEqual({ github_actions: wanted })
})

test('where nothing is known nothing is sent', async () => {
  const scene = await openScene()
  const unknown = { repository: '', sha: '', ref: '', headRef: '', baseRef: '', eventName: '', actor: '' }
  await scene.execute({ provenance: { ...unknown, workflow: '', workflowRunUrl: '' } })
  expect(scene.sent(NOTED)).toEqual([])
})

test('on a run that says nothing of where it came from, whoever waits for it notes nothing', async () => {
  const scene = await openScene()
  const { runId } = await scene.execute({ wait: false, provenance: undefined })
  await scene.attach(runId ?? '')
  expect(scene.sent(NOTED)).toEqual([])
})

test('a run that failed says so itself: nothing is noted on one that did not complete but how its step ended', async () => {
  const scene = await openScene()
  const layers = [{ source: 'configuration', value: { steps: { train: { parameters: { fail: 'x' } } } } }]
  await scene.execute({ provenance: PUSH, overrides: { layers, tags: undefined, enableCache: undefined } })
  expect(scene.server.runs[0]?.metadata).toMatchObject({ github_actions: { conclusion: 'failed' } })
})

test('a cancelled step, and one whose time was up, note no conclusion', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes' })
  await scene.execute({ provenance: PUSH, timeoutMs: 500 })
  expect(scene.server.runs[0]?.metadata).toMatchObject({ github_actions: { commit: PUSH.sha } })
  expect(scene.sent(NOTED)).toHaveLength(1)
})

test('a server that never takes the note does not hold up the watch', async () => {
  const scene = await openScene({ faults: [{ on: 'metadata', do: { kind: 'hang' } }] })
  const running = scene.execute({ provenance: PUSH })
  await until(() => scene.server.runs[0]?.status === 'completed')
  await until(() => scene.events.some(({ kind }) => kind === 'details'))
  expect(notTold(scene)).toEqual([])
  await scene.server.close()
  expect(await running).toMatchObject({ conclusion: 'completed' })
  expect(notTold(scene)).toHaveLength(1)
})

test('a cancel does not wait for the note', async () => {
  const scene = await openScene({ faults: [{ on: 'metadata', do: { kind: 'hang' } }] })
  const controller = new AbortController()
  const running = scene.execute({ provenance: PUSH }, controller.signal)
  await until(() => scene.sent(NOTED).length > 0)
  controller.abort(new Error('cancelled'))
  expect(await running).toMatchObject({ conclusion: 'cancelled' })
  expect(notTold(scene)).toEqual([])
})

test('a run that completed stays so, though the job is cancelled while its end is being noted', async () => {
  const failing = {
    on: 'metadata',
    occurrence: { from: 2, to: 9 },
    do: { kind: 'html', status: 503 },
  } as const
  const scene = await openScene({ faults: [failing] })
  const controller = new AbortController()
  const running = scene.execute({ provenance: PUSH }, controller.signal)
  await until(() => scene.sent(NOTED).length > 1)
  controller.abort(new Error('cancelled'))
  expect(await running).toMatchObject({ conclusion: 'completed' })
})
