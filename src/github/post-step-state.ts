import { z } from 'zod'
import { parseJson } from '../base/json.ts'
import type { StopMode, RecoveryJournal, PlannedRun, StartedRun } from '../run/recovery-journal.ts'
import type { Environment } from './workflow/environment.ts'
import { isSettled } from './post-step-quick-exit.ts'
import { saveState } from './outputs.ts'
import type { Redactor } from './secrets/redactor.ts'
import { cut } from '../base/printable.ts'

const MAX_TEXT = 1_000

/** What does not change while the step runs, and what its post step must not read from inputs again. */
export interface WorkflowStepFacts {
  readonly serverUrl: string
  /** What the inputs named: the credential of a step that names something else is not for this server. */
  readonly named: string
  readonly onCancel: StopMode
  readonly workflowRunUrl: string
  /** What the inputs name a run by that something else started. */
  readonly awaited?: string | undefined
}

/** The process of a main step, which in a container can outlive its step. */
export interface MainProcess {
  readonly id: number
  /** Where it saves what its post step must know. */
  readonly stateFile: string
}

/** A run that main left for its post step. */
export interface SavedRun {
  /** Undefined if nothing was sent, or nothing is left to see to. */
  readonly planned: PlannedRun | undefined
  readonly started: StartedRun | undefined
  /** How the run should end. */
  readonly mode: StopMode
}

/** What main left for its post step. */
export interface SavedWorkflowStep {
  readonly facts: WorkflowStepFacts
  /** One; of a sweep one for each cell, with nothing in it where nothing is left to see to. */
  readonly runs: readonly SavedRun[]
  /** Whether some run is no longer among them, because nothing is left to see to. */
  readonly hasSettled: boolean
}

/**
 * Keeps what this step's own post step must know. The runner reads the state file even if this process is
 * killed; of several values of one name the last counts. No secret is ever written here.
 */
export class PostStepJournal implements RecoveryJournal {
  readonly #keep: (name: string, value: string) => void
  readonly #cells: CellJournal[] = []

  /** @param keep saves a value under a name for the post step; it is safe when that returns */
  constructor(facts: WorkflowStepFacts, keep: (name: string, value: string) => void) {
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

  stopping(mode: StopMode): void {
    this.#save('mode', mode)
  }

  settled(): void {
    if (this.#cells.every(({ isSettled }) => isSettled)) this.#save('settled', true)
  }

  /** What must be known of one run of several. Each has a variable of its own: together they would be too long for one. */
  ofCell(number: number): RecoveryJournal {
    const cell = new CellJournal((value) => {
      this.#save(`${CELL}${number}`, value)
    })
    this.#cells.push(cell)
    return cell
  }

  #save(name: string, value: unknown): void {
    this.#keep(name, JSON.stringify(value))
  }
}

const CELL = 'cell_'

/** What is saved of a cell that nothing is left to see to, though something was sent. */
export const SETTLED_CELL = '{"settled":true}'

interface SavedCell extends Partial<SavedRun> {
  readonly settled?: true
}

/** Keeps the newest of one run of a sweep, in under a kilobyte. */
class CellJournal implements RecoveryJournal {
  readonly #keep: (value: SavedCell) => void
  #known: SavedCell = {}
  isSettled = false

  constructor(keep: (value: SavedCell) => void) {
    this.#keep = keep
  }

  planned(planned: PlannedRun): void {
    this.#save({ ...this.#known, planned })
  }

  started(run: StartedRun): void {
    const { id, projectId, name, status, isDynamic } = run
    const started = {
      id,
      projectId,
      name: cut(name, MAX_TEXT),
      url: undefined,
      status: cut(status, MAX_TEXT),
      isDynamic,
    }
    // It is found by its id now.
    this.#save({ ...this.#known, planned: undefined, started })
  }

  stopping(mode: StopMode): void {
    if (!this.isSettled) this.#save({ ...this.#known, mode })
  }

  settled(): void {
    this.isSettled = true
    const { planned, started } = this.#known
    if (planned !== undefined || started !== undefined) this.#save({ settled: true })
  }

  #save(known: SavedCell): void {
    // What could not be saved is not done either, so a later word must not bring it up.
    this.#keep(known)
    this.#known = known
  }
}

