import { createServer, request as forward, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { listen, fixture } from './scripted-server.ts'

/** A proxy on this machine, and what it was asked for. */
export interface TestProxy {
  readonly port: number
  /** `CONNECT host:port`, or a method with a whole address. */
  readonly asked: string[]
  /** The header proxy-authorization of each. */
  readonly credentials: (string | undefined)[]
}

export interface ProxyScript {
  /** Says that, such as `502 Bad Gateway`, instead of passing anything on. */
  readonly answer?: string
  /** Holds a tunnel back until it is open. */
  readonly gate?: () => Promise<void>
  /** A certificate of the fixtures: the proxy itself speaks TLS. */
  readonly certificate?: string
}

/** A name that only the proxy knows, for a server on 127.0.0.1. */
export function knownToProxy(url: string): string {
  return url.replace('//127.0.0.1', '//zenml.test')
}

/** A proxy that passes on, closed at the end of the test: CONNECT as a tunnel, whole addresses as requests. */
export async function startProxy({ answer, gate, certificate }: ProxyScript = {}): Promise<TestProxy> {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  const record = ({ method, url, headers }: IncomingMessage): void => {
    asked.push(`${method} ${url}`)
    credentials.push(headers['proxy-authorization'])
  }
  const listener: RequestListener = (incoming, response) => {
    record(incoming)
    if (answer !== undefined) {
      const [status, text] = [Number(answer.slice(0, 3)), answer.slice(4)]
      response.writeHead(status, text).end()
      return
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const target = incoming.url?.replace('//zenml.test', '//127.0.0.1') ?? ''
    const onwards = forward(target, { method: incoming.method, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 0, reply.headers)
      reply.pipe(response)
    })
    onwards.on('error', () => response.destroy())
    incoming.pipe(onwards)
  }
  const server =
    certificate === undefined
      ? createServer(listener)
      : createTlsServer({ key: fixture('key'), cert: fixture(certificate) }, listener)
  server.on('connect', (incoming: IncomingMessage, client: Socket) => {
    record(incoming)
    client.on('error', () => client.destroy())
    if (answer === undefined) void tunnel(incoming.url ?? '', client, gate)
    else client.end(`HTTP/1.1 ${answer}\r\ncontent-length: 0\r\n\r\n`)
  })
  return { port: await listen(server), asked, credentials }
}

async function tunnel(target: string, client: Socket, gate?: () => Promise<void>): Promise<void> {
  await gate?.()
  const [host = '', port = ''] = target.split(':')
  const onwards = connect(Number(port), host, () => {
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    client.pipe(onwards).pipe(client)
  })
  onwards.on('error', () => client.destroy())
  client.on('close', () => onwards.destroy())
}
