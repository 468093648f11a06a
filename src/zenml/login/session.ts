import type { Clock } from '../../base/clock.ts'
import { TransportError } from '../../http/transport-error.ts'
import { AnswerError, CredentialError, UnreachableError } from '../errors.ts'
import { parseJson } from '../../base/json.ts'
import { withoutToken } from '../answers/error-body.ts'
import type { Http } from '../../http/http.ts'
import { decideRetry, isAuthenticatorAway, isPassing } from '../retry.ts'
import type { Token } from '../schemas.ts'

/** Gives the bearer token of each request. */
export interface Session {
  /** Sends the login, if it takes one, before anybody needs the token; the first who asks gets what became of it. */
  begin(): Promise<void>
  /** The current token; logs in at first use. */
  token(): Promise<string>
  /**
   * Called after a 401: gets another token, unless another request has done so already.
   *
   * @param refused the token that was sent
   * @throws CredentialError if there is none to be had.
   */
  renew(refused: string): Promise<void>
  /** When the token ends, in milliseconds since the epoch; undefined if never, or not known. */
  readonly expiresAt: number | undefined
}

/** A token that somebody else got; it is sent as it is and cannot be renewed. */
export class TokenSession implements Session {
  readonly expiresAt = undefined
  readonly #token: string

  constructor(token: string) {
    this.#token = token
  }

  begin(): Promise<void> {
    return Promise.resolve()
  }

  token(): Promise<string> {
    return Promise.resolve(this.#token)
  }

  renew(): Promise<void> {
    return Promise.reject(
      new CredentialError(
        'The server refused the access-token: it has expired, or is not one of this server. ' +
          "Use api-key with a service account's key instead: the action then renews its token by itself",
      ),
    )
  }
}

/** A request for a token; the form is sent URL-encoded. */
export interface LoginRequest {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form: Readonly<Record<string, string>>
}

/** What is given for a token, and the words about it in errors. */
export interface Grant {
  /** What is tried, as an infinitive. */
  readonly doing: string
  /** The inputs that the address and the credential came from. */
  readonly addressInput: string
  readonly credentialInput: string
  readonly whoAnswers: string
  /** What to check after a refusal, as a clause. */
  readonly advice: string
  /**
   * @param fresh a token that was good before is so no longer, so that what it came from may have ended as well
   * @throws ZenmlError if what is needed first cannot be had
   */
  request(options: { readonly fresh: boolean }): Promise<LoginRequest>
  /**
   * Another way, for a server that does not know this kind of credential; undefined if there is none.
   *
   * @throws ZenmlError if there is one, and something is missing for it
   */
  otherwise?(): Promise<Grant | undefined>
}

/** What a login needs from outside. */
export interface LoginDependencies {
  readonly http: Http
  readonly clock: Clock
  /** Told each new token before its first use, so that it can be hidden. */
  readonly onToken: (token: string) => void
  /** Told in one line why the login takes longer, and for how many milliseconds. */
  readonly onWait: (line: string, waitMs: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * The server counts failed logins by the minute and by the day, and a refused one counts as well: trying again
 * before the minute is over keeps the door shut (0.98: zenml/zen_server/rate_limit.py).
 */
const LOGIN_WINDOW_MS = 61_000

/** A credential, exchanged for a short-lived token at first use and again after a 401. */
export class LoginSession implements Session {
  expiresAt: number | undefined
  readonly #deps: LoginDependencies
  #grant: Grant
  #token: Promise<string> | undefined
  /** A login that nobody has asked for yet. */
  #early: Promise<string> | undefined
  /** The last token that a login gave; undefined while it is being renewed. */
  #current: string | undefined
  #hasLoggedIn = false
  /** When the last login was refused, on the clock of elapsed time. */
  #refusedAt: number | undefined

  constructor(grant: Grant, deps: LoginDependencies) {
    this.#grant = grant
    this.#deps = deps
  }

  async begin(): Promise<void> {
    this.#early = this.#begin()
    // The connection is made in the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
  }

  token(): Promise<string> {
    const early = this.#early
    this.#early = undefined
    if (early !== undefined) return early
    // One refusal may be a replica's or a gateway's; the next try costs nothing once its minute has passed.
    const sinceRefused = this.#deps.clock.elapsed() - (this.#refusedAt ?? Infinity)
    if (sinceRefused >= LOGIN_WINDOW_MS) this.#token = undefined
    return this.#token ?? this.#begin()
  }

  async renew(refused: string): Promise<void> {
    if (refused === this.#current) {
      this.#current = undefined
      this.#token = undefined
    }
    await this.token()
  }

  /** Every request shares one login; one that failed for a passing reason must not be all that is left. */
  #begin(): Promise<string> {
    const login = this.#login()
    this.#token = login
    this.#refusedAt = undefined
    login.catch((error: unknown) => {
      if (this.#token !== login) return
      if (error instanceof CredentialError) this.#refusedAt = this.#deps.clock.elapsed()
      else this.#token = undefined
    })
    return login
  }

  async #login(): Promise<string> {
    const { clock, onToken, onWait, signal } = this.#deps
    let request = await this.#grant.request({ fresh: this.#hasLoggedIn })
    let waitedForWindow = false
    for (let attempt = 1; ; attempt += 1) {
      try {
        const token = await this.#exchange(request)
        onToken(token.access_token)
        this.expiresAt = token.expires_in == null ? undefined : clock.now() + token.expires_in * 1000
        this.#current = token.access_token
        this.#hasLoggedIn = true
        return token.access_token
      } catch (error) {
        if (!(error instanceof AnswerError || error instanceof TransportError)) throw error
        if (isMinuteLimit(error) && !waitedForWindow) {
          waitedForWindow = true
          onWait(`${error.message} Waiting until the limit is reset`, LOGIN_WINDOW_MS)
          await clock.sleep(LOGIN_WINDOW_MS, signal)
          continue
        }
        const other = await this.#otherGrant(error)
        if (other !== undefined) {
          this.#grant = other
          request = await other.request({ fresh: false })
          continue
        }
        const decision = isLoginLimit(error) ? GIVE_UP : decideRetry(error, attempt, clock.random())
        const told = explained(error, this.#grant)
        if (decision.kind === 'give-up') throw told
        onWait(told.message, decision.waitMs)
        await clock.sleep(decision.waitMs, signal)
      }
    }
  }

  /** Another way to log in, where this kind of credential is not known to the server. */
  async #otherGrant(error: AnswerError | TransportError): Promise<Grant | undefined> {
    const isUnknown =
      error instanceof AnswerError && error.status === 401 && /error decoding API key/i.test(error.detail)
    return isUnknown ? this.#grant.otherwise?.() : undefined
  }

  async #exchange({ url, headers, form }: LoginRequest): Promise<Token> {
    const { doing, addressInput } = this.#grant
    const answer = await this.#deps.http.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(form).toString(),
      signal: this.#deps.signal,
    })
    const { tokenSchema } = await import('../schemas.ts')
    const token = answer.status === 200 ? tokenSchema.safeParse(parseJson(answer.body)) : undefined
    if (token?.success === true) return token.data
    throw new AnswerError(doing, withoutToken(answer), this.#deps.clock.now(), addressInput)
  }
}

