import prettyMilliseconds from 'pretty-ms'
import type { Verdict } from '../run/expect.ts'
import type { Reporter, RunEvent, TriggerHindrance } from '../run/reporter.ts'
import type { Definition } from '../zenml/model.ts'
import { shownDifference } from './difference-view.ts'
import { inline, type WorkflowLog } from './log.ts'

/** A hindrance that lasts is said again after this time, so that nobody takes the step for dead. */
const REMIND_AFTER_MS = 120_000

const LONG = 500

const NOUNS = { template: 'run template', snapshot: 'snapshot' } as const

const DRY_RUN_TITLE = 'The run configuration that would be sent, beside the values of what is to be run:'

const HINDRANCES: Readonly<Record<TriggerHindrance, string>> = {
  working: 'The server is still at work on the request; asking for its result again',
  'no-slot': 'The server has no free slot for another run; waiting for one',
  limited: 'The server limits requests; nothing was started, trying again',
  'not-sent': 'The server could not be reached; nothing was sent, trying again',
  unclear: 'No run of this name is there; looking once more before it is sent again',
  'name-vanished': 'The server says that the run exists, but does not show it; trying again',
}

/** Tells the story of a run in the workflow's log. */
export class RunLog implements Reporter {
  readonly #log: WorkflowLog
  #hindrance: TriggerHindrance | undefined
  #silentMs = 0

  constructor(log: WorkflowLog) {
    this.#log = log
  }

  tell(event: RunEvent): void {
    const line = this.#line(event)
    if (line !== undefined) this.#log.info(line)
  }

  #line(event: RunEvent): string | undefined {
    switch (event.kind) {
      case 'connected':
        return `Connected to ${event.serverUrl} (ZenML ${inline(event.version)}) as ${inline(event.account.name ?? event.account.id)}`
      case 'resolved':
        return described(event.definition)
      case 'configured':
        return this.#configured(event)
      case 'dry-run':
        this.#log.serverText(shownDifference(event.lines), { title: DRY_RUN_TITLE })
        return `Only a start can tell ${inline(event.onlyWhenTriggered.join('; '), LONG)}`
      case 'expectations':
        return event.verdicts.map(verdictLine).join('\n')
      case 'triggering':
        return `Starting the run ${inline(event.name, 300)}`
      case 'trigger-hindered':
        return this.#hindranceLine(event)
      case 'answer-lost':
        return `The answer got lost, so the run may have been started; looking for it by its name (${inline(event.detail, LONG)})`
      case 'new-key':
        return `The server did not finish the request in ${duration(event.afterMs)}, and no run is there: sending a new one for the same name`
      case 'started':
        return `${event.adopted ? 'Started, and found by its name' : 'Started'}: ${inline(event.url ?? event.run.id, LONG)}`
      case 'ended':
        return inline(event.sentence, LONG)
      case 'attached':
        return `Following the run ${inline(event.run.name ?? event.run.id, LONG)} (${inline(event.run.status)}): ${inline(event.url ?? event.run.id, LONG)}`
      case 'resumed':
        return `Taking up the run of attempt ${event.attempt}, which is ${inline(event.run.status)}: ${inline(event.url ?? event.run.id, LONG)}`
      case 'resume-unclear':
        this.#log.warning(
          `Several runs of earlier attempts could be taken up (${inline(event.names.join(', '), LONG)}), so a new one is started`,
        )
        return undefined
      case 'paused':
        this.#log.warning(
          `The run is paused and waits for a person${reasonOf(event.question)}. Answer it here: ${inline(event.url ?? 'in ZenML', LONG)}`,
        )
        return undefined
      case 'state':
        return `${duration(event.sinceMs)}: ${inline(event.status)}${reasonOf(event.reason)}`
      case 'usual':
      case 'steps':
      case 'still':
      case 'step-failed':
      case 'run-failed':
      case 'details':
      case 'origin-not-noted':
        return undefined
      case 'failed-but-going-on':
        return `The run has failed, but steps of it go on: ${inline(event.steps.join(', '), LONG)}. Waiting for them to end`
      case 'server-lost':
        return `The server cannot be asked at the moment (${inline(event.detail, LONG)}). The run goes on; asking again for up to ${duration(event.toleratedMs)}`
      case 'server-back':
        return `The server answers again after ${duration(event.afterMs)}`
      case 'still-initializing':
        this.#log.warning(
          `The run has been initializing for ${duration(event.sinceMs)}${reasonOf(event.reason)}. Its runner or its image may be missing: see the stack's orchestrator and the server's log`,
        )
        return undefined
      case 'retry':
        return `${inline(event.line, LONG)}; trying again in ${duration(event.waitMs)}`
    }
  }

  #configured({
    configuration,
    warnings,
    unchecked,
  }: Extract<RunEvent, { kind: 'configured' }>): string | undefined {
    for (const warning of warnings) this.#log.warning(inline(warning, LONG), { title: 'Configuration' })
    if (unchecked !== undefined) this.#log.info(unchecked)
    if (Object.keys(configuration).length === 0) return undefined
    return `Laid over it: ${shownConfiguration(configuration)}`
  }

  #hindranceLine(event: Extract<RunEvent, { kind: 'trigger-hindered' }>): string | undefined {
    this.#silentMs += event.waitMs
    if (event.hindrance === this.#hindrance && this.#silentMs < REMIND_AFTER_MS) return undefined
    this.#hindrance = event.hindrance
    this.#silentMs = 0
    return `${HINDRANCES[event.hindrance]} in ${duration(event.waitMs)} (${inline(event.detail, LONG)})`
  }
}

function described({ kind, id, name, pipeline }: Definition): string {
  const of = pipeline?.name === undefined ? '' : ` of the pipeline ${inline(pipeline.name)}`
  return `Will run the ${NOUNS[kind]} ${inline(name ?? id)}${of} (${inline(id)})`
}

function verdictLine({ wanted, held, got }: Verdict): string {
  return `${held ? 'Held' : 'Missed'}: ${inline(wanted, LONG)} (got ${inline(got, LONG)})`
}

/** The values as well if they fit: a secret among them that is cut in its middle would no longer be masked. */
function shownConfiguration(configuration: object): string {
  const text = JSON.stringify(configuration)
  return inline(text.length <= LONG ? text : pathsOf(configuration).join(', '), LONG)
}

function pathsOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, below]: [string, unknown]) =>
    typeof below === 'object' && below !== null && !Array.isArray(below)
      ? pathsOf(below, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  )
}

function reasonOf(reason: string | undefined): string {
  return reason === undefined || reason === '' ? '' : ` (${inline(reason, LONG)})`
}

function duration(ms: number): string {
  return prettyMilliseconds(Math.max(0, ms), { secondsDecimalDigits: 0 })
}
