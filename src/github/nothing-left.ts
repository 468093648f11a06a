import type { Environment } from './workflow/environment.ts'

/**
 * Whether main has seen to everything that a post step could see to. It is asked before anything else is loaded; where a
 * comment was saved, only more than this can tell.
 */
export function isNothingLeft(env: Environment): boolean {
  const isSettled = env['STATE_settled'] === 'true'
  return isSettled && env['STATE_summaryDue'] !== 'true' && (env['STATE_comment'] ?? '') === ''
}