const GIVE_UP = { kind: 'give-up' } as const

function isMinuteLimit(error: AnswerError | TransportError): boolean {
  return isLoginLimit(error) && /minute/i.test(error.message)
}

function isLoginLimit(error: AnswerError | TransportError): boolean {
  return (
    error instanceof AnswerError && error.status === 429 && /\brequest limit exceeded/i.test(error.detail)
  )
}

/** The error that a person can act on. */
function explained(error: AnswerError | TransportError, grant: Grant): Error {
  const { doing, credentialInput, addressInput, whoAnswers, advice } = grant
  if (error instanceof TransportError) return new UnreachableError(doing, error, addressInput)
  if (isLoginLimit(error)) {
    return new CredentialError(
      `${error.message} The server counts failed logins from this runner's address: check that ${credentialInput} is right everywhere, and try again ${isMinuteLimit(error) ? 'in a few minutes' : 'tomorrow'}`,
    )
  }
  if (isAuthenticatorAway(error)) {
    const advice = ' ZenML Pro could not confirm the account; the credential was not refused'
    return new UnreachableError(doing, error, addressInput, advice)
  }
  // Tried as often as makes sense: the request that needed the token must not try it all again.
  if (isPassing(error)) return new UnreachableError(doing, error, addressInput)
  if (!error.fromZenml) return error
  if (error.status === 401 || error.status === 403 || error.status === 400 || error.status === 422) {
    return new CredentialError(`${error.message}. Check that ${advice}`)
  }
  if (error.status === 404 || error.status === 405) {
    return new CredentialError(
      `${error.message}. Check ${addressInput}: no ${whoAnswers} answers at this address`,
    )
  }
  return error
}
