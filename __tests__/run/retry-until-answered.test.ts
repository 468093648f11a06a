import { afterEach, expect, test } from '@jest/globals'
import type { FaultAction } from '../../simulator/index.ts'
import { closeScenes, openScene, type Scene } from './scene.ts'

/** A run is waited for by its id; the look for it is what is asked until there is an answer. */

afterEach(closeScenes)

const LOOK = /^GET .*\/runs\/[^/]+\?/

async function started(): Promise<{ scene: Scene; id: string }> {
  const scene = await openScene()
  const { runId: id = '' } = await scene.execute({ wait: false })
  return { scene, id }
}

function away(seconds: string): FaultAction {
  return { kind: 'answer', status: 503, body: '{"detail":"later"}', headers: { 'retry-after': seconds } }
}

test('a server that asks for patience is asked again after it, and the log says so', async () => {
  const { scene, id } = await started()
  scene.server.addFault({ on: 'run', do: away('17') })
  const from = scene.server.requests.length
  await expect(scene.attach(id)).resolves.toMatchObject({ conclusion: 'completed' })
  const [retry] = scene.events.filter((event) => event.kind === 'retry')
  expect(retry).toMatchObject({ line: expect.stringMatching(/^Could not read the run: .*503: later$/) })
  expect(retry?.waitMs).toBeGreaterThanOrEqual(17_000)
  const looks = scene.server.requests.slice(from).filter(({ path, method }) => LOOK.test(`${method} ${path}`))
  expect((looks[1]?.at ?? 0) - (looks[0]?.at ?? 0)).toBe(retry?.waitMs)
})

test('a server that is away ends the look after half a minute, whatever patience it asks for', async () => {
  const { scene, id } = await started()
  scene.server.addFault({ on: 'run', occurrence: 'always', do: away('20') })
  const [from, looks] = [scene.clock.elapsed(), scene.sent(LOOK).length]
  await expect(scene.attach(id)).rejects.toThrow(/503: later/)
  expect(scene.clock.elapsed() - from).toBe(30_000)
  expect(scene.sent(LOOK)).toHaveLength(looks + 3)
})

test('a no is told at once', async () => {
  const { scene, id } = await started()
  const body = '{"detail":["IllegalOperationError","Insufficient permissions to READ resource"]}'
  scene.server.addFault({ on: 'run', occurrence: 'always', do: { kind: 'answer', status: 403, body } })
  const from = scene.sent(LOOK).length
  await expect(scene.attach(id)).rejects.toThrow(/403 IllegalOperationError/)
  expect(scene.sent(LOOK)).toHaveLength(from + 1)
})

test('a cancelled workflow ends the look at once', async () => {
  const { scene, id } = await started()
  scene.server.addFault({ on: 'run', occurrence: 'always', do: { kind: 'hang' } })
  const cancelling = new AbortController()
  const result = scene.attach(id, {}, cancelling.signal)
  const from = scene.sent(LOOK).length
  while (scene.sent(LOOK).length === from) await new Promise((resolve) => setImmediate(resolve))
  cancelling.abort(new Error('cancelled'))
  await expect(result).resolves.toMatchObject({ conclusion: 'cancelled' })
  expect(scene.sent(LOOK)).toHaveLength(from + 1)
})
