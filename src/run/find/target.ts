import { isUuid, type Account, type Definition, type Named, type ServerInfo } from '../../zenml/model.ts'
import type { ProjectChoice } from '../facts.ts'
import { findProject, projectForLink } from './project.ts'
import { namedQuery, resolveTarget, type Target } from './definition.ts'
import type { Read } from '../../zenml/api.ts'
import { definitionCall, definitionsCall, projectCall, PROJECTS } from '../../zenml/queries.ts'
import type { RunDependencies } from '../follow.ts'

export interface FindRequest {
  readonly target: Target
  readonly project: ProjectChoice | undefined
  /** Whether something is to be compared with the definition's own values; default: true. */
  readonly needsValues?: boolean
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

/**
 * Logs in, and reports where and as whom. What is asked for in any case is sent side by side, and taken in its turn.
 *
 * @param choice the project that will be asked for; undefined: what projects there are, for the account's own and for links
 * @param ahead what will be asked for beside it
 */
export async function connect(
  { client, reporter }: Dependencies,
  choice?: ProjectChoice,
  ahead: readonly Read[] = [],
): Promise<Connected> {
  const project = choice === undefined ? PROJECTS : projectCall(choice.nameOrId, { hasProjects: true })
  client.readAhead([project, ...ahead])
  // The account first: where the login fails, that says more.
  const account = await client.account()
  const server = await client.info()
  reporter.tell({ kind: 'connected', serverUrl: client.serverUrl, version: server.version, account })
  return { server, account }
}

/** Connects, finds what is to be run, and reports it. */
export async function findTarget(request: FindRequest, deps: Dependencies): Promise<FoundTarget> {
  const { client, reporter } = deps
  const { target, needsValues = true } = request
  // What has an id says itself where it is; only an input has to agree with that.
  const isById = target.kind !== 'pipeline' && isUuid(target.reference)
  const choice = isById && request.project?.source !== 'project' ? undefined : request.project
  const { server, account } = await connect(deps, choice, readsOf(target, choice, needsValues))
  const wanted =
    isById && choice === undefined ? undefined : await findProject({ choice, server, account }, deps)
  const found = await resolveTarget({ client, server, target, project: wanted, choice, needsValues })
  const definition = { ...found, project: found.project ?? wanted }
  const project = await projectForLink(client, server, wanted ?? found.project)
  if (wanted === undefined && project !== undefined && server.hasProjects) {
    reporter.tell({ kind: 'project', project, source: 'definition' })
  }
  reporter.tell({ kind: 'resolved', definition })
  return { server, account, definition, project }
}

/** What finds it, as far as that can be said before the account's project is known. */
function readsOf(target: Target, choice: ProjectChoice | undefined, needsValues: boolean): Read[] {
  if (target.kind === 'pipeline') return []
  const { kind, reference } = target
  return [
    isUuid(reference)
      ? definitionCall(kind, reference)
      : definitionsCall(kind, namedQuery(target, choice?.nameOrId, needsValues)),
  ]
}
