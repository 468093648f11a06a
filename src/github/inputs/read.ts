import type { Layer } from '../../run/configure/layers.ts'
import type { Target } from '../../run/find/definition.ts'
import { readConfiguration, readMapping, runNameFaults } from './configuration.ts'
import { readChecked, type ConnectionInputs, type InputSources, type ReadInputs } from './read-checked.ts'
import { baselineFaults, resumeFaults, targetFaults, runFaults, waitNotices } from './rules.ts'
import { inputTables, type InputValues } from './table.ts'

/** All inputs of the action, checked, as everything behind the edge takes them. */
export interface Inputs extends ConnectionInputs, ReturnType<typeof mainInputs> {
  readonly target: Target
  /** Lowest precedence first: the file, then the input. */
  readonly configuration: readonly Layer[]
  /** In the short form, whose keys have a meaning only beside the definition. */
  readonly parameters: Layer | undefined
}

/** The inputs of wait/. */
export interface WaitInputs extends ConnectionInputs, FollowInputs {
  /** Id or exact name. */
  readonly run: string
  /** Whether to show what the artifacts of the run hold. */
  readonly visualizations: boolean
}

/** The inputs of stop/. */
export interface StopInputs extends ConnectionInputs {
  /** Id or exact name. */
  readonly run: string
  /** Name or id. */
  readonly project: string | undefined
  readonly mode: InputValues<'stop'>['mode']
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
    const context = { workspace, readFile: sources.readFile, redact }
    const configuration = await readConfiguration(path, raw.configuration, context)
    const parameters = await readMapping('parameters', raw.parameters, context)
    const target = values && targetOf(values)
    return {
      faults: [
        ...targetFaults(raw),
        ...baselineFaults(raw, values?.expect),
        ...resumeFaults(raw, configuration.layers),
        ...parameters.faults,
        ...configuration.faults,
        ...runNameFaults(configuration.layers),
      ],
      notices: waitNotices(raw),
      inputs: values &&
        target && {
          ...mainInputs(values),
          target,
          configuration: configuration.layers,
          parameters: parameters.layers[0],
        },
    }
  })
}

/** The inputs of login/. */
export interface LoginInputs extends ConnectionInputs {
  /** Whether later steps get server and token as variables. */
  readonly exportEnv: boolean
}

/**
 * Reads and checks the inputs of login/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readLoginInputs(sources: InputSources): Promise<ReadInputs<LoginInputs>> {
  return readChecked(inputTables.login, sources, ({ values }) => ({
    faults: [],
    inputs: values && { exportEnv: values['export-env'] },
  }))
}

/**
 * Reads and checks the inputs of wait/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readWaitInputs(sources: InputSources): Promise<ReadInputs<WaitInputs>> {
  return readChecked(inputTables.wait, sources, ({ raw, values, server }) => ({
    faults: [...runFaults(raw, server, sources.parseServerUrl), ...baselineFaults(raw, values?.expect)],
    inputs:
      values?.run === undefined
        ? undefined
        : {
            ...followInputs(values),
            run: values.run,
            visualizations: values.visualizations,
          },
  }))
}

/**
 * Reads and checks the inputs of stop/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readStopInputs(sources: InputSources): Promise<ReadInputs<StopInputs>> {
  return readChecked(inputTables.stop, sources, ({ raw, values, server }) => {
    const faults = runFaults(raw, server, sources.parseServerUrl)
    if (values?.run === undefined) return { faults, inputs: undefined }
    const { run, project, mode, timeout: timeoutMs } = values
    return { faults, inputs: { run, project, mode, timeoutMs } }
  })
}

/** What only the main action has. */
function mainInputs(values: InputValues<'main'>) {
  return {
    ...followInputs(values),
    /** As written: may hold `{date}` and `{time}`; at most 255 characters once they are filled in. */
    runName: values['run-name'],
    tags: values.tags,
    /** Undefined: as ZenML decides. */
    enableCache: values['enable-cache'],
    wait: values.wait,
    /** Limit of the time until the run is started. */
    triggerTimeoutMs: values['trigger-timeout'],
    /** Whether a re-run attempt takes up the run of an earlier one; there is no name of the user's own then. */
    resume: values.resume,
    dryRun: values['dry-run'],
    /** Whether to show what the artifacts of the run hold. */
    visualizations: values.visualizations,
    /** Whether the run says in ZenML where it came from. */
    noteOrigin: values['note-origin'],
  }
}

/** What the main action and wait/ have in common. */
type FollowInputs = ReturnType<typeof followInputs>

export function followInputs(
  values: Pick<
    InputValues<'main'>,
    Exclude<keyof (InputValues<'main'> | InputValues<'wait'>), 'visualizations'>
  >,
) {
  return {
    /** Name or id. */
    project: values.project,
    /** Limit of the wait; undefined: none. */
    timeoutMs: values.timeout,
    /** At least 1000; undefined: adaptive. */
    pollIntervalMs: values['poll-interval'],
    onCancel: values['on-cancel'],
    onTimeout: values['on-timeout'],
    onPaused: values['on-paused'],
    onLost: values['on-lost'],
    /** Without an answer of the server, before the run is lost from sight. */
    lostAfterMs: values['lost-after'],
    expectations: values.expect ?? [],
    baselineInput: values.baseline,
    baselineRequired: values['baseline-required'],
    ...reportInputs(values),
  }
}

/** What a person is shown of the run, and where. */
export type ReportInputs = ReturnType<typeof reportInputs>

function reportInputs(
  values: Pick<InputValues<'wait'>, 'log-tail' | 'summary' | 'comment' | 'github-token' | 'step-key'>,
) {
  const token = values['github-token']
  return {
    /** Lines of a failed step's log to show; 0: none. */
    logTail: values['log-tail'],
    summary: values.summary,
    comment: values.comment,
    /** Undefined if the input came out empty. */
    githubToken: token === '' ? undefined : token,
    /** Tells this step from others where GitHub's own variables cannot. */
    stepKey: values['step-key'],
  }
}

export function targetOf({
  snapshot,
  template,
  pipeline,
}: Pick<InputValues<'main'>, 'snapshot' | 'template' | 'pipeline'>): Target | undefined {
  if (snapshot !== undefined) return { kind: 'snapshot', reference: snapshot, pipeline }
  if (template !== undefined) return { kind: 'template', reference: template, pipeline }
  return pipeline === undefined ? undefined : { kind: 'pipeline', pipeline }
}
