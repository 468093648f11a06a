import { Deadline } from '../base/deadline.ts'
import type { JsonObject } from '../base/json.ts'
import type { Definition } from '../zenml/model.ts'
import { runUrl } from '../zenml/run-url.ts'
import { assemble } from './configure/assemble.ts'
import { completeFor, mergeOverrides, type Configuration, type Overrides } from './configure/merge.ts'
import { changedValues, difference } from './configure/difference.ts'
import { showsHandOver } from './start/dispatch.ts'
import { endReason } from './stop/end-reason.ts'
import { RunError } from './errors.ts'
import { kinOfDefinition, kinOfRun } from './watch/usual.ts'
import { defaultRunName, expandRunName, originOf, type RunOrigin } from './start/run-name.ts'
import { noteOrigin, type Provenance } from './start/note-origin.ts'
import { prepare, type Prepared } from './find/connect.ts'
import type { ProjectChoice } from './facts.ts'
import type { Target } from './find/definition.ts'
import { findEarlierRun } from './find/earlier-run.ts'
import { followRun, type Begun, type FollowPolicy, type RunDependencies, type RunResult } from './follow.ts'
import { triggerRun } from './start/trigger.ts'

/** Everything that one step of a workflow asks for. */
export interface RunRequest extends Omit<FollowPolicy, 'nothingToCancel'> {
  /** As a person would write it; for messages and links. */
  readonly serverUrl: string
  readonly target: Target
  readonly project: ProjectChoice | undefined
  readonly overrides: Overrides
  /** May hold `{date}` and `{time}`; undefined: a configuration's `run_name`, or one of ours. */
  readonly runName: string | undefined
  /** Where this step runs, for a name of ours. */
  readonly origin: RunOrigin
  /** Where this step comes from, to be noted on the run. */
  readonly provenance: Provenance
  readonly triggerTimeoutMs: number
  /** Whether a re-run attempt takes up the run of the attempt before, which it finds by a name of ours. */
  readonly resume: boolean
  /** Check and show everything, and start nothing. */
  readonly dryRun?: boolean
}

/** What is said when the workflow is cancelled before there is a run. */
export const NOTHING_TO_CANCEL = 'Cancelled before a run was started'

/**
 * The whole path: connect, find what to run, start it exactly once, wait for it, conclude. When the signal is
 * aborted the run is ended as `onCancel` says, and the result tells what is known.
 *
 * @throws RunError or ZenmlError, with one line for a person, if no run was started or that is not known
 */
export async function executeRun(request: RunRequest, deps: RunDependencies): Promise<RunResult> {
  const policy = { ...request, nothingToCancel: NOTHING_TO_CANCEL }
  return followRun(policy, deps, (journaled) => beginRun(request, journaled))
}

async function beginRun(request: RunRequest, deps: RunDependencies): Promise<Begun | undefined> {
  const { clock, reporter } = deps
  const deadline = new Deadline(clock, request.triggerTimeoutMs)
  // For its look at run_name alone: no server is needed to refuse one that cannot be.
  mergeOverrides(request.overrides)
  const prepared = await inTime(deadline, deps, (limited) => prepare(request, limited))
  const { server, definition } = prepared
  reporter.tell({ kind: 'resolved', definition })
  const configuration = assemble(request.overrides, definition, server.version)
  const { body, warnings, unchecked } = configuration
  const base = definition.documents.configTemplate ?? {}
  const changes = changedValues(base, body)
  reporter.tell({ kind: 'configured', configuration: body, changes, warnings, unchecked })
  if (request.dryRun === true) {
    const lines = difference(base, withName(request, configuration))
    reporter.tell({ kind: 'dry-run', lines, onlyWhenTriggered: ONLY_WHEN_TRIGGERED })
    return undefined
  }
  const named = { ...request, origin: originOf(request.origin, body) }
  if (request.resume) {
    const earlier = await inTime(deadline, deps, (limited) => resume(named, prepared, limited))
    if (earlier !== undefined) return earlier
  }
  return start(named, prepared, configuration, deadline, deps)
}

