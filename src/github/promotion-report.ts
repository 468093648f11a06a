import type { Clock } from '../base/clock.ts'
import { showOnOneLine } from '../base/printable.ts'
import type { RunEvent } from '../run/events.ts'
import type { PromotionConclusion } from '../run/promote/change-stage.ts'
import type { PromotionReporter } from '../run/promote/promote.ts'
import type { ModelVersion } from '../zenml/model-versions.ts'
import type { InputFault } from './inputs/faults.ts'
import { RunLog } from './log/run-log.ts'
import { inline, LONG, type WorkflowLog } from './log/workflow-log.ts'
import { setOutput, type OutputName } from './outputs.ts'
import { writePromotionSummary, type PromotionEnd } from './page/promotion.ts'

/** ZenML's own limit is 255; what is longer was made to do harm. */
const MAX_NAME_LENGTH = 1_000
const MAX_ERROR_LENGTH = 4_000

/** What a person and the later steps get to know of a promotion. */
export class PromotionReport implements PromotionReporter {
  readonly #log: WorkflowLog
  readonly #runLog: RunLog
  #url: string | undefined

  constructor(log: WorkflowLog, clock: Pick<Clock, 'elapsed'>) {
    this.#log = log
    this.#runLog = new RunLog(log, clock)
  }

  tell(event: RunEvent): void {
    // Nobody follows it: it has ended.
    if (event.kind !== 'attached') this.#runLog.tell(event)
  }

  found(version: ModelVersion, url: string | undefined): void {
    this.#url = url
    const { name, number, stage, model } = version
    const numbered = name === String(number) ? '' : `, number ${number}`
    const where = url === undefined ? '' : `: ${inline(url, LONG)}`
    this.#log.info(
      `Found version ${inline(name)} of the model ${inline(model.name ?? model.id)} (stage: ${inline(stage ?? 'none')}${numbered})${where}`,
    )
    this.#setVersion(version)
  }

  /** Outputs, one line, the summary. Gives whether the version has the stage. */
  async ended(end: PromotionEnd): Promise<boolean> {
    const { conclusion, version, previous } = end
    const sentence = showOnOneLine(end.sentence, MAX_ERROR_LENGTH)
    if (version !== undefined) this.#setVersion(version)
    this.#set('previous-version', previous?.name ?? '')
    this.#set('conclusion', conclusion)
    this.#set('error', conclusion === 'promoted' ? '' : sentence, MAX_ERROR_LENGTH)
    if (conclusion === 'promoted') this.#log.info(sentence)
    else this.#log.error(sentence, { title: TITLES[conclusion] })
    await writePromotionSummary({ ...end, sentence }, this.#url, this.#log)
    return conclusion === 'promoted'
  }

  /** The inputs cannot be used: one line for each fault, and no summary, because nothing was done. Gives false. */
  badInputs(faults: readonly InputFault[]): boolean {
    for (const { input, line } of faults) this.#log.error(line, { title: `Input ${input}` })
    this.#set('conclusion', 'failed')
    setOutput('error', faults.map(({ line }) => line).join('\n'), this.#log)
    return false
  }

  #setVersion({ name, stage, model }: ModelVersion): void {
    this.#set('model', model.name ?? model.id)
    this.#set('version', name)
    this.#set('stage', stage ?? '')
  }

  #set(name: OutputName, value: string, max = MAX_NAME_LENGTH): void {
    setOutput(name, showOnOneLine(value, max), this.#log)
  }
}

const TITLES: Readonly<Record<Exclude<PromotionConclusion, 'promoted'>, string>> = {
  superseded: 'ZenML model version superseded',
  taken: 'ZenML model stage taken',
  failed: 'ZenML model version not promoted',
  cancelled: 'ZenML promotion cancelled',
  lost: 'ZenML promotion outcome unknown',
}
