import type { ValueChange } from '../../run/configure/difference.ts'
import type { ProjectSource } from '../../run/facts.ts'
import type { RunEvent, TriggerHindrance } from '../../run/events.ts'
import type { KnownDefinition } from '../../zenml/model.ts'
import { codeLogLine } from '../code-text.ts'
import { replayLine, wouldReplayLine } from '../replay-text.ts'
import { shownDifference } from './difference.ts'
import { notResumed } from './step-lines.ts'
import { inline, LONG, type WorkflowLog } from './workflow-log.ts'
import { shownDuration } from '../../base/duration-text.ts'

const START_KINDS = [
  'connected',
  'project',
  'resolved',
  'configured',
  'dry-run',
  'triggering',
  'trigger-hindered',
  'answer-lost',
  'new-key',
  'dispatch-awaited',
  'not-dispatched',
  'started',
  'attached',
  'resumed',
  'resume-unclear',
  'resume-foreign',
  'resume-beside',
  'resume-none',
  'replay',
  'retry',
] as const satisfies readonly RunEvent['kind'][]

/** What happens until there is a run. */
export type StartEvent = Extract<RunEvent, { kind: (typeof START_KINDS)[number] }>

export function isStartEvent(event: RunEvent): event is StartEvent {
  const kinds: readonly string[] = START_KINDS
  return kinds.includes(event.kind)
}

/** A hindrance that lasts is said again after this time, so that nobody takes the step for dead. */
const REMIND_AFTER_MS = 120_000

const MOST_CHANGES = 100

const NOUNS = { template: 'run template', snapshot: 'snapshot' } as const

const PROJECT_SOURCES: Readonly<Record<ProjectSource, string>> = {
  project: 'from the input project',
  ZENML_ACTIVE_PROJECT_ID: 'from ZENML_ACTIVE_PROJECT_ID',
  account: "the account's default project",
  'only-one': 'the only one that this account can see',
  definition: 'the project of the snapshot or template',
}

const DRY_RUN_TITLE = 'Changes that this run would make to the configuration:'

const HINDRANCES: Readonly<Record<TriggerHindrance, string>> = {
  working: 'The server is still working on the request; asking for the result again',
  'no-slot': 'The server has no free slot for another run; trying again',
  limited: 'The server limits requests, and nothing was started; trying again',
  'not-sent': 'The server could not be reached, and nothing was sent; trying again',
  unclear: 'No run found yet; checking once more before the request is sent again',
  'name-vanished': 'The server says that the run exists, but does not show it; trying again',
}

/** The log up to the line with the run's link. */
export class StartLog {
  readonly #log: WorkflowLog
  /** What is to be run waits for what is laid over it: both stand in one group. */
  #resolved: KnownDefinition | undefined
  #hindrance: TriggerHindrance | undefined
  #silentMs = 0

  constructor(log: WorkflowLog) {
    this.#log = log
  }

