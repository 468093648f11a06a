import { once } from 'node:events'
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What happens to one request instead of, or after, being handed on to the real server. */
export type Fault =
  /** The connection is reset; the server never sees the request. */
  | { readonly kind: 'reset-before' }
  /** The connection is reset, and another step's request, as `instead` makes it of this one, is what the server sees. */
  | { readonly kind: 'another-first'; readonly instead: (body: string) => string }
  /** The server does its work and answers; the connection is reset instead of handing the answer on. */
  | { readonly kind: 'reset-after' }
  /** The server's answer is handed on up to half of its body, then the connection is reset. */
  | { readonly kind: 'cut-body' }
  /** An answer of the proxy's own; with `forward` the server does its work first. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly forward: boolean }
  /** The request is handed on only after `ms` milliseconds. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** No answer ever; with `forward` the server does its work first. */
  | { readonly kind: 'hold'; readonly forward: boolean }

/** Which requests get a fault. */
export interface FaultRule {
  readonly method: string
  /** Tested against the path without its query. */
  readonly path: RegExp
  /** The first (1), second (2) … request that this rule matches; every one if left out. */
  readonly occurrence?: number
  readonly fault: Fault
}

/** One request as it reached the proxy. */
export interface SeenRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly fault: Fault | undefined
}

export interface FaultProxy {
  readonly url: string
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly SeenRequest[]
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const TITLES = { 403: '403 Forbidden', 502: '502 Bad Gateway', 504: '504 Gateway Time-out' } as const

/** What a gateway such as nginx says when the server behind it is away or slow. */
export function gatewayError(status: keyof typeof TITLES, forward: boolean): Fault {
  const title = TITLES[status]
  return { kind: 'answer', status, body: `<html><body><h1>${title}</h1></body></html>`, forward }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) {
    const part: unknown = chunk
    if (part instanceof Buffer) chunks.push(part)
  }
  return Buffer.concat(chunks)
}

/** Hands a request on to the real server. Rejects when the server is away or ends in mid-answer. */
async function forward(target: URL, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const outgoing = request(new URL(incoming.url ?? '/', target), {
    method: incoming.method ?? 'GET',
    headers: { ...incoming.headers, host: target.host, connection: 'close' },
  })
  outgoing.end(body)
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject)
  })
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await bodyOf(answer) }
}

function handOn(answer: Answer, outgoing: ServerResponse): void {
  const { connection: _, 'transfer-encoding': __, ...headers } = answer.headers
  outgoing.writeHead(answer.status, { ...headers, 'content-length': answer.body.length })
  outgoing.end(answer.body)
}

function reset(outgoing: ServerResponse): void {
  outgoing.socket?.resetAndDestroy()
}

async function cut(answer: Answer, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(answer.status, {
    'content-type': answer.headers['content-type'] ?? 'application/json',
    'content-length': answer.body.length,
  })
  await new Promise((resolve) => {
    outgoing.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), resolve)
  })
  reset(outgoing)
}

async function serve(
  target: URL,
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  switch (fault?.kind) {
    case undefined:
      handOn(await forward(target, incoming, body), outgoing)
      return
    case 'delay':
      await sleep(fault.ms)
      handOn(await forward(target, incoming, body), outgoing)
      return
    case 'reset-before':
      reset(outgoing)
      return
    case 'another-first': {
      const instead = Buffer.from(fault.instead(body.toString()))
      const { 'idempotency-key': _, ...headers } = incoming.headers
      incoming.headers = { ...headers, 'content-length': String(instead.length) }
      await forward(target, incoming, instead)
      reset(outgoing)
      return
    }
    case 'reset-after':
      await forward(target, incoming, body)
      reset(outgoing)
      return
    case 'cut-body':
      await cut(await forward(target, incoming, body), outgoing)
      return
    case 'answer':
      if (fault.forward) await forward(target, incoming, body)
      outgoing.writeHead(fault.status, { 'content-type': 'text/html' })
      outgoing.end(fault.body)
      return
    case 'hold':
      if (fault.forward) await forward(target, incoming, body)
      return
  }
}

/**
 * A proxy on a free port of 127.0.0.1 in front of `target` that does what `rules` say; the first
 * rule that matches a request counts. While the target is away, connections are reset.
 */
export async function startFaultProxy(target: string, rules: readonly FaultRule[]): Promise<FaultProxy> {
  const requests: SeenRequest[] = []
  const matched = rules.map(() => 0)

  function pick(method: string, path: string): Fault | undefined {
    let picked: Fault | undefined
    for (const [index, rule] of rules.entries()) {
      if (rule.method !== method || !rule.path.test(path)) continue
      const count = (matched[index] ?? 0) + 1
      matched[index] = count
      if (rule.occurrence === undefined || rule.occurrence === count) picked ??= rule.fault
    }
    return picked
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const method = incoming.method ?? 'GET'
    const path = new URL(incoming.url ?? '/', target).pathname
    const fault = pick(method, path)
    const at = Date.now()
    const body = await bodyOf(incoming)
    requests.push({ method, path, headers: incoming.headers, body: body.toString(), at, fault })
    await serve(new URL(target), incoming, body, outgoing, fault)
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => reset(outgoing))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
