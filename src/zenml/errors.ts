import type { HttpAnswer } from '../http/http.ts'
import { TransportError } from '../http/transport-error.ts'
import { readErrorBody, retryAfterMs } from './answers/error-body.ts'
import { missingPermission } from './answers/permission.ts'
import { twoSentences } from '../base/sentences.ts'

/** Everything that can go wrong between us and a ZenML server; the message is one line for a person. */
export type ZenmlError = TransportError | AnswerError | CredentialError | WorkspaceError | UnreachableError

/** A complete answer that says no, or that no ZenML server gives (HTML, a redirect, a foreign shape). */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
  readonly status: number
  /** The Python exception's name, where ZenML gave one. */
  readonly exception: string | undefined
  /** ZenML's message in one line, cleaned but not trusted: it may hold anything. */
  readonly detail: string
  /** Whether a ZenML server wrote it; false for a proxy, a dashboard or something else in between. */
  readonly fromZenml: boolean
  /** What the account would have to be allowed, such as `create pipeline runs`; the message asks for it. */
  readonly missingPermission: string | undefined
  readonly retryAfterMs: number | undefined

  /**
   * @param doing what was tried, as an infinitive: "log in", "read the run"
   * @param addressInput the input that the address came from
   */
  constructor(doing: string, answer: HttpAnswer, now: number, addressInput?: string) {
    const body = readErrorBody(answer, addressInput)
    const exception = body.exception === undefined ? '' : ` ${body.exception}`
    const missing = answer.status === 403 ? missingPermission(body.message) : undefined
    const said =
      missing === undefined
        ? body.message
        : twoSentences(body.message, `Give the account permission to ${missing}`)
    super(`Could not ${doing}: ${body.source} answered ${answer.status}${exception}: ${said}`)
    this.status = answer.status
    this.exception = body.exception
    this.detail = body.message
    this.missingPermission = missing
    this.fromZenml = body.source === 'the server'
    this.retryAfterMs = retryAfterMs(answer.headers['retry-after'], now)
  }
}

/** A credential that no longer, or never, opened the door; trying again with it only makes matters worse. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
}

/** The workspace of ZenML Pro that was named cannot be used; the message begins with the input's name. */
export class WorkspaceError extends Error {
  override readonly name = 'WorkspaceError'
}

/** The server could not be reached, or did not answer sensibly, for as long as we were ready to try. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  override readonly cause: TransportError | AnswerError

  /**
   * @param doing what was tried, as an infinitive
   * @param addressInput the input that the address came from
   * @param advice a sentence that follows what the server said
   */
  constructor(doing: string, cause: TransportError | AnswerError, addressInput = 'server-url', advice = '') {
    super(
      cause instanceof AnswerError
        ? `${cause.message}${advice}`
        : `Could not ${doing}: ${cause.message}${WRONG_ADDRESS[cause.code]?.(addressInput) ?? ''}`,
    )
    this.cause = cause
  }
}

/** What to do about a failure that another address may mend. */
const WRONG_ADDRESS: Readonly<Record<string, (input: string) => string>> = {
  ECONNREFUSED: (input) => `; check ${input}, and that the server is running`,
  ENOTFOUND: (input) => `; check ${input}`,
}

/** ZenML's own 404: the thing asked for is not there. A route that is not there has no exception's name. */
export function isNotFound(error: unknown): error is AnswerError {
  return error instanceof AnswerError && error.status === 404 && error.exception !== undefined
}

/** A route that is not there has no exception's name, a thing that is not there has. */
export function isMissingRoute(error: unknown): error is AnswerError {
  return (
    error instanceof AnswerError && error.status === 404 && error.exception === undefined && error.fromZenml
  )
}

/** True for every failure that the code in this folder reports. */
export function isZenmlError(error: unknown): error is ZenmlError {
  return KINDS.some((kind) => error instanceof kind)
}

const KINDS = [TransportError, AnswerError, CredentialError, WorkspaceError, UnreachableError]
