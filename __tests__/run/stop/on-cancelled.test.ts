import { afterEach, describe, expect, test } from '@jest/globals'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import type { SimulatorOptions } from '../../../simulator/index.ts'
import { closeScenes, openScene, TRIGGER, until, type Scene } from '../scene.ts'

afterEach(closeScenes)

const NOBODY_HURRIES = { abortMs: 120_000 }

/** Starts a run, and cuts that off while the answer is outstanding. */
async function cutOff(
  options: SimulatorOptions,
  changes: Partial<RunRequest>,
  isTime: (scene: Scene) => boolean = (scene) => scene.sent(TRIGGER).length > 0,
): Promise<{ scene: Scene; result: RunResult; tookMs: number }> {
  const scene = await openScene({ orchestrator: 'kubernetes', startupSeconds: 600, ...options })
  const controller = new AbortController()
  const running = scene.execute(changes, controller.signal)
  await until(() => isTime(scene))
  const from = scene.clock.elapsed()
  controller.abort(new Error('cut off'))
  const result = await running
  return { scene, result, tookMs: scene.clock.elapsed() - from }
}

const NO_RUN = /^Cancelled\. No run named ".*" is on the server\. The request to start it was sent/

describe('a start is cut off while the server is at work on it', () => {
  test('and nobody hurries: a run that is there a minute later is found and stopped', async () => {
    const { scene, result } = await cutOff({ triggerSeconds: 60 }, NOBODY_HURRIES)
    expect(result).toMatchObject({ conclusion: 'cancelled', runId: scene.server.runs[0]?.id })
    expect(result.error).not.toMatch(NO_RUN)
    expect(scene.server.runs).toMatchObject([{ busy: false }])
    expect(scene.settled).toHaveLength(1)
  })

  test('and nobody hurries: what never comes is looked for for a minute and a half, and is in doubt', async () => {
    const { result, tookMs } = await cutOff({ triggerSeconds: 900 }, NOBODY_HURRIES)
    expect(result.error).toMatch(NO_RUN)
    expect(result.remark).toBe('in-doubt')
    expect(tookMs).toBeGreaterThanOrEqual(85_000)
    expect(tookMs).toBeLessThan(100_000)
  })

  test('and GitHub ends the step in seconds: what was not found is in doubt', async () => {
    const { result, tookMs } = await cutOff({ triggerSeconds: 60 }, {})
    expect(result.error).toMatch(NO_RUN)
    expect(result.remark).toBe('in-doubt')
    // The rest of the time is for stopping one.
    expect(tookMs).toBeLessThan(3_500)
  })
})

test('where the server said that it has no free slot, nobody waits for a late start, and nothing is in doubt', async () => {
  const noSlot = { on: 'trigger', occurrence: 'always', do: { kind: 'no-slot' } } as const
  const isHindered = ({ events }: Scene): boolean => events.some(({ kind }) => kind === 'trigger-hindered')
  // Newer ones show for a moment the run that they then delete.
  const server = { version: '0.74.0', faults: [noSlot] } as const
  const { result, tookMs } = await cutOff(server, NOBODY_HURRIES, isHindered)
  expect(result).toMatchObject({ conclusion: 'cancelled', remark: undefined })
  expect(tookMs).toBeLessThan(5_500)
})

describe('a run that another cell of a sweep has ended by its failure', () => {
  /** The server never answers the request to stop; the runner's limits are shorter here. */
  async function slowStop(hurry: AbortSignal): Promise<{ limits: number[]; ending: Promise<RunResult> }> {
    const limits: number[] = []
    const scene = await openScene({ orchestrator: 'kubernetes' })
    scene.server.addFault({ on: 'stop', occurrence: 'always', do: { kind: 'hang' } })
    const timeLimit = (ms: number): AbortSignal => {
      limits.push(ms)
      return AbortSignal.timeout(ms === 6_200 ? 50 : 600_000)
    }
    const controller = new AbortController()
    const configuration = { steps: { train: { parameters: { seconds: 36_000 } } } }
    const layers = [{ source: 'configuration', value: configuration }]
    const changes = {
      ...NOBODY_HURRIES,
      hurry,
      overrides: { layers, tags: undefined, enableCache: undefined },
    }
    const deps = { ...scene.dependencies(controller.signal), timeLimit }
    const ending = scene.executeWith(changes, deps)
    await until(() => scene.server.runs[0]?.status === 'running')
    controller.abort(new Error('cell 1 failed (fail-fast)'))
    await until(() => scene.sent(/\/stop\?/).length > 0)
    return { limits, ending }
  }

  test('is stopped without hurry, but no longer than the runner leaves once the job is cancelled', async () => {
    const job = new AbortController()
    const { limits, ending } = await slowStop(job.signal)
    expect(limits).not.toContain(6_200)
    job.abort(new Error('cancelled'))
    expect((await ending).error).toMatch(/^Cancelled\. The run "\S+" may still be running: http/)
    expect(limits).toContain(6_200)
  })
})
