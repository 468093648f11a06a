import type { Conclusion, Outcome } from '../run/conclusion.ts'
import type { Verdict } from '../run/expect.ts'
import type { Reporter, RunEvent } from '../run/reporter.ts'
import type { Definition, Run } from '../zenml/model.ts'
import { cut, showOnOneLine } from './printable.ts'
import type { InputFault } from './input-faults.ts'
import type { WorkflowLog } from './log.ts'
import type { ActionName } from './input-schema.ts'
import { actionOutputs, setOutput, type OutputName } from './outputs.ts'
import { RunLog } from './run-log.ts'
import { writeSummary, type SummaryContent } from './summary.ts'

/** The runner cuts an annotation here; all outputs of a job together have 1 MB. */
const MAX_ERROR_LENGTH = 4_000

/** ZenML's own limit is 255; what is longer was made to do harm. */
const MAX_NAME_LENGTH = 1_000

/** What the step ends with. */
export interface StepEnd extends Outcome {
  /** The lines of an error that has several, one for each thing that is wrong. */
  readonly faults?: readonly string[] | undefined
  /** Milliseconds. */
  readonly durationMs: number
}

/** What a person and the later steps get to know: log and outputs while it happens, summary and error at the end. */
export class StepReport implements Reporter {
  readonly #log: WorkflowLog
  readonly #runLog: RunLog
  readonly #outputs: readonly OutputName[]
  #definition: Definition | undefined
  #dryRun: Extract<RunEvent, { kind: 'dry-run' }> | undefined
  #verdicts: readonly Verdict[] | undefined
  #started: { readonly run: Run; readonly url: string | undefined } | undefined

  /** @param action whose outputs are set; others are left alone */
  constructor(log: WorkflowLog, action: Exclude<ActionName, 'login'>) {
    this.#log = log
    this.#outputs = actionOutputs[action]
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
  async ended({ conclusion, status, error, faults, durationMs }: StepEnd): Promise<void> {
    const shown = error === undefined ? undefined : shownError(faults ?? [error])
    this.#set('status', showOnOneLine(status, MAX_NAME_LENGTH))
    this.#set('conclusion', conclusion)
    this.#set('duration', Math.floor(durationMs / 1000))
    this.#set('error', shown ?? '')
    if (shown !== undefined) this.#log.error(shown, { title: this.#title(conclusion) })
    else if (conclusion === 'completed') this.#log.info('The run completed')
    else if (conclusion === 'dry-run') this.#log.info('A dry run: nothing was started')
    else if (conclusion === 'started') this.#log.info('The run goes on; its end is not waited for')
    await this.#summarize({
      conclusion,
      status,
      error: shown,
      durationMs,
      pipeline: (this.#definition ?? this.#started?.run)?.pipeline?.name,
      runName: this.#started?.run.name,
      runUrl: this.#started?.url,
      dryRun: this.#dryRun,
      verdicts: this.#verdicts,
    })
  }

  /** The inputs cannot be used: one line for each fault, and no summary, because nothing was done. */
  badInputs(faults: readonly InputFault[]): void {
    for (const { input, line } of faults) this.#log.error(line, { title: `Input ${input}` })
    this.#set('conclusion', 'failed')
    this.#set('error', faults.map(({ line }) => line).join('\n'))
  }

  /** A summary that cannot be written is no reason to call a run a failure. */
  async #summarize(content: SummaryContent): Promise<void> {
    try {
      await writeSummary(content)
    } catch {
      this.#log.warning(
        'The job summary could not be written: the runner gave no file for it that can be written to',
      )
    }
  }

  #set(name: OutputName, value: string | number): void {
    if (this.#outputs.includes(name)) setOutput(name, value)
  }

  #title(conclusion: Conclusion): string {
    return conclusion === 'failed' && this.#started === undefined
      ? 'No ZenML run was started'
      : TITLES[conclusion]
  }

  #noteDefinition(definition: Definition): void {
    this.#definition = definition
    this.#set('template-id', definition.kind === 'template' ? definition.id : '')
    this.#set(
      'snapshot-id',
      (definition.kind === 'snapshot' ? definition.id : definition.sourceSnapshotId) ?? '',
    )
    this.#set('pipeline', showOnOneLine(definition.pipeline?.name ?? '', MAX_NAME_LENGTH))
  }

  #noteRun({ run, url }: { run: Run; url: string | undefined }): void {
    this.#started = { run, url }
    this.#set('run-id', run.id)
    this.#set('run-name', showOnOneLine(run.name ?? '', MAX_NAME_LENGTH))
    this.#set('run-url', url ?? '')
    if (this.#definition === undefined)
      this.#set('pipeline', showOnOneLine(run.pipeline?.name ?? '', MAX_NAME_LENGTH))
    this.#set('status', showOnOneLine(run.status, MAX_NAME_LENGTH))
  }
}

/** The texts may be anybody's: each becomes one line. */
function shownError(faults: readonly string[]): string {
  return cut(faults.map((fault) => showOnOneLine(fault, MAX_ERROR_LENGTH)).join('\n'), MAX_ERROR_LENGTH)
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
