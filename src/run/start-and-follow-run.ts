import { Deadline } from '../base/deadline.ts'
import type { Definition } from '../zenml/model.ts'
import { assemble } from './configure/assemble.ts'
import { changedValues, difference } from './configure/difference.ts'
import type { Configuration, Overrides } from './configure/merge.ts'
import type { Reporter } from './events.ts'
import { findTarget, type FindRequest, type FoundTarget } from './find/target.ts'
import {
  RunSupervisor,
  type Begun,
  type FollowPolicy,
  type RunDependencies,
  type RunResult,
} from './run-supervisor.ts'
import { describeExpectation } from './outcome/evaluate-expectations.ts'
import { resumeRun, type Earlier, type ResumeMode } from './start/resume.ts'
import { namedRequester, pipelineOf, stepNamePrefix, type Requester } from './start/run-name.ts'
import { startRun, type StartRequest } from './start/start.ts'
import { within } from './start/time-before-trigger.ts'

/** Everything that one step of a workflow asks for. */
export interface RunRequest extends FollowPolicy, FindRequest, StartRequest {
  readonly overrides: Overrides
  /** Milliseconds until the run has to be there. */
  readonly triggerTimeoutMs: number
  /** What a re-run attempt does with the run of the attempt before, which it finds by a name of ours; false: nothing. */
  readonly resume: ResumeMode | false
}

/**
 * The whole path: find what to run, configure it, start it exactly once, follow it. When the workflow is cancelled the
 * run is ended as `onCancel` says, and the result tells what is known.
 *
 * @throws RunError or ZenmlError, with one line for a person, if no run was started or that is not known
 */
export async function startAndFollowRun(request: RunRequest, outside: RunDependencies): Promise<RunResult> {
  const supervisor = new RunSupervisor(request, outside)
  try {
    const begun = await begin(request, supervisor.deps)
    return begun === undefined ? supervisor.nothingStarted() : await supervisor.follow(begun)
  } catch (error) {
    return supervisor.interrupted(error)
  }
}

/**
 * Up to the run; undefined for a dry run. What was found ends with it: a definition may be larger than all that is kept
 * while the run goes on.
 */
async function begin(request: RunRequest, deps: RunDependencies): Promise<Begun | undefined> {
  const deadline = new Deadline(deps.clock, request.triggerTimeoutMs)
  const target = { ...request, needsValues: needsValues(request) }
  const found = await within(deadline, deps, (limited) => findTarget(target, limited))
  const configuration = configure(request, found.definition, found.server.version, deps.reporter)
  // Where GitHub tells two steps of a workflow apart by nothing, what their runs are given does.
  const requester = namedRequester(request.requester, configuration.body)
  if (request.dryRun === true) {
    await tellDryRun({ ...request, requester }, found, configuration, deadline, deps)
    return undefined
  }
  const { resume } = request
  const { begun, replayed }: Earlier = resume
    ? await within(deadline, deps, (limited) => resumeRun(requester, found, limited, resume))
    : {}
  return begun ?? startRun({ ...request, requester, replayed }, found, configuration, deadline, deps)
}

/** Whether there is anything to check, to merge or to show beside the definition's own values. */
function needsValues({ overrides, expectations = [], dryRun = false }: RunRequest): boolean {
  const { layers, ...others } = overrides
  return (
    dryRun ||
    expectations.length > 0 ||
    layers.length > 0 ||
    Object.values(others).some((value) => value !== undefined)
  )
}

/** Merges and checks what the run is to be given, and shows it beside the definition's own values. */
function configure(
  { overrides, expectations = [] }: RunRequest,
  definition: Definition,
  version: string,
  reporter: Reporter,
): Configuration {
  const expected = expectations.map(({ name }) => ({ input: 'expect', name }) as const)
  const configuration = assemble(overrides, definition, version, expected)
  const { body, warnings, unchecked } = configuration
  const base = definition.documents.configTemplate ?? {}
  reporter.tell({
    kind: 'configured',
    configuration: body,
    changes: changedValues(base, body),
    warnings,
    unchecked,
  })
  return configuration
}

/** Says what would be sent, and with resume: replay what would be done with what earlier attempts left. */
async function tellDryRun(
  { runName, requester, resume, expectations = [] }: RunRequest,
  found: FoundTarget,
  { body, runName: configured }: Configuration,
  deadline: Deadline,
  deps: RunDependencies,
): Promise<void> {
  const { definition } = found
  const name = runName ?? configured ?? namePattern(requester, definition)
  const earlier =
    resume === 'replay' && requester.attempt > 1
      ? await within(deadline, deps, async (limited) => {
          const { foreseeReplay } = await import('./start/replay.ts')
          return foreseeReplay(requester, found, limited)
        })
      : undefined
  deps.reporter.tell({
    kind: 'dry-run',
    lines: difference(definition.documents.configTemplate ?? {}, { run_name: name, ...body }),
    expectations: expectations.map(describeExpectation),
    earlier,
    onlyWhenTriggered: ONLY_WHEN_TRIGGERED,
  })
}

/** What no look at a definition tells. */
const ONLY_WHEN_TRIGGERED: readonly string[] = [
  'permission to start runs',
  'changes to the stack',
  'secrets and stack components',
  "whether the run's name is free",
  'whether there is a free slot',
]

/** The name that the action makes where none is given: its end is another one each time. */
function namePattern(requester: Requester, definition: Definition): string {
  return `${stepNamePrefix(requester, pipelineOf(definition))}<random>`
}
