import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from '@jest/globals'
import type { FaultAction, PipelineSpec } from '../../../simulator/index.ts'
import { collectDetails, type Collected } from '../../../src/run/outcome/collect.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const fails = { type: 'RuntimeError', message: 'boom', traceback: '', userCodeLine: 1 }

/** Steps that log something, some of which nothing, and one that fails in the first three runs. */
const broad = (count: number): PipelineSpec => ({
  name: 'broad',
  steps: [
    ...Array.from({ length: count }, (_, index) => ({
      name: `s${index}`,
      seconds: 1,
      metadata: { index, list: [index] },
    })),
    { name: 'silent', seconds: 1 },
    { name: 'last', seconds: 1, fails, failsUntil: 3 },
  ],
})

/** Starts a run, and replays it, and the replay, and so on. Gives the ids of all, each of which has ended. */
async function replayed(scene: Scene, times: number): Promise<string[]> {
  const { runId = '' } = await scene.execute({ target: { kind: 'template', reference: 'broad-template' } })
  const ids = [runId]
  for (let time = 1; time <= times; time += 1) {
    const body = { skip_successful_steps: true, run_name: `replay ${time}` }
    const answer = await scene.client.trigger({ kind: 'run', id: ids.at(-1) ?? '' }, body, randomUUID())
    if (answer.kind !== 'started') throw new Error(answer.kind)
    await scene.clock.sleep(120_000)
    ids.push(answer.run.id)
  }
  return ids
}

async function detailsOf(scene: Scene, id: string, thoroughly = true): Promise<Collected> {
  const { project: projectId } = scene.server.seeded
  return collectDetails({ id, projectId }, { ended: undefined, thoroughly }, scene.dependencies())
}

const oneOf = (scene: Scene): string[] => scene.sent(/\/steps\?id=oneof/)

test('a run that is no replay asks for no other run', async () => {
  const scene = await openScene({ pipelines: [broad(2)] })
  await replayed(scene, 0)
  expect(oneOf(scene)).toEqual([])
})

test('of a third replay each step has what the first run logged, with one request for each run before', async () => {
  const scene = await openScene({ pipelines: [broad(3)] })
  const [first = '', ...replays] = await replayed(scene, 3)
  const own = (await detailsOf(scene, first)).details.stepMetadata
  const { details, unread } = await detailsOf(scene, replays.at(-1) ?? '')
  expect(unread).toBeUndefined()
  expect(details.stepMetadata).toEqual(own)
  expect(details.reused).toEqual({
    from: { id: replays[1], name: 'replay 2' },
    steps: ['s0', 's1', 's2', 'silent'],
  })
  expect(details.artifacts).toEqual([])
  expect(oneOf(scene)).toHaveLength(3)
})

test('of many steps a hundred are asked for at once', async () => {
  const scene = await openScene({ pipelines: [broad(250)] })
  const [, second = ''] = await replayed(scene, 1)
  const { details } = await detailsOf(scene, second)
  expect(details.stepMetadata).toHaveLength(250)
  expect(oneOf(scene)).toHaveLength(3)
})

test('what a step was given when it was taken over counts, where its run was deleted; what it was not is missing', async () => {
  const scene = await openScene({ pipelines: [broad(3)] })
  const [first = '', second = '', third = ''] = await replayed(scene, 2)
  scene.server.vanish(first)
  const gone = 'the run that they were taken from was deleted, or the account may not read it'
  const next = await detailsOf(scene, second)
  expect(next.details.stepMetadata).toHaveLength(3)
  expect(next.unread).toBe(`metadata of 1 of 4 reused steps: ${gone}`)
  const last = await detailsOf(scene, third)
  expect(last.details.missing).toEqual([expect.stringMatching(/^metadata of 1 of 4 reused steps: /)])
  scene.server.vanish(second)
  const none = await detailsOf(scene, third)
  expect(none.details.stepMetadata).toEqual([])
  expect(none.unread).toBe(`metadata of 4 of 4 reused steps: ${gone}`)
})

const down: FaultAction = { kind: 'answer', status: 500, body: '{"detail":"no"}' }

test('earlier steps that cannot be read are named, and nothing is thrown', async () => {
  const scene = await openScene({ pipelines: [broad(3)] })
  const [, , third = ''] = await replayed(scene, 2)
  scene.server.addFault({ on: 'steps', occurrence: { from: 2, to: 100 }, do: down })
  const { details, unread } = await detailsOf(scene, third, false)
  expect(details.stepMetadata).toHaveLength(0)
  expect(unread).toMatch(/^metadata of 4 of 4 reused steps: could not read the run's steps.*500/)
})

test('something depends on them: they are asked for again', async () => {
  const scene = await openScene({ pipelines: [broad(3)] })
  const [, , third = ''] = await replayed(scene, 2)
  scene.server.addFault({ on: 'steps', occurrence: 2, do: down })
  const { details, unread } = await detailsOf(scene, third)
  expect(unread).toBeUndefined()
  expect(details.stepMetadata).toHaveLength(3)
})
