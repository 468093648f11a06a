import { z } from 'zod'
import { parseJson } from '../base/json.ts'
import type { EndMode, Journal, PlannedRun, StartedRun } from '../run/journal.ts'
import type { Environment } from './workflow/environment.ts'
import { saveState } from './outputs.ts'
import type { Gate } from './secrets/known-secrets.ts'
import { cut } from '../base/printable.ts'

const MAX_TEXT = 1_000

/** What does not change while the step runs, and what its post step must not read from inputs again. */
export interface StepFacts {
  readonly serverUrl: string
  /** What the inputs named: the credential of a step that names something else is not for this server. */
  readonly named: string
  readonly onCancel: EndMode
  readonly workflowRunUrl: string
  /** Of the main step: in a container it can outlive its step. */
  readonly processId: number
}

/** What main left for its post step. */
export interface SavedStep {
  readonly facts: StepFacts
  /** Undefined if nothing was sent. */
  readonly planned: PlannedRun | undefined
  readonly started: StartedRun | undefined
  /** How the run should end. */
  readonly mode: EndMode
}

/**
 * Keeps what this step's own post step must know. The runner reads the state file even if this process is
 * killed; of several values of one name the last counts. No secret is ever written here.
 */
export class RunJournal implements Journal {
  readonly #keep: (name: string, value: string) => void

  /** @param keep saves a value under a name for the post step; it is safe when that returns */
  constructor(facts: StepFacts, keep: (name: string, value: string) => void) {
    this.#keep = keep
    this.#save('facts', facts)
  }

  planned(run: PlannedRun): void {
    this.#save('planned', run)
  }

  started(run: StartedRun): void {
    // It is found by its id. Each value becomes one variable, and above 128 KiB the post step could not start.
    this.#save('started', { ...run, name: cut(run.name, MAX_TEXT), status: cut(run.status, MAX_TEXT) })
  }

  ending(mode: EndMode): void {
    this.#save('mode', mode)
  }

  settled(): void {
    this.#save('settled', true)
  }

  #save(name: string, value: unknown): void {
    this.#keep(name, JSON.stringify(value))
  }
}

/**
 * Notes whether this step's summary is still to be written, so that a post step writes one where main was killed
 * before it could.
 */
export function noteSummary(isDue: boolean, gate: Gate): void {
  saveState('summaryDue', String(isDue), gate)
}

/** Whether main was to write a summary and did not get to it. */
export function isSummaryDue(env: Environment): boolean {
  return env['STATE_summaryDue'] === 'true'
}

/** Whether main has written its own summary. */
export function isSummaryWritten(env: Environment): boolean {
  return env['STATE_summaryDue'] === 'false'
}

const modeSchema = z.enum(['stop', 'stop-gracefully', 'keep-running'])

const factsSchema = z.object({
  serverUrl: z.string(),
  named: z.string(),
  onCancel: modeSchema,
  workflowRunUrl: z.string(),
  processId: z.number(),
})

const plannedSchema = z.object({
  name: z.string(),
  nameIsOurs: z.boolean(),
  origins: z.array(z.string()),
  projectId: z.string().optional(),
  sentFrom: z.number().optional(),
  sentAt: z.number(),
  mark: z.string().optional(),
  answered: z.object({ id: z.string(), name: z.string().or(z.undefined()) }).optional(),
})

const startedSchema = z.object({
  id: z.string(),
  projectId: z.string().optional(),
  name: z.string(),
  url: z.string().optional(),
  status: z.string(),
})

/** What a state that was written as JSON leaves out. */
const UNKNOWN = { projectId: undefined, sentFrom: undefined, mark: undefined, answered: undefined }

/** The run that main started or followed, settled or not. */
export function readStartedRun(env: Environment): StartedRun | undefined {
  const started = readState(env, 'started', startedSchema)
  return started === undefined ? undefined : { ...started, projectId: started.projectId, url: started.url }
}

/** What main left unsettled; undefined if it ended in order, did not get to its inputs' end, or left nothing readable. */
export function readSavedStep(env: Environment): SavedStep | undefined {
  const facts = readState(env, 'facts', factsSchema)
  if (facts === undefined || env['STATE_settled'] === 'true') return undefined
  const planned = readState(env, 'planned', plannedSchema)
  return {
    facts,
    planned: planned === undefined ? undefined : { ...UNKNOWN, ...planned },
    started: readStartedRun(env),
    mode: readState(env, 'mode', modeSchema) ?? facts.onCancel,
  }
}

function readState<Schema extends z.ZodType>(
  env: Environment,
  name: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  return schema.safeParse(parseJson(env[`STATE_${name}`] ?? '')).data
}
