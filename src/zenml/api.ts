import type { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { TransportError } from '../http/transport-error.ts'
import { AnswerError, CredentialError, isZenmlError, UnreachableError } from './errors.ts'
import { parseJson } from '../base/json.ts'
import type { Http, HttpAnswer } from '../http/http.ts'
import { decideRetry, isAuthenticatorAway, type Retries } from './retry.ts'
import { ServerTime } from './server-time.ts'
import type { Session } from './login/session.ts'

/** What requests to a server need from outside. */
export interface ApiDependencies {
  readonly http: Http
  /** Origin and path prefix, without a slash at the end. */
  readonly baseUrl: string
  /** What stands before every path; default: /api/v1. */
  readonly apiPath?: string
  /** The input that the address came from; default: server-url. */
  readonly addressInput?: string
  readonly session: Session
  readonly clock: Clock
  /** Told in one line what failed before another try, and in how many milliseconds that is. */
  readonly onRetry: (line: string, waitMs: number) => void
  /** How often a read is tried: once, for callers that have their own loop; default: as a short outage needs. */
  readonly retries?: Retries
  readonly signal?: AbortSignal | undefined
}

/** One request to the API; `path` is below the API's own, mostly /api/v1. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly json?: unknown
  /** Sent without a token. */
  readonly open?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** Whether it does something that must not be done twice: then only a 401 with ZenML's exception shows that nothing was. */
  readonly once?: boolean
  /** A longer answer is refused while it arrives; default: what the connection takes. */
  readonly bodyBytes?: number | undefined
}

/** A request that only reads. */
export type Read = Omit<Call, 'method'>

function keyOf({ path, query }: Read): string {
  return `${path}?${JSON.stringify(query)}`
}

/** The first new token may be revoked just then: a server that is restarted can end all that it gave. */
const MOST_RENEWALS = 2

/** Sends requests with the session's token; the one place that knows about 401 and about repeating reads. */
export class Api {
  readonly #deps: ApiDependencies
  readonly #serverTime: ServerTime
  readonly #ahead: Map<string, Promise<HttpAnswer>>

  constructor(
    deps: ApiDependencies,
    serverTime = new ServerTime(deps.clock),
    ahead = new Map<string, Promise<HttpAnswer>>(),
  ) {
    this.#deps = deps
    this.#serverTime = serverTime
    this.#ahead = ahead
  }

  /** The same server and session with another signal, or other retries. */
  with(changes: Partial<Pick<ApiDependencies, 'retries' | 'signal'>>): Api {
    return new Api({ ...this.#deps, ...changes }, this.#serverTime, this.#ahead)
  }

  get baseUrl(): string {
    return this.#deps.baseUrl
  }

  /** What time it is for whoever gave the last answer, which a date in it is compared with; here, where none has said it. */
  now(): number {
    return this.serverNow ?? this.#deps.clock.now()
  }

  /** What time it is there, in milliseconds since the epoch; undefined where no answer has said it. */
  get serverNow(): number | undefined {
    return this.#serverTime.now
  }

  /**
   * Sends reads side by side before anybody needs their answers: each is the first try of the {@link read} that asks for
   * the same. One login serves them all, and an open one does not wait for it.
   *
   * @param isForStart whether a call with `once` comes next: its connection is opened beside them, after the login
   */
  readAhead(calls: readonly Read[], isForStart = false): void {
    const { http, baseUrl, session } = this.#deps
    const token = session.token()
    const openOwn = (): void => {
      http.openAhead(baseUrl, { own: true })
    }
    if (isForStart) token.then(openOwn, () => undefined)
    for (const call of calls) {
      const again = (): Promise<HttpAnswer> => this.exchange({ ...call, method: 'GET', open: false })
      const answer = call.open === true ? this.#openly(call, again) : token.then(again)
      answer.catch(() => undefined)
      this.#ahead.set(keyOf(call), answer)
    }
  }

  /** Something in front of the server may want a token for everything. */
  async #openly(call: Read, otherwise: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const answer = await this.#send({ ...call, method: 'GET' })
    return answer.status === 200 ? answer : otherwise()
  }

  /** What was read ahead, once. */
  #taken(call: Read): Promise<HttpAnswer> | undefined {
    const answer = this.#ahead.get(keyOf(call))
    this.#ahead.delete(keyOf(call))
    return answer && untilAborted(answer, this.#deps.signal)
  }

  /**
   * Reads JSON of a known shape, again and again while the failure looks passing.
   *
   * @param doing what is tried, as an infinitive, for the error
   * @param isAsked whether it is about what was asked for; an answer about something else, of a confused cache for
   * example, is none, and is asked for again
   */
  async read<Schema extends z.ZodType>(
    doing: string,
    call: Read,
    schema: Schema,
    isAsked: (data: z.infer<Schema>) => boolean = () => true,
  ): Promise<z.infer<Schema>> {
    const { clock, onRetry, addressInput, signal } = this.#deps
    const retries = typeof this.#deps.retries === 'function' ? this.#deps.retries() : this.#deps.retries
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await (this.#taken(call) ?? this.exchange({ method: 'GET', ...call }))
        const parsed = answer.status === 200 ? parseAnswer(schema, answer.body) : undefined
        if (parsed?.success !== true) throw new AnswerError(doing, answer, this.now(), addressInput)
        if (isAsked(parsed.data)) return parsed.data
        throw new AnswerError(doing, ABOUT_ANOTHER, this.now(), addressInput)
      } catch (error) {
        if (!isZenmlError(error)) throw error
        // A login has its own retries, which are enough unless something depends on the answer.
        const isOfLogin = !(error instanceof AnswerError || error instanceof TransportError)
        if (isOfLogin && typeof retries !== 'object') throw error
        const told =
          error instanceof TransportError ? new UnreachableError(doing, error, addressInput) : error
        const decision = decideRetry(error, attempt, clock.random(), retries)
        if (decision.kind !== 'retry') throw told
        onRetry(told.message, decision.waitMs)
        await clock.sleep(decision.waitMs, signal)
      }
    }
  }

