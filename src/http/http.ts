import { Agent, ProxyAgent, type Dispatcher } from 'undici'
import { trustedAuthorities } from './certificate-authorities.ts'
import { TransportError } from './transport-error.ts'
import { blameProxy, proxyFor, proxyName, type Proxy } from './proxies.ts'
import { explainUntrusted } from './untrusted-certificate.ts'

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
  readonly signal?: AbortSignal | undefined
}

/** A complete answer of any status. Header names are lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
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

/** More than a step needs at once, but for one that ends many runs: a server must not be run over by it. */
const MOST_CONNECTIONS = 16

/**
 * The one place that opens connections: user agent, time-outs, body limit, authorities, and the proxies of
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY. It follows no redirect (a credential must not travel to another address) and
 * retries nothing.
 */
export class Http {
  readonly #userAgent: string
  readonly #limits: HttpLimits
  readonly #ca: readonly string[] | undefined
  /** By proxy and account there; empty for none. */
  readonly #dispatchers = new Map<string, Dispatcher>()

  /** @param authorities PEM texts of certificates to trust beside those that Node does */
  constructor(userAgent: string, limits: Partial<HttpLimits> = {}, authorities: readonly string[] = []) {
    this.#userAgent = userAgent
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#ca = trustedAuthorities(authorities)
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
    try {
      this.#dispatcher(proxy).dispatch(
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: request.method,
          headers: { 'user-agent': this.#userAgent, accept: 'application/json', ...request.headers },
          body: request.body ?? null,
        },
        exchange,
      )
      return await exchange.answer
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (error.isAboutCertificate) throw await this.#explained(error, url, proxy)
      throw proxy === undefined ? error : blameProxy(error, proxy)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', onAbort)
    }
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

  /** Closes idle connections; exchanges under way are cut. */
  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()))
  }

  #dispatcher(proxy: Proxy | undefined): Dispatcher {
    const key = proxy === undefined ? '' : `${proxy.authorization} ${proxy.url}`
    const dispatcher = this.#dispatchers.get(key) ?? this.#open(proxy)
    this.#dispatchers.set(key, dispatcher)
    return dispatcher
  }

  #open(proxy: Proxy | undefined): Dispatcher {
    const tls = {
      timeout: this.#limits.connectMs,
      // Said outright, so that no variable of the runner can switch it off.
      rejectUnauthorized: true,
      ...(this.#ca && { ca: [...this.#ca] }),
    }
    // The exchange's own limit is the one that counts: it also ends answers that drip for ever.
    const options = { headersTimeout: 0, bodyTimeout: 0, connections: MOST_CONNECTIONS }
    if (proxy === undefined) return new Agent({ ...options, connect: tls })
    return new ProxyAgent({
      ...options,
      uri: proxy.url,
      // As curl does it: many proxies allow CONNECT to port 443 only.
      proxyTunnel: false,
      ...(proxy.authorization && { token: proxy.authorization }),
      requestTls: tls,
      proxyTls: tls,
    })
  }

  async #explained(error: TransportError, url: URL, proxy: Proxy | undefined): Promise<TransportError> {
    const why = await explainUntrusted(error.code, url, proxy, this.#ca)
    if (why === undefined) return error
    return new TransportError(error.code, `${error.message}: ${why}`, error.sent, true)
  }
}

/** Collects one answer, and knows whether the request had begun to leave this machine. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<HttpAnswer>
  sent = false
  readonly #bodyBytes: number
  readonly #chunks: Buffer[] = []
  #size = 0
  #aborted = false
  #status = 0
  #headers: HttpAnswer['headers'] = {}
  #controller: Dispatcher.DispatchController | undefined
  #resolve!: (answer: HttpAnswer) => void
  #reject!: (reason: unknown) => void

  constructor(bodyBytes: number) {
    this.#bodyBytes = bodyBytes
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Ends the exchange for a reason of ours; nothing that arrives later counts. */
  abort(reason: unknown): void {
    this.#aborted = true
    this.#reject(reason)
    this.#controller?.abort(new Error('aborted'))
  }

  /** Called when a connection stands and the request is about to be written to it: from here on it may have arrived. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#aborted) {
      // Ended while the connection was made: the caller counts on it that nothing leaves any more.
      controller.abort(new Error('aborted'))
      return
    }
    this.#controller = controller
    this.sent = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: HttpAnswer['headers'],
  ): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#bodyBytes) {
      const limit = `${this.#bodyBytes / 1024 / 1024} MB`
      this.abort(new TransportError('TOO_LARGE', `the answer is larger than ${limit}`, true, true))
      return
    }
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks).toString('utf8')
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(TransportError.from(error, this.sent))
  }
}
