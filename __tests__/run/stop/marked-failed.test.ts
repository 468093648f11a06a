import { afterEach, describe, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type Fault, type PipelineSpec } from '../../../simulator/index.ts'
import { stopOrKeep, type StoppedOrKeptRun } from '../../../src/run/stop/stop-or-keep.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const long: PipelineSpec = { name: 'long', steps: [{ name: 'only', seconds: 3600 }] }

const TOO_EARLY = {
  kind: 'answer',
  status: 403,
  body: '{"detail":["IllegalOperationError","The run has no orchestrator run id."]}',
} as const

describe.each(ZENML_VERSIONS)(
  'a run that is marked as failed because it looked as if it had not begun, ZenML %s',
  (version) => {
    /** Its first step starts while the server still answers that it is initializing. */
    const endLate = async (...faults: Fault[]): Promise<{ scene: Scene; ended: StoppedOrKeptRun }> => {
      const scene = await openScene({ version, pipelines: [long], orchestrator: 'kubernetes' })
      await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
      const lateAnswer: Fault = { on: 'run', do: { kind: 'delay', seconds: 5 } }
      const tooEarly: Fault = { on: 'stop', occurrence: 'always', do: TOO_EARLY }
      for (const fault of [lateAnswer, ...(version === '0.74.0' ? [] : [tooEarly]), ...faults]) {
        scene.server.addFault(fault)
      }
      const deadline = new Deadline(scene.clock, 20_000)
      const request = { run: scene.started[0]!, mode: 'stop', reason: 'r', deadline } as const
      const ended = await stopOrKeep(request, { client: scene.client, clock: scene.clock })
      expect(scene.sent(/^PUT /)).toHaveLength(1)
      expect(scene.server.runs[0]?.busy).toBe(true)
      return { scene, ended }
    }

    test('is looked at again where the first look afterwards fails, and its step is said to go on', async () => {
      const { ended } = await endLate({
        on: 'run',
        occurrence: { from: 2, to: 4 },
        do: { kind: 'html', status: 502 },
      })
      expect(ended.sentence).toMatch(
        /keeps running: http.*ZenML calls it failed already, and then no longer stops its steps; still running: only$/,
      )
      expect(ended).toMatchObject({ settled: false, status: 'failed' })
    })

    test('is not said to be stopped where its steps could not be read', async () => {
      const { ended } = await endLate(
        { on: 'dag', occurrence: 'always', do: { kind: 'refuse' } },
        { on: 'steps', occurrence: 'always', do: { kind: 'refuse' } },
      )
      expect(ended.sentence).toMatch(
        /was asked to stop, but had not ended in time \(last status: failed\): http/,
      )
      expect(ended).toMatchObject({ settled: false, status: 'failed' })
    })

    test('is not said to be stopped where no look afterwards is answered', async () => {
      const { scene, ended } = await endLate({
        on: 'run',
        occurrence: { from: 2, to: 100 },
        do: { kind: 'html', status: 502 },
      })
      expect(ended.sentence).toMatch(
        /was asked to stop, but had not ended in time \(last status: initializing\): http/,
      )
      expect(ended).toMatchObject({ settled: false, status: 'initializing' })
      expect(scene.sent(/^GET .*\/runs\/[^/]+\?hydrate=false/).length).toBeLessThan(30)
    })
  },
)

test.each(['0.85.0', '0.98.0'] as const)(
  'a run that waits for its orchestrator (provisioning) is ended before a step starts, ZenML %s',
  async (version) => {
    const startup = { orchestrator: 'kubernetes', startupSeconds: 600 } as const
    const scene = await openScene({ version, pipelines: [long], ...startup })
    await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
    const [run] = scene.started
    const body = JSON.stringify({ id: run!.id, name: run!.name, body: { status: 'provisioning' } })
    scene.server.addFault({
      on: 'run',
      get occurrence() {
        // No request is the zeroth.
        return scene.server.runs[0]?.status === 'initializing' ? 'always' : 0
      },
      do: { kind: 'answer', status: 200, body },
    })
    const deadline = new Deadline(scene.clock, 5_500)
    const request = { run: run!, mode: 'stop', reason: 'r', deadline } as const
    const ended = await stopOrKeep(request, { client: scene.client, clock: scene.clock })
    expect(ended).toMatchObject({ settled: true, status: 'failed' })
    expect(ended.sentence).toMatch(/was stopped and is now failed/)
    expect(scene.sent(/^PUT /)).toHaveLength(1)
    await scene.clock.sleep(900_000)
    expect(scene.server.runs[0]?.startedSteps).toEqual([])
  },
)

test('a run that was marked as failed is not said to have ended by itself where the look afterwards is refused', async () => {
  const scene = await openScene({ version: '0.74.0', pipelines: [long], startupSeconds: 600 })
  await scene.execute({ target: { kind: 'template', reference: 'long-template' }, wait: false })
  scene.server.addFault({
    on: 'run',
    occurrence: 2,
    do: { kind: 'answer', status: 403, body: '{"detail":"Forbidden"}' },
  })
  const ended = await stopOrKeep(
    { run: scene.started[0]!, mode: 'stop', reason: 'r', deadline: new Deadline(scene.clock, 60_000) },
    { client: scene.client, clock: scene.clock },
  )
  expect(scene.sent(/^PUT /)).toHaveLength(1)
  expect(ended.sentence).toMatch(/was stopped and is now failed/)
})
