import { isUuid, type Account, type Definition, type Named, type ServerInfo } from '../../zenml/model.ts'
import type { ProjectChoice } from '../facts.ts'
import { findProject, projectForLink } from './project.ts'
import { resolveTarget, type Target } from './definition.ts'
import type { RunDependencies } from '../follow.ts'

export interface FindRequest {
  readonly target: Target
  readonly project: ProjectChoice | undefined
}

/** What is known before anything is started. */
export interface FoundTarget {
  readonly server: ServerInfo
  readonly account: Named
  /** With its project, where the server has projects. */
  readonly definition: Definition
  /** The same with its name where a link needs that; undefined if the server does not say. */
  readonly project: Named | undefined
}

export interface Connected {
  readonly server: ServerInfo
  readonly account: Account
}

type Dependencies = Pick<RunDependencies, 'client' | 'reporter'>

/** Logs in, and reports where and as whom. */
export async function connect({ client, reporter }: Dependencies): Promise<Connected> {
  const server = await client.info()
  const account = await client.account()
  reporter.tell({ kind: 'connected', serverUrl: client.serverUrl, version: server.version, account })
  return { server, account }
}

/** Connects, finds what is to be run, and reports it. */
export async function findTarget(
  { target, project: choice }: FindRequest,
  deps: Dependencies,
): Promise<FoundTarget> {
  const { client, reporter } = deps
  const { server, account } = await connect(deps)
  // What has an id says itself where it is; only an input has to agree with that.
  const isById = target.kind !== 'pipeline' && isUuid(target.reference)
  const wanted =
    isById && choice?.source !== 'project' ? undefined : await findProject({ choice, server, account }, deps)
  const found = await resolveTarget(client, server, target, wanted)
  const definition = { ...found, project: found.project ?? wanted }
  const project = await projectForLink(client, server, wanted ?? found.project)
  if (wanted === undefined && project !== undefined && server.hasProjects) {
    reporter.tell({ kind: 'project', project, source: 'definition' })
  }
  reporter.tell({ kind: 'resolved', definition })
  return { server, account, definition, project }
}
