import leven from 'leven'
import { z } from 'zod'
import type { Api, Call } from '../api.ts'
import { cutAtSpace } from '../../base/cut.ts'
import { AnswerError, isMissingRoute, WorkspaceError } from '../errors.ts'
import { pathSegment } from '../../http/path-segment.ts'
import { parseServerUrl, type ProWorkspace } from '../server-url.ts'

/** What ZenML's own client asks for. */
const PAGE_SIZE = 20
/** More workspaces than any organization has. */
const MOST_PAGES = 50
const MOST_NAMES = 5
const MAX_SHOWN = 100

const workspaceSchema = z.object({
  id: z.string(),
  name: z.string(),
  organization: z.object({ id: z.string(), name: z.string().nullish() }).nullish(),
  status: z.string(),
  zenml_service: z.object({ status: z.object({ server_url: z.string().nullish() }).nullish() }).nullish(),
})

/** A workspace as the management API tells it. */
export type Workspace = z.infer<typeof workspaceSchema>

/** A workspace that has a server to talk to. */
export interface FoundWorkspace {
  readonly name: string
  readonly organization: string
  /** Origin and path prefix, no trailing slash. */
  readonly serverUrl: string
}

/** Why a workspace in this state has no server that answers, and what to do. */
const STATES: Readonly<Record<string, string>> = {
  not_initialized: 'it has not been deployed yet; deploy it in the dashboard',
  pending: 'it is being deployed, upgraded or activated; try again in a few minutes',
  failed: 'its deployment failed; deploy it again in the dashboard',
  deactivated: 'it was deactivated; activate it in the dashboard',
  deleted: 'it was deleted; name another one',
}

/** What a management API calls a workspace, and before ZenML 0.80 (`zenml/login/pro/tenant`); both look the same. */
const NOUNS = ['workspace', 'tenant'] as const

/** ZenML Pro's management API: which workspaces there are, and where their servers are. */
export class ProClient {
  readonly #api: Api

  /** @param api of the management API: without /api/v1, and with a session of its own. */
  constructor(api: Api) {
    this.#api = api
  }

  /** Undefined if there is none of that id, or the account may not see it. */
  async workspace(id: string): Promise<Workspace | undefined> {
    try {
      // The answer says where the token goes.
      const isAsked = (found: Workspace): boolean => found.id.toLowerCase() === id.toLowerCase()
      return await this.#read((noun) => ({ path: `/${noun}s/${pathSegment(id)}` }), workspaceSchema, isAsked)
    } catch (error) {
      if (error instanceof AnswerError && error.fromZenml && error.status === 404) return undefined
      throw error
    }
  }

  /** Those that the account sees; a server may not know the filter and give more. */
  async workspaces(name?: string): Promise<Workspace[]> {
    const found = new Map<string, Workspace>()
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const paging = { offset: `${page * PAGE_SIZE}`, limit: `${PAGE_SIZE}` }
      const items = await this.#read(
        (noun) => ({ path: `/${noun}s`, query: { [`${noun}_name`]: name, ...paging } }),
        z.array(workspaceSchema),
      )
      const before = found.size
      for (const item of items) found.set(item.id, item)
      // One that does not know pages gives all each time.
      if (items.length < PAGE_SIZE || found.size === before) break
    }
    return [...found.values()]
  }

  /** Asks by the new name, and by the old one where the new one is not known. */
  async #read<Schema extends z.ZodType>(
    call: (noun: (typeof NOUNS)[number]) => Omit<Call, 'method'>,
    schema: Schema,
    isAsked?: (answer: z.infer<Schema>) => boolean,
  ): Promise<z.infer<Schema>> {
    const [noun, oldNoun] = NOUNS
    try {
      return await this.#api.read('find the workspace', call(noun), schema, isAsked)
    } catch (error) {
      if (!isMissingRoute(error)) throw error
      return this.#api.read('find the workspace', call(oldNoun), schema, isAsked)
    }
  }
}

