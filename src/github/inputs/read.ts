import type { EndMode } from '../../run/journal.ts'
import type { Expectation } from '../../run/outcome/expect.ts'
import type { Target } from '../../run/find/definition.ts'
import type { FollowPolicy } from '../../run/follow.ts'
import { readConfiguration, readParameters, type ConfigurationSource } from './configuration.ts'
import { parseExpectations } from './expectations.ts'
import type { CommentMode } from './fields.ts'
import { readChecked, type ConnectionInputs, type InputSources, type ReadInputs } from './read-checked.ts'
import { missingRunFaults, resumeFaults, targetFaults, waitFaults } from './rules.ts'
import { inputTables, type InputValues } from './table.ts'

export type { Credential, InputSources } from './read-checked.ts'

/** What a person is shown of the run, and where. */
export interface ReportInputs {
  /** Lines of a failed step's log to show; 0: none. */
  readonly logTail: number
  readonly summary: boolean
  readonly comment: CommentMode
  /** Undefined if the input came out empty. */
  readonly githubToken: string | undefined
  /** Tells this step from others where GitHub's own variables cannot. */
  readonly stepKey: string
}

/** All inputs of the action, checked, as everything behind the edge takes them. */
export interface Inputs extends ConnectionInputs, ReportInputs {
  readonly target: Target
  /** Name or id. */
  readonly project?: string
  /** Lowest precedence first: the file, then the input. */
  readonly configuration: readonly ConfigurationSource[]
  /** In the short form, whose keys have a meaning only beside the definition. */
  readonly parameters?: ConfigurationSource
  /** As written: may hold `{date}` and `{time}`; at most 255 characters once they are filled in. */
  readonly runName?: string
  readonly tags?: readonly string[]
  /** Not set: as ZenML decides. */
  readonly useCache?: boolean
  readonly wait: boolean
  /** Limit of the wait; not set: none. */
  readonly timeoutMs?: number
  /** Limit of the time until the run is started. */
  readonly triggerTimeoutMs: number
  /** At least 1000; not set: adaptive. */
  readonly pollIntervalMs?: number
  readonly onCancel: EndMode
  readonly onTimeout: EndMode
  readonly onPaused: FollowPolicy['onPaused']
  /** Whether a re-run attempt takes up the run of an earlier one; there is no name of the user's own then. */
  readonly resume: boolean
  readonly expectations: readonly Expectation[]
  readonly dryRun: boolean
}

/** The inputs of wait/. */
export interface WaitInputs
  extends
    ConnectionInputs,
    ReportInputs,
    Pick<
      Inputs,
      'project' | 'timeoutMs' | 'pollIntervalMs' | 'onCancel' | 'onTimeout' | 'onPaused' | 'expectations'
    > {
  /** Id or exact name. */
  readonly run: string
}

/** The inputs of stop/. */
export interface StopInputs extends ConnectionInputs {
  /** A UUID in lower case. */
  readonly runId: string
  readonly graceful: boolean
  /** How long to watch that the run stops. */
  readonly timeoutMs: number
}

/**
 * Reads and checks all inputs of the action at once.
 *
 * @throws {InputFaults} with every fault that was found, in the order of action.yml.
 */
export async function readInputs(sources: InputSources): Promise<ReadInputs<Inputs>> {
  return readChecked(inputTables.main, sources, async ({ raw, values, workspace, redact }) => {
    const path = inputTables.main.schema.shape['configuration-file'].safeParse(raw['configuration-file']).data
    const { readFile } = sources
    const configuration = await readConfiguration(path, raw.configuration, { workspace, readFile, redact })
    const parameters = await readParameters(raw.parameters, { redact })
    const { expectations, faults } = parseExpectations(raw.expect, redact)
    const target = values && targetOf(values)
    return {
      faults: [
        ...targetFaults(raw),
        ...waitFaults(raw),
        ...resumeFaults(raw, configuration.sources),
        ...parameters.faults,
        ...configuration.faults,
        ...faults,
      ],
      inputs: values &&
        target && {
          ...mainInputs(values),
          target,
          configuration: configuration.sources,
          ...(parameters.source !== undefined && { parameters: parameters.source }),
          expectations,
        },
    }
  })
}

/**
 * Reads and checks the inputs of login/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readLoginInputs(sources: InputSources): Promise<ReadInputs<ConnectionInputs>> {
  return readChecked(inputTables.login, sources, ({ values }) => ({ faults: [], inputs: values && {} }))
}

/**
 * Reads and checks the inputs of wait/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readWaitInputs(sources: InputSources): Promise<ReadInputs<WaitInputs>> {
  return readChecked(inputTables.wait, sources, ({ raw, values, redact }) => {
    const { expectations, faults } = parseExpectations(raw.expect, redact)
    return {
      faults: [...missingRunFaults(raw, 'run'), ...faults],
      inputs:
        values?.run === undefined ? undefined : { ...followInputs(values), run: values.run, expectations },
    }
  })
}

/**
 * Reads and checks the inputs of stop/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readStopInputs(sources: InputSources): Promise<ReadInputs<StopInputs>> {
  return readChecked(inputTables.stop, sources, ({ raw, values }) => {
    const runId = values?.['run-id']
    return {
      faults: missingRunFaults(raw, 'run-id'),
      inputs:
        values && runId !== undefined
          ? { runId, graceful: values.graceful, timeoutMs: values.timeout }
          : undefined,
    }
  })
}

/** What the main action and wait/ have in common. */
type FollowInputName = 'project' | 'timeout' | 'poll-interval' | 'on-cancel' | 'on-timeout' | 'on-paused'
type ReportInputName = 'log-tail' | 'summary' | 'comment' | 'github-token' | 'step-key'

function mainInputs(
  values: InputValues<'main'>,
): Omit<Inputs, keyof ConnectionInputs | 'target' | 'configuration' | 'parameters' | 'expectations'> {
  return {
    ...followInputs(values),
    ...(values['run-name'] !== undefined && { runName: values['run-name'] }),
    ...(values.tags !== undefined && { tags: values.tags }),
    ...(values['use-cache'] !== undefined && { useCache: values['use-cache'] }),
    wait: values.wait,
    triggerTimeoutMs: values['trigger-timeout'],
    resume: values.resume,
    dryRun: values['dry-run'],
  }
}

function followInputs(
  values: Pick<InputValues<'wait'>, FollowInputName | ReportInputName>,
): Omit<WaitInputs, keyof ConnectionInputs | 'run' | 'expectations'> {
  return {
    ...(values.project !== undefined && { project: values.project }),
    ...(values.timeout !== undefined && { timeoutMs: values.timeout }),
    ...(values['poll-interval'] !== undefined && { pollIntervalMs: values['poll-interval'] }),
    onCancel: values['on-cancel'],
    onTimeout: values['on-timeout'],
    onPaused: values['on-paused'],
    ...reportInputs(values),
  }
}

function reportInputs(values: Pick<InputValues<'wait'>, ReportInputName>): ReportInputs {
  const token = values['github-token']
  return {
    logTail: values['log-tail'],
    summary: values.summary,
    comment: values.comment,
    githubToken: token === '' ? undefined : token,
    stepKey: values['step-key'],
  }
}

function targetOf({ snapshot, template, pipeline }: InputValues<'main'>): Target | undefined {
  const narrowed = pipeline === undefined ? {} : { pipeline }
  if (snapshot !== undefined) return { kind: 'snapshot', reference: snapshot, ...narrowed }
  if (template !== undefined) return { kind: 'template', reference: template, ...narrowed }
  return pipeline === undefined ? undefined : { kind: 'pipeline', pipeline }
}
