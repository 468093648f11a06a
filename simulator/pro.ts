import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { SimulatorClock } from './clock.ts'
import { Management, type WorkspaceSpec } from './management.ts'
import type { PermissionRules } from './permissions.ts'
import type { RecordedRequest } from './types.ts'

export type { WorkspaceSpec } from './management.ts'

export interface ProOptions {
  /** Default: real time. */
  readonly clock?: SimulatorClock
  /** Seconds a token lives; default 3600. */
  readonly tokenLifetime?: number
  /** Of ids, keys and tokens; default random. */
  readonly seed?: number
  /** What a workspace is called in addresses: old self-hosted ones have only tenants. Default 'workspaces'. */
  readonly routes?: 'workspaces' | 'tenants'
}

/**
 * Where Pro can fail. 'login' and 'workspaces' are asked by a client; the others by the workspace's server: whose a
 * token is, what the account may do, whether the subscription has a run left, and to note that one was started.
 */
export type ProPlace = 'login' | 'workspaces' | 'authorize' | 'permissions' | 'entitlement' | 'usage'

/** How it fails: with a status, by closing the connection, by never answering, with a 200 that makes no sense. */
export type ProFailure = number | 'closed' | 'time-out' | 'nonsense'

export interface ProWorkspace {
  readonly id: string
  readonly name: string
  readonly organization: { readonly id: string; readonly name: string }
}

/** What a workspace's own server knows and asks of the Pro that it belongs to. */
export interface ProMembership {
  readonly url: string
  /** The organization's key, which opens the workspaces too (from 0.92 on). */
  readonly apiKey: string
  /** Why the account of this token or key is not told; undefined where it is. */
  authorize(token: string): ProFailure | undefined
  /** How this question fails, if it was told to; each asking uses up one time. */
  failure(place: ProPlace): ProFailure | undefined
  /** What the account may do now. */
  permissions(): PermissionRules
  /** The workspace that was added with this address of its server. */
  workspaceAt(serverUrl: string): ProWorkspace | undefined
}

/** ZenML Pro's management API, as its client's source and the documentation describe it; none was at hand. */
export interface ProSimulator extends ProMembership {
  readonly clientId: string
  readonly clientSecret: string
  readonly requests: readonly RecordedRequest[]
  readonly issuedTokens: readonly string[]
  /** Gives the id. */
  add(workspace: WorkspaceSpec): string
  /** The next `times` (default 1) questions of this kind fail so. */
  fail(place: ProPlace, how: ProFailure, times?: number): void
  /** From now on the account may do this; replaces what was said before. */
  permit(rules: PermissionRules): void
  /** Every token so far answers 401. */
  expireTokens(): void
  close(): Promise<void>
}

/** Starts a management API in this process, on 127.0.0.1; resolves when it listens. */
export async function startPro(options: ProOptions = {}): Promise<ProSimulator> {
  const pro = new Management(options)
  const requests: RecordedRequest[] = []
  const server = createServer((request, response) => {
    void serve(pro, requests, request, response)
  })
  return {
    url: `http://127.0.0.1:${String(await listen(server))}`,
    apiKey: pro.apiKey,
    clientId: pro.clientId,
    clientSecret: pro.clientSecret,
    requests,
    issuedTokens: pro.issuedTokens,
    add: (workspace) => pro.add(workspace),
    fail: (place, how, times = 1) => {
      pro.fail(place, how, times)
    },
    permit: (rules) => {
      pro.rules = rules
    },
    permissions: () => pro.rules,
    authorize: (token) => pro.failure('authorize') ?? (pro.knows(token) ? undefined : 401),
    failure: (place) => pro.failure(place),
    workspaceAt: (serverUrl) => pro.workspaceAt(serverUrl),
    expireTokens: () => {
      pro.expireTokens()
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers one request, or fails as it was told to. */
async function serve(
  pro: Management,
  requests: RecordedRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url: path = '/', headers } = request
  const asked = { method, path, headers, body: await textOf(request) }
  const failure = pro.failureOf(asked)
  const record = { ...asked, at: pro.clock.now() }
  if (failure === 'time-out' || failure === 'closed') {
    requests.push(record)
    if (failure === 'closed') request.socket.resetAndDestroy()
    return
  }
  const { status, body, contentType } = pro.answer(asked, failure)
  requests.push({ ...record, status })
  response.writeHead(status, { 'content-type': contentType }).end(body)
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The management API has no port.')
  return address.port
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
