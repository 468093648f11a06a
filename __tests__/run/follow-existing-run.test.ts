import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type PipelineSpec } from '../../simulator/index.ts'
import { closeScenes, openScene, TRIGGER, until, type Scene } from './scene.ts'

afterEach(closeScenes)

const requester = (
  attempt: number,
  stepIdentity = '0a1b2c3d',
): { workflowRunId: string; attempt: number; stepIdentity: string } => ({
  workflowRunId: '4711',
  attempt,
  stepIdentity,
})

const failing = {
  layers: [{ source: 'configuration', value: { steps: { train: { parameters: { fail: 'x' } } } } }],
  tags: undefined,
  enableCache: undefined,
}

/** How old the run was said to be when the step joined it, and how long it was said to have taken; seconds. */
function timesOf({ events }: Scene): { age: number; duration: number } {
  const begin = events.findLast(({ kind }) => kind === 'attached' || kind === 'resumed')
  const end = events.findLast((event) => event.kind === 'details')
  const ageMs = begin !== undefined && 'ageMs' in begin ? begin.ageMs : NaN
  const seconds = (ms = NaN): number => Math.round(ms / 1000)
  return { age: seconds(ageMs), duration: seconds(end?.details.durationMs) }
}

const triggers = (scene: Scene): number => scene.sent(TRIGGER).length

describe.each(ZENML_VERSIONS)('resume on ZenML %s', (version) => {
  test('a run that still goes on is taken up and waited for', async () => {
    const scene = await openScene({ version })
    const first = await scene.execute({ wait: false, resume: true })
    const second = await scene.execute({ requester: requester(2), resume: true })
    expect(second).toMatchObject({ conclusion: 'completed', runId: first.runId })
    expect(triggers(scene)).toBe(1)
    expect(scene.events.find(({ kind }) => kind === 'resumed')).toMatchObject({ attempt: 1 })
  })

  test('a run that has completed gives its result', async () => {
    const scene = await openScene({ version })
    const first = await scene.execute({ resume: true })
    const second = await scene.execute({ requester: requester(3), resume: true })
    expect(second).toMatchObject({ conclusion: 'completed', runId: first.runId })
    expect(triggers(scene)).toBe(1)
  })

  test('its duration is that of the run, however late the second attempt is', async () => {
    const scene = await openScene({ version })
    await scene.execute({ resume: true })
    const { duration } = timesOf(scene)
    await scene.clock.sleep(3_600_000)
    await scene.execute({ requester: requester(2), resume: true })
    expect(duration).toBeGreaterThan(2)
    expect(timesOf(scene)).toEqual({ age: duration, duration })
  })

  test('a run that failed is not taken up', async () => {
    const scene = await openScene({ version })
    await scene.execute({ overrides: failing, resume: true })
    await scene.execute({ requester: requester(2), overrides: failing, resume: true })
    expect(triggers(scene)).toBe(2)
  })

  test('the run of another step of the workflow is not taken up', async () => {
    const scene = await openScene({ version })
    await scene.execute({ requester: requester(1, 'ffffffff'), resume: true })
    await scene.execute({ requester: requester(2), resume: true })
    expect(triggers(scene)).toBe(2)
  })

  test('a run that was given something else is not taken up', async () => {
    const scene = await openScene({ version })
    const layers = [{ source: 'configuration', value: { steps: { train: { parameters: { seconds: 2 } } } } }]
    await scene.execute({ overrides: { ...failing, layers }, resume: true })
    expect(scene.events.filter(({ kind }) => kind === 'resume-none')).toEqual([])
    await scene.execute({ requester: requester(2), resume: true })
    expect(triggers(scene)).toBe(2)
    expect(scene.events.filter(({ kind }) => kind === 'resume-none')).toHaveLength(1)
  })

  test('of two that match neither is taken up, and one warning says so', async () => {
    const scene = await openScene({ version })
    await scene.execute({ wait: false, resume: true })
    await scene.execute({ wait: false, resume: true })
    await scene.execute({ requester: requester(2), resume: true })
    expect(triggers(scene)).toBe(3)
    expect(scene.events.filter(({ kind }) => kind === 'resume-unclear')).toHaveLength(1)
  })

  test('the first attempt looks for nothing', async () => {
    const scene = await openScene({ version })
    await scene.execute({ resume: true })
    expect(scene.sent(/startswith/)).toEqual([])
  })
})

test('looking for the run of an earlier attempt is part of trigger-timeout', async () => {
  const scene = await openScene({ faults: [{ on: 'runs', occurrence: 'always', do: { kind: 'hang' } }] })
  await expect(
    scene.execute({ requester: requester(2), resume: true, triggerTimeoutMs: 500 }),
  ).rejects.toMatchObject({
    conclusion: 'timed-out',
    message: expect.stringMatching(/^No run could be started within trigger-timeout: .*Nothing was started$/),
  })
  expect(triggers(scene)).toBe(0)
  expect(scene.settled).toHaveLength(1)
})

