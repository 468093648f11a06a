import { afterEach, describe, expect, test } from '@jest/globals'
import type { PipelineSpec, SimulatorOptions } from '../../simulator/index.ts'
import { Deadline } from '../../src/base/deadline.ts'
import type { RunRequest } from '../../src/run/start-and-follow-run.ts'
import { closeScenes, openScene, TRIGGER, until, type Scene } from './scene.ts'

afterEach(closeScenes)

const MINUTE = 60_000

/** Takes ten minutes. */
const slow: PipelineSpec = { name: 'slow', steps: [{ name: 'only', seconds: 600 }] }
const target = { kind: 'template', reference: 'slow-template' } as const

async function open(options: SimulatorOptions = {}): Promise<Scene> {
  return openScene({ pipelines: [slow], orchestrator: 'kubernetes', ...options })
}

/** A run of a job that GitHub ends in so many minutes. */
function inJob(scene: Scene, minutes: number, changes: Partial<RunRequest> = {}): Partial<RunRequest> {
  return { target, jobDeadline: new Deadline(scene.clock, minutes * MINUTE), ...changes }
}

const warnings = ({ events }: Scene) => events.filter(({ kind }) => kind === 'job-too-short')

const STOP = /\/stop\b|^PUT /

describe('a step that hands its run over', () => {
  test.each<[string, Partial<RunRequest>, number]>([
    ['without a timeout', {}, 2],
    ['whose timeout is longer than that', { timeoutMs: 60 * MINUTE }, 2],
    ['whose timeout is shorter than that', { timeoutMs: MINUTE }, 1],
  ])('%s does so five minutes before its job ends, at the latest', async (_, changes, minutes) => {
    const scene = await open()
    const before = scene.clock.elapsed()
    const result = await scene.execute(inJob(scene, 7, { onTimeout: 'hand-over', ...changes }))
    expect(result).toMatchObject({ conclusion: 'running', status: 'running', error: undefined })
    const took = scene.clock.elapsed() - before
    expect(Math.round(took / MINUTE)).toBe(minutes)
    expect(warnings(scene)).toEqual([])
    expect(scene.settled).toHaveLength(1)
  })

  test('and joins it in the last minutes of its job looks at it once', async () => {
    const scene = await open()
    const { runId = '' } = await scene.execute({ target, wait: false })
    const result = await scene.attach(runId, {
      ...inJob(scene, 4),
      onTimeout: 'hand-over',
    })
    expect(result).toMatchObject({ conclusion: 'running', runId, error: undefined })
  })

  test.each<[string, Partial<RunRequest>]>([
    ['without a timeout', {}],
    ['whose timeout is longer than that', { timeoutMs: 60 * MINUTE }],
  ])("%s leaves a run that is being stopped, and says that the job's time is up", async (_, changes) => {
    const scene = await open({ stopSeconds: 600 })
    const { runId = '' } = await scene.execute({ target, wait: false })
    scene.server.setStatus(runId, 'stopping')
    const result = await scene.attach(runId, { ...inJob(scene, 7), onTimeout: 'hand-over', ...changes })
    expect(result).toMatchObject({ conclusion: 'timed-out', status: 'stopping' })
    expect(result.error).toMatch(
      /^The job's time is up: GitHub ends a job on a hosted runner after six hours \(on-timeout: hand-over\)\. The run ".*" is being stopped, and was left alone: http\S+$/,
    )
    expect(scene.sent(STOP)).toEqual([])
  })

  test('and looks at a run in the last minutes that has ended judges it', async () => {
    const scene = await open()
    const { runId = '' } = await scene.execute({ target })
    const result = await scene.attach(runId, { ...inJob(scene, 0), onTimeout: 'hand-over' })
    expect(result).toMatchObject({ conclusion: 'completed', runId })
  })

  test('and is cancelled in the last minutes hands it over', async () => {
    const scene = await open()
    const cancelling = new AbortController()
    const running = scene.execute(inJob(scene, 5, { onTimeout: 'hand-over' }), cancelling.signal)
    await until(() => scene.started.length > 0)
    cancelling.abort(new Error('cancelled'))
    expect(await running).toMatchObject({ conclusion: 'running', error: undefined })
    expect(scene.sent(STOP)).toEqual([])
    expect(scene.settled).toHaveLength(1)
  })
})

describe('a step that ends before it follows its run, in the last minutes of its job, leaves word that the run goes on', () => {
  const faults = [{ on: 'trigger', do: { kind: 'hang', work: true } }] as const

  test.each(['hand-over', 'keep-running'] as const)(
    'killed while it starts it (on-timeout: %s)',
    async (onTimeout) => {
      const scene = await open({ faults })
      const cancelling = new AbortController()
      const running = scene.execute(inJob(scene, 4, { onTimeout }), cancelling.signal)
      await until(() => scene.sent(TRIGGER).length > 0)
      expect(scene.endings).toEqual(['keep-running'])
      cancelling.abort(new Error('the test is over'))
      await running
    },
  )

  test.each([
    ['hand-over', 'running'],
    ['keep-running', 'timed-out'],
  ] as const)('cancelled while it starts it (on-timeout: %s)', async (onTimeout, conclusion) => {
    const scene = await open({ faults })
    const cancelling = new AbortController()
    const running = scene.execute(inJob(scene, 6, { onTimeout }), cancelling.signal)
    await until(() => scene.sent(TRIGGER).length > 0)
    expect(scene.endings).toEqual([])
    await scene.clock.sleep(2 * MINUTE)
    cancelling.abort(new Error('cancelled'))
    expect(await running).toMatchObject({ conclusion, runId: scene.server.runs[0]?.id })
    expect(scene.endings).toEqual(['keep-running'])
    expect(scene.sent(STOP)).toEqual([])
  })
})

