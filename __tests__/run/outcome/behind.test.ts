import { afterEach, expect, test } from '@jest/globals'
import type { Fault } from '../../../simulator/index.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import type { RunResult } from '../../../src/run/run-supervisor.ts'
import type { RunDetails } from '../../../src/run/facts.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

/** What a replica says that is behind: the watch sees the end of a run, and what is read after it is from before. */

afterEach(closeScenes)

const ACCURATE = [{ name: 'accuracy', operator: '>=', wanted: 0.9 } as const]
const OUTDATED = "the run's own metadata: the server gave it as it was before the run ended"

interface Item {
  readonly name: string
  readonly body: { readonly status: string }
  readonly metadata: Record<string, unknown>
}

interface Ended {
  readonly scene: Scene
  readonly id: string
  /** Answers from when the step `train` was running. */
  readonly before: Readonly<Record<'run' | 'dag' | 'steps', string>>
}

async function send(scene: Scene, path: string, init: RequestInit = {}): Promise<string> {
  const authorization = `Bearer ${scene.server.issuedTokens.at(-1) ?? ''}`
  const headers = { authorization, 'content-type': 'application/json' }
  const response = await fetch(`${scene.server.url}/api/v1${path}`, { ...init, headers })
  const text = await response.text()
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
  return text
}

/** A run that has ended, and what was to be read of it while it ran: an accuracy of 0.95, in the place of 0.4. */
async function ended(parameters: JsonObject, ofRun: boolean): Promise<Ended> {
  const scene = await openScene()
  const layers = [{ source: 'configuration', value: { steps: { train: { parameters } } } }]
  const { runId: id = '' } = await scene.execute({
    wait: false,
    overrides: { layers, tags: undefined, enableCache: undefined },
  })
  const log = async (accuracy: number): Promise<void> => {
    const json = {
      project: scene.server.seeded.project,
      resources: [{ id, type: 'pipeline_run' }],
      values: { accuracy },
      types: { accuracy: 'float' },
    }
    if (ofRun) await send(scene, '/run-metadata', { method: 'POST', body: JSON.stringify(json) })
  }
  const list = `/steps?pipeline_run_id=${id}&hydrate=true`
  const trains = async (): Promise<boolean> =>
    (JSON.parse(await send(scene, list)) as { items: Item[] }).items.some(({ name }) => name === 'train')
  while (!(await trains())) await scene.clock.sleep(1_000)
  await log(0.95)
  const steps = JSON.parse(await send(scene, list)) as { items: Item[] }
  for (const { name, body, metadata } of steps.items) {
    if (name !== 'train') continue
    expect(body.status).toBe('running')
    if (!ofRun) metadata['run_metadata'] = { accuracy: 0.95 }
  }
  const before = {
    run: await send(scene, `/runs/${id}?hydrate=true`),
    dag: await send(scene, `/runs/${id}/dag`),
    steps: JSON.stringify(steps),
  }
  while (scene.server.runStatus(id) === 'running') await scene.clock.sleep(1_000)
  await scene.clock.sleep(600_000)
  await log(0.4)
  return { scene, id, before }
}

const RUN = /^GET \/api\/v1\/runs\/[^/?]+\?/

/** Waits for the run once more, while those routes are behind: all the time, or until the first reading is over. */
async function attachBehind(
  { scene, id, before }: Ended,
  routes: readonly (keyof Ended['before'])[],
  forGood: boolean,
): Promise<{ result: RunResult; details: RunDetails | undefined; sent: (pattern: RegExp) => number }> {
  const sent = (pattern: RegExp): number => scene.sent(pattern).length
  const atFirst = sent(RUN)
  await scene.attach(id)
  // The last but one of the run is its detail, the last is for the note of its end; the watch reads the graph as well.
  const first = { run: sent(RUN) - atFirst - 1, dag: 2, steps: 1 }
  for (const on of routes) {
    const from = on === 'run' ? first.run : 1
    const occurrence: Fault['occurrence'] = { from, to: forGood ? 100 : first[on] }
    scene.server.addFault({ on, occurrence, do: { kind: 'answer', status: 200, body: before[on] } })
  }
  const [told, atSecond] = [scene.events.length, scene.server.requests.length]
  const result = await scene.attach(id, { expectations: ACCURATE })
  const details = scene.events
    .slice(told)
    .flatMap((event) => (event.kind === 'details' ? [event.details] : []))
  const requests = scene.server.requests.slice(atSecond).map(({ method, path }) => `${method} ${path}`)
  return {
    result,
    details: details[0],
    sent: (pattern) => requests.filter((line) => pattern.test(line)).length,
  }
}

test('what a run logged last is judged, though its first reading is from before', async () => {
  const run = await ended({}, true)
  const { result, details } = await attachBehind(run, ['run'], false)
  expect(result).toMatchObject({
    conclusion: 'expectation-missed',
    error: expect.stringContaining('got 0.4'),
  })
  expect(details).toMatchObject({ metadata: { accuracy: 0.4 }, missing: [] })
})

test('a reading of the run that stays behind holds no expectation, and its old metadata is not told', async () => {
  const run = await ended({}, true)
  const { result, details, sent } = await attachBehind(run, ['run'], true)
  expect(result).toMatchObject({
    conclusion: 'expectation-missed',
    error: expect.stringContaining(`because the metadata could not be read: ${OUTDATED}`),
  })
  expect(details).toMatchObject({ metadata: {}, missing: [OUTDATED] })
  expect(sent(/\/steps\?/)).toBe(2)
})

test('what a step logged last is judged, though graph and list are both from before at first', async () => {
  const run = await ended({ accuracy: 0.4 }, false)
  const { result, details } = await attachBehind(run, ['dag', 'steps'], false)
  expect(result).toMatchObject({
    conclusion: 'expectation-missed',
    error: expect.stringContaining('got 0.4'),
  })
  expect(details?.missing).toEqual([])
})

test('graph and list that stay behind hold no expectation', async () => {
  const run = await ended({ accuracy: 0.4 }, false)
  const { result, details } = await attachBehind(run, ['dag', 'steps'], true)
  const missing = expect.stringMatching(/^metadata and artifacts of \d of 3 steps: the server left them out$/)
  expect(result).toMatchObject({
    conclusion: 'expectation-missed',
    error: expect.stringContaining('because the metadata could not be read: '),
  })
  expect(details?.missing).toEqual([missing])
})

test.each<[which: string, routes: ('run' | 'dag' | 'steps')[]]>([
  ['all', ['run', 'dag', 'steps']],
  ['graph and list', ['dag', 'steps']],
])('a failed run names its step and the reason, though %s are from before at first', async (_, routes) => {
  const run = await ended({ fail: 'no memory' }, false)
  const { result, details } = await attachBehind(run, routes, false)
  expect(result).toMatchObject({ conclusion: 'failed', failedStep: 'train' })
  expect(result.error).toContain('no memory')
  expect(details?.missing).toEqual([])
})

test('what is read as it ended is read once', async () => {
  const run = await ended({ accuracy: 0.95 }, false)
  const { result, sent } = await attachBehind(run, [], false)
  expect(result.conclusion).toBe('completed')
  expect([sent(/\/steps\?/), sent(/hydrate=true/)]).toEqual([1, 3])
})
