import { expect, test } from '@jest/globals'
import { startSimulator, VirtualClock, type Fault, type SimulatorOptions } from '../../simulator/index.ts'
import { openClient } from '../../src/actions/open-client.ts'
import type { Credential } from '../../src/github/inputs/connection.ts'
import { WorkflowLog } from '../../src/github/log/workflow-log.ts'
import type { RunEvent } from '../../src/run/events.ts'
import type { ZenmlClient } from '../../src/zenml/client.ts'
import type { Clock } from '../../src/base/clock.ts'
import { AnswerError, CredentialError, UnreachableError } from '../../src/zenml/errors.ts'
import { isPassing } from '../../src/zenml/retry.ts'
import {
  closeAfterTest,
  closedPort,
  openHttp,
  rejection,
  RESET,
  startScripted,
  type Reply,
} from '../http/scripted-server.ts'

const KEY = '6f1f0d1e-7a0e-4b52-9d7e-2f6a0c1d9b11'

interface Changes {
  /** Undefined: a token. */
  readonly apiKey?: string
  readonly clock?: Clock
  readonly onRetry?: () => void
  readonly signal?: AbortSignal
}

async function connect(url: string, { apiKey, clock = new VirtualClock(), onRetry, signal }: Changes = {}) {
  const retries: { line: string; waitMs: number }[] = []
  const tell = (event: RunEvent): void => {
    if (event.kind !== 'retry') return
    retries.push({ line: event.line, waitMs: event.waitMs })
    onRetry?.()
  }
  const credential: Credential =
    apiKey === undefined ? { kind: 'access-token', token: 'token-0' } : { kind: 'api-key', key: apiKey }
  const { client } = await openClient({
    inputs: { server: { url, proApiUrl: url }, credential },
    http: openHttp(),
    clock,
    log: new WorkflowLog(() => undefined),
    reporter: { tell },
  })
  return { client: client.with({ signal }), retries, clock }
}

/** A simulated server and a client that is logged in with its key; both live in one virtual time. */
async function simulate(options: SimulatorOptions = {}) {
  const clock = new VirtualClock()
  const simulator = await startSimulator({ clock, ...options })
  closeAfterTest(() => simulator.close())
  const routes = () => simulator.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*$/s, '')}`)
  return { simulator, routes, ...(await connect(simulator.url, { clock, apiKey: simulator.apiKey })) }
}

const LOGIN = 'POST /api/v1/login'
const INFO = 'GET /api/v1/info'

/** A server that gives these answers to every route, the last one again and again. */
async function scripted(...replies: (Reply | typeof RESET)[]) {
  const server = await startScripted((_request, count) => replies[Math.min(count, replies.length) - 1] ?? {})
  return { ...server, ...(await connect(server.url)) }
}

function run(name: string | null, id: string, projectId?: string) {
  return { id, name, body: { status: 'running', project_id: projectId }, metadata: null, resources: null }
}

function page(items: readonly unknown[]) {
  return { index: 1, max_size: 20, total_pages: 1, total: items.length, items }
}

test('the first read logs in, and the token goes with it', async () => {
  const { client, simulator, routes } = await simulate()
  expect(await client.info()).toMatchObject({ version: '0.98.0', isPro: false })
  expect(routes()).toEqual([LOGIN, INFO])
  expect(simulator.requests[1]?.headers['authorization']).toBe(`Bearer ${simulator.issuedTokens[0]}`)
})

test('a server below a path prefix is reached there', async () => {
  const { client, routes } = await simulate({ pathPrefix: '/zen/ml' })
  expect((await client.account()).id).toMatch(/^[0-9a-f-]{36}$/)
  expect(routes()).toEqual(['POST /zen/ml/api/v1/login', 'GET /zen/ml/api/v1/current-user'])
})

test('a token that ends in the middle costs one login, and the same request again', async () => {
  const { client, simulator, routes, retries } = await simulate()
  await client.account()
  simulator.expireTokens()
  await client.account()
  const user = 'GET /api/v1/current-user'
  expect(routes()).toEqual([LOGIN, user, user, LOGIN, user])
  expect(simulator.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${simulator.issuedTokens[1]}`)
  expect(retries).toEqual([])
})