/**
 * Finds the one workspace of a name or id, and its server.
 *
 * @throws WorkspaceError if there is none, or several, or it has no server to talk to; other ZenmlErrors if the
 * management API does not say.
 */
export async function findWorkspace(wanted: ProWorkspace, client: ProClient): Promise<FoundWorkspace> {
  const reference = wanted.workspace
  const byId = z.guid().safeParse(reference).success ? await client.workspace(reference) : undefined
  const workspace = byId ?? (await theOneNamed(reference, client))
  const problem = stateProblem(workspace)
  if (problem !== undefined) throw new WorkspaceError(`workspace: ${shown(workspace.name)} ${problem}`)
  return {
    name: workspace.name,
    organization: organizationOf(workspace),
    serverUrl: serverOf(workspace, wanted),
  }
}

async function theOneNamed(name: string, client: ProClient): Promise<Workspace> {
  const all = (await client.workspaces(name)).filter((each) => each.name === name)
  // One that was deleted stays in the list, and another one may have its name now.
  const living = all.filter(({ status }) => status !== 'deleted')
  const [first, second] = living.length > 0 ? living : all
  if (first === undefined) throw new WorkspaceError(await notFound(name, client))
  if (second === undefined) return first
  const several = living.length > 0 ? living : all
  const places = several
    .slice(0, MOST_NAMES)
    .map((each) => `${idOf(each)} (organization ${shown(organizationOf(each))})`)
  const more = several.length > places.length ? ` and ${several.length - places.length} more` : ''
  throw new WorkspaceError(
    `workspace: ${several.length} workspaces are named ${shown(name)}; write the ID of one of them instead: ${places.join(', ')}${more}`,
  )
}

async function notFound(name: string, client: ProClient): Promise<string> {
  const start = `workspace: there is no workspace ${shown(name)} that this account can see`
  const names = [...new Set((await client.workspaces()).map((each) => each.name))]
  if (names.length === 0) return `${start}, nor any other; add the account to the workspace`
  const near = names
    .map((each) => ({ each, distance: leven(each, name, { maxDistance: MAX_SHOWN }) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST_NAMES)
  const more = names.length > near.length ? ` and ${names.length - near.length} more` : ''
  return `${start}; there are: ${near.map(({ each }) => shown(each)).join(', ')}${more}`
}

function stateProblem({ status }: Workspace): string | undefined {
  if (status === 'available') return undefined
  const known = STATES[status]
  return `is not available (${shown(status)})${known === undefined ? '' : `: ${known}`}`
}

function serverOf({ name, zenml_service }: Workspace, { allowPlainHttp }: ProWorkspace): string {
  const text = zenml_service?.status?.server_url ?? ''
  if (text === '') {
    throw new WorkspaceError(
      `workspace: ZenML Pro does not say where the server of ${shown(name)} is; give server-url instead`,
    )
  }
  const parsed = parseServerUrl(text)
  if (!parsed.ok) {
    throw new WorkspaceError(
      `workspace: the address that ZenML Pro gives for ${shown(name)} ${parsed.problem}`,
    )
  }
  if (parsed.plainHttp && !allowPlainHttp) {
    throw new WorkspaceError(
      `workspace: the address that ZenML Pro gives for ${shown(name)} begins with http://, which would send the credential unencrypted; set allow-insecure-http: true only if nobody can listen`,
    )
  }
  return parsed.url
}

function organizationOf({ organization }: Workspace): string {
  return organization?.name ?? organization?.id ?? '(not named)'
}

/** In quotes only where it is no id at all. */
function idOf({ id }: Workspace): string {
  return z.guid().safeParse(id).success ? id : shown(id)
}

/** What somebody else named, in quotes, on one line. */
function shown(text: string): string {
  return `"${cutAtSpace(text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' '), MAX_SHOWN)}"`
}
