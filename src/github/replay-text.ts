import type { Foreseen, ReplayPlan, ReusedSteps } from '../run/facts.ts'

/** More of them are counted. */
const MOST_NAMES = 20

/** Whether a step in this state took time: not where its result is from the cache, or from the run that is replayed. */
export function isComputed(status: string): boolean {
  return status !== 'cached' && status !== 'skipped'
}

/** What is done with what earlier attempts left, as one line without a period; the texts in it are not trusted. */
export function replayLine(plan: ReplayPlan): string {
  return plan.kind === 'new' ? `${plan.why}, so a new run is started` : `Replaying only ${replayed(plan)}`
}

/** The same of what would be done. */
export function wouldReplayLine(plan: Foreseen): string {
  switch (plan.kind) {
    case 'replay':
      return `Would replay only ${replayed(plan)}`
    case 'take-up':
      return `Would reattach to the run ${plan.name} of attempt ${plan.attempt}, which is ${plan.status}`
    case 'new':
      return `${plan.why}, so a new run would be started`
  }
}

function replayed({ name, attempt, url }: Extract<ReplayPlan, { kind: 'replay' }>): string {
  const where = url === undefined ? '' : `: ${url}`
  return `the steps that did not complete in the run ${name} of attempt ${attempt}, which failed${where}`
}

/** Which steps a replay took over, and from where; each name is written by `shown`. */
export function reusedText({ from, steps }: ReusedSteps, shown: (name: string) => string): string {
  const run = from === undefined ? 'an earlier run' : `the run ${shown(from.name ?? from.id)}`
  const more = steps.length - MOST_NAMES
  const names = steps.slice(0, MOST_NAMES).map(shown).join(', ')
  return `Reused from ${run}: ${names}${more > 0 ? ` and ${more} more` : ''}`
}