describe('a job that is too short is told of at the start', () => {
  /** What such runs take is known from one before. */
  async function afterOne(minutes: number, changes: Partial<RunRequest> = {}): Promise<Scene> {
    const scene = await open()
    await scene.execute({ target })
    scene.events.splice(0)
    await scene.execute(inJob(scene, minutes, changes))
    return scene
  }

  test('where such runs usually take longer', async () => {
    const [warning] = warnings(await afterOne(8, { onTimeout: 'stop' }))
    expect(warning).toMatchObject({ isForecast: true, onTimeout: 'stop' })
    const { needsMs, leftMs } = warning as { needsMs: number; leftMs: number }
    expect(Math.round(needsMs / MINUTE)).toBe(10)
    expect(Math.round(leftMs / MINUTE)).toBe(8)
  })

  test('where they take longer, though the run is followed only from its last minutes on: not', async () => {
    const scene = await open()
    await scene.execute({ target })
    const { runId = '' } = await scene.execute({ target, wait: false })
    await scene.clock.sleep(5 * MINUTE)
    await scene.attach(runId, { ...inJob(scene, 8), onTimeout: 'stop' })
    expect(warnings(scene)).toEqual([])
  })

  test.each<[string, number, Partial<RunRequest>]>([
    ['the job is long enough', 11, {}],
    ['the timeout ends the wait before the job does', 8, { timeoutMs: 2 * MINUTE }],
    ['the timeout is longer than the job, but such runs are not', 11, { timeoutMs: 60 * MINUTE }],
    ['nobody waits', 8, { wait: false }],
  ])('where %s: not', async (_, minutes, changes) => {
    expect(warnings(await afterOne(minutes, changes))).toEqual([])
  })

  test('where nobody knows how long such runs take, by the timeout', async () => {
    const scene = await open()
    await scene.execute(inJob(scene, 20, { timeoutMs: 21 * MINUTE, onTimeout: 'keep-running' }))
    expect(warnings(scene)).toEqual([
      expect.objectContaining({ isForecast: false, needsMs: 21 * MINUTE, onTimeout: 'keep-running' }),
    ])
  })

  test.each<[string, Partial<RunRequest>]>([
    ['nor how long the job is', { timeoutMs: 60 * MINUTE }],
    ['nor is there a timeout', {}],
  ])('where nobody knows that, %s: not', async (_, changes) => {
    const scene = await open()
    const ofJob = changes.timeoutMs === undefined ? inJob(scene, 8) : { target }
    await scene.execute({ ...ofJob, ...changes })
    expect(warnings(scene)).toEqual([])
  })
})

describe('a step that is cancelled', () => {
  async function cancelled(minutes: number, changes: Partial<RunRequest>): Promise<[Scene, unknown]> {
    const scene = await open()
    const cancelling = new AbortController()
    const running = scene.execute(inJob(scene, minutes, changes), cancelling.signal)
    await until(() => scene.events.some((event) => event.kind === 'state' && event.status === 'running'))
    cancelling.abort(new Error('cancelled'))
    return [scene, await running]
  }

  test('in the last minutes of its job was not cancelled by a person: on-timeout counts', async () => {
    const [scene, result] = await cancelled(5, { onCancel: 'stop', onTimeout: 'keep-running' })
    expect(result).toMatchObject({
      conclusion: 'timed-out',
      status: 'running',
      error: expect.stringMatching(
        /^The job's time is up: GitHub ends a job on a hosted runner after six hours \(on-timeout: keep-running\)\. The run ".*" was left running, as requested/,
      ),
    })
    expect(scene.sent(STOP)).toEqual([])
  })

  test('in the last minutes of its job has its run stopped if that is what on-timeout says', async () => {
    const [scene, result] = await cancelled(5, { onCancel: 'keep-running', onTimeout: 'stop' })
    expect(result).toMatchObject({ conclusion: 'timed-out' })
    expect(scene.sent(STOP)).not.toEqual([])
  })

  test('before that was cancelled by a person: on-cancel counts', async () => {
    const [scene, result] = await cancelled(8, { onCancel: 'keep-running', onTimeout: 'stop' })
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'running' })
    expect(scene.sent(STOP)).toEqual([])
  })
})

test.each([
  ['stop', 'stop'],
  ['keep-running', 'keep-running'],
] as const)(
  'when the last minutes of the job begin, the post step is told what on-timeout says: %s',
  async (onTimeout, mode) => {
    const scene = await open()
    await scene.execute(inJob(scene, 8, { onTimeout }))
    expect(scene.endings).toEqual([mode])
    const other = await open()
    await other.execute(inJob(other, 30, { onTimeout }))
    expect(other.endings).toEqual([])
  },
)
