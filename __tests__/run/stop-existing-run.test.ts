import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, PipelineSpec, SimulatorOptions } from '../../simulator/index.ts'
import { stopExistingRun } from '../../src/run/stop-existing-run.ts'
import { closeScenes, openScene, until, type Scene } from './scene.ts'

afterEach(closeScenes)

const long: PipelineSpec = { name: 'long', steps: [{ name: 'only', seconds: 3600 }] }

const STOP = /^POST .*\/stop/

test('a run that is not there cannot be stopped, and the error names the input', async () => {
  const scene = await openScene()
  const runId = '00000000-0000-4000-8000-000000000000'
  const request = { run: runId, project: undefined, mode: 'stop', workflowRunUrl: '' } as const
  await expect(stopExistingRun({ ...request, timeoutMs: 60_000 }, scene.dependencies())).rejects.toThrow(
    `run: there is no run with the ID ${runId}, or the account has no permission to read it`,
  )
})

test('a run that something else started is stopped, and called by its name', async () => {
  const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
  await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
  await scene.clock.sleep(10_000)
  const { id, name } = scene.started[0]!
  const request = { run: id, project: undefined, mode: 'stop', workflowRunUrl: '' } as const
  const result = await stopExistingRun({ ...request, timeoutMs: 60_000 }, scene.dependencies())
  expect(result).toMatchObject({ conclusion: 'stopped', status: 'stopped', runId: id, error: undefined })
  expect(scene.events.at(-1)).toEqual({
    kind: 'ended',
    sentence: expect.stringMatching(`^The run "${name}" was stopped: http`),
  })
})

test('a run is found by its exact name, and what was stopped is told', async () => {
  const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes' })
  await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
  await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
  await scene.clock.sleep(10_000)
  const { id, name } = scene.started[0]!
  const request = { run: name, project: undefined, mode: 'stop', workflowRunUrl: '' } as const
  const result = await stopExistingRun({ ...request, timeoutMs: 60_000 }, scene.dependencies())
  expect(result).toMatchObject({ conclusion: 'stopped', runId: id })
  expect(scene.sent(STOP)).toEqual([expect.stringContaining(id)])
  expect(scene.events).toContainEqual(
    expect.objectContaining({ kind: 'attached', run: expect.objectContaining({ id, name }) }),
  )
})

describe('stop/ is cancelled, and its time is over', () => {
  async function cancelledStop(options: SimulatorOptions, hasCome: (scene: Scene) => boolean) {
    const scene = await openScene({ pipelines: [long], orchestrator: 'kubernetes', ...options })
    await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
    await scene.clock.sleep(10_000)
    const { id, name } = scene.started[0]!
    const controller = new AbortController()
    const request = { run: id, project: undefined, mode: 'stop', workflowRunUrl: '' } as const
    const stopping = stopExistingRun(
      { ...request, timeoutMs: 600_000 },
      scene.dependencies(controller.signal),
    )
    await until(() => hasCome(scene))
    controller.abort(new Error('cancelled'))
    return { id, name, result: await stopping }
  }

  test('before the run is found: the step says that it was not asked to stop', async () => {
    const faults: Fault[] = [{ on: 'run', occurrence: 'always', do: { kind: 'hang' } }]
    const { id, result } = await cancelledStop(
      { faults },
      (scene) => scene.sent(/^GET .*\/runs\/[^/]+$/).length > 0,
    )
    const error = `Cancelled before the run "${id}" could be looked up; it was not asked to stop`
    expect(result).toMatchObject({ conclusion: 'cancelled', status: '', error })
  })

  test('while the server does not answer: the step says that the run goes on', async () => {
    const faults: Fault[] = [{ on: 'stop', do: { kind: 'hang' } }]
    const { id, name, result } = await cancelledStop({ faults }, (scene) => scene.sent(STOP).length > 0)
    expect(result).toMatchObject({ conclusion: 'cancelled', status: 'running', runId: id })
    expect(result.error).toMatch(`Cancelled. The run "${name}" may still be running: http`)
    expect(result.error).toMatch(/It could not be stopped: the server did not answer in time$/)
  })

  test('while the run stops: the step says that it was asked to', async () => {
    const isWatched = (scene: Scene): boolean =>
      scene
        .sent(/\/stop\?|^GET/)
        .at(-2)
        ?.includes('/stop?') === true
    const { name, result } = await cancelledStop({ stopSeconds: 3_600 }, isWatched)
    expect(result).toMatchObject({ conclusion: 'cancelled' })
    expect(result.error).toMatch(`Cancelled. The run "${name}" was asked to stop, but had not ended in time `)
  })
})
