import type { SimulatorClock } from './clock.ts'
import type { Fault } from './faults.ts'
import type { JsonObject } from './json.ts'
import type { ProMembership } from './pro.ts'

/** The versions whose answers were recorded from real servers. */
export const ZENML_VERSIONS = ['0.74.0', '0.85.0', '0.98.0'] as const
export type ZenmlVersion = (typeof ZENML_VERSIONS)[number]

export interface SimulatorOptions {
  /** Default '0.98.0'. */
  version?: ZenmlVersion
  /** Default: real time. */
  clock?: SimulatorClock
  /** Default 0: any free one. */
  port?: number
  /** For instance '/zenml': the API is then below `/zenml/api/v1`. */
  pathPrefix?: string
  /** Seconds after which a request with an idempotency key is answered "Server too busy" while its work goes on; default 20. */
  requestTimeout?: number
  /** Seconds the server works on a trigger before the run exists; default 0. */
  triggerSeconds?: number
  /** Seconds from a run's creation (initializing) to its first step (running); default 2. */
  startupSeconds?: number
  /** Times of whole seconds, as in a MySQL database; default false: microseconds, as in SQLite. */
  wholeSeconds?: boolean
  /** As 0.96.0 and 0.96.1: a run that found no free slot is not deleted, but fails and keeps its name. */
  keepsRunsWithoutSlot?: boolean
  /** What becomes of a run's name when it is stored, as a database or a proxy may change it; default: nothing. */
  storesName?: (name: string) => string
  /** Free slots for starting runs; each is held for the run's startup. Default unlimited (a real server's: 2). 0.74 has no such limit. */
  maxConcurrentRuns?: number
  /** Seconds a token lives (`expires_in`); null: for ever. Default: null, on Pro 3600. */
  tokenLifetime?: number | null
  /** Off by default, as on real servers (whose numbers are 5 and 1000). Only failed logins count; a refused one counts as well. */
  loginRateLimit?: { perMinute: number; perDay: number }
  /** Default: the pipelines of `seededPipelines`. */
  pipelines?: readonly PipelineSpec[]
  /** Name of the project of all pipelines that name none; default 'default'. */
  project?: string
  /** Names of more projects. An open-source server always has one called 'default' as well. */
  projects?: readonly string[]
  /**
   * Name of the account's own default project (`default_project_id` of /current-user). Only a person can have one:
   * no route sets it for a service account, so the account is a person then.
   */
  defaultProject?: string
  /** Default true; false answers on the run routes as a stock open-source server does. */
  workloadManager?: boolean
  /**
   * What stands behind a stop. 'local' (default, as the recorded servers): 0.85 answers 501 and goes on; 0.98
   * stops gracefully, and answers a forced stop with 501 after it has set `stopping`. 'kubernetes': both work.
   */
  orchestrator?: 'local' | 'kubernetes'
  /** Seconds a running step needs to end after a stop; default 1. */
  stopSeconds?: number
  faults?: readonly Fault[]
  /** Called when the stage of a model version is to be set, before anything is done: what another job does meanwhile. */
  beforeStage?: () => void
  /**
   * The server is a workspace of ZenML Pro: it takes Pro's tokens, from 0.92 on also the organization's key, has no
   * project that it takes by itself, and asks Pro what the account may do.
   */
  pro?: ProMembership
  /** On Pro: who made the seeded things. The account may read what it has made whatever it is permitted; default 'account'. */
  seededBy?: 'account' | 'another'
  /** Of ids, keys and tokens; default random, so that two simulators share nothing. */
  seed?: number
}

