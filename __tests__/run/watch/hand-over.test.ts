import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ZENML_VERSIONS,
  type FaultAction,
  type PipelineSpec,
  type StepFailure,
} from '../../../simulator/index.ts'
import { closeScenes, openScene, TRIGGER, until } from '../scene.ts'

afterEach(closeScenes)

const STOP = /\/stop\b|^PUT /

const slow: PipelineSpec = {
  name: 'slow',
  steps: [{ name: 'only', seconds: 90, metadata: { accuracy: 0.9 } }],
}
const target = { kind: 'template', reference: 'slow-template' } as const
const handOver = { target, timeoutMs: 30_000, onTimeout: 'hand-over' } as const
const expectation = { name: 'only.accuracy', operator: '>=', wanted: 0.8 } as const

describe.each(ZENML_VERSIONS)('a run of 90 s that is handed over every 30 s, ZenML %s', (version) => {
  test('is one run that nobody stops, and the last step judges it', async () => {
    const scene = await openScene({ version, pipelines: [slow], orchestrator: 'kubernetes' })
    const request = { ...handOver, expectations: [expectation] }
    const first = await scene.execute(request)
    expect(first).toMatchObject({ conclusion: 'running', status: 'running', error: undefined })
    const second = await scene.attach(first.runId ?? '', request)
    expect(second).toMatchObject({ conclusion: 'running', runId: first.runId, error: undefined })
    const third = await scene.attach(first.runId ?? '', { ...request, timeoutMs: 60_000 })
    expect(third).toMatchObject({ conclusion: 'completed', runId: first.runId, error: undefined })
    expect(scene.sent(TRIGGER)).toHaveLength(1)
    expect(scene.sent(STOP)).toEqual([])
    // Each of them has left nothing to its post step.
    expect(scene.settled).toHaveLength(3)
    expect(scene.endings).toEqual([])
  })
})

test('what is expected of a run that is handed over is not judged, and that is told', async () => {
  const scene = await openScene({ pipelines: [slow] })
  const { runId = '' } = await scene.execute({ ...handOver, expectations: [expectation] })
  expect(scene.events.filter(({ kind }) => kind === 'handed-over')).toEqual([
    { kind: 'handed-over', expectations: ['only.accuracy >= 0.8'], unseenMs: undefined },
  ])
  expect(scene.events.filter(({ kind }) => kind === 'expectations')).toEqual([])
  const missed = { ...expectation, wanted: 0.95 }
  const last = await scene.attach(runId, { ...handOver, timeoutMs: 90_000, expectations: [missed] })
  expect(last).toMatchObject({ conclusion: 'expectation-missed' })
})

const failure: StepFailure = { type: 'ValueError', message: 'no data', traceback: '', userCodeLine: 1 }
const halfFailed: PipelineSpec = {
  name: 'slow',
  steps: [
    { name: 'short', seconds: 10, fails: failure },
    { name: 'other', seconds: 300 },
    { name: 'third', seconds: 300 },
  ],
}

describe.each(ZENML_VERSIONS)('a run that has failed by then, ZenML %s,', (version) => {
  test.each<[string, PipelineSpec]>([
    ['in its only step', { name: 'slow', steps: [{ name: 'only', seconds: 10, fails: failure }] }],
    ['before any step', { ...slow, failsBeforeSteps: { reason: 'No image.' } }],
  ])('%s, is never handed over: each look says that it failed', async (_, pipeline) => {
    const scene = await openScene({ version, pipelines: [pipeline] })
    const first = await scene.execute(handOver)
    expect(first).toMatchObject({ conclusion: 'failed', status: 'failed' })
    const later = await scene.attach(first.runId ?? '', { ...handOver, timeoutMs: 10_000 })
    expect(later).toMatchObject({ conclusion: 'failed', status: 'failed', error: first.error })
  })
})

test.each(['hand-over', 'keep-running'] as const)(
  'a run that has failed while other steps run is no success: they are left alone (on-timeout: %s)',
  async (onTimeout) => {
    const scene = await openScene({ pipelines: [halfFailed], orchestrator: 'kubernetes' })
    const result = await scene.execute({ ...handOver, onTimeout })
    expect(result).toMatchObject({ conclusion: 'failed', status: 'failed', failedStep: 'short' })
    expect(result.error).toMatch(/ValueError: no data/)
    expect(result.error).toContain(` (steps that keep running: 2, on-timeout: ${onTimeout})`)
    expect(scene.sent(STOP)).toEqual([])
    expect(scene.settled).toHaveLength(1)
  },
)

test('a run that somebody is stopping by then is not handed over', async () => {
  const scene = await openScene({ pipelines: [slow], orchestrator: 'kubernetes' })
  const running = scene.execute(handOver)
  await until(() => scene.events.some(({ kind }) => kind === 'steps'))
  const stopping = JSON.stringify({
    id: scene.server.runs[0]?.id,
    name: scene.server.runs[0]?.name,
    body: { status: 'stopping', status_reason: 'By a person.' },
  })
  const answer: FaultAction = { kind: 'answer', status: 200, body: stopping }
  scene.server.addFault({ on: 'run', occurrence: 'always', do: answer })
  const result = await running
  expect(result).toMatchObject({ conclusion: 'timed-out', status: 'stopping' })
  expect(result.error).toMatch(
    /did not finish within the timeout of 30s\. It is being stopped, and was left alone: http/,
  )
  expect(scene.sent(STOP)).toEqual([])
})

test('where the server does not answer any more, it is told for how long nobody has seen the run', async () => {
  const scene = await openScene({
    pipelines: [slow],
    faults: [
      { on: 'run', occurrence: { from: 4, to: 999 }, do: { kind: 'html', status: 503 } },
      { on: 'dag', occurrence: { from: 4, to: 999 }, do: { kind: 'html', status: 503 } },
    ],
  })
  const result = await scene.execute({ ...handOver, timeoutMs: 60_000 })
  expect(result).toMatchObject({ conclusion: 'running', error: undefined })
  const [told] = scene.events.filter((event) => event.kind === 'handed-over')
  expect(told?.unseenMs).toBeGreaterThan(10_000)
  expect(told?.unseenMs).toBeLessThan(60_000)
})

test('a run that ends in time is judged as always, whatever happens at the timeout', async () => {
  const scene = await openScene({ pipelines: [slow] })
  const missed = { ...expectation, wanted: 0.95 }
  const result = await scene.execute({ ...handOver, timeoutMs: 120_000, expectations: [missed] })
  expect(result).toMatchObject({ conclusion: 'expectation-missed' })
})

test('a run that is handed over has not ended, so it says in ZenML of no conclusion', async () => {
  const scene = await openScene({ pipelines: [slow] })
  await scene.execute(handOver)
  const noted = scene.server.requests.filter(({ path }) => path.endsWith('/run-metadata'))
  expect(JSON.stringify(noted)).toContain('github_actions')
  expect(JSON.stringify(noted)).not.toContain('conclusion')
})

test('a step that is cancelled before the timeout does what on-cancel says, not what on-timeout says', async () => {
  const scene = await openScene({ pipelines: [slow], orchestrator: 'kubernetes' })
  const cancelling = new AbortController()
  const running = scene.execute(handOver, cancelling.signal)
  await until(() => scene.started.length > 0)
  cancelling.abort(new Error('cancelled'))
  const result = await running
  expect(result.conclusion).toBe('cancelled')
  expect(scene.sent(STOP)).not.toEqual([])
})
