import type { Run, RunParts } from '../../zenml/model.ts'
import { runPhase } from '../../zenml/status.ts'
import { isBetweenSteps, unfinishedSteps } from '../watch/is-over.ts'

/** What is known of a run after the attempt to stop it; `status` is the last one seen. */
export type StopResult =
  /** Nothing of it goes on; `byItself` if it had ended before it could be stopped. */
  | { readonly kind: 'ended'; readonly status: string; readonly byItself: boolean }
  /** The server knows no such run any more, so nobody can tell what its steps do. */
  | { readonly kind: 'gone'; readonly status: string }
  /** The server took the request; the run had not ended when the time was up. */
  | { readonly kind: 'asked'; readonly status: string; readonly left?: Left }
  /** The run itself has ended, and a child run has not. */
  | { readonly kind: 'left-over'; readonly status: string; readonly left: Left }
  /** `why` is a clause. */
  | { readonly kind: 'going-on'; readonly status: string; readonly why: string; readonly left?: Left }
  /** The server could not be asked, so nobody can tell; `why` is a clause. */
  | { readonly kind: 'unknown'; readonly status: string; readonly why: string; readonly left?: Left }

/** A run that has not ended, or may not have; of several the one that a person has to hear of first. */
export interface Left {
  /** `last-heard`: ZenML says of it what may long be over. */
  readonly kind: 'asked' | 'unknown' | 'going-on' | 'last-heard'
  /** Such as `the child run "train-5" (7d0f…)`; empty if `does` says it. */
  readonly who: string
  /** Such as `had not ended in time (last status: stopping)`. */
  readonly does: string
  /** How many there are. */
  readonly count: number
}

/** @param why often begins with what was tried, which the sentence says already */
export function withoutDeed(why: string): string {
  return why.replace(/^Could not (?:stop|end) the run: /, '')
}

/** What is left of a run and of its child runs; undefined if nothing is. @param who the run, in a clause */
export function leftOf(stopped: StopResult, who: string): Left | undefined {
  switch (stopped.kind) {
    case 'ended':
    case 'gone':
      return undefined
    case 'left-over':
      return stopped.left
    case 'asked':
      return withOwn(stopped, who, `had not ended in time (last status: ${stopped.status})`)
    case 'going-on':
      return withOwn(stopped, who, `keeps running: ${withoutDeed(stopped.why)}`)
    case 'unknown':
      return withOwn(stopped, who, `may still be running: ${withoutDeed(stopped.why)}`)
  }
}

function withOwn({ kind, left }: Pick<Left, 'kind'> & { left?: Left }, who: string, does: string) {
  return worstOf([left, { kind, who, does, count: 1 }])
}

const WORST_FIRST: readonly Left['kind'][] = ['going-on', 'unknown', 'asked', 'last-heard']

/** The worst of them stands for all. */
export function worstOf(all: readonly (Left | undefined)[]): Left | undefined {
  const left = all.filter((each) => each !== undefined)
  const worst = WORST_FIRST.flatMap((kind) => left.filter((each) => each.kind === kind))[0]
  return worst && { ...worst, count: left.reduce((sum, { count }) => sum + count, 0) }
}

/** A clause such as `the child run "train-5" (7d0f…) (and 2 more) had not ended in time (last status: stopping)`. */
export function leftClause({ who, does, count }: Left): string {
  if (who === '') return does
  return count === 1 ? `${who} ${does}` : `${who} (and ${count - 1} more) ${does}`
}

/**
 * A run that is over for ZenML, and steps that are not. Those of a dynamic one that was failed from outside may have been
 * killed with the process that would have said so: then they are `running` for ever.
 */
function overWithStepsLeft({ status, isDynamic }: Run, steps: readonly string[]): StopResult {
  const which = steps.join(', ')
  if (!isDynamic || runPhase(status) !== 'failed') {
    const why = `ZenML calls it ${status} already, and then no longer stops its steps; still running: ${which}`
    return { kind: 'going-on', status, why }
  }
  const why = `ZenML calls it ${status} already, and then no longer stops its steps; running when it last heard of them: ${which}`
  return { kind: 'unknown', status, why }
}

/** A run that is over for ZenML, and none of whose steps runs, though one may start: the next machine may be on its way. */
function overBetweenSteps({ status }: Run): StopResult {
  const why = `ZenML calls it ${status} already, and then no longer stops it, but more of its steps may start`
  return { kind: 'unknown', status, why }
}

/** Of a run that has ended. */
export interface Rest extends Pick<RunParts, 'steps' | 'childRuns'> {
  /** Whether it has started a step or called a run. */
  readonly hasBegun: boolean
}

/** Whether a run that was to be stopped shows nothing of it. */
export function goesOnUnasked({ status }: Run): boolean {
  return runPhase(status) === 'going-on' && status !== 'stopping'
}

/**
 * What became of a run that has ended, its child runs apart.
 *
 * @param wasAsked whether it was asked to stop
 * @param now by the server's clock; undefined where it has not said
 */
export function endOf(
  run: Run,
  { steps, hasBegun }: Omit<Rest, 'childRuns'>,
  wasAsked: boolean,
  now: number | undefined,
): StopResult {
  const byItself = !wasAsked || runPhase(run.status) === 'succeeded'
  const unfinished = isSurelyOver(run) ? [] : unfinishedSteps(steps)
  if (unfinished.length > 0) return overWithStepsLeft(run, unfinished)
  const mayGoOn = isBetweenSteps(run, steps, now, hasBegun)
  return mayGoOn ? overBetweenSteps(run) : { kind: 'ended', status: run.status, byItself }
}

/**
 * Whether the server says that no step of it runs, and may be believed. Of a failed run it may not, unless its mode is
 * continue_on_failure, nor of a dynamic one, which is stopped as soon as its question is answered with abort: then it says
 * so whatever still runs (`_check_if_run_in_progress`, from 0.85 on).
 */
export function isSurelyOver({ inProgress, status, isDynamic }: Run): boolean {
  const phase = runPhase(status)
  return inProgress === false && (phase === 'succeeded' || (phase === 'stopped' && !isDynamic))
}
