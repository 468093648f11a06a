import type { ConnectionInputs } from '../github/connection.ts'
import { inline, type WorkflowLog } from '../github/log.ts'
import type { Reporter } from '../run/reporter.ts'
import { Api } from '../zenml/api.ts'
import { ZenmlClient } from '../zenml/client.ts'
import type { Clock } from '../zenml/clock.ts'
import { CredentialError } from '../zenml/errors.ts'
import { managementClientGrant, managementKeyGrant, managementTokenGrant } from '../zenml/grants.ts'
import { Http } from '../zenml/http.ts'
import { findWorkspace, ProClient } from '../zenml/pro.ts'
import type { ProWorkspace } from '../zenml/server-url.ts'
import {
  KeySession,
  LoginSession,
  TokenSession,
  type LoginDependencies,
  type Session,
} from '../zenml/session.ts'
import { USER_AGENT } from '../zenml/user-agent.ts'

export interface Connection {
  readonly client: ZenmlClient
  readonly session: Session
  /** Where the runs are; no trailing slash. */
  readonly serverUrl: string
  /** Ends the connections, so that the process can end. */
  close(): Promise<void>
}

export interface ConnectOptions {
  readonly inputs: ConnectionInputs
  /** The server that a workspace was found to have before; it is not looked up again. */
  readonly serverUrl?: string
  readonly clock: Clock
  readonly log: WorkflowLog
  readonly reporter: Reporter
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes a client of the server that the inputs name. Nothing is sent yet, unless a workspace of ZenML Pro has to be
 * looked up.
 *
 * @throws ZenmlError, with one line for a person, if it cannot be found
 * @throws the signal's reason if it was aborted while it was looked up
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { inputs, clock, log, reporter } = options
  const http = new Http(USER_AGENT, {}, inputs.authorities)
  const life = new AbortController()
  const onRetry = (line: string, waitMs: number): void => {
    reporter.tell({ kind: 'retry', line, waitMs })
  }
  const onToken = (token: string): void => {
    log.mask(token)
  }
  const login = { http, clock, onToken, onWait: onRetry, signal: life.signal }
  const close = (): Promise<void> => {
    // A login that waits for its minute would keep the process alive.
    life.abort(new Error('the connection was closed'))
    return http.close()
  }
  try {
    const { serverUrl, session } = await open(options, login)
    const client = new ZenmlClient(new Api({ http, baseUrl: serverUrl, session, clock, onRetry }))
    return { session, serverUrl, client, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Opened {
  readonly serverUrl: string
  readonly session: Session
}

async function open(options: ConnectOptions, login: LoginDependencies): Promise<Opened> {
  const { server } = options.inputs
  if (!('url' in server)) return openWorkspace(server, options, login)
  const { credential } = options.inputs
  switch (credential.kind) {
    case 'api-key':
      return { serverUrl: server.url, session: new KeySession(server.url, credential.key, login) }
    case 'access-token':
      return { serverUrl: server.url, session: new TokenSession(credential.token) }
    case 'client':
      throw new CredentialError('client-id: goes with workspace only')
  }
}

async function openWorkspace(
  server: ProWorkspace,
  { inputs: { credential }, serverUrl, log, signal }: ConnectOptions,
  login: LoginDependencies,
): Promise<Opened> {
  if (credential.kind === 'access-token') {
    throw new CredentialError('access-token: contradicts workspace')
  }
  const { proApiUrl } = server
  const management = new LoginSession(
    credential.kind === 'api-key'
      ? managementKeyGrant(proApiUrl, credential.key)
      : managementClientGrant(proApiUrl, credential.clientId, credential.clientSecret),
    login,
  )
  const found = serverUrl ?? (await lookUp(server, management, { log, login, signal }))
  const session =
    credential.kind === 'api-key'
      ? new KeySession(found, credential.key, login)
      : new LoginSession(managementTokenGrant(found, management), login)
  return { serverUrl: found, session }
}

async function lookUp(
  server: ProWorkspace,
  session: Session,
  {
    log,
    login: { http, clock, onWait },
    signal,
  }: {
    readonly log: WorkflowLog
    readonly login: LoginDependencies
    readonly signal: AbortSignal | undefined
  },
): Promise<string> {
  const api = new Api({
    http,
    baseUrl: server.proApiUrl,
    apiPath: '',
    addressInput: 'pro-api-url',
    session,
    clock,
    onRetry: onWait,
    signal,
  })
  const { name, organization, serverUrl } = await findWorkspace(server, new ProClient(api))
  log.info(`Workspace "${inline(name)}" of organization "${inline(organization)}" is at ${serverUrl}`)
  return serverUrl
}
