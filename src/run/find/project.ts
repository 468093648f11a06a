import type { ProjectChoice, ProjectSource } from '../facts.ts'
import leven from 'leven'
import { didYouMean } from '../../base/words.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { AnswerError, isNotFound } from '../../zenml/errors.ts'
import type { Account, Named, Project, ServerInfo } from '../../zenml/model.ts'
import { isAtLeast } from '../../zenml/version.ts'
import { RunError } from '../errors.ts'
import type { Reporter } from '../events.ts'

export interface ProjectDependencies {
  readonly client: ZenmlClient
  readonly reporter: Reporter
}

/** Where names are looked up; the server lists nothing without it. */
export interface ProjectRequest {
  readonly choice: ProjectChoice | undefined
  readonly server: ServerInfo
  readonly account: Account
}

const MOST_NAMES = 10

const NOT_ALLOWED_HINT = ', or the account has no permission to read it'

/**
 * Finds the project to look names up in, and reports which it is and why. Where nobody names one it is the account's
 * own, or the only one that the account sees, as in ZenML's own client (zenml/zen_stores/base_zen_store.py).
 *
 * @returns undefined before 0.80, where lists do not need one, unless one is named
 * @throws RunError with the projects to choose from if that does not settle it
 */
export async function findProject(
  { choice, server, account }: ProjectRequest,
  { client, reporter }: ProjectDependencies,
): Promise<Project | undefined> {
  const found = await settle(choice, server, account, client)
  if (found === undefined) return undefined
  reporter.tell({ kind: 'project', project: found.project, source: found.source })
  return found.project
}

interface Settled {
  readonly project: Project
  readonly source: ProjectSource
}

async function settle(
  choice: ProjectChoice | undefined,
  server: ServerInfo,
  { defaultProjectId }: Account,
  client: ZenmlClient,
): Promise<Settled | undefined> {
  if (choice !== undefined) return { project: await named(choice, server, client), source: choice.source }
  if (!server.hasProjects) return undefined
  if (defaultProjectId !== undefined) {
    return { project: await ofAccount(defaultProjectId, server, client), source: 'account' }
  }
  const { items, total } = await listProjects(client)
  const [only] = items
  if (only !== undefined && total === 1) return { project: only, source: 'only-one' }
  if (only === undefined) {
    throw new RunError(
      'project: this account sees no project. Give it permission to read the project of the snapshot or template',
    )
  }
  throw new RunError(
    `project: missing, and this account sees ${total} projects: ${listed(
      items.map(({ name }) => name),
      total,
    )}. Write project: ${only.name}, or another one of them`,
  )
}

async function listProjects(client: ZenmlClient): ReturnType<ZenmlClient['projects']> {
  try {
    return await client.projects()
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    throw new RunError(
      `project: missing, and the projects cannot be listed: ${error.message.replace(/^Could not list the projects: /, '')}. Write project: NAME`,
    )
  }
}

async function named(
  { nameOrId, source }: ProjectChoice,
  server: ServerInfo,
  client: ZenmlClient,
): Promise<Project> {
  try {
    return await client.project(nameOrId, server)
  } catch (error) {
    if (!isNotFound(error)) throw error
    const start = `${source}: there is no project "${nameOrId}" on this server`
    throw new RunError(`${start}${NOT_ALLOWED_HINT}${await suggestion(nameOrId, server, client)}`)
  }
}

/** @throws RunError if the account may not read its own default project, or it was deleted */
async function ofAccount(id: string, server: ServerInfo, client: ZenmlClient): Promise<Project> {
  try {
    return await projectOfId(id, server, client)
  } catch (error) {
    if (!(error instanceof AnswerError) || ![403, 404].includes(error.status)) throw error
    throw new RunError(
      `project: the account's default project ${id} cannot be read (${error.detail}). Write project: NAME to use another one, or give the account permission to read it`,
    )
  }
}

/** What else there is; empty where that cannot be learned, which must not hide the fault itself. */
async function suggestion(wanted: string, server: ServerInfo, client: ZenmlClient): Promise<string> {
  if (!server.hasProjects) return ''
  try {
    const { items, total } = await client.projects()
    const names = items.map(({ name }) => name).sort((a, b) => leven(a, wanted) - leven(b, wanted))
    return names.length === 0
      ? ''
      : `${didYouMean(wanted, names) || '.'} The account can see: ${listed(names, total)}`
  } catch {
    return ''
  }
}

function listed(names: readonly string[], total: number): string {
  const shown = names.slice(0, MOST_NAMES)
  const more = total > shown.length ? ` and ${total - shown.length} more` : ''
  return `${shown.map((name) => `"${name}"`).join(', ')}${more}`
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
    return await projectOfId(project.id, server, client)
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error
    // Without permission to read the project there is no link; the run can be started all the same.
    return project
  }
}

/** Mostly among those that were listed ahead. */
async function projectOfId(id: string, server: ServerInfo, client: ZenmlClient): Promise<Project> {
  const { items } = await client
    .with({ retries: 'none' })
    .projects()
    .catch(() => ({ items: [] }))
  return items.find((project) => project.id === id) ?? client.project(id, server)
}
