import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RouteName } from '../../simulator/index.ts'

/** What becomes of an answer on its way. */
export type Tampering =
  /** Instead of the real one; with `work` the server does what was asked first. */
  | {
      readonly kind: 'instead'
      readonly status?: number
      readonly body?: string | Uint8Array
      readonly headers?: Readonly<Record<string, string>>
      readonly work?: boolean
    }
  /** The real one, changed; what is given back is sent as JSON. */
  | { readonly kind: 'json'; readonly change: (real: unknown) => unknown }
  /** The real one, changed as text. */
  | { readonly kind: 'text'; readonly change: (real: string) => string | Uint8Array }
  /** 200, a head that promises `megabytes`, and as many of them as anybody wants to read. */
  | { readonly kind: 'huge'; readonly megabytes: number }
  /** 200 and a body without a length or an end. */
  | { readonly kind: 'endless' }
  /** The real one, a byte at a time, so slowly that it takes minutes. */
  | { readonly kind: 'drip' }
  /** The head of a real answer, and then nothing. */
  | { readonly kind: 'stall' }

/** Says what is done to the answer of one request; undefined: nothing. */
export type Tamper = (route: RouteName | undefined) => Tampering | undefined

export interface TamperingServer {
  readonly url: string
  /** "METHOD /path" of each request, without /api/v1. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

const ROUTES: readonly (readonly [RegExp, RouteName])[] = [
  [/^POST \/login$/, 'login'],
  [/^GET \/info$/, 'info'],
  [/^GET \/current-user$/, 'user'],
  [/^GET \/projects$/, 'projects'],
  [/^GET \/(projects|workspaces)\/[^/]+$/, 'project'],
  [/^GET \/run_templates$/, 'templates'],
  [/^GET \/run_templates\/[^/]+$/, 'template'],
  [/^GET \/pipeline_snapshots$/, 'snapshots'],
  [/^GET \/pipeline_snapshots\/[^/]+$/, 'snapshot'],
  [/^POST \/(run_templates|pipeline_snapshots)\/[^/]+\/runs$/, 'trigger'],
  [/^GET \/runs$/, 'runs'],
  [/^GET \/runs\/[^/]+$/, 'run'],
  [/^PUT \/runs\/[^/]+$/, 'update'],
  [/^GET \/runs\/[^/]+\/dag$/, 'dag'],
  [/^GET \/runs\/[^/]+\/steps$/, 'steps'],
  [/^GET \/steps\/[^/]+$/, 'step'],
  [/^GET \/(steps|runs)\/[^/]+\/logs$/, 'logs'],
  [/^POST \/runs\/[^/]+\/stop$/, 'stop'],
  [/^GET \/artifact_versions\/[^/]+$/, 'artifact'],
  [/^GET \/artifact_versions\/[^/]+\/visualize$/, 'visualization'],
  [/^GET \/run_wait_conditions$/, 'wait-conditions'],
  [/^GET \/run_wait_conditions\/[^/]+$/, 'wait-condition'],
  [/^PUT \/run_wait_conditions\/[^/]+\/resolve$/, 'answer'],
]

interface Real {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

/** Stands between a client and the server at `target`, and changes its answers. */
export async function startTampering(target: string, tamper: Tamper): Promise<TamperingServer> {
  const requests: string[] = []
  const server = createServer((incoming, response) => {
    // A client that has had enough closes its end in the middle.
    response.on('error', () => response.destroy())
    const line = `${incoming.method ?? ''} ${(incoming.url ?? '').replace('/api/v1', '')}`
    requests.push(line)
    const route = ROUTES.find(([pattern]) => pattern.test(line.replace(/\?.*$/s, '')))?.[1]
    void answer(target, incoming, response, tamper(route)).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: addressOf(server), requests, close: () => close(server) }
}

function addressOf(server: Server): string {
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}`
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

async function answer(
  target: string,
  incoming: IncomingMessage,
  response: ServerResponse,
  tampering: Tampering | undefined,
): Promise<void> {
  const body = await bodyOf(incoming)
  switch (tampering?.kind) {
    case undefined:
      send(response, await forward(target, incoming, body))
      return
    case 'instead': {
      if (tampering.work === true) await forward(target, incoming, body)
      const { status = 200, headers = {} } = tampering
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(tampering.body ?? '')
      return
    }
    case 'json': {
      const real = await forward(target, incoming, body)
      const changed = JSON.stringify(tampering.change(JSON.parse(real.body.toString('utf8'))))
      send(response, { ...real, body: Buffer.from(changed) })
      return
    }
    case 'text': {
      const real = await forward(target, incoming, body)
      send(response, { ...real, body: Buffer.from(tampering.change(real.body.toString('utf8'))) })
      return
    }
    case 'huge':
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': tampering.megabytes * MEGABYTE,
      })
      await pour(response, tampering.megabytes)
      return
    case 'endless':
      response.writeHead(200, { 'content-type': 'application/json' })
      await pour(response, Number.POSITIVE_INFINITY)
      return
    case 'drip':
      await drip(response, await forward(target, incoming, body))
      return
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
      response.write('{')
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) if (chunk instanceof Buffer) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function forward(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: Buffer,
): Promise<Real> {
  const real = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(
      `${target}${url ?? ''}`,
      { method, headers: { ...headers, connection: 'close' } },
      resolve,
    )
    sent.on('error', reject)
    sent.end(body)
  })
  return {
    status: real.statusCode ?? 0,
    type: real.headers['content-type'] ?? 'application/json',
    body: await bodyOf(real),
  }
}

function send(response: ServerResponse, { status, type, body }: Real): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length })
  response.end(body)
}

const MEGABYTE = 1024 * 1024

/** As fast as it is read, so that nothing piles up here. */
async function pour(response: ServerResponse, megabytes: number): Promise<void> {
  const chunk = Buffer.alloc(MEGABYTE, '[')
  for (let sent = 0; sent < megabytes && !response.destroyed; sent += 1) {
    if (response.write(chunk)) continue
    await new Promise<void>((resolve) => {
      response.once('drain', resolve)
      response.once('close', resolve)
    })
  }
  response.end()
}

const DRIP_MS = 20

async function drip(response: ServerResponse, { status, type, body }: Real): Promise<void> {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length })
  for (const byte of body) {
    if (response.destroyed) return
    response.write(Buffer.of(byte))
    await new Promise((resolve) => setTimeout(resolve, DRIP_MS))
  }
  response.end()
}

/**
 * A change that puts a value at a place such as `items.0.body.status`; undefined takes the place's content away.
 * A place that the answer does not have is a mistake of the test.
 */
export function put(path: string, value: unknown): (real: unknown) => unknown {
  const keys = path.split('.')
  return (real) => {
    let holder: unknown = real
    for (const key of keys.slice(0, -1)) holder = child(holder, key, path)
    const last = keys.at(-1) ?? ''
    if (typeof holder !== 'object' || holder === null) throw new Error(`nothing at ${path}`)
    Reflect.set(holder, last, value)
    return real
  }
}

function child(holder: unknown, key: string, path: string): unknown {
  if (typeof holder !== 'object' || holder === null || !(key in holder)) throw new Error(`nothing at ${path}`)
  return Reflect.get(holder, key)
}
