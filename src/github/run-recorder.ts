import type { Outcome } from '../run/conclusion.ts'
import type { Reporter, RunEvent } from '../run/events.ts'
import type { RunDetails, StepChange } from '../run/facts.ts'
import type { Clock } from '../base/clock.ts'
import { cut, showOnOneLine } from '../base/printable.ts'
import { NOTHING_KNOWN, type RecordedStep, type Requested, type RunRecord } from './run-record.ts'
import type { WorkflowCommits } from './workflow/commits.ts'

/** What a step ends with. */
export interface WorkflowStepEnd extends Outcome {
  /** The lines of an error that has several, one for each thing that is wrong. */
  readonly faults?: readonly string[] | undefined
  /** The same lines for a comment, which nothing masks. */
  readonly faultsWithoutValues?: readonly string[] | undefined
}

/** The runner cuts an annotation here; all outputs of a job together have 1 MB. */
const MAX_ERROR_LENGTH = 4_000

/** What is known before anything happens. */
interface About {
  readonly commits?: WorkflowCommits
  readonly requested?: Requested | undefined
}

/** A run is there for the step from here on. */
type BeginEvent = Extract<RunEvent, { kind: 'started' | 'attached' | 'resumed' }>

/** Keeps what is told of a run, and gives all of it at any moment. */
export class RunRecorder implements Reporter {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #known: { -readonly [Key in keyof RunRecord]: RunRecord[Key] } = { ...NOTHING_KNOWN }
  readonly #steps = new Map<string, RecordedStep>()
  /** When the run was created, on the clock of elapsed time. */
  #createdAt = 0

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  /** To be called as soon as they are known. */
  about({ commits, requested }: About): void {
    if (commits !== undefined) this.#known.commits = commits
    this.#known.requested = requested
  }

  tell(event: RunEvent): void {
    const known = this.#known
    if (event.kind === 'started' || event.kind === 'attached' || event.kind === 'resumed') this.#begin(event)
    if (event.kind === 'state') known.status = event.status
    if (event.kind === 'resolved') {
      known.definition = event.definition
      known.code = event.definition.code
      known.pipeline = event.definition.pipeline?.name
    }
    if (event.kind === 'configured') known.changes = event.changes
    if (event.kind === 'dry-run') known.dryRun = event
    if (event.kind === 'usual') known.usual = event.usual
    if (event.kind === 'steps') for (const change of event.changes) this.#noteChange(change)
    if (event.kind === 'steps' || event.kind === 'still') known.counts = event.counts ?? known.counts
    if (event.kind === 'step-failed') known.failures = [...known.failures, event.failure]
    if (event.kind === 'run-failed') known.runFailure = event.failure
    this.#noteResults(event)
    if (event.kind === 'details') this.#noteDetails(event.details)
    this.#noteSweep(event)
  }

  #noteSweep(event: RunEvent): void {
    if (event.kind === 'cells-configured') this.#known.cells = event.cells
    if (event.kind !== 'swept') return
    this.#known.sweep = event.result
    this.#known.comparison = event.result.best?.comparison
  }

  #noteResults(event: RunEvent): void {
    if (event.kind === 'visualizations') this.#known.gallery = event.gallery
    if (event.kind === 'compared') this.#known.comparison = event.comparison
    if (event.kind === 'expectations') this.#known.verdicts = event.verdicts
    if (event.kind === 'over-before') this.#known.overBefore = event.phase
    if (event.kind === 'handed-over') {
      this.#known.unjudged = event.expectations
      this.#known.unseenMs = event.unseenMs
    }
  }

  end(end: WorkflowStepEnd): void {
    const { conclusion, status } = end
    Object.assign(this.#known, { conclusion, status, error: shownError(end) })
  }

  get record(): RunRecord {
    const { created, details, runId } = this.#known
    const ageMs = this.#clock.elapsed() - this.#createdAt
    const durationMs = runId === undefined ? undefined : (details?.durationMs ?? ageMs)
    const asOf = created && created + ageMs - (this.#known.unseenMs ?? 0)
    return { ...this.#known, durationMs, steps: [...this.#steps.values()], asOf }
  }

  #begin({ run, url, ageMs }: BeginEvent): void {
    const known = this.#known
    this.#createdAt = this.#clock.elapsed() - ageMs
    known.status = run.status
    known.runId = run.id
    known.runName = run.name
    known.runUrl = url
    known.created = run.created
    known.pipeline ??= run.pipeline?.name
    known.code ??= run.code
  }

  #noteChange({ name, status, startTime, durationMs, attempt }: StepChange): void {
    this.#steps.set(name, {
      id: undefined,
      upstream: undefined,
      name,
      status,
      startTime,
      durationMs,
      attempt,
    })
  }

  #noteDetails(details: RunDetails): void {
    this.#known.details = details
    if (details.steps.length === 0) return
    const attempts = new Map([...this.#steps].map(([name, { attempt }]) => [name, attempt]))
    this.#steps.clear()
    for (const step of details.steps) {
      this.#steps.set(step.name, { ...step, attempt: attempts.get(step.name) })
    }
  }
}

/** What a comment, which nothing masks, says of the end: where the record's own error shows a value it is left out. */
export function withoutValues(
  record: RunRecord,
  { faults, faultsWithoutValues }: WorkflowStepEnd,
): RunRecord {
  if (faults === undefined || faultsWithoutValues?.join() === faults.join()) return record
  const lines = [...(faultsWithoutValues ?? []), 'The log of the step shows the values']
  return { ...record, error: shownError({ error: record.error, faults: lines }) }
}

/** The texts may be anybody's: each becomes one line. */
function shownError({ error, faults }: Pick<WorkflowStepEnd, 'error' | 'faults'>): string | undefined {
  if (error === undefined) return undefined
  const lines = (faults ?? [error]).map((fault) => showOnOneLine(fault, MAX_ERROR_LENGTH))
  return cut(lines.join('\n'), MAX_ERROR_LENGTH)
}
