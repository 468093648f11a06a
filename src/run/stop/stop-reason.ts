import { cutAtSpace } from '../../base/cut.ts'

/** The longest that ZenML takes; a longer one is answered with 422, and the run goes on (seen on 0.85 and 0.98). */
const MAX_LENGTH = 255

/**
 * Why a run was stopped, as ZenML shows it: what happened, and the page of the workflow run. Where both are too much,
 * the page counts more.
 *
 * @param workflowRunUrl empty where there is none
 */
export function stopReason(what: string, workflowRunUrl: string): string {
  const page = workflowRunUrl.length > MAX_LENGTH ? '' : workflowRunUrl
  if (page === '') return cutAtSpace(what, MAX_LENGTH - 1)
  const whole = `${what}: ${page}`
  if (whole.length <= MAX_LENGTH) return whole
  const room = MAX_LENGTH - page.length - '…: '.length
  return room > 0 ? `${cutAtSpace(what, room)}: ${page}` : page
}
