import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { VirtualClock, ZENML_VERSIONS, startSimulator, type SimulatorOptions } from '../../simulator/index.ts'
import { Client, closeAfterTest } from './client.ts'

const clock = new VirtualClock()

async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ clock, ...options })
  closeAfterTest(simulator)
  return { simulator, client: await Client.login(simulator) }
}

const full = {
  steps: { load: { parameters: { rows: 1 } }, train: { parameters: { seconds: 1, accuracy: 1, fail: '' } } },
}
const busy = { status: 429, body: { error: 'Server too busy. Please try again later.' } }

test('a keyed trigger that takes too long is answered "too busy", joined by its key, and makes one run', async () => {
  const { simulator, client } = await start({ triggerSeconds: 50, requestTimeout: 20 })
  const key = randomUUID()
  const began = clock.now()
  expect(await client.trigger('training', { run_name: 'slow' }, key)).toEqual(busy)
  expect(await client.trigger('training', { run_name: 'slow' }, key)).toEqual(busy)
  expect(clock.now() - began).toBe(40_000)
  expect((await client.get('/runs?name=equals:slow')).body).toMatchObject({ total: 0 })
  expect(await client.trigger('training', { run_name: 'slow' }, key)).toMatchObject({
    status: 200,
    body: { name: 'slow' },
  })
  expect(clock.now() - began).toBe(50_000)
  expect(simulator.runs.map(({ name, key: sent }) => [name, sent])).toEqual([['slow', key]])
})

test('the work of a slow trigger is seen by a look-up as soon as it is done', async () => {
  const { client } = await start({ triggerSeconds: 30, requestTimeout: 20 })
  expect((await client.trigger('training', { run_name: 'slow' }, randomUUID())).status).toBe(429)
  await clock.sleep(9_999)
  expect((await client.get('/runs?name=equals:slow')).body).toMatchObject({ total: 0 })
  await clock.sleep(1)
  expect((await client.get('/runs?name=equals:slow')).body).toMatchObject({ total: 1 })
})

test('without a key the connection is held, and a naive second post starts a second run', async () => {
  const { simulator, client } = await start({ triggerSeconds: 60 })
  const replies = await Promise.all([client.trigger('training'), client.trigger('training')])
  expect(replies.map(({ status }) => status)).toEqual([200, 200])
  expect(simulator.runs).toHaveLength(2)
})

test('a slow trigger whose name is taken meanwhile is refused, and its key is free again', async () => {
  const { client } = await start({ triggerSeconds: 30, requestTimeout: 100 })
  const [first, second] = [randomUUID(), randomUUID()]
  const replies = await Promise.all([
    client.trigger('training', { run_name: 'same' }, first),
    client.trigger('training', { run_name: 'same' }, second),
  ])
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 409])
  const loser = replies[0].status === 409 ? first : second
  expect((await client.trigger('training', { run_name: 'other' }, loser)).status).toBe(200)
})

test('a slot is held until the run has begun; without one the run is made, seen, and deleted again', async () => {
  const { simulator, client } = await start({ maxConcurrentRuns: 1, startupSeconds: 30 })
  expect((await client.trigger('training', { run_name: 'one' })).status).toBe(200)
  const message = 'Maximum number of concurrent snapshot tasks reached.'
  const refused = { status: 429, body: { detail: ['MaxConcurrentTasksError', message] } }
  expect(await client.trigger('training', { run_name: 'two' })).toEqual(refused)
  expect((await client.get('/runs?name=equals:two')).body).toMatchObject({ total: 1 })
  await clock.sleep(5000)
  expect((await client.get('/runs?name=equals:two')).body).toMatchObject({ total: 0 })
  await clock.sleep(25_000)
  expect((await client.trigger('training', { run_name: 'two' })).status).toBe(200)
  expect(simulator.runs.map(({ name, gone }) => [name, gone])).toEqual([
    ['one', false],
    ['two', true],
    ['two', false],
  ])
})

