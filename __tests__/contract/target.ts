import { readFileSync } from 'node:fs'
import { ZENML_VERSIONS, type ZenmlVersion } from '../../simulator/index.ts'
import { Api } from './api.ts'
import { simulated } from './simulated.ts'
import { Stand, type Plane } from './plane.ts'

/** A server that the suite runs against. */
export interface Target {
  readonly version: string
  readonly mode: 'open-source' | 'pro'
  readonly url: string
  readonly apiKey: string
  /** Name of the project that everything is in; there may be others. */
  readonly project: string
  /** What only a server in Pro's mode has. */
  readonly pro?: ProTarget
  /** By the name that the script which starts real servers gives it, for instance `training-template`. */
  readonly id: (name: string) => string
  /** Whether there is such a name; some pipelines are not on every server. */
  readonly has: (name: string) => boolean
  /** Lets half a second pass: really on a real server, at once on the simulator. */
  readonly pause: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface ProTarget {
  /** The management API. */
  readonly apiUrl: string
  readonly workspace: string
  readonly clientId: string
  readonly clientSecret: string
  readonly plane: Plane
  /** The key of another account, which may do all; or a way to make a run another account's. */
  readonly observerKey?: string
  readonly disown?: (run: string) => void
}

export interface TargetSource {
  readonly name: string
  readonly version: string
  readonly mode: Target['mode']
  readonly open: () => Promise<Target>
}

const PAUSE_MS = 500

/**
 * The simulators; or the real servers that the file named by CONTRACT_TARGETS lists, a JSON array of what the script
 * prints that starts them: `{"version", "server-url", "api-key", "training-template", …}`, with `project` where it is
 * not "default", and in Pro's mode with `"mode": "pro"`, `pro-api-url`, `workspace`, `client-id`, `client-secret`,
 * `observer-key`.
 */
export function targetSources(): readonly TargetSource[] {
  const file = process.env['CONTRACT_TARGETS']
  if (file !== undefined) return realServers(file)
  const simulator = (version: ZenmlVersion, mode: Target['mode'], project: string): TargetSource => {
    const kind = mode === 'pro' ? ' Pro' : project === 'default' ? '' : ` in "${project}"`
    const open = () => simulated({ version, mode, project }, PAUSE_MS)
    return { name: `simulator ${version}${kind}`, version, mode, open }
  }
  return [
    ...ZENML_VERSIONS.map((version) => simulator(version, 'open-source', 'default')),
    simulator('0.85.0', 'pro', 'ml'),
    simulator('0.98.0', 'pro', 'ml'),
    simulator('0.98.0', 'open-source', 'ml'),
  ]
}

function realServers(file: string): readonly TargetSource[] {
  const servers: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!Array.isArray(servers)) throw new Error(`${file} is not a JSON array of servers.`)
  return servers.map((server: unknown) => {
    const target = realServer(file, server)
    const { version, mode, project } = target
    return {
      name: `server ${version} ${mode} "${project}"`,
      version,
      mode,
      open: () => Promise.resolve(target),
    }
  })
}

function realServer(file: string, server: unknown): Target {
  const find = (key: string): unknown =>
    typeof server === 'object' && server !== null ? Reflect.get(server, key) : undefined
  const text = (key: string): string => {
    const value = find(key)
    if (typeof value !== 'string') throw new Error(`A server in ${file} has no "${key}".`)
    return value
  }
  const has = (key: string) => typeof find(key) === 'string'
  const pro = find('mode') === 'pro' && {
    apiUrl: text('pro-api-url'),
    workspace: text('workspace'),
    clientId: text('client-id'),
    clientSecret: text('client-secret'),
    observerKey: text('observer-key'),
    plane: new Stand(text('pro-api-url')),
  }
  return {
    version: text('version'),
    mode: pro ? 'pro' : 'open-source',
    url: text('server-url'),
    apiKey: text('api-key'),
    project: has('project') ? text('project') : 'default',
    ...(pro ? { pro } : {}),
    id: text,
    has,
    pause: () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
    close: () => Promise.resolve(),
  }
}

/** Version differences that many cases share. */
export interface Traits {
  /** Run templates are wrappers of snapshots. */
  readonly snapshots: boolean
  /** Idempotency keys, projects, /dag, /stop, partial configurations. */
  readonly modern: boolean
}

/** All that a suite needs: the server, a logged-in client, and runs that several cases look at. */
export class Fixture {
  readonly target: Target
  readonly api: Api
  readonly #shared = new Map<string, Promise<string>>()

  private constructor(target: Target, api: Api) {
    this.target = target
    this.api = api
  }

  static async open(source: TargetSource): Promise<Fixture> {
    const target = await source.open()
    return new Fixture(target, await Api.login(target))
  }

  /** The same server as another account sees it. */
  async as(apiKey: string): Promise<Fixture> {
    const target = { ...this.target, apiKey }
    return new Fixture(target, await Api.login(target))
  }

  get traits(): Traits {
    const [, minor = 0] = this.target.version.split('.').map(Number)
    return { snapshots: minor >= 90, modern: minor >= 82 }
  }

  /** The run of this name, started by the first case that asks for it. */
  shared(name: string, start: () => Promise<string>): Promise<string> {
    const known = this.#shared.get(name) ?? start()
    this.#shared.set(name, known)
    return known
  }
}
