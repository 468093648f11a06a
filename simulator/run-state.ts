import type { ConfiguredStep } from './attempts.ts'
import type { JsonObject } from './json.ts'
import type { RunPlan, StepSpan } from './timeline.ts'
import type { PipelineSpec } from './types.ts'

export interface RunFacts {
  readonly id: string
  readonly name: string
  /** Counts the pipeline's runs from 1. */
  readonly index: number
  readonly pipeline: PipelineSpec
  readonly templateId: string | undefined
  readonly sourceSnapshotId: string | undefined
  /** The unnamed copy that every trigger makes. */
  readonly ownSnapshotId: string
  readonly orchestratorRunId: string
  readonly runnerLogId: string
  readonly configuration: JsonObject
  /** With the defaults; empty for a static pipeline. */
  readonly pipelineParameters: JsonObject
  readonly substitutions: { readonly date: string; readonly time: string }
  readonly key: string | undefined
  readonly steps: readonly ConfiguredStep[]
  readonly plan: Omit<RunPlan, 'steps'>
}

/** What the server says of a run at one moment; times in milliseconds. */
export interface RunState {
  readonly status: string
  readonly reason: string | null
  readonly inProgress: boolean
  /** A process is at work for it, whatever the status says. */
  readonly busy: boolean
  /** Its process has begun: from then on it has an orchestrator run id. */
  readonly begun: boolean
  readonly end: number | undefined
  /** The last change. */
  readonly updated: number
  /** Of the steps that have started. */
  readonly spans: readonly StepSpan[]
}
