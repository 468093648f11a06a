import type { Conclusion, Outcome } from '../run/conclusion.ts'
import type { Verdict } from '../run/expect.ts'
import type { Reporter, RunEvent } from '../run/reporter.ts'
import type { Definition, Run } from '../zenml/model.ts'
import { escapeUnprintable } from './printable.ts'
import type { InputFault } from './input-faults.ts'
import type { WorkflowLog } from './log.ts'
import { setOutput } from './outputs.ts'
import { RunLog } from './run-log.ts'
import { writeSummary } from './summary.ts'

/** What the step ends with. */
export interface StepEnd extends Outcome {
  /** Milliseconds. */
  readonly durationMs: number
}

/** What a person and the later steps get to know: log and outputs while it happens, summary and error at the end. */
export class StepReport implements Reporter {
  readonly #log: WorkflowLog
  readonly #runLog: RunLog
  #definition: Definition | undefined
  #dryRun: Extract<RunEvent, { kind: 'dry-run' }> | undefined
  #verdicts: readonly Verdict[] | undefined
  #started: { readonly run: Run; readonly url: string | undefined } | undefined

  constructor(log: WorkflowLog) {
    this.#log = log
    this.#runLog = new RunLog(log)
  }

  tell(event: RunEvent): void {
    this.#runLog.tell(event)
    if (event.kind === 'resolved') this.#noteDefinition(event.definition)
    if (event.kind === 'dry-run') this.#dryRun = event
    if (event.kind === 'expectations') this.#verdicts = event.verdicts
    if (event.kind === 'started' || event.kind === 'attached' || event.kind === 'resumed')
      this.#noteRun(event)
  }

  /** The step's own end: outputs, one line, the summary. */
  async ended({ conclusion, status, error, durationMs }: StepEnd): Promise<void> {
    setOutput('status', escapeUnprintable(status))
    setOutput('conclusion', conclusion)
    setOutput('duration', Math.floor(durationMs / 1000))
    setOutput('error', (error ?? '').split('\n').map(escapeUnprintable).join('\n'))
    if (error !== undefined) this.#log.error(error, { title: TITLES[conclusion] })
    else if (conclusion === 'completed') this.#log.info('The run completed')
    else if (conclusion === 'dry-run') this.#log.info('A dry run: nothing was started')
    else if (conclusion === 'started') this.#log.info('The run goes on; its end is not waited for')
    await writeSummary({
      conclusion,
      status,
      error,
      durationMs,
      pipeline: this.#definition?.pipeline?.name,
      runName: this.#started?.run.name,
      runUrl: this.#started?.url,
      dryRun: this.#dryRun,
      verdicts: this.#verdicts,
    })
  }

  /** The inputs cannot be used: one line for each fault, and no summary, because nothing was done. */
  badInputs(faults: readonly InputFault[]): void {
    for (const { input, line } of faults) this.#log.error(line, { title: `Input ${input}` })
    setOutput('conclusion', 'failed')
    setOutput('error', faults.map(({ line }) => line).join('\n'))
  }

  #noteDefinition(definition: Definition): void {
    this.#definition = definition
    setOutput('template-id', definition.kind === 'template' ? definition.id : '')
    setOutput(
      'snapshot-id',
      (definition.kind === 'snapshot' ? definition.id : definition.sourceSnapshotId) ?? '',
    )
    setOutput('pipeline', escapeUnprintable(definition.pipeline?.name ?? ''))
  }

  #noteRun({ run, url }: { run: Run; url: string | undefined }): void {
    this.#started = { run, url }
    setOutput('run-id', run.id)
    setOutput('run-name', escapeUnprintable(run.name ?? ''))
    setOutput('run-url', url ?? '')
    setOutput('status', escapeUnprintable(run.status))
  }
}

const TITLES: Readonly<Record<Conclusion, string>> = {
  completed: 'ZenML run completed',
  started: 'ZenML run started',
  failed: 'ZenML run failed',
  stopped: 'ZenML run stopped',
  'timed-out': 'ZenML run timed out',
  cancelled: 'ZenML run cancelled',
  lost: 'ZenML run lost from sight',
  'expectation-missed': 'ZenML run not as expected',
  'dry-run': 'ZenML dry run',
}
