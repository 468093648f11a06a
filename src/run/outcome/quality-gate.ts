import type { Named, ServerInfo } from '../../zenml/model.ts'
import { nameOfBaseline, readBaseline, type Baseline, type BaselineChoice } from '../compare/baseline.ts'
import { compareWithBaseline } from '../compare/compare-with-baseline.ts'
import type { Outcome } from '../conclusion.ts'
import type { Reporter } from '../events.ts'
import type { Origin } from '../origin.ts'
import type { StartedRun } from '../recovery-journal.ts'
import type { Collected, CollectDependencies } from './collect.ts'
import {
  evaluateExpectations,
  missedExpectations,
  needsBaseline,
  type BaselineValues,
  type Expectation,
} from './evaluate-expectations.ts'
import type { Kin } from '../watch/usual-duration.ts'

/** What a run that completed is judged by. */
export interface QualityGatePolicy {
  /** Conditions on the metadata of a run that completed. */
  readonly expectations?: readonly Expectation[]
  /** What a completed run is compared with. */
  readonly baseline?: BaselineChoice | undefined
  /** Whether it is a miss that there is no baseline yet. */
  readonly baselineRequired?: boolean
}

/** A run that completed, and where it is. */
export interface CompletedRun {
  readonly started: StartedRun
  readonly kin: Kin
  readonly server: ServerInfo
  readonly project: Named | undefined
  readonly origin?: Pick<Origin, 'facts'> | undefined
}

interface QualityGateDependencies extends CollectDependencies {
  readonly reporter: Reporter
}

/** A completed run is what was wished for only if its metadata is as expected. */
export async function applyQualityGate(
  run: CompletedRun,
  completed: Outcome,
  { details, unread }: Pick<Collected, 'details' | 'unread'>,
  policy: QualityGatePolicy,
  deps: QualityGateDependencies,
): Promise<Outcome> {
  const { expectations = [] } = policy
  const baseline = await compare(run, { details, unread }, policy, deps)
  if (expectations.length === 0) return completed
  const verdicts = evaluateExpectations(expectations, details, unread, baseline)
  deps.reporter.tell({ kind: 'expectations', verdicts })
  const error = missedExpectations(run.started.name, verdicts)
  if (error === undefined) return completed
  const missed = { ...completed, conclusion: 'expectation-missed', error } as const
  const isUnread = (expectation: Expectation): boolean =>
    unread !== undefined || (baseline?.kind === 'unread' && needsBaseline(expectation))
  const isUnjudged = expectations.every((each, index) => verdicts[index]?.held === true || isUnread(each))
  return isUnjudged ? { ...missed, remark: 'unjudged' } : missed
}

/** Puts the run beside its baseline, if one is wished. */
async function compare(
  { started, kin: { pipelineId }, server, project, origin }: CompletedRun,
  { details, unread }: Pick<Collected, 'details' | 'unread'>,
  { baseline: choice, baselineRequired: isRequired = false, expectations = [] }: QualityGatePolicy,
  deps: QualityGateDependencies,
): Promise<BaselineValues | undefined> {
  if (choice === undefined) return undefined
  // What was not read of the run itself must not look as if it had not been logged.
  const baseline: Baseline =
    unread === undefined
      ? await readBaseline(
          choice,
          { ...started, pipelineId, server, project, startedBy: origin?.facts['workflow_run'] },
          deps,
        )
      : { kind: 'unread', why: `the run's own metadata could not be read: ${unread}` }
  const comparison = compareWithBaseline(nameOfBaseline(choice), details, baseline, expectations)
  deps.reporter.tell({ kind: 'compared', comparison })
  return baseline.kind === 'none' ? { ...baseline, isRequired } : baseline
}
