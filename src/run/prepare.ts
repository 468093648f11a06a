import type { ZenmlClient } from '../zenml/client.ts'
import { AnswerError } from '../zenml/errors.ts'
import type { Definition, Named, ServerInfo } from '../zenml/model.ts'
import { isAtLeast } from '../zenml/version.ts'
import type { RunDependencies } from './step-run.ts'
import { resolveProject, resolveTarget, type Target } from './resolve.ts'

export interface PrepareRequest {
  readonly serverUrl: string
  readonly target: Target
  readonly project: string | undefined
}

/** What is known before anything is started. */
export interface Prepared {
  readonly server: ServerInfo
  readonly account: Named
  readonly definition: Definition
  /** With its name where a link needs that; undefined if the server does not say. */
  readonly project: Named | undefined
}

export interface Connected {
  readonly server: ServerInfo
  readonly account: Named
  /** Undefined where the user named none. */
  readonly project: Named | undefined
}

type Dependencies = Pick<RunDependencies, 'client' | 'reporter'>

/** Logs in, says where and as whom, and finds the project that the user named. */
export async function connect(
  { serverUrl, project }: Pick<PrepareRequest, 'serverUrl' | 'project'>,
  { client, reporter }: Dependencies,
): Promise<Connected> {
  const server = await client.info()
  const account = await client.account()
  reporter.tell({ kind: 'connected', serverUrl, version: server.version, account })
  return {
    server,
    account,
    project: project === undefined ? undefined : await resolveProject(client, server, project),
  }
}

/** Connects, and finds what is to be run. */
export async function prepare(request: PrepareRequest, deps: Dependencies): Promise<Prepared> {
  const { server, account, project } = await connect(request, deps)
  const definition = await resolveTarget(deps.client, server, request.target, project)
  return {
    server,
    account,
    definition,
    project: project ?? (await projectForLink(deps.client, server, definition.project)),
  }
}

/** An open-source dashboard's addresses hold the project's name, and most answers only have its id. */
export async function projectForLink(
  client: ZenmlClient,
  server: ServerInfo,
  project: Named | undefined,
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