test('a server killed in mid-trigger leaves its key stuck; a new key with the same name starts the one run', async () => {
  const { simulator, client } = await start({ triggerSeconds: 30, requestTimeout: 20 })
  const key = randomUUID()
  expect((await client.trigger('training', { run_name: 'mine' }, key)).status).toBe(429)
  await simulator.restart({ downSeconds: 5 })
  expect((await client.get('/current-user')).status).toBe(401)
  await client.login()
  for (let minute = 0; minute < 5; minute++) {
    expect(await client.trigger('training', { run_name: 'mine' }, key)).toEqual(busy)
    await clock.sleep(60_000)
  }
  const fresh = randomUUID()
  expect((await client.trigger('training', { run_name: 'mine' }, fresh)).status).toBe(429)
  expect((await client.trigger('training', { run_name: 'mine' }, fresh)).status).toBe(200)
  expect(simulator.runs).toHaveLength(1)
})

test('a restart that forgets nothing keeps tokens and finished keys, on the same port', async () => {
  const { simulator, client } = await start()
  const key = randomUUID()
  const first = await client.trigger('training', { run_name: 'kept' }, key)
  const { url } = simulator
  await simulator.restart({ forgetTokens: false, stuckKeys: false })
  expect(simulator.url).toBe(url)
  expect(await client.trigger('training', { run_name: 'kept' }, key)).toEqual(first)
})

test('without a workload manager there is no way to start a run', async () => {
  for (const version of ZENML_VERSIONS) {
    const { client } = await start({ version, workloadManager: false })
    const reply = await client.trigger('training', full)
    expect(reply).toEqual({ status: 405, body: { detail: 'Method Not Allowed' } })
  }
})

test('a token ends with its lifetime, or when a test says so', async () => {
  const { simulator, client } = await start({ tokenLifetime: 60 })
  expect((await client.login()).body).toMatchObject({ expires_in: 60 })
  await clock.sleep(59_000)
  expect((await client.get('/current-user')).status).toBe(200)
  await clock.sleep(1000)
  const body = { detail: ['CredentialsNotValid', expect.stringContaining('expired')] }
  expect(await client.get('/current-user')).toMatchObject({ status: 401, body })
  await client.login()
  simulator.expireTokens()
  expect((await client.get('/current-user')).status).toBe(401)
  expect(simulator.issuedTokens).toHaveLength(3)
})

test('the login limit counts failures and refusals, and keeps the door shut for those who retry', async () => {
  const { client } = await start({ loginRateLimit: { perMinute: 2, perDay: 6 } })
  const minute = { status: 429, body: { detail: 'Minute request limit exceeded.' } }
  expect((await client.login('nope')).status).toBe(401)
  expect((await client.login('nope')).status).toBe(401)
  await clock.sleep(40_000)
  expect(await client.login()).toEqual(minute)
  await clock.sleep(40_000)
  expect((await client.login('nope')).status).toBe(401)
  expect(await client.login()).toEqual(minute)
  await clock.sleep(70_000)
  expect((await client.login('nope')).status).toBe(401)
  expect(await client.login()).toEqual({ status: 429, body: { detail: 'Daily request limit exceeded.' } })
})

test('everything asked of it is recorded', async () => {
  const { simulator, client } = await start({ pathPrefix: '/zenml' })
  await client.get('/runs?size=1')
  const last = simulator.requests.at(-1)
  expect(last).toMatchObject({
    method: 'GET',
    path: '/zenml/api/v1/runs?size=1',
    body: '',
    status: 200,
    at: clock.now(),
  })
  expect(last?.headers['authorization']).toMatch(/^Bearer /)
  expect(simulator.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/zenml$/)
})

test('the same seed gives the same ids and key, no seed gives others', async () => {
  const ids = async (options: SimulatorOptions) => {
    const { simulator } = await start(options)
    return [simulator.apiKey, simulator.seeded]
  }
  expect(await ids({ seed: 3 })).toEqual(await ids({ seed: 3 }))
  expect(await ids({})).not.toEqual(await ids({}))
})

test('of many runs that are triggered in the same millisecond each has a name of its own', async () => {
  const { simulator, client } = await start()
  const many = Array.from({ length: 100 }, () => client.trigger('training'))
  for (const { status } of await Promise.all(many)) expect(status).toBe(200)
  expect(new Set(simulator.runs.map(({ name }) => name)).size).toBe(100)
})
