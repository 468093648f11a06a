import type { JsonObject } from '../base/json.ts'
import type { KnownDefinition, Named, Run, ServerInfo } from '../zenml/model.ts'
import type { RunPhase } from '../zenml/status.ts'
import type { DifferenceLine, ValueChange } from './configure/difference.ts'
import type { StopMode } from './recovery-journal.ts'
import type { Verdict } from './outcome/evaluate-expectations.ts'
import type { Cell, CellResult, SweepResult } from './sweep/cell.ts'
import type {
  Comparison,
  Gallery,
  ProjectSource,
  Forecast,
  Foreseen,
  ReplayPlan,
  RunDetails,
  RunFailure,
  StepChange,
  StepCounts,
  StepFailure,
  Usual,
} from './facts.ts'

/** Why a trigger has to be sent again, or its result looked up. */
export type TriggerHindrance = 'working' | 'no-slot' | 'limited' | 'not-sent' | 'unclear' | 'name-vanished'

/** What a person should hear of. Texts inside come from a server and are not trusted. */
export type RunEvent =
  | {
      readonly kind: 'connected'
      readonly serverUrl: string
      readonly version: string
      readonly account: Named
    }
  /** Where names are looked up, and the run is; and why there. */
  | { readonly kind: 'project'; readonly project: Named; readonly source: ProjectSource }
  | { readonly kind: 'resolved'; readonly definition: KnownDefinition }
  /** What differs from the definition, compared with it. */
  | {
      readonly kind: 'configured'
      readonly configuration: JsonObject
      /** The same beside the definition's values; empty if nothing differs. */
      readonly changes: readonly ValueChange[]
      readonly warnings: readonly string[]
      /** Why it could not be compared. */
      readonly unchecked: string | undefined
    }
  /** What would be sent, beside the definition's values, and what only a start can tell. */
  | {
      readonly kind: 'dry-run'
      readonly lines: readonly DifferenceLine[]
      /** What the metadata of the finished run would have to meet. */
      readonly expectations: readonly string[]
      /** What would be done with what earlier attempts left; undefined where nobody would look for it. */
      readonly earlier?: Foreseen | undefined
      readonly onlyWhenTriggered: readonly string[]
    }
  /** The finished run beside its baseline. */
  | { readonly kind: 'compared'; readonly comparison: Comparison }
  /** The conditions on the finished run's metadata. */
  | { readonly kind: 'expectations'; readonly verdicts: readonly Verdict[] }
  /** A run is about to be started, and where it will be. */
  | {
      readonly kind: 'triggering'
      readonly name: string
      readonly server: ServerInfo
      readonly project: Named | undefined
    }
  /** What became of a run that was to be stopped. */
  | { readonly kind: 'ended'; readonly sentence: string }
  /** A run that something else started is followed. */
  | {
      readonly kind: 'attached'
      readonly run: Run
      readonly url: string | undefined
      /** For how long the run has been there; milliseconds. */
      readonly ageMs: number
    }
  /** The run of an earlier attempt of this step is taken up instead of a new one. */
  | {
      readonly kind: 'resumed'
      readonly run: Run
      readonly url: string | undefined
      readonly ageMs: number
      readonly attempt: number
    }
  /** Runs of earlier attempts match equally, so none is taken up. */
  | { readonly kind: 'resume-unclear'; readonly names: readonly string[] }
  | { readonly kind: 'resume-foreign'; readonly names: readonly string[] }
  /** Runs of earlier attempts are not over, but come to no good end, so a new one is started beside them. */
  | { readonly kind: 'resume-beside'; readonly names: readonly string[] }
  /** No earlier attempt left a run that was given the same and is worth taking up. */
  | { readonly kind: 'resume-none' }
  /** What is done with what earlier attempts left, where none of it is worth taking up. */
  | { readonly kind: 'replay'; readonly plan: ReplayPlan }
  /** Lines that a step logged, in order; `areSeveral`: other steps run beside it. */
  | {
      readonly kind: 'step-log'
      readonly step: string
      readonly lines: readonly string[]
      readonly areSeveral: boolean
    }
  /** No more is told of a step's log, or of none; `why` is a clause. */
  | { readonly kind: 'logs-not-followed'; readonly step: string | undefined; readonly why: string }
  /** The run waits for a person; told once for each question. */
  | { readonly kind: 'paused'; readonly question: string | undefined; readonly url: string | undefined }
  | {
      readonly kind: 'trigger-hindered'
      readonly hindrance: TriggerHindrance
      readonly detail: string
      readonly waitMs: number
    }
  /** Whether the run was started is not known; it is looked for by its name now. */
  | { readonly kind: 'answer-lost'; readonly detail: string }
  | { readonly kind: 'new-key'; readonly afterMs: number }
  /** The run is there, but its trigger failed, so that it may never begin; it is waited for. */
  | { readonly kind: 'dispatch-awaited'; readonly name: string; readonly untilMs: number }
  /** It was never handed over and has been ended; another one is started. */
  | { readonly kind: 'not-dispatched'; readonly name: string; readonly nextName: string }
  | {
      readonly kind: 'started'
      readonly run: Run
      readonly url: string | undefined
      readonly ageMs: number
      readonly adopted: boolean
    }
  | { readonly kind: 'state'; readonly status: string; readonly reason: string | undefined }
  /** How long such runs took before. */
  | { readonly kind: 'usual'; readonly usual: Usual }
  /** GitHub may end the job before the run has ended, or before its timeout is over. */
  | {
      readonly kind: 'job-too-short'
      readonly needsMs: number
      readonly leftMs: number
      /** Whether that is what such runs usually take, and not the timeout. */
      readonly isForecast: boolean
      readonly onTimeout: StopMode
    }
  /** What the steps did since the last look; each change is told once. */
  | { readonly kind: 'steps'; readonly changes: readonly StepChange[]; readonly counts: StepCounts }
  /** Nothing has changed for a while; told at growing intervals. */
  | {
      readonly kind: 'still'
      readonly status: string
      readonly sinceMs: number
      readonly running: readonly string[]
      readonly counts: StepCounts | undefined
      readonly forecast: Forecast | undefined
    }
  /** Why a step failed, as soon as that is known; once for each step. */
  | { readonly kind: 'step-failed'; readonly failure: StepFailure }
  /** Why a run failed that started no step. */
  | { readonly kind: 'run-failed'; readonly failure: RunFailure }
  /** What the server knows of the run at its end. */
  | {
      readonly kind: 'details'
      readonly details: RunDetails
      /** Why the metadata is not complete. */
      readonly unread?: string | undefined
    }
  /** What the run's artifacts show; told after it was judged. */
  | { readonly kind: 'visualizations'; readonly gallery: Gallery }
  /** The run does not say where it came from. */
  | {
      readonly kind: 'origin-not-noted'
      readonly what: 'its origin' | 'its conclusion'
      readonly detail: string
    }
  | { readonly kind: 'failed-but-going-on'; readonly steps: readonly string[] }
  /** The same at the end of the watch: nobody waits for them. */
  | { readonly kind: 'left-going-on'; readonly status: string; readonly steps: readonly string[] }
  /** At the end of the watch nothing runs, but these may still start; empty where the server does not say which. */
  | { readonly kind: 'left-startable'; readonly status: string; readonly steps: readonly string[] }
  /** The run failed or was stopped; it is over once nothing of it has changed for so long. */
  | { readonly kind: 'settling'; readonly forMs: number }
  /** What is done now that the time is up, or the workflow is cancelled; it may take `forMs`. */
  | {
      readonly kind: 'stopping'
      /** Milliseconds; undefined where no time ran out. */
      readonly timeoutMs: number | undefined
      /** Whether the workflow asks for it; otherwise it was cancelled, unless a time ran out. */
      readonly isAsked?: true
      readonly mode: StopMode
      /** Undefined where it is not known whether the run was started. */
      readonly runId: string | undefined
      readonly forMs: number
    }
  /** The time is up, and the run keeps running for somebody else to follow; what it is to be judged by then. */
  | {
      readonly kind: 'handed-over'
      readonly expectations: readonly string[]
      /** For how many milliseconds nobody has seen the run; undefined: the last look was answered. */
      readonly unseenMs: number | undefined
    }
  /** The run that is left to itself had ended when it was seen. */
  | { readonly kind: 'over-before'; readonly phase: Exclude<RunPhase, 'going-on' | 'unknown'> }
  | { readonly kind: 'server-lost'; readonly detail: string; readonly toleratedMs: number }
  | { readonly kind: 'server-back'; readonly afterMs: number }
  | { readonly kind: 'still-initializing'; readonly sinceMs: number; readonly reason: string | undefined }
  /** What happens to one cell of a sweep. */
  | { readonly kind: 'cell'; readonly cell: Cell; readonly event: RunEvent }
  | { readonly kind: 'cell-ended'; readonly result: CellResult; readonly of: number }
  /** All cells are checked; the warnings name those that they are about. */
  | {
      readonly kind: 'cells-configured'
      /** Name of the value that the best run is found by. */
      readonly rankedBy: string | undefined
      readonly cells: number
      readonly warnings: readonly string[]
      readonly unchecked: string | undefined
    }
  /** What is usual says that the sweep cannot be done within its limit, or that of the job. */
  | {
      readonly kind: 'sweep-too-long'
      readonly cells: number
      readonly maxParallel: number
      readonly usuallyMs: number
      readonly needsMs: number
      readonly limitMs: number
      readonly isJob: boolean
    }
  | { readonly kind: 'swept'; readonly result: SweepResult }
  /** A request that is repeated by itself; the line says which, and what happened. */
  | { readonly kind: 'retry'; readonly line: string; readonly waitMs: number }

/** What a person sees of the work while it goes on. */
export interface Reporter {
  tell(event: RunEvent): void
}
