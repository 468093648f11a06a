import type { Read } from '../../zenml/api.ts'
import type { Account, Project, ServerInfo } from '../../zenml/model.ts'
import { projectCall, PROJECTS } from '../../zenml/calls.ts'
import type { ProjectChoice } from '../facts.ts'
import type { RunDependencies } from '../run-supervisor.ts'
import { findProject } from './project.ts'

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
