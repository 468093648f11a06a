import { z } from 'zod'

import { cut } from '../../base/printable.ts'

/** Longer waits are not worth the job's time: the comment is written again at the step's end. */
const LONGEST_WAIT_MS = 5_000
const PAUSE_MS = 1_000
const MAX_MESSAGE_LENGTH = 300

/** Why a request to GitHub's API did not do what it should. */
export type GithubFault =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** GitHub's own words; not trusted. */
      readonly message: string
      /** It refuses because of too many requests, of whoever the token belongs to; nothing was done. */
      readonly limited: boolean
      readonly retryAfterMs: number | undefined
    }
  /** No complete answer came; `sent` is false only if GitHub cannot have seen the request. */
  | { readonly kind: 'no-answer'; readonly code: string; readonly sent: boolean }
  | { readonly kind: 'no-time' }
  | { readonly kind: 'unreadable' }

/** What {@link GithubApi} throws. */
export class GithubError extends Error {
  override readonly name = 'GithubError'
  readonly fault: GithubFault

  constructor(fault: GithubFault) {
    super(fault.kind === 'answer' ? `GitHub answered ${fault.status}` : `GitHub: ${fault.kind}`)
    this.fault = fault
  }
}

const header = z.union([z.string(), z.number()]).transform(String).optional().catch(undefined)

/** An error of GitHub's client about an answer. */
const answered = z.object({
  status: z.int(),
  response: z.object({
    headers: z.object({ 'retry-after': header, 'x-ratelimit-remaining': header }).catch({}),
    data: z.object({ message: z.string() }).catch({ message: '' }),
  }),
})
/** An error of GraphQL, whose answers have the status 200. */
const declined = z.object({ errors: z.array(z.object({ message: z.string() })).min(1) })
/** An error of the sending below GitHub's client. */
const unanswered = z.object({ cause: z.object({ code: z.string(), sent: z.boolean() }) })

/** What an error of GitHub's client means; `signal` is the one that the request was sent with. */
export function githubErrorOf(error: unknown, signal: AbortSignal): GithubError {
  if (error instanceof GithubError) return error
  if (signal.aborted) return new GithubError({ kind: 'no-time' })
  const answer = answered.safeParse(error).data
  if (answer !== undefined) return new GithubError(faultOfAnswer(answer))
  const message = declined.safeParse(error).data?.errors[0]?.message
  if (message !== undefined) {
    return new GithubError(faultOfAnswer({ status: 200, response: { headers: {}, data: { message } } }))
  }
  const cause = unanswered.safeParse(error).data?.cause
  return new GithubError({ kind: 'no-answer', code: cause?.code ?? '', sent: cause?.sent ?? true })
}

function faultOfAnswer({ status, response: { headers, data } }: z.infer<typeof answered>): GithubFault {
  const after = headers['retry-after']
  // As GitHub's documentation of its rate limits tells the two kinds from other refusals.
  const limited =
    status === 429 ||
    /rate limit/i.test(data.message) ||
    (status === 403 && (after !== undefined || headers['x-ratelimit-remaining'] === '0'))
  return {
    kind: 'answer',
    status,
    message: cut(data.message, MAX_MESSAGE_LENGTH),
    limited,
    retryAfterMs: after !== undefined && /^\d{1,6}$/.test(after) ? Number(after) * 1000 : undefined,
  }
}

/**
 * How long to wait before the same request is sent once more; undefined: not at all.
 *
 * @param isRepeatable whether the request does no harm if it is obeyed twice
 */
export function retryWaitMs(fault: GithubFault, isRepeatable: boolean): number | undefined {
  switch (fault.kind) {
    case 'answer': {
      if (fault.limited) {
        const waitMs = fault.retryAfterMs
        return waitMs !== undefined && waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
      }
      return fault.status >= 500 && isRepeatable ? PAUSE_MS : undefined
    }
    case 'no-answer':
      return isRepeatable || !fault.sent ? PAUSE_MS : undefined
    case 'no-time':
    case 'unreadable':
      return undefined
  }
}

/** Whether a later try may have more luck, with nobody changing anything. */
export function isPassing(fault: GithubFault): boolean {
  switch (fault.kind) {
    case 'answer':
      return fault.limited || fault.status >= 500
    case 'no-answer':
    case 'no-time':
      return true
    case 'unreadable':
      return false
  }
}
