import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  Refusal,
  html,
  json,
  methodNotAllowed,
  redirect,
  routeNotFound,
  text,
  tooBusy,
  type Answer,
} from './answers.ts'
import { deliver } from './delivery.ts'
import { FaultPlan, type FaultAction } from './faults.ts'
import { isUuid } from './ids.ts'
import { isObject } from './json.ts'
import { uuidFault } from './query.ts'
import { accessRoutes, dashboardUrl } from './routes/access.ts'
import { artifactRoutes } from './routes/artifacts.ts'
import { catalogRoutes } from './routes/catalog.ts'
import type { Call, Route } from './routes/route.ts'
import { modelRoutes } from './routes/models.ts'
import { runRoutes } from './routes/runs.ts'
import { stepRoutes } from './routes/steps.ts'
import { stopRoutes } from './routes/stop.ts'
import { triggerRoutes } from './routes/trigger.ts'
import { waitRoutes } from './routes/waits.ts'
import { noFreeSlot } from './trigger.ts'
import type { RecordedRequest } from './types.ts'
import { runModel } from './wire/run.ts'
import type { World } from './world.ts'

const routes: readonly Route[] = [
  ...accessRoutes,
  ...catalogRoutes,
  ...artifactRoutes,
  ...triggerRoutes,
  ...runRoutes,
  ...stepRoutes,
  ...stopRoutes,
  ...waitRoutes,
  ...modelRoutes,
]

const API = '/api/v1'

interface Match {
  readonly route: Route
  readonly ids: readonly string[]
}

type Recorded = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] }

/** The listening half: takes requests, records them, finds the route, and lets the faults have their way. */
export class Front {
  readonly requests: Recorded[] = []
  readonly faults = new FaultPlan()
  readonly #world: World
  readonly #prefix: string
  #server: Server | undefined
  #port: number

  constructor(world: World) {
    this.#world = world
    this.#prefix = (world.options.pathPrefix ?? '').replace(/\/$/, '')
    this.#port = world.options.port ?? 0
    for (const fault of world.options.faults ?? []) this.faults.add(fault)
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}${this.#prefix}`
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined)
      })
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    const address = server.address()
    if (isTcp(address)) this.#port = address.port
  }

  /** Stops listening and cuts what is open, as a killed process does. */
  async close(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
      server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://simulator')
    const method = request.method ?? 'GET'
    const path = this.#pathOf(url)
    const match = path === undefined ? undefined : this.#find(method, path)
    const fault = this.faults.next(match?.route.name)
    if (fault?.kind === 'refuse') {
      request.socket.resetAndDestroy()
      return
    }
    const body = await textOf(request)
    const record: Recorded = {
      method,
      path: request.url ?? '/',
      headers: request.headers,
      body,
      at: this.#world.clock.now(),
    }
    this.requests.push(record)
    const header = (name: string) => [request.headers[name]].flat()[0]
    const call: Call = {
      world: this.#world,
      ids: match?.ids ?? [],
      query: url.searchParams,
      body,
      fault,
      header,
    }
    const answer = () => this.#answer(method, path, match, call)
    await deliver({ answer, fault, request, response, clock: this.#world.clock, record })
  }

  /** Undefined outside the prefix: there a proxy answers, not ZenML. */
  #pathOf(url: URL): string | undefined {
    if (!url.pathname.startsWith(this.#prefix)) return undefined
    const rest = url.pathname.slice(this.#prefix.length)
    return rest === '' || rest.startsWith('/') ? rest : undefined
  }

  #find(method: string, path: string): Match | undefined {
    const { version, options } = this.#world
    for (const route of routes) {
      if (route.method !== method || route.versions?.includes(version) === false) continue
      if (route.workload && options.workloadManager === false) continue
      const ids = matchPath(`${API}${route.path}`, path)
      if (ids !== undefined) return { route, ids }
    }
    return undefined
  }

  async #answer(
    method: string,
    path: string | undefined,
    match: Match | undefined,
    call: Call,
  ): Promise<Answer> {
    try {
      if (match !== undefined) return await this.#answerRoute(match, call)
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      throw error
    }
    if (path === undefined) return html(404)
    if (method !== 'GET') return methodNotAllowed
    if (path === '/health') return this.#world.version === '0.74.0' ? json('OK') : text('ok', 200)
    if (path.startsWith(`${API}/`)) return routeNotFound
    // Pro's dashboard is elsewhere.
    const { pro } = this.#world.options
    return pro === undefined ? html() : redirect(dashboardUrl(this.#world, pro, this.url))
  }

  async #answerRoute({ route, ids }: Match, call: Call): Promise<Answer> {
    const { version } = this.#world
    const key = call.header('idempotency-key')
    if (version !== '0.74.0' && key !== undefined && !isUuid(key)) return text('Internal Server Error', 500)
    if (!route.open) this.#world.authorize(call.header('authorization'))
    checkIds(version, route, ids)
    if (route.name !== 'trigger') refuseAsAsked(this.#world, call.fault)
    const answer = await route.handle(call)
    return call.fault?.kind === 'about-another' ? aboutAnother(this.#world, answer, call.fault.what) : answer
  }
}

/** The answer as one about another run; a refusal stays what it is. */
function aboutAnother(world: World, answer: Answer, what: 'run' | 'name'): Answer {
  const [oldest] = world.runs
  const own: unknown = answer.status === 200 ? JSON.parse(answer.body) : undefined
  if (!isObject(own)) return answer
  if (what === 'name') return json({ ...own, name: 'a name of something else' })
  return oldest === undefined ? answer : json(runModel(world, oldest, true))
}

/** The trigger's own faults, put on another route. */
function refuseAsAsked(world: World, fault: FaultAction | undefined): void {
  if (fault?.kind === 'no-slot') throw noFreeSlot(world)
  if (fault?.kind === 'too-busy' || fault?.kind === 'too-busy-forever') throw new Refusal(tooBusy)
}

function checkIds(version: World['version'], route: Route, ids: readonly string[]): void {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '')
  for (const [index, name] of names.entries()) {
    const id = ids[index] ?? ''
    if (!name.endsWith('_id') || isUuid(id)) continue
    const endpoint = { ...route.endpoint, path: `${API}${route.path}` }
    throw uuidFault(version, `('path', '${name}')`, id, endpoint, route.method)
  }
}

/** The path's variable parts, or undefined if the pattern does not fit. */
function matchPath(pattern: string, path: string): readonly string[] | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const ids: string[] = []
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? ''
    if (part.startsWith('{')) ids.push(decodeURIComponent(actual))
    else if (part !== actual) return undefined
  }
  return ids
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function isTcp(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
