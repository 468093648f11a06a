import { createServer, type IncomingMessage, type Server } from 'node:http'
import { plainRefusal, refusal, Refusal, json, routeNotFound, type Answer } from './answers.ts'
import { realClock, type SimulatorClock } from './clock.ts'
import { Ids, isUuid } from './ids.ts'
import type { Json } from './json.ts'
import type { RecordedRequest } from './types.ts'

/** The states of a workspace (ZenML's client: `WorkspaceStatus`). */
export type WorkspaceStatus =
  'not_initialized' | 'pending' | 'available' | 'failed' | 'deactivated' | 'deleted'

export interface WorkspaceSpec {
  readonly name: string
  /** Name; default: Example. */
  readonly organization?: string
  /** Default: available. */
  readonly status?: WorkspaceStatus | 'hibernating'
  /** Not set: there is no server. */
  readonly serverUrl?: string
}

export interface ProOptions {
  /** Default: real time. */
  readonly clock?: SimulatorClock
  /** Seconds a token lives; default 3600. */
  readonly tokenLifetime?: number
  /** Of ids, keys and tokens; default random. */
  readonly seed?: number
  /** What it calls a workspace; default: workspace. Before ZenML 0.80: tenant. */
  readonly noun?: 'workspace' | 'tenant'
}

/** What a workspace's own server knows of the Pro that it belongs to. */
export interface ProMembership {
  /** The organization's key, which opens the workspaces too. */
  readonly apiKey: string
  /** Whether this is a token of the management API that is still good. */
  knows(token: string): boolean
}

/** ZenML Pro's management API, as its client's source and the documentation describe it; none was at hand. */
export interface ProSimulator extends ProMembership {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly requests: readonly RecordedRequest[]
  readonly issuedTokens: readonly string[]
  /** Gives the id. */
  add(workspace: WorkspaceSpec): string
  /** Every token so far answers 401. */
  expireTokens(): void
  close(): Promise<void>
}

/** Starts a management API in this process, on 127.0.0.1; resolves when it listens. */
export async function startPro(options: ProOptions = {}): Promise<ProSimulator> {
  const pro = new Management(options)
  const requests: RecordedRequest[] = []
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const { method = 'GET', url: path = '/', headers } = request
      const { status, body: text, contentType } = pro.answer({ method, path, headers, body })
      requests.push({ method, path, headers, body, at: pro.clock.now(), status })
      response.writeHead(status, { 'content-type': contentType }).end(text)
    })
  })
  return {
    url: `http://127.0.0.1:${String(await listen(server))}`,
    apiKey: pro.apiKey,
    clientId: pro.clientId,
    clientSecret: pro.clientSecret,
    requests,
    issuedTokens: pro.issuedTokens,
    add: (workspace) => pro.add(workspace),
    knows: (token) => pro.knows(token),
    expireTokens: () => {
      pro.expireTokens()
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Asked = Omit<RecordedRequest, 'at' | 'status'>

interface Organization {
  readonly id: string
  readonly name: string
}

class Management {
  readonly clock: SimulatorClock
  readonly apiKey: string
  readonly clientId: string
  readonly clientSecret: string
  readonly issuedTokens: string[] = []
  readonly #lifetime: number
  readonly #noun: string
  readonly #ids: Ids
  readonly #organizations: Organization[] = []
  readonly #workspaces: {
    readonly id: string
    readonly organization: Organization
    readonly spec: WorkspaceSpec
  }[] = []
  readonly #tokens = new Map<string, number>()

  constructor({ clock = realClock(), tokenLifetime = 3600, seed, noun = 'workspace' }: ProOptions) {
    this.clock = clock
    this.#noun = noun
    this.#lifetime = tokenLifetime
    this.#ids = new Ids(seed ?? Math.floor(Math.random() * 0x7fff_ffff))
    this.apiKey = this.#ids.apiKey().replace('ZENKEY_', 'ZENPROKEY_')
    this.clientId = this.#ids.uuid()
    this.clientSecret = this.#ids.hex(64)
  }

  add(spec: WorkspaceSpec): string {
    const name = spec.organization ?? 'Example'
    let organization = this.#organizations.find((each) => each.name === name)
    if (organization === undefined) {
      organization = { id: this.#ids.uuid(), name }
      this.#organizations.push(organization)
    }
    const id = this.#ids.uuid()
    this.#workspaces.push({ id, organization, spec })
    return id
  }

  knows(token: string): boolean {
    return (this.#tokens.get(token) ?? 0) > this.clock.now()
  }

  expireTokens(): void {
    this.#tokens.clear()
  }

  answer({ method, path, headers, body }: Asked): Answer {
    const url = new URL(path, 'http://pro')
    const authorization = [headers['authorization']].flat()[0] ?? ''
    try {
      if (method === 'POST' && url.pathname === '/auth/login') return this.#login(new URLSearchParams(body))
      const [, route, id, ...rest] = url.pathname.split('/')
      if (method !== 'GET' || route !== `${this.#noun}s` || rest.length > 0) return routeNotFound
      if (!this.knows(authorization.replace(/^Bearer /, ''))) throw plainRefusal(401, 'Not authenticated')
      return id === undefined ? this.#list(url.searchParams) : this.#one(id)
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      throw error
    }
  }

  #login(form: URLSearchParams): Answer {
    const isClient =
      form.get('grant_type') === 'client_credentials' &&
      form.get('client_id') === this.clientId &&
      form.get('client_secret') === this.clientSecret
    if (form.get('password') !== this.apiKey && !isClient) {
      throw refusal(401, 'CredentialsNotValid', 'Authentication error: invalid credentials')
    }
    const token = this.#ids.token()
    this.issuedTokens.push(token)
    this.#tokens.set(token, this.clock.now() + this.#lifetime * 1000)
    return json({ access_token: token, token_type: 'bearer', expires_in: this.#lifetime })
  }

  #list(query: URLSearchParams): Answer {
    const name = query.get(`${this.#noun}_name`)
    const offset = Number(query.get('offset') ?? 0)
    const limit = Number(query.get('limit') ?? 20)
    const found = this.#workspaces.filter(({ spec }) => name === null || spec.name === name)
    return json(found.slice(offset, offset + limit).map(({ id }) => this.#shape(id)))
  }

  #one(id: string): Answer {
    if (!isUuid(id)) throw refusal(422, 'ValueError', 'id: Input should be a valid UUID')
    if (!this.#workspaces.some((each) => each.id === id)) {
      throw refusal(404, 'KeyError', `'Workspace ${id} not found'`)
    }
    return json(this.#shape(id))
  }

  #shape(wanted: string): Json {
    const workspace = this.#workspaces.find(({ id }) => id === wanted)
    if (workspace === undefined) return null
    const { id, organization, spec } = workspace
    const status = spec.serverUrl === undefined ? null : { server_url: spec.serverUrl, version: '0.98.0' }
    return {
      id,
      name: spec.name,
      organization: { id: organization.id, name: organization.name },
      desired_state: 'available',
      state_reason: '',
      status: spec.status ?? 'available',
      zenml_service: { configuration: { version: '0.98.0' }, status },
    }
  }
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