export interface PipelineSpec {
  readonly name: string
  readonly steps: readonly StepSpec[]
  /** Steps are decided while it runs; it takes parameters of its own. Only servers from 0.90 on have them. */
  readonly dynamic?: { readonly parameters: Parameters; expand(parameters: JsonObject): readonly StepSpec[] }
  /** One step at a time, as ZenML's local orchestrator; default false: steps start when those upstream are done. */
  readonly sequential?: boolean
  /** Overrides the simulator's. */
  readonly startupSeconds?: number
  /** What is shown first of its runs. */
  readonly chosen?: readonly ChosenVisualization[]
  /** A dynamic pipeline's question, asked after its first step. */
  readonly wait?: WaitSpec
  /** A pipeline that a dynamic one calls when its steps are done: it has a run of its own, which decides how this one ends. */
  readonly child?: PipelineSpec
  /** Name of its model: each run makes a version of it, unless its configuration names another one. */
  readonly model?: string
  /** Of its runs, unless a configuration gives others. */
  readonly tags?: string[]
  /** Stays initializing for ever. */
  readonly neverMoves?: boolean
  /** The run's process dies so many seconds after its start: nobody marks it, it stays running. */
  readonly diesAfter?: number
  /**
   * The run fails at its start, no step is ever seen. The text is its status_reason (null on real servers,
   * mostly); 0.98 shows the exception of a dynamic pipeline's own code.
   */
  readonly failsBeforeSteps?: EarlyFailure
  /** What the run's process wrote before any step (the log with source=runner, from 0.85 on); mostly empty. */
  readonly runnerLog?: readonly string[]
  /** Default true. */
  readonly runnable?: boolean
  /** What its template and snapshot were made from; default: the client that made them knew no repository. */
  readonly commit?: string
  /** Answered to a trigger instead of starting, for instance a changed stack. */
  readonly refusesToStart?: { readonly status: number; readonly exception: string; readonly message: string }
  /** Default: `<name>-template`, which from 0.90 on is the name of its snapshot too. */
  readonly templateName?: string
  /** Default: that of the options. */
  readonly project?: string
  /** Schemas that the parameters' schemas refer to as `#/$defs/<name>`. */
  readonly definitions?: JsonObject
}

/** A question that takes true or false; after `false` the run completes without its other steps. */
export interface WaitSpec {
  readonly name: string
  readonly question: string
  /** Seconds without an answer until the run pauses; may depend on the pipeline's own parameters. */
  readonly patience: number | ((parameters: JsonObject) => number)
}

export type Parameters = Readonly<Record<string, ParameterSpec>>

export interface ParameterSpec {
  readonly default: JsonValue
  /** As pydantic writes it; `default` and `title` are added. */
  readonly jsonSchema: JsonObject
}
type JsonValue = JsonObject[string]

export interface StepSpec {
  readonly name: string
  /** Name of the function, where several steps use one; default the step's name. */
  readonly function?: string
  readonly seconds: number
  readonly upstream?: readonly string[]
  readonly fails?: StepFailure
  /** Fails in the first so many runs of its pipeline only; default: in all. */
  readonly failsUntil?: number
  readonly log?: readonly string[]
  readonly parameters?: Parameters
  readonly metadata?: JsonObject
  /** Output name to Python type. */
  readonly outputs?: Readonly<Record<string, string>>
  /** What an output shows a person, by the output's name. */
  readonly visualizations?: Readonly<Record<string, readonly VisualizationSpec[]>>
  readonly cached?: boolean
  /** A resource pool preempts it: ZenML calls its run completed all the same. `cancelling`: its process never ends. */
  readonly preempted?: 'cancelled' | 'cancelling'
  /** Attempts that fail before this one, the earliest first; 0.74's runs from a template do not try again. */
  readonly retried?: readonly AttemptSpec[]
  /** How often it may be tried again; default: as often as it is. */
  readonly retries?: number
  /** What the parameters of one run change. */
  effect?(parameters: JsonObject): StepEffect
}

export interface VisualizationSpec {
  /** ZenML has `html`, `image`, `csv`, `markdown` and `json`. */
  readonly type: string
  /** Of a picture in base64. */
  readonly value: string
}

/** A visualization that somebody chose for the page of each run (from 0.91 on). */
export interface ChosenVisualization {
  readonly step: string
  readonly output: string
  readonly index: number
  readonly name?: string
  readonly order?: number
}

export interface AttemptSpec {
  readonly fails: StepFailure
  /** Default: the step's. */
  readonly seconds?: number
  /** What it had logged by then. */
  readonly metadata?: JsonObject
  readonly log?: readonly string[]
}

export type StepEffect = Partial<Pick<StepSpec, 'seconds' | 'fails' | 'log' | 'metadata' | 'retried'>>

