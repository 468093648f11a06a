import { EnvHttpProxyAgent, type Dispatcher } from 'undici'
import { TransportError } from './errors.ts'

/** One HTTP request; `url` is absolute. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** For the whole exchange, from the connection to the last byte; the default is that of {@link HttpLimits}. */
  readonly timeoutMs?: number
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

/**
 * The one place that opens connections: user agent, time-outs, body limit, and the proxies of HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY. It follows no redirect (a credential must not travel to another address) and
 * retries nothing.
 */
export class Http {
  readonly #userAgent: string
  readonly #limits: HttpLimits
  readonly #dispatcher: Dispatcher

  constructor(userAgent: string, limits: Partial<HttpLimits> = {}) {
    this.#userAgent = userAgent
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#dispatcher = new EnvHttpProxyAgent({
      ...proxiesFromEnvironment(),
      // Said outright, so that no variable of the runner can switch it off.
      connect: { timeout: this.#limits.connectMs, rejectUnauthorized: true },
      requestTls: { rejectUnauthorized: true },
      proxyTls: { rejectUnauthorized: true },
      // The exchange's own limit is the one that counts: it also ends answers that drip for ever.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
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
    const timeoutMs = request.timeoutMs ?? this.#limits.exchangeMs
    const exchange = new Exchange(this.#limits.bodyBytes)
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
      this.#dispatcher.dispatch(
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
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Closes idle connections; exchanges under way are cut. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy()
  }
}

/**
 * The proxies of HTTP_PROXY and HTTPS_PROXY, in either case, the lower one first. Without a scheme they are http,
 * as for curl.
 *
 * @throws TransportError if one is no address; it names the variable, not the value, which can hold a password.
 */
function proxiesFromEnvironment(): { httpProxy?: string; httpsProxy?: string } {
  const httpProxy = proxyOf('http_proxy') ?? proxyOf('HTTP_PROXY')
  const httpsProxy = proxyOf('https_proxy') ?? proxyOf('HTTPS_PROXY')
  return {
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
  }
}

function proxyOf(variable: string): string | undefined {
  const value = process.env[variable]?.trim() ?? ''
  if (value === '') return undefined
  const address = value.includes('://') ? value : `http://${value}`
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address
  throw new TransportError(
    'PROXY',
    `the variable ${variable} of this runner holds no address; it should look like http://proxy.example.com:3128`,
    false,
    true,
  )
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