  /** Sends one request, of any status. After a 401, which means that nothing was done, again with a new token. */
  async exchange(call: Call): Promise<HttpAnswer> {
    const { session, signal } = this.#deps
    // What was read ahead and not asked for yet tells of a time before this.
    if (call.method !== 'GET') this.#ahead.clear()
    if (call.open === true) return this.#send(call)
    for (let renewals = 0; ; renewals += 1) {
      const token = await untilAborted(session.token(), signal)
      const answer = await this.#send(call, token)
      if (!this.#isTokenRefused(answer, call)) return answer
      if (renewals === MOST_RENEWALS) {
        const { message } = new AnswerError('use the new token', answer, this.now())
        throw new CredentialError(
          `${message}. The login works, but its token is refused: check that the account is active`,
        )
      }
      await untilAborted(session.renew(token), signal)
    }
  }

  #isTokenRefused(answer: HttpAnswer, { once = false }: Call): boolean {
    if (answer.status !== 401) return false
    const error = new AnswerError('use the token', answer, this.now())
    return !isAuthenticatorAway(error) && (once ? error.exception !== undefined : error.fromZenml)
  }

  async #send(
    { method, path, query = {}, json, headers, bodyBytes, once = false }: Call,
    token?: string,
  ): Promise<HttpAnswer> {
    const { http, baseUrl, apiPath = '/api/v1', signal } = this.#deps
    const url = new URL(`${baseUrl}${apiPath}${path}`)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value)
    const answer = await http.send({
      method,
      url: url.href,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      bodyBytes,
      ownConnection: once,
      signal,
    })
    this.#serverTime.note(answer)
    return answer
  }
}

const ABOUT_ANOTHER: HttpAnswer = {
  status: 200,
  headers: {},
  body: 'the response is for a different ID than requested',
}

/** An answer that is nested too deeply to be checked is as good as one of a wrong shape. */
function parseAnswer<Schema extends z.ZodType>(
  schema: Schema,
  body: string,
): z.ZodSafeParseResult<z.infer<Schema>> | undefined {
  try {
    return schema.safeParse(parseJson(body))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** A login serves all requests, so no request's signal ends it; but nobody waits for it any longer. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  // Whoever stops waiting must not leave a rejection that nobody hears: Node ends the process for one.
  work.catch(() => undefined)
  if (signal === undefined) return work
  signal.throwIfAborted()
  const { promise: aborted, reject } = deferred()
  const onAbort = (): void => {
    reject(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function deferred(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined
  const promise = new Promise<never>((_resolve, rejectIt) => {
    reject = rejectIt
  })
  return { promise, reject }
}
