import type { Environment } from './workflow/environment.ts'

/** Whether main said that nothing is left to see to. */
export function isSettled(env: Environment): boolean {
  return env['STATE_settled'] === 'true'
}

/** Whether main was to write a summary and did not get to it. */
export function isSummaryDue(env: Environment): boolean {
  return env['STATE_summaryDue'] === 'true'
}

/**
 * Whether main has certainly seen to everything that a post step could see to, asked before anything else is loaded. Where a
 * comment was saved, more has to be read: actions/post.ts decides.
 */
export function canPostStepExitAtOnce(env: Environment): boolean {
  return isSettled(env) && !isSummaryDue(env) && (env['STATE_comment'] ?? '') === ''
}
