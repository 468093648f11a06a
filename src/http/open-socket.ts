import { request as openRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { proxyRefusal, TransportError } from './transport-error.ts'
import type { Proxy } from './proxies.ts'

export interface SocketOptions {
  /** All certificates to trust; undefined: those that Node does. */
  readonly ca: readonly string[] | undefined
  /** For each connection that is made on the way, TLS included. */
  readonly limitMs: number
  /** Ends what is not there yet. */
  readonly signal: AbortSignal
}

/** How long a connection may be silent before the system asks whether the other side is still there. */
const STILL_THERE_MS = 60_000

/**
 * Connects to a server, or to the proxy that is asked instead. The connection stands when this gives it: names are looked
 * up, certificates are trusted, a tunnel is granted; so nothing of a request has left before.
 *
 * @throws TransportError, or what Node says; nothing was sent then
 */
export async function openSocket(
  url: URL,
  proxy: Proxy | undefined,
  options: SocketOptions,
): Promise<Socket> {
  if (proxy === undefined) return dial(url, options)
  // As curl does it: many proxies allow CONNECT to port 443 only.
  if (url.protocol === 'http:') return dial(new URL(proxy.url), options)
  return dial(url, options, await openTunnel(url, proxy, options))
}

/**
 * A connection through the proxy to where the other side of an address is. A proxy whose own certificate is not trusted
 * is not told user and password.
 *
 * @throws as {@link openSocket}
 */
export async function openTunnel(url: URL, proxy: Proxy, options: SocketOptions): Promise<Duplex> {
  const toProxy = await dial(new URL(proxy.url), options)
  const target = `${url.hostname}:${portOf(url)}`
  const request = openRequest({
    method: 'CONNECT',
    path: target,
    createConnection: () => toProxy,
  })
  setHeaders(request, {
    host: target,
    ...(proxy.authorization && { 'proxy-authorization': proxy.authorization }),
  })
  const timer = setTimeout(() => request.destroy(tooSlow()), options.limitMs)
  const onAbort = (): void => {
    request.destroy(closed(false))
  }
  options.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await new Promise((resolve, reject) => {
      request.once('error', reject)
      request.once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (statusCode === 200) {
          if (head.length > 0) socket.unshift(head)
          resolve(socket)
          return
        }
        socket.destroy()
        reject(proxyRefusal(statusCode))
      })
      request.end()
    })
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onAbort)
  }
}

/** Not as an option of the request: with NODE_DEBUG, Node prints those, and a credential would be among them. */
export function setHeaders(request: ClientRequest, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) request.setHeader(name, value)
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

export function portOf(url: URL): number {
  const usual = url.protocol === 'https:' ? 443 : 80
  return url.port === '' ? usual : Number(url.port)
}

function tooSlow(): TransportError {
  return new TransportError('CONNECT_TIMEOUT', 'no connection could be made in time', false)
}

/** What a step that has ended says of a connection that it still had. */
export function closed(sent: boolean): TransportError {
  return new TransportError('CLOSED', 'the connections were closed, because the step has ended', sent, true)
}

/** One connection, of its own or inside of another. */
async function dial(url: URL, options: SocketOptions, inside?: Duplex): Promise<Socket> {
  const place = { host: hostOf(url), port: portOf(url) }
  if (url.protocol === 'http:') return standing(connectPlain(place), 'connect', options)
  const { ca } = options
  // An import would load it for every step, and Node takes a while for it.
  const tls = process.getBuiltinModule('node:tls')
  const socket = tls.connect({
    ...place,
    ...(isIP(place.host) === 0 && { servername: place.host }),
    ...(inside && { socket: inside }),
    ...(ca && { ca: [...ca] }),
    ALPNProtocols: ['http/1.1'],
    // Said outright, so that no variable of the runner can switch it off.
    rejectUnauthorized: true,
  })
  return standing(socket, 'secureConnect', options)
}

async function standing(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { limitMs, signal }: SocketOptions,
): Promise<Socket> {
  const end = (error: TransportError): void => {
    socket.destroy(error)
  }
  const onAbort = (): void => {
    end(closed(false))
  }
  const timer = setTimeout(() => {
    end(tooSlow())
  }, limitMs)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    await new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once(event, resolve)
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
  socket.removeAllListeners('error')
  socket.setNoDelay(true)
  return socket.setKeepAlive(true, STILL_THERE_MS)
}
