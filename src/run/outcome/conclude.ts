import type { Run } from '../../zenml/model.ts'
import { askForLogs, twoSentences } from '../../base/sentences.ts'
import { runPhase, type RunPhase } from '../../zenml/status.ts'
import prettyMilliseconds from 'pretty-ms'
import type { Outcome } from '../conclusion.ts'
import { cutAtSpace } from '../../base/cut.ts'
import type { Fault } from '../facts.ts'
import type { TimeoutMode } from '../recovery-journal.ts'
import type { Watched } from '../watch/watch.ts'

/** What is known of the run when the watch ends. */
export interface ConcludeContext {
  readonly name: string
  readonly url: string | undefined
  readonly timeoutMs: number | undefined
  readonly cause: Cause
  /** Steps of a run that is completed for ZenML, though they were not. */
  readonly preempted?: readonly string[]
}

/** Why a run failed, as far as that is known. */
export type Cause =
  /** The first of the failed steps and its exception. */
  | {
      readonly kind: 'step'
      readonly step: string
      readonly fault: Fault | undefined
      readonly others: number
    }
  /** No step failed: the run did by itself, mostly before any step. */
  | {
      readonly kind: 'run'
      readonly fault: Fault | undefined
      readonly reason: string | undefined
      readonly beforeSteps: boolean
    }
  | { readonly kind: 'unknown' }

/** One line is read; the log and the summary have the rest. */
const MOST_OF_A_MESSAGE = 300

/** What the end of the watch means for the workflow: only a completed run is a success. */
export function conclude(watched: Watched, context: ConcludeContext): Outcome {
  const { name, url, timeoutMs, cause } = context
  const where = url === undefined ? '' : `: ${url}`
  const failedStep = cause.kind === 'step' ? cause.step : undefined
  if (watched.kind === 'over') return concludeRun(watched.run, context, where, failedStep)
  const { status } = watched
  switch (watched.kind) {
    case 'timed-out':
      return {
        conclusion: 'timed-out',
        status,
        error: `The run "${name}" did not finish within the timeout of ${prettyMilliseconds(timeoutMs ?? 0)}`,
        failedStep,
      }
    case 'paused':
      return {
        conclusion: 'failed',
        status,
        error:
          `The run "${name}" is waiting for a person` +
          `${watched.question === undefined ? '' : ` (${watched.question})`}. It was left as it is; answer here${where}`,
        failedStep,
        remark: 'waits-for-person',
      }
    case 'gone':
      return {
        conclusion: 'lost',
        status,
        error: `The run "${name}" is no longer on the server: it was deleted while it was ${status}`,
        failedStep,
      }
    case 'lost':
      return {
        conclusion: 'lost',
        status,
        error: twoSentences(
          `The outcome of the run "${name}" is unknown. ${watched.detail}`,
          `When last seen it was ${status}, and it may still be running${where}`,
        ),
        failedStep,
      }
  }
}

function concludeRun(
  run: Run,
  { name, cause, preempted = [] }: ConcludeContext,
  where: string,
  failedStep: string | undefined,
): Outcome {
  const { status } = run
  const phase = runPhase(status)
  if (phase === 'succeeded' && preempted.length === 0)
    return { conclusion: 'completed', status, error: undefined, failedStep: undefined }
  if (phase === 'succeeded') {
    const error = `ZenML calls the run "${name}" completed, but these steps were cancelled: ${preempted.join(', ')}${where}`
    return { conclusion: 'failed', status, error, failedStep: preempted[0] }
  }
  return {
    conclusion: phase === 'stopped' ? 'stopped' : 'failed',
    status,
    error: `The run "${name}" ${describeEnd(run, phase, cause)}${where}`,
    failedStep,
  }
}

function describeEnd(run: Run, phase: RunPhase, cause: Cause): string {
  const reason = run.statusReason === undefined ? '' : ` (${run.statusReason})`
  if (phase === 'stopped') return `was stopped${reason}`
  if (phase === 'failed') return `failed${describeCause(cause, reason)}. ${adviceFor(cause, run)}`
  return `ended in the unknown state "${run.status}", so it does not count as a success${reason}`
}

function describeCause(cause: Cause, reason: string): string {
  switch (cause.kind) {
    case 'step': {
      const others = cause.others === 0 ? '' : ` and ${cause.others} other${cause.others === 1 ? '' : 's'}`
      const fault = describeFault(cause.fault)
      return ` in the step "${cause.step}"${others}${fault === undefined ? reason : `: ${fault}`}`
    }
    case 'run': {
      const why = reasonOf(cause)
      const when = cause.beforeSteps ? ' before any step' : ', but none of its steps'
      return `${when}${why === undefined ? ', and ZenML does not say why' : `: ${why.replace(/\.$/, '')}`}`
    }
    case 'unknown':
      return reason
  }
}

function reasonOf({ fault, reason }: Extract<Cause, { kind: 'run' }>): string | undefined {
  return describeFault(fault) ?? reason
}

/** A run without steps and reason has nothing to look at. */
function adviceFor(cause: Cause, { endTime, updated }: Run): string {
  const isDark = cause.kind === 'run' && cause.beforeSteps && reasonOf(cause) === undefined
  return isDark ? askForLogs(endTime ?? updated) : 'See its steps and logs'
}

/** `RuntimeError: loss is NaN (train.py, line 42, in train)`; undefined where nothing is known. */
function describeFault(fault: Fault | undefined): string | undefined {
  if (fault === undefined) return undefined
  const { type, message, frame } = fault
  const [line = ''] = (message ?? '').split('\n')
  const told = [type, cutAtSpace(line.replace(/(?<!\.)\.$/, ''), MOST_OF_A_MESSAGE)].filter(
    (part) => part !== undefined && part !== '',
  )
  if (told.length === 0) return undefined
  return `${told.join(': ')}${frame === undefined ? '' : ` (${frame})`}`
}

/** The outcome of a run that failed while other branches of it keep running, which are left to themselves. */
export function withStepsLeft(outcome: Outcome, count: number, onTimeout: TimeoutMode): Outcome {
  const left = `steps that keep running: ${count}, on-timeout: ${onTimeout}`
  return { ...outcome, error: `${outcome.error ?? ''} (${left})` }
}
