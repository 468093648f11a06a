import type { Conclusion } from '../run/conclusion.ts'
import type { ValueChange } from '../run/configure/difference.ts'
import type { Verdict } from '../run/outcome/evaluate-expectations.ts'
import type { RunEvent } from '../run/events.ts'
import type {
  Comparison,
  Gallery,
  RunDetails,
  RunFailure,
  StepCounts,
  StepFailure,
  Usual,
} from '../run/facts.ts'
import type { SweepResult } from '../run/sweep/cell.ts'
import type { Target } from '../run/find/definition.ts'
import type { CodeSource } from '../zenml/code-source.ts'
import type { KnownDefinition, StepState } from '../zenml/model.ts'
import { NO_COMMITS, type WorkflowCommits } from './workflow/commits.ts'

/** What the inputs name: what is to be run, or a run that is there already. */
export type Requested = Target | { readonly kind: 'run'; readonly reference: string }

/** The newest that is known of a step. */
export interface RecordedStep extends StepState {
  /** 1 for the first; undefined where it was not seen to run. */
  readonly attempt: number | undefined
}

/** All that is known of a step's run at one moment, for the summary, the comment and the outputs. Texts are not trusted. */
export interface RunRecord {
  /** Undefined while the step goes on. */
  readonly conclusion: Conclusion | undefined
  /** What the step failed to do, where the run's own end does not say it, such as `No ZenML run was started`. */
  readonly notDone: string | undefined
  /** ZenML's last known state of the run; empty if there is none. */
  readonly status: string
  /** One line, or one for each of several faults, without those of the steps; harmless and cut already. */
  readonly error: string | undefined
  /** Milliseconds from the run's creation to its end, or until now; undefined without a run, and if nobody can tell, as the step was killed. */
  readonly durationMs: number | undefined
  readonly requested: Requested | undefined
  readonly definition: KnownDefinition | undefined
  /** Of the definition, or of a run that was there already. */
  readonly code: CodeSource | undefined
  readonly commits: WorkflowCommits
  readonly pipeline: string | undefined
  readonly runId: string | undefined
  readonly runName: string | undefined
  readonly runUrl: string | undefined
  /** Milliseconds since the epoch. */
  readonly created: number | undefined
  /** When this was so, as the server's clock has it: milliseconds since the epoch; undefined without a run. */
  readonly asOf: number | undefined
  readonly changes: readonly ValueChange[]
  readonly dryRun: Extract<RunEvent, { kind: 'dry-run' }> | undefined
  readonly usual: Usual | undefined
  /** Those seen so far; all of them once the server could be asked at the end. */
  readonly steps: readonly RecordedStep[]
  readonly counts: StepCounts | undefined
  /** The first ones to fail, at most ten. */
  readonly failures: readonly StepFailure[]
  readonly runFailure: RunFailure | undefined
  readonly verdicts: readonly Verdict[]
  /** What a run that was handed over is still to be judged by. */
  readonly unjudged: readonly string[]
  /** For how many milliseconds nobody had seen a run that was handed over; undefined: it was seen just then. */
  readonly unseenMs: number | undefined
  /** How a run had ended that was left to itself; undefined: it had not. */
  readonly overBefore: Extract<RunEvent, { kind: 'over-before' }>['phase'] | undefined
  /** Undefined where none was wished, and of a run that did not complete. */
  readonly comparison: Comparison | undefined
  /** How many runs the step is to have, where it has many. */
  readonly cells: number | undefined
  /** Of a step that has many runs, once they are over; undefined for any other. */
  readonly sweep: SweepResult | undefined
  /** Undefined until the run has ended, or if the server could not be asked any more. */
  readonly details: RunDetails | undefined
  /** What its artifacts show; undefined where nobody wants to know. */
  readonly gallery: Gallery | undefined
  /** Whether there is a report page of it. */
  readonly hasReport: boolean
}

/** Before anything is told. */
export const NOTHING_KNOWN: RunRecord = {
  conclusion: undefined,
  notDone: undefined,
  status: '',
  error: undefined,
  durationMs: undefined,
  requested: undefined,
  definition: undefined,
  code: undefined,
  commits: NO_COMMITS,
  pipeline: undefined,
  runId: undefined,
  runName: undefined,
  runUrl: undefined,
  created: undefined,
  asOf: undefined,
  changes: [],
  dryRun: undefined,
  usual: undefined,
  steps: [],
  counts: undefined,
  failures: [],
  runFailure: undefined,
  verdicts: [],
  unjudged: [],
  unseenMs: undefined,
  overBefore: undefined,
  comparison: undefined,
  cells: undefined,
  sweep: undefined,
  details: undefined,
  gallery: undefined,
  hasReport: false,
}
