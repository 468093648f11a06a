import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeEach } from '@jest/globals'
import { Http, type HttpLimits } from '../../src/http/http.ts'

/** A request as it arrived, complete. */
export interface Received {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What a scripted server says; `body` that is no string is sent as JSON. */
export interface Reply {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The socket is destroyed instead of an answer. */
export const RESET = 'reset'

type Script = (request: Received, count: number) => Reply | typeof RESET

const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']
const closers: (() => unknown)[] = []
const environment = { ...process.env }

/** Whoever runs the tests may sit behind a proxy; its variables must not decide what they say. */
beforeEach(() => {
  for (const name of PROXY_VARIABLES) Reflect.deleteProperty(process.env, name)
})

afterEach(async () => {
  await closeAll()
  for (const name of PROXY_VARIABLES) {
    const before = environment[name]
    if (before === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = before
  }
})

// Nothing runs after each of several tests that run side by side.
afterAll(closeAll)

async function closeAll(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()))
}

/** Has something closed at the end of the test, or of all that run beside it. */
export function closeAfterTest(close: () => unknown): void {
  closers.push(close)
}

/** A client that is closed at the end of the test. */
export function openHttp(limits?: Partial<HttpLimits>, authorities?: readonly string[]): Http {
  const http = new Http('test-agent/1', limits, authorities)
  closeAfterTest(() => {
    http.close()
  })
  return http
}

/** The port of a server on 127.0.0.1, which is closed, with its connections, at the end of the test. */
export async function listen(server: TcpServer): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closeAfterTest(async () => {
    for (const socket of sockets) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

/** An HTTP server with a listener of Node's own kind. */
export async function startHttp(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener)
  return { url: `http://127.0.0.1:${await listen(server)}`, server }
}

/** An HTTPS server with the given key and certificate. */
export async function startHttps(key: string, cert: string, listener: RequestListener): Promise<string> {
  return `https://127.0.0.1:${await listen(createTlsServer({ key, cert }, listener))}`
}

/** A PEM text of the fixtures, all made for these tests and good for nothing else. */
export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/test-only-${name}.pem`, import.meta.url), 'utf8')
}

/** A server that speaks bytes. */
export async function startTcp(onSocket: (socket: Socket) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(createTcpServer(onSocket))}`
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A server that answers as the script says; `count` is 1 for the first request of that method and path. */
export async function startScripted(script: Script): Promise<{ url: string; requests: Received[] }> {
  const { listener, requests } = play(script)
  return { url: (await startHttp(listener)).url, requests }
}

/** The same over TLS, with a certificate of the fixtures; the default is one of `authority` for 127.0.0.1. */
export async function startSecure(
  script: Script,
  certificate = 'leaf',
): Promise<{ url: string; requests: Received[] }> {
  const { listener, requests } = play(script)
  return { url: await startHttps(fixture('key'), fixture(certificate), listener), requests }
}

function play(script: Script): { listener: RequestListener; requests: Received[] } {
  const requests: Received[] = []
  const counts = new Map<string, number>()
  const listener: RequestListener = (incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url: path = '', headers } = incoming
      const request = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') }
      requests.push(request)
      const route = `${method} ${path.replace(/\?.*$/s, '')}`
      counts.set(route, (counts.get(route) ?? 0) + 1)
      const reply = script(request, counts.get(route) ?? 1)
      if (reply === RESET) {
        incoming.socket.destroy()
        return
      }
      const { status = 200, body = '', headers: extra = {} } = reply
      response.writeHead(status, { 'content-type': 'application/json', ...extra })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  }
  return { listener, requests }
}

/** What a promise was rejected with; fails the test if it was not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => ({ rejected: false, reason: undefined }),
    (reason: unknown) => ({ rejected: true, reason }),
  )
  if (!outcome.rejected) throw new Error('it was not rejected')
  return outcome.reason
}

/** Something that a test waits for, or lets through, by hand. */
export class Gate {
  readonly opened: Promise<void>
  #open!: () => void

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }
}
