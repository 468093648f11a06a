import type { GithubFault } from './github-error.ts'
import { quote } from '../../base/printable.ts'

const MAX_QUOTE_LENGTH = 200

const GRANT = 'add "permissions: pull-requests: write" to the job, or give github-token that permission'

/** What is known of the place where a comment was to be written. */
export interface RefusedPlace {
  readonly fromFork: boolean
}

/** The workflow was started by an event without a pull request. */
export function noPullRequest(eventName: string): string {
  const event = eventName === '' ? 'its event' : `the event ${quote(eventName)}`
  return `No comment was written: ${event} has no pull request; a comment needs an event such as pull_request or, in wait/, the input pull-request`
}

export const NO_TOKEN = 'No comment was written: github-token is empty; remove that input, or give it a token'

/** Why a comment is not as it should be, and what to do; one line. */
export function notWritten(fault: GithubFault, place: RefusedPlace): string {
  return `The comment on the pull request could not be written: ${reason(fault, place)}`
}

function reason(fault: GithubFault, place: RefusedPlace): string {
  switch (fault.kind) {
    case 'answer':
      return refusal(fault, place)
    case 'no-answer':
      return `GitHub's API could not be reached${fault.code === '' ? '' : ` (${fault.code})`}`
    case 'no-time':
      return "GitHub's API did not answer in time"
    case 'unreadable':
      return "what answers at GITHUB_API_URL is not GitHub's API"
  }
}

function refusal(
  { status, message, limited }: Extract<GithubFault, { kind: 'answer' }>,
  { fromFork }: RefusedPlace,
): string {
  if (limited) return `GitHub's rate limit for this token is reached (${status})`
  if (status === 401) {
    return 'GitHub does not accept github-token (401); it may have expired, or belong to another GitHub server'
  }
  if (status === 403 && /\block/i.test(message)) return 'the conversation is locked'
  if (status === 403 && fromFork) {
    return "GitHub gives a fork's pull request a read-only token; see the job summary"
  }
  if (status === 403 && /not accessible by/i.test(message)) return `the token lacks permission; ${GRANT}`
  if (status === 404) return `GitHub does not show the pull request to the token (404); ${GRANT}`
  return `GitHub answered ${status}${message === '' ? '' : `: ${quote(message, MAX_QUOTE_LENGTH)}`}`
}
