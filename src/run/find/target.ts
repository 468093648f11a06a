import {
  isUuid,
  type Account,
  type Definition,
  type Named,
  type Project,
  type ServerInfo,
} from '../../zenml/model.ts'
import type { ProjectChoice } from '../facts.ts'
import { findProject, projectForLink } from './project.ts'
import { namedQuery, resolveTarget, type Target } from './definition.ts'
import type { Read } from '../../zenml/api.ts'
import { definitionCall, definitionsCall, projectCall, PROJECTS } from '../../zenml/queries.ts'
import type { RunDependencies } from '../run-supervisor.ts'

export interface FindRequest {
  readonly target: Target
  readonly project: ProjectChoice | undefined
  /** Whether something is to be compared with the definition's own values; default: true. */
  readonly needsValues?: boolean
  /** Check and show everything, and start nothing of what is found; default: no. */
  readonly dryRun?: boolean
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

export interface ServerAndAccount {
  readonly server: ServerInfo
  readonly account: Account
}

type Dependencies = Pick<RunDependencies, 'client' | 'reporter'>

export interface Scope {
  /** Whether what is looked for is named by its id. */
  readonly isById: boolean
  readonly project: ProjectChoice | undefined
  /** Whether a run is started of what is found; default: no. */
  readonly isForStart?: boolean
}

export interface ServerAndProject extends ServerAndAccount {
  /** The project to look in; undefined where an id says it, or the server has none. */
  readonly project: Project | undefined
  /** What named it. */
  readonly choice: ProjectChoice | undefined
}

/**
 * Logs in, finds the project to look in, and reports where and as whom. What has an id says itself where it is; only an
 * input has to agree with that.
 *
 * @param ahead what will be asked for in any case, as far as that can be said before the account's project is known
 */
export async function readServerAndProject(
  scope: Scope,
  deps: Dependencies,
  ahead: (choice: ProjectChoice | undefined) => readonly Read[] = () => [],
): Promise<ServerAndProject> {
  const { isById, isForStart = false } = scope
  const choice = isById && scope.project?.source !== 'project' ? undefined : scope.project
  const { server, account } = await readServerAndAccount(deps, choice, ahead(choice), isForStart)
  const isSaid = isById && choice === undefined
  const project = isSaid ? undefined : await findProject({ choice, server, account }, deps)
  return { server, account, project, choice }
}

/** What is asked for in any case is sent side by side, and taken in its turn. */
async function readServerAndAccount(
  { client, reporter }: Dependencies,
  choice: ProjectChoice | undefined,
  ahead: readonly Read[],
  isForStart: boolean,
): Promise<ServerAndAccount> {
  const project = choice === undefined ? PROJECTS : projectCall(choice.nameOrId, { hasProjects: true })
  client.readAhead([project, ...ahead], isForStart)
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
  const isById = target.kind !== 'pipeline' && isUuid(target.reference)
  const scope = { isById, project: request.project, isForStart: request.dryRun !== true }
  const connected = await readServerAndProject(scope, deps, (choice) => readsOf(target, choice, needsValues))
  const { server, account, project: wanted, choice } = connected
  const found = await resolveTarget({ client, server, target, project: wanted, choice, needsValues })
  const definition = { ...found, project: found.project ?? wanted }
  const project = await projectForLink(client, server, wanted ?? found.project)
  if (wanted === undefined && project !== undefined && server.hasProjects) {
    reporter.tell({ kind: 'project', project, source: 'definition' })
  }
  const { documents: _, stepParameters: __, ...known } = definition
  reporter.tell({ kind: 'resolved', definition: known })
  return { server, account, definition, project }
}

function readsOf(target: Target, choice: ProjectChoice | undefined, needsValues: boolean): Read[] {
  if (target.kind === 'pipeline') return []
  const { kind, reference } = target
  return [
    isUuid(reference)
      ? definitionCall(kind, reference, needsValues)
      : definitionsCall(kind, namedQuery(target, choice?.nameOrId, needsValues)),
  ]
}
