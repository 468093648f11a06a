import type { JsonObject } from '../base/json.ts'
import type { Named, StepMetadata, StepState } from '../zenml/model.ts'
import type { CuratedVisualization } from '../zenml/answers/visualization.ts'

/*
 * What there is to tell of a run while it goes on and when it has ended. Texts come from a server and are not
 * trusted. Times are milliseconds since the epoch, durations milliseconds.
 */

/** A project that somebody named, by name or id, and where. */
export interface ProjectChoice {
  readonly nameOrId: string
  readonly source: 'project' | 'ZENML_ACTIVE_PROJECT_ID'
}

/** Why a project is the one: where it was named, or what else decided. */
export type ProjectSource = ProjectChoice['source'] | 'account' | 'only-one' | 'definition'

/** How long the last completed runs of the same definition took, from their creation to their end. */
export interface Usual {
  readonly medianMs: number
  /** Standard deviation of the durations' natural logarithm. */
  readonly spread: number
  /** How many runs that is made of; at least 1. */
  readonly runs: number
}

/** When the end is to be expected. */
export type Forecast =
  | { readonly kind: 'left'; readonly ms: number }
  /** It takes longer than such runs mostly do. */
  | { readonly kind: 'slower-than-usual'; readonly byMs: number }

/** A step that was seen in another state than before. */
export interface StepChange {
  readonly name: string
  /** As ZenML writes it. */
  readonly status: string
  readonly startTime: number | undefined
  readonly durationMs: number | undefined
  /** 1 for the first; more for a step that is tried again. */
  readonly attempt: number
}

/** How many of the steps that are known so far are in which state. */
export interface StepCounts {
  /** A dynamic pipeline's grows. */
  readonly total: number
  readonly running: number
  /** Completed, cached and skipped ones. */
  readonly succeeded: number
  readonly cached: number
  readonly failed: number
  /** Stopped or cancelled. */
  readonly stopped: number
}

/** The exception that ended a step or a run. */
export interface Fault {
  /** Class name, such as `RuntimeError`. */
  readonly type: string | undefined
  readonly message: string | undefined
  /** Where in the user's own code, such as `train.py, line 42, in train`, and the source line if it is known. */
  readonly frame: string | undefined
  readonly code: string | undefined
}

/** The end of a log; lines have no line ends. */
export interface LogTail {
  readonly lines: readonly string[]
  /** How many lines came before them; undefined if that is not known. */
  readonly left: number | undefined
  /** Why there are no lines, as a clause; undefined if there are some, or none were asked for. */
  readonly missing: string | undefined
}

export interface StepFailure {
  /** Its name; of a step of a child run with that run's name in front, as `child/train`. */
  readonly step: string
  /** Set where the step is none of the run itself. */
  readonly isInChildRun?: true
  readonly fault: Fault | undefined
  readonly log: LogTail
}

/** Of a run that failed before any step. No reason, fault and log: the server says nothing about it. */
export interface RunFailure {
  /** As near to it as the server says. */
  readonly failedAt: number | undefined
  readonly reason: string | undefined
  readonly fault: Fault | undefined
  readonly log: LogTail
}

/** An output of a step. */
export interface ArtifactInfo {
  readonly step: string
  readonly output: string
  /** Id of the artifact version. */
  readonly id: string
  readonly name: string | undefined
  readonly version: string | undefined
  readonly uri: string | undefined
  readonly type: string | undefined
}

/** A number that a run or its baseline logged. */
export interface ComparedMetric {
  readonly name: string
  /** Undefined where it was not logged. */
  readonly value: number | undefined
  readonly baseline: number | undefined
  /** Which way is good; undefined where nothing says so. */
  readonly better: 'higher' | 'lower' | undefined
}

/** A run beside the one it is compared with. */
export interface Comparison {
  /** The baseline as the input names it, such as `main` or `run:nightly-5`. */
  readonly input: string
  /** Undefined if there is none. */
  readonly baseline:
    { readonly id: string; readonly name: string; readonly url: string | undefined } | undefined
  /** Why there is none, as a clause. */
  readonly missing: string | undefined
  readonly metrics: readonly ComparedMetric[]
}

export interface RunDetails {
  /** From the run's creation until nothing of it ran any more; undefined where the server does not say. */
  readonly durationMs: number | undefined
  readonly steps: readonly StepState[]
  /** What was logged of the run itself. */
  readonly metadata: JsonObject
  readonly stepMetadata: readonly StepMetadata[]
  readonly artifacts: readonly ArtifactInfo[]
  /** What somebody chose to be looked at first. */
  readonly curated?: readonly CuratedVisualization[]
  /** What a replay took over; undefined if nothing. */
  readonly reused?: ReusedSteps | undefined
  /** What could not be read or is too much to be read, as clauses for a person. */
  readonly missing: readonly string[]
}

/** Steps whose results a run did not compute, because the run that it replays had them. */
export interface ReusedSteps {
  /** Undefined where the server does not say. */
  readonly from: Named | undefined
  /** Their names. */
  readonly steps: readonly string[]
}

/** What a re-run of the job with resume: replay does with what earlier attempts left. */
export type ReplayPlan =
  /** The run failed, and is replayed without the steps that it completed. */
  | {
      readonly kind: 'replay'
      readonly id: string
      readonly name: string
      readonly attempt: number
      readonly url: string | undefined
    }
  /** Whatever there is, a new run is started; `why` is a clause that begins a sentence. */
  | { readonly kind: 'new'; readonly why: string }

/** What it would do, where one that goes on or has completed is taken up. */
export type Foreseen =
  | ReplayPlan
  | { readonly kind: 'take-up'; readonly name: string; readonly attempt: number; readonly status: string }

export type VisualizationType = 'html' | 'image' | 'csv' | 'markdown' | 'json'

/** What an artifact shows a person. */
export interface Visualization {
  /** `step.output`, or what somebody called it. */
  readonly name: string
  readonly type: VisualizationType
  /** Of a picture the bytes in base64, as the server gives it. */
  readonly value: string
}

/** What there is to look at of a run, in order. */
export interface Gallery {
  readonly shown: readonly Visualization[]
  /** What was left out or could not be read, as clauses for a person. */
  readonly missing: readonly string[]
}