  /** Shows what was kept back. */
  flush(): void {
    if (this.#resolved !== undefined) this.#foldDefinition(this.#resolved, [])
  }

  tell(event: StartEvent): void {
    const line = this.#line(event)
    if (line !== undefined) this.#log.info(line)
  }

  #line(event: StartEvent): string | undefined {
    switch (event.kind) {
      case 'connected':
        this.#foldConnection(event)
        return undefined
      case 'project':
        return `Project: ${inline(event.project.name ?? event.project.id, LONG)} (${PROJECT_SOURCES[event.source]})`
      case 'resolved':
        this.#resolved = event.definition
        return undefined
      case 'configured':
        return this.#configured(event)
      case 'dry-run':
        this.#log.serverText(shownDifference(event.lines), DRY_RUN_TITLE)
        for (const wanted of event.expectations)
          this.#log.info(`Would be checked after the run: ${inline(wanted, LONG)}`)
        if (event.earlier !== undefined) this.#log.info(inline(wouldReplayLine(event.earlier), LONG))
        return `Only a real start can check: ${inline(event.onlyWhenTriggered.join(', '), LONG)}`
      case 'triggering':
        return `Starting the run ${inline(event.name, 300)}`
      case 'trigger-hindered':
        return this.#hindranceLine(event)
      case 'answer-lost':
        return `The response was lost, so the run may have been started; searching for it by name (${inline(event.detail, LONG)})`
      case 'new-key':
        return `The server did not finish the request in ${shownDuration(event.afterMs)}, and there is no run: sending a new request for the same name`
      case 'dispatch-awaited':
        return `The server created the run and then failed, so it may never begin; waiting for it for up to ${shownDuration(event.untilMs)}`
      case 'not-dispatched':
        this.#log.warning(
          `The server never began the run ${inline(event.name, 300)}, so it was ended. Starting it again as ${inline(event.nextName, 300)}`,
        )
        return undefined
      case 'started':
        return `${event.adopted ? 'Started, and found by its name' : 'Started'}: ${inline(event.url ?? event.run.id, LONG)}`
      case 'attached':
        this.#log.info(
          `Found the run ${inline(event.run.name ?? event.run.id, LONG)} (${inline(event.run.status)}): ${inline(event.url ?? event.run.id, LONG)}`,
        )
        return event.run.code && codeLogLine(event.run.code)
      case 'resumed':
        return `Reattached to the run of attempt ${event.attempt} (${inline(event.run.status)}): ${inline(event.url ?? event.run.id, LONG)}`
      case 'resume-unclear':
      case 'resume-foreign':
      case 'resume-beside':
        this.#log.warning(notResumed(event))
        return undefined
      case 'resume-none':
        return 'No earlier attempt has a run with the same inputs that is running or has completed, so a new one is started'
      case 'replay':
        return inline(replayLine(event.plan), LONG)
      case 'retry':
        return `${inline(event.line, LONG)}; trying again in ${shownDuration(event.waitMs)}`
    }
  }

  #foldConnection({ serverUrl, version, account }: Extract<StartEvent, { kind: 'connected' }>): void {
    this.#log.fold(`Connected to ${inline(serverUrl, LONG)}`, [
      `version: ${inline(version)}`,
      `account: ${inline(account.name ?? account.id)}`,
    ])
  }

  #configured({
    configuration,
    changes,
    warnings,
    unchecked,
  }: Extract<StartEvent, { kind: 'configured' }>): string | undefined {
    const more = changes.length - MOST_CHANGES
    const changed = [
      ...changes.slice(0, MOST_CHANGES).map(changeLine),
      ...(more > 0 ? [`and ${more} more values`] : []),
    ]
    const same = Object.keys(configuration).length > 0 && changes.length === 0
    const laidOver = same ? ['The inputs change none of its values'] : changed
    if (this.#resolved !== undefined) this.#foldDefinition(this.#resolved, laidOver)
    for (const warning of warnings) this.#log.warning(inline(warning, LONG), { title: 'Configuration' })
    return unchecked
  }

  #foldDefinition({ kind, id, name, pipeline, code }: KnownDefinition, laidOver: readonly string[]): void {
    this.#resolved = undefined
    const of = pipeline?.name === undefined ? '' : ` of the pipeline ${inline(pipeline.name)}`
    this.#log.fold(`Found the ${NOUNS[kind]} ${inline(name ?? id)}${of}`, [`id: ${inline(id)}`, ...laidOver])
    const line = codeLogLine(code)
    if (line !== undefined) this.#log.info(line)
  }

  #hindranceLine(event: Extract<StartEvent, { kind: 'trigger-hindered' }>): string | undefined {
    this.#silentMs += event.waitMs
    if (event.hindrance === this.#hindrance && this.#silentMs < REMIND_AFTER_MS) return undefined
    this.#hindrance = event.hindrance
    this.#silentMs = 0
    return `${HINDRANCES[event.hindrance]} in ${shownDuration(event.waitMs)} (${inline(event.detail, LONG)})`
  }
}

/** Long values were described and not cut before: a secret that is cut in its middle would no longer be masked. */
function changeLine({ path, before, after }: ValueChange): string {
  const was = before === undefined ? '' : `${inline(before, LONG)} → `
  return `${inline(path, LONG)}: ${was}${inline(after, LONG)}`
}
