import type { ConnectionInputs } from '../github/inputs/connection.ts'
import { inline, type WorkflowLog } from '../github/log/workflow-log.ts'
import type { Reporter } from '../run/events.ts'
import { Api } from '../zenml/api.ts'
import type { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../base/clock.ts'
import { shownDuration } from '../base/duration-text.ts'
import { timeLimit } from '../base/system-clock.ts'
import { CredentialError, isZenmlError, WorkspaceError } from '../zenml/errors.ts'
import {
  keyGrant,
  managementClientGrant,
  managementKeyGrant,
  managementTokenGrant,
} from '../zenml/login/grants.ts'
import { Http } from '../http/http.ts'
import { proxySecrets } from '../http/proxies.ts'
import { parseServerUrl, type ProWorkspace, type ServerAddress } from '../zenml/server-url.ts'
import {
  LoginSession,
  TokenSession,
  type Grant,
  type LoginDependencies,
  type Session,
} from '../zenml/login/session.ts'
import { USER_AGENT } from '../http/user-agent.ts'
import { isAtLeast } from '../zenml/version.ts'

export interface Connection {
  readonly client: ZenmlClient
  readonly session: Session
  /** Ends the connections, so that the process can end. */
  readonly close: () => void
}

export interface OpenOptions {
  readonly inputs: Pick<ConnectionInputs, 'server' | 'credential'>
  /** It is closed with the connection. */
  readonly http: Http
  /** The server that a workspace was found to have before; it is not looked up again. */
  readonly serverUrl?: string
  /** So long a workspace is looked up at most, login included; default: five minutes, and never longer. */
  readonly lookUpMs?: number | undefined
  readonly clock: Clock
  readonly log: WorkflowLog
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
}

/** Some four tries, where each hangs until its time is over. */
const LONGEST_LOOK_UP_MS = 300_000

/** The connections of an action, with the certificates that its inputs trust. */
export function openHttp(authorities: ConnectionInputs['authorities']): Http {
  return new Http(USER_AGENT, {}, authorities)
}

/**
 * Makes a client of the server that the inputs name; the one place where connections, session and client are joined.
 * The login is sent, and a workspace of ZenML Pro is looked up.
 *
 * @throws ZenmlError, with one line for a person, if it cannot be found
 * @throws the signal's reason if it was aborted while it was looked up
 */
export async function openClient(options: OpenOptions): Promise<Connection> {
  const { http, clock, log, reporter } = options
  const life = new AbortController()
  const onRetry = (line: string, waitMs: number): void => {
    reporter.tell({ kind: 'retry', line, waitMs })
  }
  const onToken = (token: string): void => {
    log.mask(token)
  }
  for (const secret of proxySecrets()) log.maskPassword(secret)
  const login = { http, clock, onToken, onWait: onRetry, signal: life.signal }
  const close = (): void => {
    // A login that waits for its minute would keep the process alive.
    life.abort(new Error('the connection was closed'))
    http.close()
  }
  try {
    // So that the login leaves before the rest is loaded.
    await http.noticeAhead()
    const { serverUrl, session } = await open(options, login)
    const proxy = Http.proxyNameFor(serverUrl)
    if (proxy !== undefined) log.info(`Connecting to ${serverUrl} through ${proxy}`)
    await session.begin()
    const client = await newClient(new Api({ http, baseUrl: serverUrl, session, clock, onRetry }))
    return { session, client, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Loads what the login does not need, while that is on its way. */
async function newClient(api: Api): Promise<ZenmlClient> {
  const { ZenmlClient } = await import('../zenml/client.ts')
  return new ZenmlClient(api)
}

interface Opened {
  readonly serverUrl: string
  readonly session: Session
}

async function open(options: OpenOptions, login: LoginDependencies): Promise<Opened> {
  const { server } = options.inputs
  if (!('url' in server)) return openWorkspace(server, options, login)
  const { credential } = options.inputs
  switch (credential.kind) {
    case 'api-key': {
      const { key } = credential
      const otherwise = async (): Promise<Grant | undefined> => organizationKeyGrant(server, key, login)
      return { serverUrl: server.url, session: new LoginSession(keyGrant(server.url, key, otherwise), login) }
    }
    case 'access-token':
      return { serverUrl: server.url, session: new TokenSession(credential.token) }
    case 'client':
      throw new CredentialError('client-id: works with workspace only')
  }
}

/**
 * How a key of a ZenML Pro organization opens a workspace that does not know such keys: before 0.92. The workspace
 * says which management API is its own, but only the input decides that the key goes there.
 *
 * @throws CredentialError if the input does not name that management API
 */
async function organizationKeyGrant(
  { url, proApiUrl }: ServerAddress,
  key: string,
  login: LoginDependencies,
): Promise<Grant | undefined> {
  const { http, clock, onWait: onRetry, signal } = login
  const session = new LoginSession(managementKeyGrant(proApiUrl, key), login)
  const client = await newClient(new Api({ http, baseUrl: url, session, clock, onRetry, signal }))
  const server = await client.info({ open: true }).catch((error: unknown) => {
    // The refusal of the key says more than that nothing else could be learned.
    if (isZenmlError(error)) return undefined
    throw error
  })
  if (server?.isPro !== true || isAtLeast(server.version, 0, 92)) return undefined
  const own = parseServerUrl(server.proApiUrl ?? '', 'management')
  if (own.ok && own.url === proApiUrl) {
    return managementTokenGrant(url, session, { addressInput: 'server-url', credentialInput: 'api-key' })
  }
  const named = own.ok ? ` (the workspace reports ${own.url})` : ''
  throw new CredentialError(
    `api-key: a ZenML Pro workspace before 0.92 cannot check an organization's key itself. ` +
      `Set pro-api-url to your ZenML Pro management API${named}, so that the action logs in there, or upgrade the workspace`,
  )
}

async function openWorkspace(
  server: ProWorkspace,
  { inputs: { credential }, serverUrl, lookUpMs, log, signal }: OpenOptions,
  login: LoginDependencies,
): Promise<Opened> {
  if (credential.kind === 'access-token') {
    throw new CredentialError('access-token: cannot be combined with workspace')
  }
  const { proApiUrl } = server
  const isKey = credential.kind === 'api-key'
  const management = new LoginSession(
    isKey
      ? managementKeyGrant(proApiUrl, credential.key)
      : managementClientGrant(proApiUrl, credential.clientId, credential.clientSecret),
    login,
  )
  const found = serverUrl ?? (await lookUp(server, management, { log, login, signal, lookUpMs }))
  const grant = managementTokenGrant(found, management, {
    addressInput: 'workspace',
    credentialInput: isKey ? 'api-key' : 'client-secret',
  })
  return { serverUrl: found, session: new LoginSession(grant, login) }
}

async function lookUp(
  server: ProWorkspace,
  session: Session,
  {
    log,
    login: { http, clock, onWait },
    signal,
    lookUpMs = LONGEST_LOOK_UP_MS,
  }: Pick<OpenOptions, 'log' | 'signal' | 'lookUpMs'> & { readonly login: LoginDependencies },
): Promise<string> {
  const limitMs = Math.min(lookUpMs, LONGEST_LOOK_UP_MS)
  const limit = timeLimit(limitMs)
  const api = new Api({
    http,
    baseUrl: server.proApiUrl,
    apiPath: '',
    addressInput: 'pro-api-url',
    session,
    clock,
    onRetry: onWait,
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  })
  const { findWorkspace, ProClient } = await import('../zenml/login/workspaces.ts')
  const found = await findWorkspace(server, new ProClient(api)).catch((error: unknown) => {
    if (!limit.aborted || signal?.aborted === true) throw error
    throw new WorkspaceError(
      `workspace: ZenML Pro did not say within ${shownDuration(limitMs)} where it is. Check pro-api-url, or try again later`,
    )
  })
  const { name, organization, serverUrl } = found
  log.info(`Workspace "${inline(name)}" of organization "${inline(organization)}" is at ${serverUrl}`)
  return serverUrl
}