/** Notes who main is, before anything else: from then on the post step finds what a main saved that outlived its step. */
export function noteProcess(env: Environment, redactor: Redactor): void {
  const main: MainProcess = { id: process.pid, stateFile: env['GITHUB_STATE'] ?? '' }
  saveState('process', JSON.stringify(main), redactor)
}

/**
 * Notes whether this step's summary is still to be written, so that a post step writes one where main was killed
 * before it could.
 */
export function noteSummary(isDue: boolean, redactor: Redactor): void {
  saveState('summaryDue', String(isDue), redactor)
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
  awaited: z.string().optional(),
})

const processSchema = z.object({ id: z.number(), stateFile: z.string() })

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
  isDynamic: z.boolean(),
})

/** What a state that was written as JSON leaves out. */
const UNKNOWN = { projectId: undefined, sentFrom: undefined, mark: undefined, answered: undefined }

/** Undefined if main did not get to anything. */
export function readProcess(env: Environment): MainProcess | undefined {
  return readState(env, 'process', processSchema)
}

/** What main does to its run and its comment; what it says of its end after its step's was heard by nobody. */
const DEEDS = ['planned', 'started', 'mode', 'comment']

/** A value as `@actions/core` saves it; ours are all one line. */
const SAVED_VALUE = /^(\w+)<<(ghadelimiter_\S+)\r?\n([^\r\n]*)\r?\n\2\r?$/gm

/**
 * The variables of a post step with what main has done since the runner read its state: the runner reads that when it
 * gives the step up, and leaves the file where it is.
 *
 * @param text of main's state file
 */
export function withLaterState(env: Environment, text: string): Environment {
  const saved = [...text.matchAll(SAVED_VALUE)].map(([, name = '', , value]) => [name, value] as const)
  const isOpen = (name: string): boolean => name.startsWith(CELL) && env[`STATE_${name}`] !== SETTLED_CELL
  const deeds = saved.filter(
    ([name, value]) => DEEDS.includes(name) || (isOpen(name) && value !== SETTLED_CELL),
  )
  const variables = deeds.map(([name, value]) => [`STATE_${name}`, value] as const)
  // They say where the credential goes; the runner's own memory of them is the better one.
  const facts = saved.find(([name]) => name === 'facts')?.[1]
  return { STATE_facts: facts, ...env, ...Object.fromEntries(variables) }
}

/** The run that main started or followed, settled or not. */
export function readStartedRun(env: Environment): StartedRun | undefined {
  const started = readState(env, 'started', startedSchema)
  return started === undefined ? undefined : { ...started, projectId: started.projectId, url: started.url }
}

/** What main left unsettled; undefined if it ended in order, did not get to its inputs' end, or left nothing readable. */
export function readSavedWorkflowStep(env: Environment): SavedWorkflowStep | undefined {
  const facts = readState(env, 'facts', factsSchema)
  if (facts === undefined || isSettled(env)) return undefined
  const cells = readCells(env, facts.onCancel)
  if (cells.length > 0) return { facts, runs: cells, hasSettled: cells.some(({ settled }) => settled) }
  const planned = readState(env, 'planned', plannedSchema)
  const run = {
    planned: planned === undefined ? undefined : { ...UNKNOWN, ...planned },
    started: readStartedRun(env),
    mode: readState(env, 'mode', modeSchema) ?? facts.onCancel,
  }
  return { facts, runs: [run], hasSettled: false }
}

const cellSchema = z.object({
  planned: plannedSchema.optional(),
  started: startedSchema.optional(),
  mode: modeSchema.optional(),
  settled: z.boolean().optional(),
})

/** The runs of a sweep, in the order of its cells; none for any other step. */
function readCells(env: Environment, onCancel: StopMode): (SavedRun & { readonly settled: boolean })[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(`STATE_${CELL}`))
    .map((name) => name.slice('STATE_'.length))
    .toSorted((a, b) => Number(a.slice(CELL.length)) - Number(b.slice(CELL.length)))
    .flatMap((name) => {
      const saved = readState(env, name, cellSchema)
      if (saved === undefined) return []
      const { planned, started, mode = onCancel, settled = false } = saved
      return {
        planned: planned && { ...UNKNOWN, ...planned },
        started: started && { ...started, projectId: started.projectId, url: undefined },
        mode,
        settled,
      }
    })
}

function readState<Schema extends z.ZodType>(
  env: Environment,
  name: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  return schema.safeParse(parseJson(env[`STATE_${name}`] ?? '')).data
}
