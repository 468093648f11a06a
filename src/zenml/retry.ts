import type { Deadline } from '../base/deadline.ts'
import { TransportError } from '../http/transport-error.ts'
import { AnswerError, UnreachableError, type ZenmlError } from './errors.ts'

/** What to do after a failure: try again after `waitMs`, or not at all. */
export type RetryDecision = { readonly kind: 'retry'; readonly waitMs: number } | { readonly kind: 'give-up' }

/** Statuses below 500 that say "later" and not "no". */
const LATER: ReadonlySet<number> = new Set([408, 425, 429])

/**
 * What a Pro workspace answers with 401 when it could not ask the control plane about the account: a timeout, a closed
 * connection, a 5xx (zenml/zen_server/auth.py, `authenticate_external_user`). A real refusal has other words.
 */
const AUTHENTICATOR_AWAY = /\b(Error fetching user information from|Unknown) external authenticator/

/** One read that something depends on: tried until then, unless a failure is believed before. */
export interface Insistence {
  readonly deadline: Deadline
  /** Told of each failure, once: whether it is the last word. */
  readonly isFinal: (error: ZenmlError) => boolean
}

/** How often a read is tried: once; as a short outage needs; or as what depends on it needs. */
export type Retries = 'none' | 'few' | (() => Insistence)

/** Enough for a server that restarts (some 15 s): six pauses of 22 s in all, on average. */
const MOST_ATTEMPTS = 7

/** Pauses of three minutes in all, on average: for a no that may pass. */
const MANY_ATTEMPTS = 30

/** Milliseconds that the server asked to wait with a Retry-After; 0 if it did not. */
export function retryAfterOf(error: ZenmlError): number {
  const answer = error instanceof UnreachableError ? error.cause : error
  return answer instanceof AnswerError ? (answer.retryAfterMs ?? 0) : 0
}

/** A page that says all is well is mostly a wrong address, and seldom a load balancer's passing one. */
const MOST_ATTEMPTS_FOREIGN = 3

/** Longer than this nobody wants to wait silently for one answer; the server's own words are more useful then. */
const LONGEST_RETRY_AFTER_MS = 120_000

/**
 * Whether a request that may be repeated without harm should be tried again.
 *
 * @param attempt the number of tries so far, 1 after the first
 * @param random uniform in [0, 1)
 * @param retries with insistence, a long Retry-After is waited for, too, two minutes at a time
 */
export function decideRetry(
  error: ZenmlError,
  attempt: number,
  random: number,
  retries: 'none' | 'few' | Insistence = 'few',
): RetryDecision {
  const isInsistent = typeof retries === 'object'
  const isFinal = isInsistent ? retries.isFinal(error) : !isPassing(error)
  if (isFinal || attempt >= mostAttempts(error, retries)) return { kind: 'give-up' }
  const asked = retryAfterOf(error)
  if (asked > LONGEST_RETRY_AFTER_MS && !isInsistent) return { kind: 'give-up' }
  return {
    kind: 'retry',
    waitMs: backoffMs(attempt, random, { atLeastMs: Math.min(asked, LONGEST_RETRY_AFTER_MS) }),
  }
}

/** An answer of something else than ZenML is mostly a wrong address, which nobody wants to wait for. */
function mostAttempts(error: ZenmlError, retries: 'none' | 'few' | Insistence): number {
  if (retries === 'none') return 1
  if (retries !== 'few') return retries.deadline.isOver ? 1 : isAway(error) ? Infinity : MANY_ATTEMPTS
  if (!(error instanceof AnswerError) || error.fromZenml || saysLater(error)) return MOST_ATTEMPTS
  return error.status < 300 ? MOST_ATTEMPTS_FOREIGN : 1
}

/**
 * ZenML answers 500 while its database or the Pro service is away, and gateways have numbers of their own for a server that is,
 * such as 522. Only a 501 is a no.
 */
function saysLater({ status }: AnswerError): boolean {
  return LATER.has(status) || (status >= 500 && status !== 501)
}

/** Whether the server cannot be reached, or something before it says so. */
function isAway(error: ZenmlError): boolean {
  if (error instanceof UnreachableError) return isAway(error.cause)
  if (error instanceof TransportError) return true
  return error instanceof AnswerError && saysLater(error) && error.status !== 500
}

/**
 * True for failures that may be over at the next try; where a run may be under way, nothing is given up for one. What
 * something between the runner and the server answers says nothing of the run.
 */
export function isPassing(error: ZenmlError): boolean {
  if (error instanceof UnreachableError) return isPassing(error.cause)
  if (error instanceof TransportError) return !error.permanent
  if (!(error instanceof AnswerError)) return false
  return saysLater(error) || !error.fromZenml || isAuthenticatorAway(error)
}

/** True for a 401 that says nothing about the credential: ZenML Pro's control plane did not answer the workspace. */
export function isAuthenticatorAway(error: AnswerError): boolean {
  return error.status === 401 && error.fromZenml && AUTHENTICATOR_AWAY.test(error.detail)
}

/**
 * Exponential back-off with full jitter, in milliseconds: many jobs that met the same fault come back spread
 * out. `atLeastMs` (a Retry-After) is a minimum, to which the jitter is added.
 */
export function backoffMs(
  attempt: number,
  random: number,
  {
    atLeastMs = 0,
    baseMs = 1_000,
    capMs = 15_000,
  }: { atLeastMs?: number; baseMs?: number; capMs?: number } = {},
): number {
  return Math.round(atLeastMs + random * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 20)))
}
