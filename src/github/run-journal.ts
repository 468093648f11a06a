import { z } from 'zod'
import type { EndMode } from '../run/end-run.ts'
import type { Journal, PlannedRun, StartedRun } from '../run/journal.ts'
import type { Environment } from './environment.ts'
import { saveState } from './outputs.ts'

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
}

/**
 * Keeps what this step's own post step must know. The runner reads the state file even if this process is
 * killed; of several values of one name the last counts. No secret is ever written here.
 */
export class RunJournal implements Journal {
  constructor(facts: StepFacts) {
    saveState('facts', JSON.stringify(facts))
  }

  planned(run: PlannedRun): void {
    saveState('planned', JSON.stringify(run))
  }

  started(run: StartedRun): void {
    saveState('started', JSON.stringify(run))
  }

  settled(): void {
    saveState('settled', 'true')
  }
}

const factsSchema = z.object({
  serverUrl: z.string(),
  named: z.string(),
  onCancel: z.enum(['stop', 'stop-gracefully', 'leave']),
  workflowRunUrl: z.string(),
  processId: z.number(),
})

const plannedSchema = z.object({
  name: z.string(),
  nameIsOurs: z.boolean(),
  origins: z.array(z.string()),
  projectId: z.string().optional(),
  key: z.string(),
  firstSentAt: z.number(),
  sentAt: z.number(),
})

const startedSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string().optional(),
  status: z.string(),
})

/** What main left unsettled; undefined if it ended in order, or did not get to its inputs' end. */
export function readSavedStep(env: Environment): SavedStep | undefined {
  const facts = readState(env, 'facts', factsSchema)
  if (facts === undefined || env['STATE_settled'] === 'true') return undefined
  const planned = readState(env, 'planned', plannedSchema)
  const started = readState(env, 'started', startedSchema)
  return {
    facts,
    planned: planned === undefined ? undefined : { ...planned, projectId: planned.projectId },
    started: started === undefined ? undefined : { ...started, url: started.url },
  }
}

function readState<Schema extends z.ZodType>(
  env: Environment,
  name: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  const text = env[`STATE_${name}`]
  return text === undefined || text === '' ? undefined : schema.parse(JSON.parse(text))
}
