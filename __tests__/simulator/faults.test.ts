import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { request } from 'undici'
import { VirtualClock, startSimulator, type FaultAction, type RouteName } from '../../simulator/index.ts'
import { Client, closeAfterTest } from './client.ts'

const clock = new VirtualClock()

async function withFault(action: FaultAction, on: RouteName = 'trigger') {
  const simulator = await startSimulator({ clock, faults: [{ on, do: action }] })
  closeAfterTest(simulator)
  const client = await Client.login(simulator)
  const named = async () => (await client.get('/runs?name=equals:mine')).body
  const trigger = (key: string = randomUUID()) => client.trigger('training', { run_name: 'mine' }, key)
  return { simulator, client, named, trigger }
}

test('"too busy": the work is done a little later, and the same key gets its run', async () => {
  const { named, trigger, simulator } = await withFault({ kind: 'too-busy', seconds: 8 })
  const key = randomUUID()
  expect((await trigger(key)).status).toBe(429)
  expect(await named()).toMatchObject({ total: 0 })
  expect(await trigger(key)).toMatchObject({ status: 200, body: { name: 'mine' } })
  expect(simulator.runs).toHaveLength(1)
})

test('"too busy" for ever: only another key starts the run', async () => {
  const { trigger, simulator } = await withFault({ kind: 'too-busy-forever' })
  const key = randomUUID()
  for (let i = 0; i < 3; i++) expect((await trigger(key)).status).toBe(429)
  expect((await trigger()).status).toBe(200)
  expect(simulator.runs).toHaveLength(1)
})

test('no slot: the run can be seen for a moment', async () => {
  const { named, trigger } = await withFault({ kind: 'no-slot' })
  expect(await trigger()).toMatchObject({
    status: 429,
    body: { detail: ['MaxConcurrentTasksError', expect.any(String)] },
  })
  expect(await named()).toMatchObject({ total: 1 })
  await clock.sleep(5000)
  expect(await named()).toMatchObject({ total: 0 })
})

test.each<[string, FaultAction, number]>([
  ['a reset before the work starts nothing', { kind: 'reset', when: 'before-work' }, 0],
  ['a reset after the work has started the run', { kind: 'reset', when: 'after-work' }, 1],
  ['a refused connection starts nothing', { kind: 'refuse' }, 0],
  ['a cut answer has started the run', { kind: 'cut' }, 1],
])('%s', async (_, action, runs) => {
  const { trigger, simulator } = await withFault(action)
  await expect(trigger()).rejects.toThrow()
  expect(simulator.runs).toHaveLength(runs)
  expect((await trigger()).status).toBe(runs === 0 ? 200 : 409)
})

test.each<[string, FaultAction, number, number]>([
  ['HTML from a proxy', { kind: 'html' }, 502, 0],
  ['HTML from a proxy that passed the request on', { kind: 'html', status: 504, work: true }, 504, 1],
  ['any answer', { kind: 'answer', status: 503, body: 'later' }, 503, 0],
  ['any answer after the work', { kind: 'answer', status: 500, body: '', work: true }, 500, 1],
  ['a redirect', { kind: 'redirect', location: 'https://elsewhere.example/' }, 307, 0],
])('%s', async (_, action, status, runs) => {
  const { trigger, simulator } = await withFault(action)
  expect((await trigger()).status).toBe(status)
  expect(simulator.runs).toHaveLength(runs)
  expect(simulator.requests.at(-1)).toMatchObject({ status })
})

test('a delay passes on the clock', async () => {
  const { client } = await withFault({ kind: 'delay', seconds: 90 }, 'user')
  const before = clock.now()
  expect((await client.get('/current-user')).status).toBe(200)
  expect(clock.now() - before).toBe(90_000)
})

test('a hanging request is never answered', async () => {
  const { simulator } = await withFault({ kind: 'hang' }, 'info')
  const answer = request(`${simulator.url}/api/v1/info`, {
    headersTimeout: 50,
    signal: AbortSignal.timeout(200),
  })
  await expect(answer).rejects.toThrow()
  expect(simulator.requests.at(-1)).not.toHaveProperty('status')
})

test('an endless body goes on until the client leaves', async () => {
  const { simulator } = await withFault({ kind: 'endless-body' }, 'info')
  const { body } = await request(`${simulator.url}/api/v1/info`)
  let bytes = 0
  for await (const chunk of body) {
    if (Buffer.isBuffer(chunk)) bytes += chunk.length
    if (bytes > 5_000_000) break
  }
  expect(bytes).toBeGreaterThan(5_000_000)
})

test('a slow body comes in pieces', async () => {
  const { simulator } = await withFault({ kind: 'slow-body', bytes: 200, pauseMs: 1 }, 'info')
  const { body } = await request(`${simulator.url}/api/v1/info`)
  expect(await body.json()).toMatchObject({ version: '0.98.0' })
})

test('faults are counted for each route, from 1; ranges and "always" work', async () => {
  const simulator = await startSimulator({ clock })
  closeAfterTest(simulator)
  const client = await Client.login(simulator)
  simulator.addFault({ on: 'user', occurrence: { from: 2, to: 3 }, do: { kind: 'html', status: 500 } })
  simulator.addFault({ on: 'runs', occurrence: 'always', do: { kind: 'html', status: 503 } })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) {
    statuses.push((await client.get('/current-user')).status)
    expect((await client.get('/runs')).status).toBe(503)
  }
  expect(statuses).toEqual([200, 500, 500, 200])
})

test('an answer about another run: what was asked is done, and the oldest run is shown', async () => {
  const { simulator, client, trigger } = await withFault({ kind: 'about-another', what: 'run' }, 'run')
  await client.trigger('training', { run_name: 'older' })
  await trigger()
  const [older, newer] = simulator.runs
  expect(await client.get(`/runs/${newer?.id ?? ''}`)).toMatchObject({ status: 200, body: { id: older?.id } })
  expect(await client.get(`/runs/${newer?.id ?? ''}`)).toMatchObject({ status: 200, body: { id: newer?.id } })
})

test('an answer with another name: the run is there under its own', async () => {
  const { simulator, named, trigger } = await withFault({ kind: 'about-another', what: 'name' })
  const { body } = await trigger()
  expect(body).toMatchObject({ id: simulator.runs[0]?.id, name: 'a name of something else' })
  expect(await named()).toMatchObject({ total: 1 })
})

test('a name is stored as the options say, and is found and taken under that name only', async () => {
  const simulator = await startSimulator({ clock, storesName: (name) => `${name} ` })
  closeAfterTest(simulator)
  const client = await Client.login(simulator)
  const { body } = await client.trigger('training', { run_name: 'mine' })
  expect(body).toMatchObject({ name: 'mine ' })
  expect((await client.get('/runs?name=equals:mine')).body).toMatchObject({ total: 0 })
  expect(await client.trigger('training', { run_name: 'mine' })).toMatchObject({ status: 409 })
})