test('a trigger that met an ended token is sent once more: same key, same body, one run', async () => {
  const { client, simulator } = await simulate()
  await client.info()
  simulator.expireTokens()
  const id = simulator.seeded.snapshots['training-template'] ?? ''
  const answer = await client.trigger({ kind: 'snapshot', id }, { run_name: 'one' }, KEY)
  expect(answer).toMatchObject({ kind: 'started', run: { name: 'one' } })
  const sent = simulator.requests.filter(({ path }) => path.endsWith('/runs'))
  expect(sent.map(({ headers, body }) => [headers['idempotency-key'], body])).toEqual(
    Array(2).fill([KEY, '{"run_configuration":{"run_name":"one"}}']),
  )
  expect(simulator.runs).toHaveLength(1)
})

test('three refusals in a row end it: the login works, the token does not', async () => {
  const { url, requests } = await startScripted(({ path }) =>
    path.endsWith('/login')
      ? { body: { access_token: 't', expires_in: null } }
      : { status: 401, body: { detail: ['CredentialsNotValid', 'x'] } },
  )
  const error = await rejection((await connect(url, { apiKey: 'ZENKEY_x' })).client.account())
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toContain('its token is refused: check that the account is active')
  expect(requests.map(({ path }) => path)).toEqual(
    Array.from({ length: 3 }, () => ['/api/v1/login', '/api/v1/current-user']).flat(),
  )
})

test('a new token that is refused as well is no end: the next one may be better', async () => {
  let refusals = 0
  const { url } = await startScripted(({ path }) => {
    if (path.endsWith('/login')) return { body: { access_token: 't', expires_in: null } }
    const isRefused = path.endsWith('/current-user') && (refusals += 1) <= 2
    return isRefused
      ? { status: 401, body: { detail: ['CredentialsNotValid', 'x'] } }
      : { body: { id: '5da48873-3250-43a0-8bbc-4497b7a872ab', name: 'ci' } }
  })
  const { client } = await connect(url, { apiKey: 'ZENKEY_x' })
  expect(await client.account()).toMatchObject({ name: 'ci' })
})

test('an access-token that is refused ends it with the advice to use a key, after one request', async () => {
  const { client, requests } = await scripted({ status: 401, body: { detail: ['CredentialsNotValid', 'x'] } })
  const error = await rejection(client.account())
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toContain('Use api-key')
  expect(requests).toHaveLength(1)
})

test('a key that was withdrawn in the middle of a trigger started nothing, and says so as a credential fault', async () => {
  const fault: Fault = {
    on: 'login',
    occurrence: 2,
    do: { kind: 'answer', status: 401, body: '{"detail":"no"}' },
  }
  const { client, simulator } = await simulate({ faults: [fault] })
  await client.info()
  simulator.expireTokens()
  const id = simulator.seeded.snapshots['training-template'] ?? ''
  expect(await rejection(client.trigger({ kind: 'snapshot', id }, {}, KEY))).toBeInstanceOf(CredentialError)
  expect(simulator.runs).toEqual([])
})

