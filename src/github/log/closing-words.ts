import { faultLine } from './failure-log.ts'
import { inline } from './workflow-log.ts'
import { cut } from '../../base/printable.ts'
import type { SweepResult } from '../../run/sweep/cell.ts'
import type { RunRecord } from '../run-record.ts'
import { shownDuration } from '../../base/duration-text.ts'

/** The last line of a step without an error; undefined where the outcome of the run was reported already. */
export function resultLine(record: RunRecord): string | undefined {
  switch (record.conclusion) {
    case 'dry-run':
      return 'Dry run: nothing was started'
    case 'started':
      return startedLine(record)
    case 'running':
      return `Handed over (on-timeout: hand-over): ${stateAtHandOver(record)}. To keep following it, use wait/ with run: ${inline(record.runId ?? '')}`
    case 'completed':
      if (record.sweep !== undefined) return sweepLine(record.sweep)
      return `The run completed after ${shownDuration(record.durationMs ?? 0)}${comparison(record)}${cacheNote(record)}`
    case 'resolved':
    case 'failed':
    case 'stopped':
    case 'timed-out':
    case 'cancelled':
    case 'lost':
    case 'expectation-missed':
    case undefined:
      return undefined
  }
}

function startedLine({ overBefore }: RunRecord): string {
  switch (overBefore) {
    case undefined:
      return 'The run continues in ZenML; not waiting for it (wait: false)'
    case 'succeeded':
      return 'The run has already completed in ZenML; its result was not checked (wait: false)'
    case 'failed':
      return 'The run has already failed in ZenML; the step is green all the same (wait: false)'
    case 'stopped':
      return 'The run was already stopped in ZenML; the step is green all the same (wait: false)'
  }
}

function sweepLine({ cells }: SweepResult): string {
  const missed = cells.filter(({ outcome }) => outcome?.conclusion === 'expectation-missed').length
  const note = missed === 0 ? '' : `, ${missed} of them not as expected`
  const all = cells.length === 1 ? 'The one run' : `All ${cells.length} runs`
  return `${all} of the sweep completed${note}`
}

function comparison({ usual }: RunRecord): string {
  return usual === undefined ? '' : ` (usually ${shownDuration(usual.medianMs)})`
}

function cacheNote({ steps }: RunRecord): string {
  if (steps.length === 0 || steps.some(({ status }) => status !== 'cached')) return ''
  const which = steps.length === 1 ? 'its one step was' : `all ${steps.length} steps were`
  return `: ${which} taken from the cache, nothing was computed`
}

/** All outputs of a job together have 1 MB. */
const MAX_ERROR_LENGTH = 4_000
const MOST_FAILURES = 5

/** Why the step failed; below it, where several steps of the run did, why each of the others did. Empty if it did not fail. */
export function errorOutput({ error, failures, steps }: RunRecord): string {
  if (error === undefined) return ''
  const told = failures.slice(0, MOST_FAILURES)
  const failed = steps.filter(({ status }) => status === 'failed').length
  const more = told.length === 0 ? 0 : Math.max(failed, failures.length) - told.length
  const others = told
    .slice(1)
    .map(
      ({ step, fault }) => `Step ${inline(step)} failed${fault === undefined ? '' : `: ${faultLine(fault)}`}`,
    )
  return cut([error, ...others, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'), MAX_ERROR_LENGTH)
}

function stateAtHandOver({ status, unseenMs }: RunRecord): string {
  if (unseenMs === undefined) return 'the run keeps running in ZenML'
  return `for ${shownDuration(unseenMs)} the server has not shown the run, which was ${inline(status)} when last seen and may still be running`
}
