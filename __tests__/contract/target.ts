import { readFileSync } from 'node:fs'
import { VirtualClock, ZENML_VERSIONS, startSimulator } from '../../simulator/index.ts'
import { Api } from './api.ts'

/** A server that the suite runs against. */
export interface Target {
  readonly version: string
  readonly url: string
  readonly apiKey: string
  /** By the name that the script which starts real servers gives it, for instance `training-template`. */
  readonly id: (name: string) => string
  /** Lets half a second pass: really on a real server, at once on the simulator. */
  readonly pause: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface TargetSource {
  readonly name: string
  readonly open: () => Promise<Target>
}

const PAUSE_MS = 500

/**
 * Three simulators; or the real servers that the file named by CONTRACT_TARGETS lists, a JSON array of
 * `{"version", "server-url", "api-key", "training-template", …}`.
 */
export function targetSources(): readonly TargetSource[] {
  const file = process.env['CONTRACT_TARGETS']
  if (file !== undefined) return realServers(file)
  return ZENML_VERSIONS.map((version) => ({
    name: `simulator ${version}`,
    open: async () => {
      const clock = new VirtualClock({ start: Date.now() })
      const simulator = await startSimulator({ version, clock, maxConcurrentRuns: 2 })
      const { templates, snapshots } = simulator.seeded
      const id = (name: string) =>
        (name.endsWith('-snapshot') ? snapshots[name.replace('-snapshot', '-template')] : templates[name]) ??
        ''
      return {
        version,
        url: simulator.url,
        apiKey: simulator.apiKey,
        id,
        pause: () => clock.sleep(PAUSE_MS),
        close: () => simulator.close(),
      }
    },
  }))
}

function realServers(file: string): readonly TargetSource[] {
  const servers: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!Array.isArray(servers)) throw new Error(`${file} is not a JSON array of servers.`)
  return servers.map((server: unknown) => {
    const text = (key: string): string => {
      const value: unknown =
        typeof server === 'object' && server !== null ? Reflect.get(server, key) : undefined
      if (typeof value !== 'string') throw new Error(`A server in ${file} has no "${key}".`)
      return value
    }
    const target: Target = {
      version: text('version'),
      url: text('server-url'),
      apiKey: text('api-key'),
      id: text,
      pause: () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
      close: () => Promise.resolve(),
    }
    return { name: `server ${target.version}`, open: () => Promise.resolve(target) }
  })
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
