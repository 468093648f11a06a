import type { Conclusion } from '../run/conclusion.ts'
import type { Reporter, RunEvent } from '../run/events.ts'
import type { Clock } from '../base/clock.ts'
import type { KnownDefinition, Run } from '../zenml/model.ts'
import { wholeSeconds } from '../base/duration-text.ts'
import { errorOutput, resultLine } from './log/closing-words.ts'
import type { InputFault } from './inputs/faults.ts'
import type { ActionName } from './inputs/table.ts'
import { EMPTY_JSON_OUTPUTS, jsonOutputs } from './json-outputs.ts'
import type { WorkflowLog } from './log/workflow-log.ts'
import { actionOutputs, setOutput, type OutputName } from './outputs.ts'
import { showOnOneLine } from '../base/printable.ts'
import { RunRecorder, withoutValues, type WorkflowStepEnd } from './run-recorder.ts'
import type { RunComment } from './comment/run-comment.ts'
import { noteSummary } from './post-step-state.ts'
import { RunLog } from './log/run-log.ts'
import type { Requested, RunRecord } from './run-record.ts'
import { EMPTY_SWEEP_OUTPUTS, sweepOutputs } from './sweep/outputs.ts'
import { otherCode } from './code-text.ts'
import type { WorkflowCommits } from './workflow/commits.ts'

/** ZenML's own limit is 255; what is longer was made to do harm. */
const MAX_NAME_LENGTH = 1_000

/** A comment is worth no more of a step's time, and of a cancelled one's there is hardly any left. */
const COMMENT_LIMIT_MS = 30_000
const CANCELLED_COMMENT_LIMIT_MS = 1_500

export interface WorkflowStepReporterOptions {
  /** Whose outputs are set; others are left alone. */
  readonly action: Exclude<ActionName, 'login' | 'promote'>
  readonly log: WorkflowLog
  readonly clock: Pick<Clock, 'elapsed'>
}

/** Where the step is told of, beside its log. */
export interface Audience {
  readonly summary: boolean
  readonly comment: RunComment | undefined
  /** Folder for a page about a run that ended; default: there is no such page. */
  readonly reportFolder?: string | undefined
  /** What the workflow is about; default: nothing is known of it. */
  readonly commits?: WorkflowCommits
  /** What the inputs name. */
  readonly requested?: Requested | undefined
}

/** What a person and the later steps get to know: log and outputs while it happens, summary and error at the end. */
export class WorkflowStepReporter implements Reporter {
  readonly #log: WorkflowLog
  readonly #runLog: RunLog
  readonly #recorder: RunRecorder
  readonly #action: WorkflowStepReporterOptions['action']
  readonly #outputs: readonly OutputName[]
  readonly #commentLife = new AbortController()
  #audience: Audience = { summary: true, comment: undefined }
  #isCommentDue = false

  constructor({ action, log, clock }: WorkflowStepReporterOptions) {
    this.#action = action
    this.#log = log
    this.#outputs = actionOutputs[action]
    this.#runLog = new RunLog(log, clock)
    this.#recorder = new RunRecorder(clock)
  }

  /** Gives the outputs that later steps parse a value, whatever becomes of this step. */
  begin(): void {
    for (const name of JSON_OUTPUTS) this.#set(name, EMPTY_JSON_OUTPUTS[name])
    this.#set('failed-step', '')
    this.#setAll(EMPTY_SWEEP_OUTPUTS)
  }