export interface EarlyFailure {
  readonly reason: string | null
  readonly exception?: StepFailure
}

export interface StepFailure {
  /** The exception's class, for instance 'RuntimeError'. */
  readonly type: string
  readonly message: string
  /** The user's part, without the last line that names the exception. */
  readonly traceback: string
  /** Line within the step's source; null where no code of the user is in the traceback. */
  readonly userCodeLine: number | null
}

export interface RecordedRequest {
  readonly method: string
  /** With the query, and with the path prefix. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
  /** When it arrived, milliseconds of the simulator's clock. */
  readonly at: number
  /** The answer's; missing where there was none. */
  readonly status?: number
}

/** A run as a test sees it; `status` and `startedSteps` are read at the moment of asking. */
export interface SimulatedRun {
  readonly id: string
  readonly name: string
  readonly templateId?: string
  /** The snapshot that was asked for, not the unnamed copy that every trigger makes. */
  readonly snapshotId?: string
  /** Milliseconds. */
  readonly createdAt: number
  readonly startedSteps: readonly string[]
  readonly status: string
  /** Steps are going on, whatever the status says. */
  readonly busy: boolean
  /** The server has deleted it again, or it was made to vanish. */
  readonly gone: boolean
  /** The run configuration as it was sent. */
  readonly configuration: JsonObject
  readonly key?: string
  /** Id of the run that it replays. */
  readonly replayOf?: string
  /** Metadata attached from outside. */
  readonly metadata: JsonObject
}

/** A model version as a test sees it; `stage` is read at the moment of asking. */
export interface SimulatedVersion {
  readonly id: string
  readonly model: string
  readonly name: string
  readonly number: number
  readonly stage: string | null
}

export interface RestartOptions {
  /** Seconds (of the simulator's clock) in which nobody listens; default 0. */
  downSeconds?: number
  /** Default true: as a server without a fixed signing key. */
  forgetTokens?: boolean
  /** Default true: keys whose work was under way answer "Server too busy" for ever, the work is lost. */
  stuckKeys?: boolean
}

export interface SeededIds {
  /** Of the first pipeline. */
  readonly project: string
  /** By name. */
  readonly projects: Readonly<Record<string, string>>
  /** By name, and by `<project>/<name>`; of several of one name the first. */
  readonly templates: Readonly<Record<string, string>>
  /** By name; empty before 0.90. */
  readonly snapshots: Readonly<Record<string, string>>
  /** By name. */
  readonly pipelines: Readonly<Record<string, string>>
}

export interface Simulator {
  /** Base URL with the path prefix, without a slash at the end. */
  readonly url: string
  /** ZENKEY_… */
  readonly apiKey: string
  readonly version: ZenmlVersion
  readonly requests: readonly RecordedRequest[]
  /** Every run ever created, deleted ones included, oldest first. */
  readonly runs: readonly SimulatedRun[]
  /** The oldest first. */
  readonly modelVersions: readonly SimulatedVersion[]
  readonly seeded: SeededIds
  readonly issuedTokens: readonly string[]
  /** Throws where there is no such run. */
  runStatus(id: string): string
  addFault(fault: Fault): void
  /** Every token so far answers 401. */
  expireTokens(): void
  restart(options?: RestartOptions): Promise<void>
  /** From now on the server answers its own 404 for the run. */
  vanish(id: string): void
  /** Makes a version of a model in the first pipeline's project, as `seededBy` says; default name: its number. */
  addModelVersion(
    model: string,
    version?: { readonly name?: string; readonly stage?: string },
  ): SimulatedVersion
  /** Sets a stage as another program does, and changes no other version. */
  setStage(versionId: string, stage: string | null): void
  /** From now on the run, and the model that it made, are another account's, which matters where permissions are missing. */
  disown(id: string): void
  /** No further step starts, the run waits for a person (with a wait condition on 0.98). */
  pause(id: string, question?: string): void
  resume(id: string): void
  /** Sets what the status route says from now on, unknown states too. */
  setStatus(id: string, status: string, reason?: string): void
  close(): Promise<void>
}
