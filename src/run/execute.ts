import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { AnswerError } from '../zenml/errors.ts'
import type { Definition, Named, Run, ServerInfo } from '../zenml/model.ts'
import { runUrl } from '../zenml/run-url.ts'
import { isAtLeast } from '../zenml/version.ts'
import { conclude } from './conclude.ts'
import type { Outcome } from './conclusion.ts'
import { completeFor, mergeOverrides, type Configuration, type Overrides } from './configure.ts'
import type { Journal } from './journal.ts'
import { defaultRunName, expandRunName } from './name.ts'
import type { Reporter } from './reporter.ts'
import { resolveProject, resolveTarget, type Target } from './resolve.ts'
import { triggerRun } from './trigger.ts'
import { watchRun } from './watch.ts'

/** Everything that one step of a workflow asks for. */
export interface RunRequest {
  /** As a person would write it; for messages and links. */
  readonly serverUrl: string
  readonly target: Target
  readonly project: string | undefined
  readonly overrides: Overrides
  /** May hold `{date}` and `{time}`; undefined: a configuration's `run_name`, or one of ours. */
  readonly runName: string | undefined
  /** Where this step runs, for a name of ours. */
  readonly origin: { readonly workflowRunId: string; readonly attempt: string; readonly stepIdentity: string }
  readonly wait: boolean
  readonly timeoutMs: number | undefined
  readonly triggerTimeoutMs: number
  readonly pollIntervalMs: number | undefined
}

export interface RunDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly journal: Journal
  /** Gives a new UUID. */
  readonly newKey: () => string
  readonly signal?: AbortSignal | undefined
}

/** A run, and what became of it as far as this step followed it. */
export interface RunResult extends Outcome {
  readonly runId: string
  /** Milliseconds from the run's start, or from where this step began to follow it, to the end of the step. */
  readonly durationMs: number
}

/**
 * The whole path: connect, find what to run, start it exactly once, wait for it, conclude.
 *
 * @throws RunError or ZenmlError, with one line for a person, if no run was started or that is not known
 * @throws the signal's reason if it was aborted
 */
export async function executeRun(request: RunRequest, deps: RunDependencies): Promise<RunResult> {
  const { clock, reporter, journal } = deps
  const startedAt = clock.now()
  const configuration = mergeOverrides(request.overrides)
  const { server, definition, project } = await prepare(request, deps, configuration)
  const key = deps.newKey()
  const { name, nameIsOurs } = nameRun(request, definition, configuration, key, clock.now())
  reporter.tell({ kind: 'triggering', name })
  const { run, adopted } = await triggerRun(
    {
      serverUrl: request.serverUrl,
      definition,
      configuration: completeFor(server.version, definition, configuration.body),
      name,
      nameIsOurs,
      key,
      deadline: startedAt + request.triggerTimeoutMs,
    },
    deps,
  )
  const url = runUrl(request.serverUrl, server, run.id, project)
  const followedFrom = clock.now()
  journal.started({ id: run.id, name, url, status: run.status })
  reporter.tell({ kind: 'started', run, url, adopted })
  const outcome = request.wait
    ? await follow(request, deps, run, { name, url })
    : ({ conclusion: 'started', status: run.status, error: undefined } as const)
  return { ...outcome, runId: run.id, durationMs: clock.now() - followedFrom }
}

async function prepare(
  request: RunRequest,
  { client, reporter }: RunDependencies,
  configuration: Configuration,
): Promise<{ server: ServerInfo; definition: Definition; project: Named | undefined }> {
  const server = await client.info()
  const account = await client.account()
  reporter.tell({ kind: 'connected', serverUrl: request.serverUrl, version: server.version, account })
  const wanted =
    request.project === undefined ? undefined : await resolveProject(client, server, request.project)
  const definition = await resolveTarget(client, server, request.target, wanted)
  reporter.tell({ kind: 'resolved', definition, overrides: configuration.body })
  return { server, definition, project: wanted ?? (await projectForLink(client, server, definition)) }
}

/** An open-source dashboard's addresses hold the project's name, and a definition only has its id. */
async function projectForLink(
  client: ZenmlClient,
  server: ServerInfo,
  { project }: Definition,
): Promise<Named | undefined> {
  if (project === undefined || project.name !== undefined) return project
  if (server.isPro || !isAtLeast(server.version, 0, 82)) return project
  try {
    return await client.project(project.id, 'projects')
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    // Without the right to read the project there is no link; the run can be started all the same.
    return project
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
  const pipeline = definition.pipeline?.name ?? definition.name ?? 'run'
  return { name: defaultRunName({ pipeline, ...origin, key }), nameIsOurs: true }
}

async function follow(
  { timeoutMs, pollIntervalMs }: RunRequest,
  deps: RunDependencies,
  { id: runId, status }: Run,
  { name, url }: { name: string; url: string | undefined },
): Promise<Outcome> {
  const watched = await watchRun({ runId, status, timeoutMs, pollIntervalMs }, deps)
  return conclude(watched, { name, url, timeoutMs })
}
