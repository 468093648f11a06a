import type { ZenmlClient } from '../zenml/client.ts'
import { AnswerError } from '../zenml/errors.ts'
import type { Definition, Named, ServerInfo } from '../zenml/model.ts'
import { isAtLeast } from '../zenml/version.ts'
import type { Reporter } from './reporter.ts'
import { resolveProject, resolveTarget, type Target } from './resolve.ts'

export interface PrepareRequest {
  readonly serverUrl: string
  readonly target: Target
  readonly project: string | undefined
}

/** What is known before anything is started. */
export interface Prepared {
  readonly server: ServerInfo
  readonly definition: Definition
  /** With its name where a link needs that; undefined if the server does not say. */
  readonly project: Named | undefined
}

/** Connects, and finds what is to be run. */
export async function prepare(
  { serverUrl, target, project }: PrepareRequest,
  { client, reporter }: { readonly client: ZenmlClient; readonly reporter: Reporter },
): Promise<Prepared> {
  const server = await client.info()
  const account = await client.account()
  reporter.tell({ kind: 'connected', serverUrl, version: server.version, account })
  const wanted = project === undefined ? undefined : await resolveProject(client, server, project)
  const definition = await resolveTarget(client, server, target, wanted)
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
