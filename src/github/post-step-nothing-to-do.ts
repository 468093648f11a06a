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
 * Whether main has seen to everything that a post step could see to. It is asked before anything else is loaded; where a
 * comment was saved, only more than this can tell.
 */
export function hasPostStepNothingToDo(env: Environment): boolean {
  return isSettled(env) && !isSummaryDue(env) && (env['STATE_comment'] ?? '') === ''
}
