import { Refusal, json, plainRefusal, refusal, routeNotFound, type Answer } from './answers.ts'
import { realClock, type SimulatorClock } from './clock.ts'
import { Ids, isUuid } from './ids.ts'
import type { Json } from './json.ts'
import type { PermissionRules } from './permissions.ts'
import type { ProFailure, ProOptions, ProPlace, ProWorkspace } from './pro.ts'
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

export type Asked = Omit<RecordedRequest, 'at' | 'status'>

interface Organization {
  readonly id: string
  readonly name: string
}

/** Its accounts, tokens and workspaces, and what it answers. */
export class Management {
  readonly clock: SimulatorClock
  readonly apiKey: string
  readonly clientId: string
  readonly clientSecret: string
  readonly issuedTokens: string[] = []
  readonly #lifetime: number
  readonly #ids: Ids
  readonly #organizations: Organization[] = []
  readonly #workspaces: {
    readonly id: string
    readonly organization: Organization
    readonly spec: WorkspaceSpec
  }[] = []
  readonly #tokens = new Map<string, number>()
  readonly #routes: string
  #failures: { readonly place: ProPlace; readonly how: ProFailure; left: number }[] = []
  rules: PermissionRules = {}

  constructor({ clock = realClock(), tokenLifetime = 3600, seed, routes = 'workspaces' }: ProOptions) {
    this.clock = clock
    this.#routes = `/${routes}`
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

  fail(place: ProPlace, how: ProFailure, times: number): void {
    this.#failures.push({ place, how, left: times })
  }

  /** How this question fails; uses up one time of it. */
  failure(place: ProPlace): ProFailure | undefined {
    const next = this.#failures.find((each) => each.place === place && each.left > 0)
    if (next === undefined) return undefined
    next.left -= 1
    this.#failures = this.#failures.filter(({ left }) => left > 0)
    return next.how
  }

  /** The same for a client's request. */
  failureOf({ path }: Asked): ProFailure | undefined {
    const { pathname } = new URL(path, 'http://pro')
    if (pathname === '/auth/login') return this.failure('login')
    return pathname.startsWith(this.#routes) ? this.failure('workspaces') : undefined
  }

  workspaceAt(serverUrl: string): ProWorkspace | undefined {
    const plain = (url: string) => url.replace(/\/+$/, '')
    const found = this.#workspaces.find(({ spec }) => plain(spec.serverUrl ?? '') === plain(serverUrl))
    return found && { id: found.id, name: found.spec.name, organization: found.organization }
  }

  /** Its own key is a token as well. */
  knows(token: string): boolean {
    if (token === this.apiKey) return true
    return (this.#tokens.get(token) ?? 0) > this.clock.now()
  }

  expireTokens(): void {
    this.#tokens.clear()
  }

  answer({ method, path, headers, body }: Asked, failure: ProFailure | undefined): Answer {
    if (failure !== undefined) return json({ detail: 'broken for a test' }, failureStatus(failure))
    const url = new URL(path, 'http://pro')
    const authorization = [headers['authorization']].flat()[0] ?? ''
    try {
      if (method === 'POST' && url.pathname === '/auth/login') return this.#login(new URLSearchParams(body))
      const [, id] = url.pathname.startsWith(`${this.#routes}/`) ? url.pathname.slice(1).split('/') : []
      if (method !== 'GET' || (id === undefined && url.pathname !== this.#routes)) return routeNotFound
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
    const name = query.get(this.#routes === '/tenants' ? 'tenant_name' : 'workspace_name')
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

/** Of an answer that a client does not understand: 200. */
function failureStatus(failure: ProFailure): number {
  return typeof failure === 'number' ? failure : 200
}
