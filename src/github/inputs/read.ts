import type { JsonValue } from '../../base/json.ts'
import type { Layer } from '../../run/configure/layers.ts'
import type { VersionChoice } from '../../run/promote/find-version.ts'
import type { Target } from '../../run/find/definition.ts'
import {
  nullNotices,
  placeholderWarnings,
  readConfiguration,
  readMapping,
  runNameFaults,
  unlessNull,
} from './configuration.ts'
import type { InputFault } from './faults.ts'
import {
  readChecked,
  type ConnectionInputs,
  type Given,
  type InputSources,
  type ReadInputs,
} from './read-checked.ts'
import {
  baselineFaults,
  handOverFaults,
  promoteFaults,
  resolveFaults,
  resumeFaults,
  targetFaults,
  runFaults,
  waitNotices,
} from './rules-between-inputs.ts'
import { inputTables, type InputValues } from './table.ts'
import { readWorkflowContext } from '../workflow/context.ts'
import { isHosted } from '../workflow/job-time-left.ts'

/** All inputs of the action, checked, as everything behind the edge takes them. */
export interface Inputs extends ConnectionInputs, Work, ReturnType<typeof mainInputs> {}

/** The inputs of wait/. */
export interface WaitInputs extends ConnectionInputs, FollowInputs {
  /** Id or exact name. */
  readonly run: string
  /** Whether to show what the artifacts of the run hold. */
  readonly visualizations: boolean
  /** Whether also to show what the steps log while they run. */
  readonly logs: InputValues<'wait'>['logs']
  /** Number of the one that has the comment; undefined: that of the event. */
  readonly pullRequest: number | undefined
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
  return readChecked(inputTables.main, sources, async (given) => {
    const { raw, values } = given
    const { faults, notices, warnings, layers, work } = await readWork(given, sources)
    return {
      faults: [
        ...faults,
        ...handOverFaults(raw, isHosted(sources.env)),
        ...baselineFaults(raw, values?.expect),
        ...resumeFaults(raw, layers),
        ...runNameFaults(layers),
      ],
      notices: [...waitNotices(raw), ...notices],
      warnings,
      inputs: values && work && { ...mainInputs(values), ...work },
    }
  })
}

/** What is to be run, and what it is given. */
export interface Work {
  readonly target: Target
  /** Lowest precedence first: the file, then the input. */
  readonly configuration: readonly Layer[]
  /** In the short form, whose keys have a meaning only beside the definition. */
  readonly parameters: Layer | undefined
}

type WorkInputs = Pick<InputValues<'main'>, 'snapshot' | 'template' | 'pipeline'>

/**
 * Reads what the actions that start runs have in common. `layers` are there also where something else has a fault;
 * `work` is not.
 */
export async function readWork(
  { raw, values, workspace, redact }: Given<WorkInputs>,
  { readFile }: Pick<InputSources, 'readFile'>,
): Promise<{
  readonly faults: readonly InputFault[]
  readonly notices: readonly string[]
  readonly warnings: readonly string[]
  readonly layers: readonly Layer[]
  readonly work: Work | undefined
}> {
  const { 'configuration-file': file } = inputTables.main.schema.shape
  const context = { workspace, readFile, redact }
  const configuration = await readConfiguration(
    file.safeParse(raw['configuration-file']).data,
    unlessNull(raw.configuration),
    context,
  )
  const parameters = await readMapping('parameters', unlessNull(raw.parameters), context)
  const target = values && targetOf(values)
  const { layers } = configuration
  return {
    faults: [...targetFaults(raw), ...parameters.faults, ...configuration.faults],
    notices: nullNotices(raw),
    warnings: [...layers, ...parameters.layers].flatMap(placeholderWarnings),
    layers,
    work: target && { target, configuration: layers, parameters: parameters.layers[0] },
  }
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
    faults: [
      ...runFaults(raw, server, sources.parseServerUrl),
      ...handOverFaults(raw, isHosted(sources.env)),
      ...baselineFaults(raw, values?.expect),
    ],
    inputs:
      values?.run === undefined
        ? undefined
        : {
            ...followInputs(values),
            run: values.run,
            visualizations: values.visualizations,
            logs: values.logs,
            pullRequest: values['pull-request'],
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

/** The inputs of resolve/. */
export interface ResolveInputs extends ConnectionInputs, Pick<InputValues<'resolve'>, 'resolution'> {
  /** Id or exact name. */
  readonly run: string
  /** Name or id. */
  readonly project: string | undefined
  /** Its text or name; undefined: whichever is open. */
  readonly question: string | undefined
  /** Undefined: none. */
  readonly result: JsonValue | undefined
}

/**
 * Reads and checks the inputs of resolve/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readResolveInputs(sources: InputSources): Promise<ReadInputs<ResolveInputs>> {
  return readChecked(inputTables.resolve, sources, ({ raw, values, server }) => {
    const { runAttempt } = readWorkflowContext(sources.env)
    const faults = resolveFaults(raw, runAttempt, server, sources.parseServerUrl)
    if (values?.run === undefined) return { faults, inputs: undefined }
    const { run, project, question, answer: result, resolution } = values
    return { faults, inputs: { run, project, question, result, resolution } }
  })
}

/** The inputs of promote/. */
export interface PromoteInputs extends ConnectionInputs, Pick<InputValues<'promote'>, 'replace'> {
  readonly choice: VersionChoice
  /** Name or id. */
  readonly project: string | undefined
  readonly stage: NonNullable<InputValues<'promote'>['stage']>
}

/**
 * Reads and checks the inputs of promote/.
 *
 * @throws {InputFaults} as {@link readInputs}.
 */
export async function readPromoteInputs(sources: InputSources): Promise<ReadInputs<PromoteInputs>> {
  return readChecked(inputTables.promote, sources, ({ raw, values, server }) => {
    const faults = promoteFaults(raw, server, sources.parseServerUrl)
    const choice = values && choiceOf(values)
    if (choice === undefined || values?.stage === undefined) return { faults, inputs: undefined }
    const { project, stage, replace } = values
    return { faults, inputs: { choice, project, stage, replace } }
  })
}

function choiceOf({ run, model, version }: InputValues<'promote'>): VersionChoice | undefined {
  if (run !== undefined) return { kind: 'run', run }
  return model === undefined || version === undefined ? undefined : { kind: 'model', model, version }
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
    /** Whether also to show what the steps log while they run. */
    logs: values.logs,
    /** Whether the run says in ZenML where it came from. */
    noteOrigin: values['note-origin'],
  }
}

type FollowInputs = ReturnType<typeof followInputs>

/** What the actions that follow a run have in common. */
export function followInputs(
  values: Pick<
    InputValues<'main'>,
    Exclude<keyof (InputValues<'main'> | InputValues<'wait'>), 'visualizations' | 'logs'>
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

function targetOf({ snapshot, template, pipeline }: WorkInputs): Target | undefined {
  if (snapshot !== undefined) return { kind: 'snapshot', reference: snapshot, pipeline }
  if (template !== undefined) return { kind: 'template', reference: template, pipeline }
  return pipeline === undefined ? undefined : { kind: 'pipeline', pipeline }
}
