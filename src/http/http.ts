import { setMaxListeners } from 'node:events'
import { request as openRequest } from 'node:http'
import { trustedAuthorities } from './certificate-authorities.ts'
import { closed, openSocket, hostOf, portOf, setHeaders } from './open-socket.ts'
import { Exchange, type HttpAnswer } from './exchange.ts'
import { Peer, turns } from './peer.ts'
import { blameProxy, proxyFor, proxyName, type Proxy } from './proxies.ts'
import { TransportError } from './transport-error.ts'

export type { HttpAnswer }

/** One HTTP request; `url` is absolute. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole exchange, from the connection to the last byte; the default is that of {@link HttpLimits}. */
  readonly timeoutMs?: number
  /** Of the answer; the default is that of {@link HttpLimits}. */
  readonly bodyBytes?: number | undefined
  /**
   * Whether it gets a connection that no other request has used, on which nothing can come but its own answer: where one
   * to an earlier request, late or surplus, must not be taken for it.
   */
  readonly ownConnection?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface HttpLimits {
  readonly connectMs: number
  readonly exchangeMs: number
  readonly bodyBytes: number
}

/**
 * Connecting takes a round trip or two; a server's own limit for one request is 20 s, a proxy's mostly 60 s;
 * the largest answers seen (a template's schema, a page of runs) have a few MB.
 */
const DEFAULT_LIMITS: HttpLimits = { connectMs: 10_000, exchangeMs: 65_000, bodyBytes: 32 * 1024 * 1024 }

/**
 * The one place that opens connections: user agent, time-outs, body limit, authorities, and the proxies of
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY. It follows no redirect (a credential must not travel to another address) and
 * retries nothing.
 */
export class Http {
  readonly #userAgent: string
  readonly #limits: HttpLimits
  readonly #ca: readonly string[] | undefined
  /** By address, proxy and account there. */
  readonly #peers = new Map<string, Peer>()
  readonly #underWay = new Set<Exchange>()
  readonly #life = new AbortController()
  #opensAhead = false

  /** @param authorities PEM texts of certificates to trust beside those that Node does */
  constructor(userAgent: string, limits: Partial<HttpLimits> = {}, authorities: readonly string[] = []) {
    this.#userAgent = userAgent
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#ca = trustedAuthorities(authorities)
    // Each connection that is being made listens to it.
    setMaxListeners(0, this.#life.signal)
  }

  /**
   * Sends one request and reads its whole answer, whatever the status.
   *
   * @throws TransportError if no complete answer came; it knows whether anything was sent.
   * @throws the signal's reason if it was aborted.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    request.signal?.throwIfAborted()
    const url = new URL(request.url)
    const proxy = proxyFor(url)
    const timeoutMs = request.timeoutMs ?? this.#limits.exchangeMs
    const exchange = new Exchange(request.bodyBytes ?? this.#limits.bodyBytes)
    const onAbort = (): void => {
      exchange.abort(request.signal?.reason)
    }
    const timer = setTimeout(() => {
      exchange.abort(
        new TransportError('TIMEOUT', `no complete answer within ${timeoutMs / 1000} s`, exchange.sent),
      )
    }, timeoutMs)
    request.signal?.addEventListener('abort', onAbort, { once: true })
    this.#underWay.add(exchange)
    try {
      if (this.#life.signal.aborted) throw closed(false)
      this.#begin(exchange, request, url, proxy)
      return await exchange.answer
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (error.isAboutCertificate) throw await this.#explained(error, url, proxy, request.signal)
      throw proxy === undefined ? error : blameProxy(error, proxy)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', onAbort)
      this.#underWay.delete(exchange)
    }
  }

  /**
   * Opens a connection to where an address is, for the next request there that needs a new one; with `own`, for the next
   * that has its own. Nothing is sent on it, and where it fails, that request makes another one and says why. Each is
   * one at most.
   */
  openAhead(address: string, { own = false } = {}): void {
    this.#opensAhead = true
    try {
      const url = new URL(address)
      this.#peer(url, proxyFor(url)).openAhead({ own })
    } catch {
      // A proxy's variable, of which the request says what is wrong.
    }
  }

  /** Resolves when it is known whether a connection that was opened ahead stands: the next request leaves on it at once. */
  async noticeAhead(): Promise<void> {
    if (!this.#opensAhead) return
    // That it stands is heard in the first turn of the event loop, and what came on it in the next two.
    await turns(4)
  }

  /** Such as `the proxy http://proxy.example.com:3128 (HTTPS_PROXY)`; undefined if requests to the address need none. */
  static proxyNameFor(url: string): string | undefined {
    try {
      const proxy = proxyFor(new URL(url))
      return proxy && proxyName(proxy)
    } catch {
      // The first request says what is wrong with the variable.
      return undefined
    }
  }

  /** Closes all connections; exchanges under way are cut. */
  close(): void {
    this.#life.abort()
    for (const exchange of this.#underWay) exchange.abort(closed(exchange.sent))
    for (const peer of this.#peers.values()) peer.close()
  }

  #begin(exchange: Exchange, request: HttpRequest, url: URL, proxy: Proxy | undefined): void {
    const { method, headers, body = '', ownConnection = false } = request
    const path = `${url.pathname}${url.search}`
    // A proxy that is asked for a plain address takes all of it.
    const asked = url.protocol === 'http:' ? proxy : undefined
    const peer = this.#peer(url, proxy)
    const exchanged = peer.inTurn(async () => {
      // Ended before its turn came: the caller counts on it that nothing leaves any more.
      if (exchange.isOver) return
      const outgoing = openRequest({
        ...(ownConnection ? { createConnection: peer.newConnection } : { agent: peer.agent }),
        host: hostOf(url),
        port: portOf(url),
        path: asked === undefined ? path : `${url.origin}${path}`,
        method,
      })
      exchange.begin(outgoing, asked !== undefined)
      setHeaders(outgoing, {
        host: url.host,
        'user-agent': this.#userAgent,
        accept: 'application/json',
        ...((body !== '' || method !== 'GET') && { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
        ...(asked?.authorization && { 'proxy-authorization': asked.authorization }),
      })
      outgoing.end(body)
      await exchange.answer
    })
    exchanged.catch(exchange.fail)
  }

  #peer(url: URL, proxy: Proxy | undefined): Peer {
    const key = [url.origin, proxy?.url, proxy?.authorization].join(' ')
    const known = this.#peers.get(key)
    if (known !== undefined) return known
    const { signal } = this.#life
    const peer = new Peer(() =>
      openSocket(url, proxy, { ca: this.#ca, limitMs: this.#limits.connectMs, signal }),
    )
    this.#peers.set(key, peer)
    return peer
  }

  async #explained(
    error: TransportError,
    url: URL,
    proxy: Proxy | undefined,
    signal: AbortSignal = this.#life.signal,
  ): Promise<TransportError> {
    const { explainUntrusted } = await import('./untrusted-certificate.ts')
    const ending = AbortSignal.any([signal, this.#life.signal])
    const why = await explainUntrusted(error.code, url, proxy, this.#ca, ending)
    if (why === undefined) return error
    return new TransportError(error.code, `${error.message}: ${why}`, error.sent, true)
  }
}