test.each<[string, Fault['do']]>([
  ['a 503', { kind: 'answer', status: 503, body: 'away' }],
  ['a 429', { kind: 'answer', status: 429, body: 'slow down' }],
  ['a 500', { kind: 'answer', status: 500, body: 'Internal Server Error' }],
  ["a proxy's page", { kind: 'html', status: 502 }],
  ['a page with status 200', { kind: 'html', status: 200 }],
  ['a reset', { kind: 'reset', when: 'before-work' }],
  ['a cut body', { kind: 'cut' }],
])('a read that met %s is repeated after a wait that is told', async (_name, fault) => {
  const { client, routes, retries, clock } = await simulate({
    faults: [{ on: 'info', occurrence: { from: 1, to: 2 }, do: fault }],
  })
  const start = clock.now()
  expect((await client.info()).version).toBe('0.98.0')
  expect(routes().filter((route) => route === INFO)).toHaveLength(3)
  expect(retries).toHaveLength(2)
  expect(retries[0]?.line).toMatch(/^Could not read the server's version: /)
  expect(clock.now() - start).toBe(retries.reduce((sum, { waitMs }) => sum + waitMs, 0))
})

test('a Retry-After is waited out', async () => {
  const headers = { 'retry-after': '40' }
  const { client, retries } = await simulate({
    faults: [{ on: 'info', do: { kind: 'answer', status: 503, headers } }],
  })
  await client.info()
  expect(retries[0]?.waitMs).toBeGreaterThanOrEqual(40_000)
})

test("a date in Retry-After is one of the server's clock, however wrong that of the runner is", async () => {
  const headers = { date: 'Thu, 01 Jan 2026 13:00:00 GMT', 'retry-after': 'Thu, 01 Jan 2026 13:00:40 GMT' }
  const { client, retries } = await simulate({
    faults: [{ on: 'info', do: { kind: 'answer', status: 503, headers } }],
  })
  await client.info()
  expect(retries[0]?.waitMs).toBeGreaterThanOrEqual(40_000)
  expect(retries[0]?.waitMs).toBeLessThan(60_000)
})

test('a read is given up after seven tries, with what came last', async () => {
  const { client, requests } = await scripted(RESET)
  const error = await rejection(client.info())
  expect(error).toBeInstanceOf(UnreachableError)
  expect(String(error)).toMatch(/Could not read the server's version: the connection was closed/)
  expect(requests).toHaveLength(7)
})

test('a login that failed seven times is not tried seven times more by the read that needed it', async () => {
  const { url, requests } = await startScripted(() => ({ status: 503, body: 'away' }))
  const error = await rejection((await connect(url, { apiKey: 'ZENKEY_x' })).client.info())
  expect(String(error)).toContain('Could not log in: the server answered 503: away')
  expect(requests).toHaveLength(7)
})

test('a client without retries tries once', async () => {
  const { client, requests } = await scripted({ status: 503 })
  expect(await rejection(client.with({ retries: 'none' }).info())).toBeInstanceOf(AnswerError)
  expect(requests).toHaveLength(1)
})

test.each([400, 402, 403, 404, 405, 422, 501])('a %i to a read is final', async (status) => {
  const { client, requests } = await scripted({ status, body: { detail: ['KeyError', "'gone'"] } })
  const error = await rejection(client.run('r', { hydrate: false }))
  expect(error).toMatchObject({ status, exception: 'KeyError', detail: 'gone', fromZenml: true })
  expect(requests).toHaveLength(1)
})

test('a cancelled wait between two tries ends with the reason of the cancel', async () => {
  const { url, requests } = await startScripted(() => ({ status: 503 }))
  const cancel = new AbortController()
  const reason = new Error('cancelled')
  const onRetry = () => cancel.abort(reason)
  const { client } = await connect(url, { onRetry, signal: cancel.signal })
  expect(await rejection(client.info())).toBe(reason)
  expect(requests).toHaveLength(1)
})

test("a list is asked for exactly the name given, behind ZenML's operator, newest first", async () => {
  const { client, requests } = await scripted({ body: page([]) })
  const query = { name: 'contains:a&b', pipeline: 'training', project: 'p', runnable: true, size: 20 }
  expect(await client.definitions('snapshot', query)).toEqual([])
  await client.definitions('template', query)
  const [snapshots, templates] = requests.map(({ path }) => new URL(path, 'http://x'))
  const common = {
    name: 'equals:contains:a&b',
    pipeline: 'training',
    project: 'p',
    sort_by: 'desc:created',
    size: '20',
    hydrate: 'false',
  }
  expect(snapshots?.pathname).toBe('/api/v1/pipeline_snapshots')
  expect(Object.fromEntries(snapshots?.searchParams ?? [])).toEqual({
    ...common,
    named_only: 'true',
    runnable: 'true',
  })
  expect(templates?.pathname).toBe('/api/v1/run_templates')
  expect(Object.fromEntries(templates?.searchParams ?? [])).toEqual(common)
})

test.each(['0.74.0', '0.85.0', '0.98.0'] as const)(
  'a template of a %s server is found and read',
  async (version) => {
    const { client, simulator } = await simulate({ version })
    const [found] = await client.definitions('template', { name: 'training-template', size: 20 })
    expect(found).toMatchObject({ id: simulator.seeded.templates['training-template'], runnable: true })
    const read = await client.definition('template', found?.id ?? '')
    expect(read.pipeline?.name).toBe('training')
    expect(read.stepParameters?.['load']).toEqual({ rows: 10 })
  },
)

test('a snapshot is read with its schema', async () => {
  const { client, simulator } = await simulate()
  await client.definition('snapshot', simulator.seeded.snapshots['training-template'] ?? '')
  expect(simulator.requests.at(-1)?.path).toMatch(/\/pipeline_snapshots\/[\w-]+\?include_config_schema=true$/)
})

test('of the runs that a look-up by name gives, only those of that very name and project count', async () => {
  const { client, requests } = await scripted({
    body: page([
      run('wanted', 'ours', 'p'),
      run('wanted-2', 'longer', 'p'),
      run('Wanted', 'other-case', 'p'),
      run(null, 'nameless', 'p'),
      run('wanted', 'foreign-project', 'q'),
      run('wanted', 'project-not-told'),
    ]),
  })
  expect((await client.runsByName('wanted', 'p')).map(({ id }) => id)).toEqual(['ours', 'project-not-told'])
  expect((await client.runsByName('wanted')).map(({ id }) => id)).toEqual([
    'ours',
    'foreign-project',
    'project-not-told',
  ])
  const query = new URL(requests[0]?.path ?? '', 'http://x').searchParams
  expect(Object.fromEntries(query)).toEqual({
    name: 'equals:wanted',
    project: 'p',
    sort_by: 'desc:created',
    size: '100',
    hydrate: 'true',
  })
})

test.each([
  ['template', '/api/v1/run_templates/some-id/runs', '{"run_name":"n","steps":{}}'],
  [
    'snapshot',
    '/api/v1/pipeline_snapshots/some-id/runs',
    '{"run_configuration":{"run_name":"n","steps":{}}}',
  ],
] as const)('a %s is triggered once, with the key and its own form of body', async (kind, path, body) => {
  const { client, requests } = await scripted({ body: run('n', 'r') })
  const answer = await client.trigger({ kind, id: 'some-id' }, { run_name: 'n', steps: {} }, KEY)
  expect(answer).toMatchObject({ kind: 'started', run: { id: 'r', name: 'n' } })
  expect(requests).toMatchObject([
    {
      method: 'POST',
      path,
      headers: {
        'idempotency-key': KEY,
        authorization: 'Bearer token-0',
        'content-type': 'application/json',
        // Its own one, so that no answer to another request is taken for its answer.
        connection: 'close',
      },
      body,
    },
  ])
})

test.each<[string, Reply | typeof RESET, string]>([
  ['a 503', { status: 503 }, 'unclear'],
  ['a 502 page', { status: 502, body: '<html>' }, 'unclear'],
  ['a reset', RESET, 'unclear'],
  ['a 200 with a page', { body: '<html>' }, 'unclear'],
  ['too busy', { status: 429, body: { error: 'Server too busy. Please try again later.' } }, 'working'],
  ['a redirect', { status: 308, headers: { location: '/elsewhere' } }, 'refused'],
  ['a refusal', { status: 400, body: { detail: ['ValueError', 'no'] } }, 'refused'],
])('a trigger that met %s is not repeated by the client', async (_name, reply, kind) => {
  const { client, requests } = await scripted(reply)
  expect(await client.trigger({ kind: 'template', id: 'i' }, {}, KEY)).toMatchObject({ kind })
  expect(requests).toHaveLength(1)
})

test('a trigger to a server that does not listen was not sent', async () => {
  const { client } = await connect(`http://127.0.0.1:${await closedPort()}`)
  const answer = await client.trigger({ kind: 'snapshot', id: 'i' }, {}, KEY)
  expect(answer).toMatchObject({
    kind: 'not-sent',
    error: { message: 'the connection was refused' },
  })
})

test('a cancelled trigger rejects with the reason of the cancel', async () => {
  const reason = new Error('cancelled')
  const { client } = await scripted({})
  const cancelled = client.with({ signal: AbortSignal.abort(reason) })
  expect(await rejection(cancelled.trigger({ kind: 'template', id: 'i' }, {}, KEY))).toBe(reason)
})

test('all pages of the steps are read, with the oldest first', async () => {
  const { url, requests } = await startScripted((_request, count) => ({
    body: {
      total: 3,
      total_pages: 2,
      items: [{ id: `s${count}`, name: `step-${count}`, body: { status: 'running' } }],
    },
  }))
  const steps = await (await connect(url)).client.steps({ id: 'r', projectId: 'p' })
  expect(steps.map(({ name }) => name)).toEqual(['step-1', 'step-2'])
  expect(requests.map(({ path }) => path)).toEqual(
    [1, 2].map(
      (number) =>
        `/api/v1/runs/r/steps?project=p&hydrate=false&size=100&page=${number}&sort_by=asc%3Acreated`,
    ),
  )
})

test('a server that promises pages without end is not followed there', async () => {
  let asked = 0
  const { url } = await startScripted(() => {
    asked += 1
    // Ends a client that would go on for ever.
    return asked > 50 ? { status: 404 } : { body: { total: 0, total_pages: 1_000_000, items: [] } }
  })
  expect(await (await connect(url)).client.steps({ id: 'r', projectId: 'p' })).toEqual([])
  expect(asked).toBe(1)
})

test('a list that counts a run and has none is asked for again: it must not look as if there were none', async () => {
  const { url } = await startScripted((_, count) => ({
    body: count === 1 ? { total: 1, total_pages: 1, items: [] } : page([run('a-1', 'ours', 'p')]),
  }))
  const { client } = await connect(url)
  expect((await client.runsByPrefix('a-', 'p')).map(({ id }) => id)).toEqual(['ours'])
})

test('a look-up by the beginning of a name gives only runs that begin so', async () => {
  const { client, requests } = await scripted({
    body: page([
      run('a-1', 'ours', 'p'),
      run('b-a-1', 'other', 'p'),
      run(null, 'nameless', 'p'),
      run('a-2', 'q', 'q'),
    ]),
  })
  expect((await client.runsByPrefix('a-', 'p')).map(({ id }) => id)).toEqual(['ours'])
  expect(new URL(requests[0]?.path ?? '', 'http://x').searchParams.get('name')).toBe('startswith:a-')
})

test('ids and names cannot leave their place in the path', async () => {
  const { client, requests } = await scripted({ status: 404, body: { detail: 'x' } })
  await rejection(client.run('../a?b#c', { hydrate: true }))
  await rejection(client.project('../a/b', { hasProjects: true }))
  expect(requests.map(({ path }) => path)).toEqual([
    '/api/v1/runs/..%2Fa%3Fb%23c?hydrate=true',
    '/api/v1/projects/..%2Fa%2Fb',
  ])
})

test('asking the orchestrator is one request, and a 501 is an error of its own', async () => {
  const { client, requests } = await scripted({
    status: 501,
    body: { detail: ['NotImplementedError', 'no'] },
  })
  expect(await rejection(client.refresh('r'))).toMatchObject({ status: 501 })
  expect(requests).toMatchObject([{ method: 'POST', path: '/api/v1/runs/r/refresh?include_steps=true' }])
})

const ASKED = '0b5f3c1a-9d2e-4f6b-8a7c-1d2e3f4a5b6c'
const OTHER = '99999999-9999-4999-8999-999999999999'

/** What is read by an id, and the parts that each answer needs beside it. */
const READS: readonly (readonly [
  name: string,
  read: (client: ZenmlClient) => Promise<unknown>,
  rest: object,
])[] = [
  ['run', (client) => client.run(ASKED, { hydrate: false }), { body: { status: 'completed' } }],
  ['run with all details', (client) => client.runDetail(ASKED), { body: { status: 'completed' } }],
  ['graph', (client) => client.dag(ASKED), { status: 'completed', nodes: [], edges: [] }],
  ['snapshot', (client) => client.definition('snapshot', ASKED), { name: 'x' }],
  ['template', (client) => client.definition('template', ASKED.toUpperCase()), { name: 'x' }],
  ['step', (client) => client.stepDetail(ASKED), { body: { status: 'completed' } }],
  ['project', (client) => client.project(ASKED, { hasProjects: true }), { name: 'x' }],
]

test.each(READS)('an answer about another %s than the one asked for is no answer', async (_, read, rest) => {
  const about = (id: string): Reply => ({ body: { id, ...rest } })
  const { client, requests, retries } = await scripted(about(OTHER), about(ASKED))
  await read(client)
  expect(requests).toHaveLength(2)
  expect(retries).toEqual([
    {
      line: expect.stringContaining('the response is for a different ID than requested'),
      waitMs: expect.any(Number),
    },
  ])
  const lasting = await scripted(about(OTHER))
  const error = await rejection(read(lasting.client))
  expect(String(error)).toMatch(/^AnswerError: Could not .*the response is for a different ID/)
  expect(isPassing(error as AnswerError)).toBe(true)
})

test('a graph that does not say whose it is, is the one that was asked for', async () => {
  const { client } = await scripted({ body: { status: 'running', nodes: [], edges: [] } })
  expect(await client.dag(ASKED)).toMatchObject({ status: 'running', steps: [] })
})

test('what was read ahead and not asked for is not taken for an answer from after something was done', async () => {
  const { client, simulator, routes } = await simulate()
  client.readAhead([])
  await client.info()
  await client.stop(simulator.apiKey, { graceful: false })
  await client.account()
  expect(routes().filter((route) => route === 'GET /api/v1/current-user')).toHaveLength(2)
})