describe.each(ZENML_VERSIONS)('a run that something else started, ZenML %s', (version) => {
  test('is waited for by its id, and by its name', async () => {
    const scene = await openScene({ version })
    const { runId = '' } = await scene.execute({ wait: false })
    const name = scene.server.runs[0]?.name ?? ''
    expect(await scene.attach(runId)).toMatchObject({ conclusion: 'completed', runId })
    expect(await scene.attach(name)).toMatchObject({ conclusion: 'completed', runId })
    expect(triggers(scene)).toBe(1)
  })

  test('is as old as it is when the step joins late, and took as long as it took', async () => {
    const pipeline: PipelineSpec = { name: 'slow', steps: [{ name: 'only', seconds: 120 }] }
    const scene = await openScene({ version, pipelines: [pipeline] })
    const target = { kind: 'template', reference: 'slow-template' } as const
    const { runId = '' } = await scene.execute({ wait: false, target })
    await scene.clock.sleep(60_000)
    await scene.attach(runId)
    const { age, duration } = timesOf(scene)
    expect([59, 60, 61]).toContain(age)
    expect(duration).toBeGreaterThanOrEqual(120)
    await scene.clock.sleep(3_600_000)
    await scene.attach(runId)
    expect(timesOf(scene)).toEqual({ age: duration, duration })
  })

  test('that does not exist is a fault of one line', async () => {
    const scene = await openScene({ version })
    await expect(scene.attach('nope')).rejects.toThrow(
      'run: there is no run named "nope", or the account has no permission to read it',
    )
    const id = '00000000-0000-4000-8000-000000000000'
    await expect(scene.attach(id)).rejects.toThrow(
      `run: there is no run with the ID ${id}, or the account has no permission to read it`,
    )
  })
})

test('a cancelled wait leaves a run alone that it did not start, if so wished', async () => {
  const scene = await openScene({ orchestrator: 'kubernetes', startupSeconds: 600 })
  const { runId = '' } = await scene.execute({ wait: false })
  const controller = new AbortController()
  const waiting = scene.attach(runId, { onCancel: 'keep-running' }, controller.signal)
  await until(() => scene.started.length === 2)
  controller.abort(new Error('cancelled'))
  expect((await waiting).error).toMatch(/was left running, as requested \(keep-running\)/)
  expect(scene.sent(/\/stop/)).toEqual([])
})

describe('a paused run', () => {
  const gate: PipelineSpec = {
    name: 'gate',
    steps: [
      { name: 'before', seconds: 30 },
      { name: 'after', seconds: 30, upstream: ['before'] },
    ],
  }
  const target = { kind: 'template', reference: 'gate-template' } as const

  test('is warned about once, with what it asks and where to answer, and waited for', async () => {
    const scene = await openScene({ pipelines: [gate] })
    const running = scene.execute({ target, onPaused: 'wait' })
    await until(() => scene.server.runs[0]?.status === 'running')
    scene.server.pause(scene.server.runs[0]?.id ?? '', 'Deploy this model?')
    await until(() => scene.events.some(({ kind }) => kind === 'paused'))
    await scene.clock.sleep(120_000)
    scene.server.resume(scene.server.runs[0]?.id ?? '')
    expect((await running).conclusion).toBe('completed')
    const told = scene.events.filter(({ kind }) => kind === 'paused')
    expect(told).toEqual([
      { kind: 'paused', question: 'Deploy this model?', url: expect.stringContaining('http') },
    ])
  })

  test('fails the step if so wished, also where the question cannot be read', async () => {
    const cut = { kind: 'reset', when: 'before-work' } as const
    const scene = await openScene({
      pipelines: [gate],
      faults: [{ on: 'dag', occurrence: 'always', do: cut }],
    })
    const running = scene.execute({ target, onPaused: 'fail' })
    await until(() => scene.server.runs[0]?.status === 'running')
    scene.server.pause(scene.server.runs[0]?.id ?? '', 'Deploy this model?')
    const result = await running
    expect(result).toMatchObject({ conclusion: 'failed', status: 'paused' })
    expect(result.error).toMatch(/is waiting for a person\. It was left as it is; answer here: http/)
    expect(scene.events.filter(({ kind }) => kind === 'server-lost')).toEqual([])
  })

  test('fails the step if so wished, and stays paused', async () => {
    const scene = await openScene({ pipelines: [gate] })
    const running = scene.execute({ target, onPaused: 'fail' })
    // Not between the two reads of one check.
    await until(() => scene.events.some(({ kind }) => kind === 'steps'))
    scene.server.pause(scene.server.runs[0]?.id ?? '', 'Deploy this model?')
    const result = await running
    expect(result).toMatchObject({ conclusion: 'failed', status: 'paused' })
    expect(result.error).toMatch(
      /is waiting for a person \(Deploy this model\?\)\. It was left as it is; answer here: http/,
    )
    expect(scene.sent(/\/stop/)).toEqual([])
  })
})