  /** To be called as soon as the inputs say it. */
  address(audience: Audience): void {
    this.#audience = audience
    this.#recorder.about(audience)
    if (audience.summary) noteSummary(true, this.#log)
  }

  tell(event: RunEvent): void {
    this.#runLog.tell(event)
    this.#recorder.tell(event)
    if (event.kind === 'configured') this.#noticeOtherCode()
    if (event.kind === 'swept') this.#setAll(sweepOutputs(event.result))
    if (event.kind === 'resolved') this.#setDefinition(event.definition)
    if (event.kind === 'started' || event.kind === 'attached' || event.kind === 'resumed') this.#setRun(event)
    else if (event.kind === 'cells-configured') this.#isCommentDue = true
    else if (this.#isCommentDue) this.#beginComment()
  }

  /** Only of what this step starts: a run that is only followed has its own. */
  #noticeOtherCode(): void {
    const { code, commits } = this.#recorder.record
    const notice = otherCode(code, commits)
    if (notice !== undefined) this.#log.notice(notice, { title: 'Code of another commit' })
  }

  /** The step's own end: outputs, one line, the summary, the comment. */
  async ended(end: WorkflowStepEnd): Promise<void> {
    this.#recorder.end(this.#withLink(end))
    const record = { ...this.#recorder.record, notDone: this.#notDone(end) }
    this.#setResult(record, end)
    this.#runLog.end()
    // How it ended is the log's last line.
    const hasReport = await this.#writePage(record)
    const result = record.error ?? resultLine(record)
    // What failed in the run has its annotation; the exit code makes the step red.
    const isToldAbove =
      end.conclusion === 'failed' && end.remark !== 'waits-for-person' && this.#runLog.hasAnnotatedFailure
    const isPlain = record.error === undefined || isToldAbove
    const isUnnoticed = record.overBefore === 'failed' || record.overBefore === 'stopped'
    if (result !== undefined && isPlain && isUnnoticed) this.#log.warning(result)
    else if (result !== undefined && isPlain) this.#log.info(result)
    else if (result !== undefined) this.#log.error(result, { title: record.notDone ?? this.#title(end) })
    await this.#summarize({ ...record, hasReport })
    await this.#comment(withoutValues(record, end))
  }

  /** A missed expectation is sent on, as to a chat; from there it should be one click to the run. */
  #withLink(end: WorkflowStepEnd): WorkflowStepEnd {
    const { runUrl } = this.#recorder.record
    if (end.conclusion !== 'expectation-missed' || end.error === undefined || runUrl === undefined) return end
    return { ...end, error: `${end.error}. See the run: ${runUrl}` }
  }

  /** The inputs cannot be used: one line for each fault, and no summary, because nothing was done. */
  badInputs(faults: readonly InputFault[]): void {
    for (const { input, line } of faults) this.#log.error(line, { title: `Input ${input}` })
    this.#set('conclusion', 'failed')
    this.#set('error', faults.map(({ line }) => line).join('\n'))
  }

  /** Not of a step that is cancelled: it has no time left. Gives whether there is a page now. */
  async #writePage(record: RunRecord): Promise<boolean> {
    const { reportFolder } = this.#audience
    const { details, conclusion } = record
    if (reportFolder === undefined || details === undefined || conclusion === 'cancelled') return false
    const { writeReport } = await import('./report-page/write.ts')
    const file = await writeReport(record, reportFolder, this.#log)
    if (file === undefined) return false
    this.#set('report', file)
    this.#log.info(`Report page: ${file}`)
    return true
  }

  async #summarize(record: RunRecord): Promise<void> {
    if (!this.#audience.summary) return
    const { writeSummary } = await import('./page/summary.ts')
    await writeSummary(record, this.#log)
    // Also where it could not be written: a post step that can knows less of the run.
    noteSummary(false, this.#log)
  }

  /** Goes on beside the wait. With the event after the start, how long the run usually takes is known. */
  #beginComment(): void {
    this.#isCommentDue = false
    void this.#audience.comment?.update(this.#recorder.record, this.#commentLife.signal)
  }

  async #comment(record: RunRecord): Promise<void> {
    const { comment } = this.#audience
    if (comment === undefined) return
    const limit = AbortSignal.timeout(
      record.conclusion === 'cancelled' ? CANCELLED_COMMENT_LIMIT_MS : COMMENT_LIMIT_MS,
    )
    limit.addEventListener('abort', () => {
      this.#commentLife.abort(limit.reason)
    })
    await comment.update(record, this.#commentLife.signal)
  }

  #set(name: OutputName, value: string | number): void {
    if (this.#outputs.includes(name)) setOutput(name, value, this.#log)
  }

  #setAll(values: Partial<Readonly<Record<OutputName, string>>>): void {
    for (const name of this.#outputs) if (values[name] !== undefined) setOutput(name, values[name], this.#log)
  }

  /** Undefined if the run's own end says it, or if something else than a failure ended the step. */
  #notDone({ conclusion, remark }: WorkflowStepEnd): string | undefined {
    if (remark === 'waits-for-person') return 'ZenML run is waiting for a person'
    if (conclusion !== 'failed') return undefined
    if (remark === 'had-run' || this.#recorder.record.runId !== undefined) return WITH_RUN[this.#action]
    return remark === 'not-found' ? 'ZenML run not found' : WITHOUT_RUN[this.#action]
  }

  #title({ conclusion }: WorkflowStepEnd): string {
    return this.#action === 'sweep'
      ? TITLES[conclusion].replace('ZenML run', 'ZenML sweep')
      : TITLES[conclusion]
  }

  #setResult(record: RunRecord, end: WorkflowStepEnd): void {
    const { status, conclusion } = end
    this.#set('status', showOnOneLine(status, MAX_NAME_LENGTH))
    this.#set('conclusion', conclusion)
    this.#set('duration', wholeSeconds(record.durationMs ?? 0))
    this.#set('error', errorOutput(record))
    const outputs = jsonOutputs(record)
    for (const name of JSON_OUTPUTS) this.#set(name, outputs[name])
    // A step that failed and was tried again made nothing fail where the run completed.
    const isCompleted = end.conclusion === 'completed' || end.conclusion === 'expectation-missed'
    const firstFailed = isCompleted ? undefined : record.failures[0]?.step
    this.#set('failed-step', showOnOneLine(end.failedStep ?? firstFailed ?? '', MAX_NAME_LENGTH))
  }

  #setDefinition(definition: KnownDefinition): void {
    this.#set('template-id', definition.kind === 'template' ? definition.id : '')
    this.#set(
      'snapshot-id',
      (definition.kind === 'snapshot' ? definition.id : definition.sourceSnapshotId) ?? '',
    )
    this.#set('pipeline', showOnOneLine(definition.pipeline?.name ?? '', MAX_NAME_LENGTH))
  }

  #setRun({ run, url }: { readonly run: Run; readonly url: string | undefined }): void {
    this.#isCommentDue = true
    this.#set('run-id', run.id)
    this.#set('run-name', showOnOneLine(run.name ?? '', MAX_NAME_LENGTH))
    this.#set('run-url', url ?? '')
    if (this.#recorder.record.definition === undefined)
      this.#set('pipeline', showOnOneLine(run.pipeline?.name ?? '', MAX_NAME_LENGTH))
    this.#set('status', showOnOneLine(run.status, MAX_NAME_LENGTH))
  }
}

const WITHOUT_RUN: Readonly<Record<WorkflowStepReporterOptions['action'], string>> = {
  main: 'No ZenML run was started',
  sweep: 'No ZenML run was started',
  wait: 'No ZenML run was followed',
  stop: 'No ZenML run was stopped',
  resolve: 'No ZenML run was answered',
}

/** Where the step can fail although its run did not. */
const WITH_RUN: Partial<typeof WITHOUT_RUN> = {
  stop: 'ZenML run not stopped',
  resolve: 'ZenML run not resolved',
}

const JSON_OUTPUTS = ['steps', 'metadata', 'artifacts', 'comparison'] as const

const TITLES: Readonly<Record<Conclusion, string>> = {
  completed: 'ZenML run completed',
  started: 'ZenML run started',
  running: 'ZenML run handed over',
  failed: 'ZenML run failed',
  stopped: 'ZenML run stopped',
  'timed-out': 'ZenML run timed out',
  cancelled: 'ZenML run cancelled',
  lost: 'ZenML run outcome unknown',
  'expectation-missed': 'ZenML run not as expected',
  'dry-run': 'ZenML dry run',
  resolved: 'ZenML run answered',
}
