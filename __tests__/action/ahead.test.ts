import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createTcpServer, connect, type Socket } from 'node:net'
import { expect, jest, test } from '@jest/globals'
import { runAction, type ActionOptions, type ActionResult } from '../../e2e/action.ts'
import { fixture, Gate, listen } from '../http/scripted-server.ts'
import { passOn } from './holding.ts'
import { annotations, expectGreen, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/*
 * Connections that a step opens before it needs them: the first while it loads, that of its trigger while it looks up
 * what to run.
 */

/** The requests of one connection, as "METHOD /path". */
type Requests = string[]

interface Gateway {
  readonly url: string
  readonly connections: ReadonlyMap<Socket, Requests>
}

/** Passes everything on to a server, and notes what came on which connection. */
async function startGateway(
  target: string,
  before: (request: IncomingMessage) => Promise<void> = () => Promise.resolve(),
): Promise<Gateway> {
  const connections = new Map<Socket, Requests>()
  const server = createServer((request, response) => {
    connections.get(request.socket)?.push(`${request.method} ${request.url?.replace(/\?.*/, '')}`)
    void before(request).then(() => passOn(target, request, response))
  })
  server.on('connection', (socket: Socket) => connections.set(socket, []))
  return { url: `http://127.0.0.1:${await listen(server)}`, connections }
}

function unused({ connections }: Gateway): Socket[] {
  return [...connections].flatMap(([socket, { length }]) => (length === 0 ? [socket] : []))
}

const SNAPSHOT = { snapshot: 'training-template', wait: 'false' }
const TRIGGER = /^POST \/api\/v1\/pipeline_snapshots\/[\w-]+\/runs$/

/** Runs a step whose snapshot is found only once there is a connection on which nothing was sent. */
async function whileLookedUp(
  target: string,
  inputs: Readonly<Record<string, string>>,
  then: (waiting: Socket) => void = () => undefined,
): Promise<{ gateway: Gateway; result: ActionResult }> {
  const isThere = new Gate()
  const gateway = await startGateway(target, async ({ url = '' }) => {
    if (!url.startsWith('/api/v1/pipeline_snapshots?')) return
    for (;;) {
      const [waiting] = unused(gateway)
      if (waiting !== undefined) {
        then(waiting)
        break
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    isThere.open()
  })
  const result = await runAction({ inputs: { 'server-url': gateway.url, ...SNAPSHOT, ...inputs } })
  await isThere.opened
  return { gateway, result }
}

test("the trigger's connection is opened while the snapshot is looked up, and nothing else is sent on it", () =>
  withServer({}, async ({ server }) => {
    const inputs = { 'api-key': server.apiKey }
    const { gateway, result } = await whileLookedUp(server.url, inputs)
    expectGreen(result, 'started')
    expect(
      [...gateway.connections.values()].filter((requests) => requests.some((each) => TRIGGER.test(each))),
    ).toEqual([[expect.stringMatching(TRIGGER)]])
    expect(unused(gateway)).toEqual([])
  }))

test.each([
  ['closes', (socket: Socket) => socket.destroy()],
  [
    'answers before it is asked on',
    (socket: Socket) => socket.write('HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n{}'),
  ],
])("where the server %s the trigger's connection, there is another one, and one run", (_, spoil) =>
  withServer({}, async (scene) => {
    const { server } = scene
    let spoiled: Socket | undefined
    const { gateway, result } = await whileLookedUp(server.url, { 'api-key': server.apiKey }, (socket) => {
      spoiled = socket
      spoil(socket)
    })
    expectGreen(result, 'started')
    expect(spoiled && gateway.connections.get(spoiled)).toEqual([])
    expect(result.stdout).not.toMatch(/trying again|found by its name/)
    expect(scene.triggers).toHaveLength(1)
    expect(scene.runs).toHaveLength(1)
  }),
)

test('a dry run opens no connection on which nothing is sent', () =>
  withServer({}, async (scene) => {
    const gateway = await startGateway(scene.server.url)
    const result = await scene.step({ 'server-url': gateway.url, ...SNAPSHOT, 'dry-run': 'true' })
    expect(result.outputs).toMatchObject({ conclusion: 'dry-run' })
    expect(gateway.connections.size).toBeGreaterThan(0)
    expect(unused(gateway)).toEqual([])
    expect(scene.triggers).toEqual([])
  }))

test("what the server says before it was asked is not the login's answer", () =>
  withServer({}, async (scene) => {
    let count = 0
    const relay = createTcpServer((socket) => {
      count += 1
      if (count === 1) {
        const body = '{"detail":["CredentialsNotValid","no"]}'
        socket.write(`HTTP/1.1 401 Unauthorized\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
        return
      }
      const onwards = connect(Number(new URL(scene.server.url).port), '127.0.0.1')
      onwards.on('error', () => socket.destroy())
      socket.pipe(onwards).pipe(socket)
    })
    const url = `http://127.0.0.1:${await listen(relay)}`
    expectGreen(await scene.step({ 'server-url': url, ...SNAPSHOT }), 'started')
    expect(count).toBeGreaterThan(1)
  }))

/** A server that takes connections and says nothing; gives what came there. */
async function startSilent(): Promise<{ port: number; connections: string[] }> {
  const connections: string[] = []
  const server = createTcpServer((socket) => {
    const number = connections.push('') - 1
    socket.on('data', (bytes) => {
      connections[number] = `${connections[number]}${bytes.toString('latin1')}`
    })
  })
  return { port: await listen(server), connections }
}

const ENTRIES = ['main', 'login', 'wait', 'stop', 'resolve', 'sweep', 'promote'] as const

test.each(ENTRIES)(
  '%s with bad inputs: one connection, nothing is sent on it, and the step ends',
  async (entry) => {
    const silent = await startSilent()
    const inputs = { 'server-url': `http://127.0.0.1:${silent.port}` }
    const result = await runAction({ entry, inputs })
    expect(annotations('error', result)).not.toEqual([])
    expect(result.exitCode).toBe(1)
    expect(silent.connections).toEqual([''])
  },
)

test('with bad inputs the step does not wait for a server that does not finish its handshake', async () => {
  const silent = await startSilent()
  const result = await runAction({ inputs: { 'server-url': `https://127.0.0.1:${silent.port}` } })
  expect(result.exitCode).toBe(1)
  // A request would wait ten seconds for its connection.
  expect(result.ms).toBeLessThan(9_000)
  expect(silent.connections).toHaveLength(1)
})

test.each<[string, (port: number) => Omit<ActionOptions, 'inputs'>, Readonly<Record<string, string>>]>([
  ['through a proxy', (port) => ({ env: { HTTPS_PROXY: `http://127.0.0.1:${port}` } }), {}],
  ['with ca-certificate', () => ({}), { 'ca-certificate': fixture('authority') }],
  ['with nothing to do in the post step', () => ({ entry: 'post', state: { settled: 'true' } }), {}],
  ['with a post step that knows of no run', () => ({ entry: 'post' }), {}],
])('%s, no connection is made before there is a request', async (_, options, inputs) => {
  const silent = await startSilent()
  const given = { 'server-url': `https://127.0.0.1:${silent.port}`, ...inputs }
  await runAction({ ...options(silent.port), inputs: given })
  expect(silent.connections).toEqual([])
})