async function start(
  request: RunRequest,
  prepared: Prepared,
  configuration: Configuration,
  deadline: Deadline,
  deps: RunDependencies,
): Promise<Begun> {
  const { clock, reporter, journal } = deps
  const { server, account, definition, project } = prepared
  const key = deps.newKey()
  const named = nameRun(request, definition, configuration, key, clock.now())
  reporter.tell({ kind: 'triggering', name: named.name })
  const { run, name, adopted } = await triggerRun(
    {
      definition,
      configuration: completeFor(server.version, definition, configuration.body),
      ...named,
      key,
      deadline,
      showsHandOver: showsHandOver(server.version),
      endReason: endReason('The server never began this run', request.workflowRunUrl),
    },
    deps,
  )
  const url = runUrl(request.serverUrl, server, run.id, project)
  // Undefined only in an answer of an unknown shape; the run is where its definition is.
  const projectId = run.projectId ?? definition.project?.id
  const started = { id: run.id, projectId, name, url, status: run.status }
  journal.started(started)
  reporter.tell({ kind: 'started', run, url, adopted })
  const noted = {
    runId: run.id,
    provenance: request.provenance,
    server,
    account,
    project: definition.project ?? project,
  }
  return { started, kin: kinOfDefinition(definition), beside: noteOrigin(noted, deps) }
}

/** What no look at a definition tells. */
const ONLY_WHEN_TRIGGERED: readonly string[] = [
  'whether the account may start runs',
  'whether the stack has changed since',
  'whether secrets and stack components that are named exist',
  'whether the run name is free, and a slot for the run',
]

/** Where no name is given, the action makes one. */
function withName({ runName }: RunRequest, configuration: Configuration): JsonObject {
  const run_name = runName ?? configuration.runName
  return run_name === undefined ? configuration.body : { run_name, ...configuration.body }
}

/** What comes before the trigger has the same limit; a server that answers nothing must not hold the step for long. */
async function inTime<T>(
  { leftMs }: Deadline,
  deps: RunDependencies,
  work: (limited: RunDependencies) => Promise<T>,
): Promise<T> {
  const { client, signal, timeLimit } = deps
  const limit = timeLimit(leftMs)
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
  try {
    return await work({ ...deps, client: client.with({ signal: either }) })
  } catch (error) {
    if (!limit.aborted || signal?.aborted === true) throw error
    const told = 'the time was over before the server had said what there is to run. Nothing was started'
    throw new RunError(`No run could be started within trigger-timeout: ${told}`, 'timed-out')
  }
}

function nameRun(
  { runName, origin }: RunRequest,
  definition: Definition,
  configuration: Configuration,
  key: string,
  now: number,
): { name: string; nameIsOurs: boolean } {
  const pattern = runName ?? configuration.runName
  if (pattern !== undefined) return { name: expandRunName(pattern, now), nameIsOurs: false }
  return { name: defaultRunName(origin, pipelineOf(definition), key), nameIsOurs: true }
}

async function resume(
  { serverUrl, origin }: RunRequest,
  { server, definition, project }: Prepared,
  { client, journal, reporter }: RunDependencies,
): Promise<Begun | undefined> {
  const found = await findEarlierRun(client, origin, pipelineOf(definition), definition)
  if (found.kind === 'several') reporter.tell({ kind: 'resume-unclear', names: found.names })
  if (found.kind === 'foreign') reporter.tell({ kind: 'resume-foreign', names: found.names })
  if (found.kind !== 'one') return undefined
  const { run, name, attempt } = found
  const url = runUrl(serverUrl, server, run.id, project)
  const started = { id: run.id, projectId: run.projectId, name, url, status: run.status }
  journal.started(started)
  reporter.tell({ kind: 'resumed', run, url: started.url, attempt })
  return { started, kin: kinOfRun(run), createdAt: run.created }
}

function pipelineOf(definition: Definition): string {
  return definition.pipeline?.name ?? definition.name ?? 'run'
}
