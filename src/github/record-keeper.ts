import type { Outcome } from '../run/conclusion.ts'
import type { ValueChange } from '../run/configure/difference.ts'
import type { Verdict } from '../run/outcome/expect.ts'
import type { Reporter, RunEvent } from '../run/events.ts'
import type { RunDetails, RunFailure, StepChange, StepCounts, StepFailure, Usual } from '../run/facts.ts'
import type { Clock } from '../base/clock.ts'
import type { Definition, Run } from '../zenml/model.ts'
import { cut, showOnOneLine } from '../base/printable.ts'
import type { RecordedStep, RunRecord } from './run-record.ts'

/** What a step ends with. */
export interface StepEnd extends Outcome {
  /** The lines of an error that has several, one for each thing that is wrong. */
  readonly faults?: readonly string[] | undefined
  /** True if there was a run, though the step never followed one. */
  readonly hadRun?: boolean
  /** Milliseconds. */
  readonly durationMs: number
}

/** The runner cuts an annotation here; all outputs of a job together have 1 MB. */
const MAX_ERROR_LENGTH = 4_000

/** A log tail of 1,000 lines stands in each. */
const MOST_FAILURES = 100

/** The run that the step follows. */
interface Followed {
  readonly run: Run
  readonly url: string | undefined
  /** On the clock of elapsed time: since when. */
  readonly at: number
  /** How old the run was then; milliseconds. */
  readonly ageMs: number
}

/** Keeps what is told of a run, and gives all of it at any moment. */
export class RecordKeeper implements Reporter {
  readonly #clock: Pick<Clock, 'now' | 'elapsed'>
  #status = ''
  #definition: Definition | undefined
  #started: Followed | undefined
  #changes: readonly ValueChange[] = []
  #dryRun: RunRecord['dryRun']
  #usual: Usual | undefined
  #counts: StepCounts | undefined
  readonly #steps = new Map<string, RecordedStep>()
  readonly #failures: StepFailure[] = []
  #runFailure: RunFailure | undefined
  #verdicts: readonly Verdict[] = []
  #details: RunDetails | undefined
  #end: StepEnd | undefined

  constructor(clock: Pick<Clock, 'now' | 'elapsed'>) {
    this.#clock = clock
  }

  tell(event: RunEvent): void {
    this.#replace(event)
    if (event.kind === 'started' || event.kind === 'attached' || event.kind === 'resumed') {
      const { run, url } = event
      this.#started = { run, url, at: this.#clock.elapsed(), ageMs: this.#ageOf(event) }
      this.#status = event.run.status
    }
    if (event.kind === 'steps') for (const change of event.changes) this.#noteChange(change)
    if (event.kind === 'details') this.#noteDetails(event.details)
    if (event.kind === 'step-failed' && this.#failures.length < MOST_FAILURES)
      this.#failures.push(event.failure)
  }

  end(end: StepEnd): void {
    this.#end = end
    this.#status = end.status
  }

  get record(): RunRecord {
    const run = this.#started?.run
    const now = this.#clock.elapsed()
    return {
      conclusion: this.#end?.conclusion,
      status: this.#status,
      error: this.#end === undefined ? undefined : shownError(this.#end),
      durationMs: this.#end?.durationMs ?? now - (this.#started?.at ?? now),
      definition: this.#definition,
      pipeline: (this.#definition ?? run)?.pipeline?.name,
      runId: run?.id,
      runName: run?.name,
      runUrl: this.#started?.url,
      created: run?.created,
      asOf: this.#asOf,
      changes: this.#changes,
      dryRun: this.#dryRun,
      usual: this.#usual,
      steps: [...this.#steps.values()],
      counts: this.#counts,
      failures: this.#failures,
      runFailure: this.#runFailure,
      verdicts: this.#verdicts,
      details: this.#details,
    }
  }

  /** A run that was started just now is new, whatever the clocks of runner and server say. */
  #ageOf(event: Extract<RunEvent, { kind: 'started' | 'attached' | 'resumed' }>): number {
    if (event.kind === 'started' && !event.adopted) return 0
    const now = this.#clock.now()
    return Math.max(0, now - (event.run.created ?? now))
  }

  get #asOf(): number | undefined {
    if (this.#started?.run.created === undefined) return undefined
    const { run, at, ageMs } = this.#started
    return (run.created ?? 0) + ageMs + this.#clock.elapsed() - at
  }

  /** What replaces all that was known of its kind. */
  #replace(event: RunEvent): void {
    if (event.kind === 'state') this.#status = event.status
    if (event.kind === 'resolved') this.#definition = event.definition
    if (event.kind === 'configured') this.#changes = event.changes
    if (event.kind === 'dry-run') this.#dryRun = event
    if (event.kind === 'steps' || event.kind === 'still') this.#counts = event.counts ?? this.#counts
    if (event.kind === 'usual') this.#usual = event.usual
    if (event.kind === 'run-failed') this.#runFailure = event.failure
    if (event.kind === 'expectations') this.#verdicts = event.verdicts
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
    this.#details = details
    if (details.steps.length === 0) return
    const attempts = new Map([...this.#steps].map(([name, { attempt }]) => [name, attempt]))
    this.#steps.clear()
    for (const step of details.steps) {
      this.#steps.set(step.name, { ...step, attempt: attempts.get(step.name) })
    }
  }
}

/** The texts may be anybody's: each becomes one line. */
function shownError({ error, faults }: StepEnd): string | undefined {
  if (error === undefined) return undefined
  const lines = (faults ?? [error]).map((fault) => showOnOneLine(fault, MAX_ERROR_LENGTH))
  return cut(lines.join('\n'), MAX_ERROR_LENGTH)
}
