import { plainRefusal, refusal, type Refusal } from './answers.ts'
import { realClock, type SimulatorClock } from './clock.ts'
import { hasSnapshots } from './definition.ts'
import { Ids } from './ids.ts'
import { IdempotencyKeys } from './idempotency.ts'
import { LoginLimit } from './login-limit.ts'
import { Models } from './models.ts'
import { Permissions } from './permissions.ts'
import { seededPipelines } from './pipelines.ts'
import type { Run } from './run.ts'
import type { PipelineSpec, SeededIds, SimulatorOptions, ZenmlVersion } from './types.ts'

export interface PipelineEntry {
  readonly spec: PipelineSpec
  readonly project: Project
  readonly id: string
  readonly templateId: string
  readonly templateName: string
  /** From 0.90 on the template's snapshot, before its deployment. */
  readonly snapshotId: string
  readonly createdAt: number
}

export interface Project {
  readonly id: string
  readonly name: string
}

/** The project that an open-source server always has, and takes where none is named. */
export const DEFAULT_PROJECT = 'default'

/** The server's data: what is seeded, what was made since, and who may ask. */
export class World {
  readonly version: ZenmlVersion
  readonly options: SimulatorOptions
  readonly clock: SimulatorClock
  readonly ids: Ids
  readonly startedAt: number
  readonly serverId: string
  readonly userId: string
  readonly stackId: string
  readonly buildId: string
  readonly apiKey: string
  readonly projects: readonly Project[]
  readonly pipelines: readonly PipelineEntry[]
  readonly runs: Run[] = []
  readonly models = new Models()
  readonly keys: IdempotencyKeys
  readonly loginLimit: LoginLimit
  readonly permissions: Permissions
  readonly issuedTokens: string[] = []
  readonly #tokens = new Map<string, number>()

  constructor(options: SimulatorOptions) {
    this.options = options
    this.version = options.version ?? '0.98.0'
    this.clock = options.clock ?? realClock()
    this.ids = new Ids(options.seed ?? Math.floor(Math.random() * 0x7fff_ffff))
    this.startedAt = this.clock.now()
    this.serverId = this.ids.uuid()
    this.userId = this.ids.uuid()
    this.stackId = this.ids.uuid()
    this.buildId = this.ids.uuid()
    this.apiKey = this.ids.apiKey()
    this.keys = new IdempotencyKeys(this.clock, options.requestTimeout ?? 20)
    this.permissions = new Permissions(options.pro)
    this.loginLimit = new LoginLimit(options.loginRateLimit)
    const specs = (options.pipelines ?? seededPipelines(this.version)).filter(
      (spec) => spec.dynamic === undefined || hasSnapshots(this.version),
    )
    const always = options.pro === undefined ? [DEFAULT_PROJECT] : []
    const own = specs.map((spec) => this.#projectOf(spec))
    const names = new Set([...always, ...own, ...(options.projects ?? [])])
    this.projects = [...names].map((name) => ({ id: this.ids.uuid(), name }))
    this.pipelines = specs.map((spec, index) => this.#seed(spec, index))
  }

  /** Seeded one second apart, in the order given, so that "newest" means something. */
  #seed(spec: PipelineSpec, index: number): PipelineEntry {
    const project = this.projects.find(({ name }) => name === this.#projectOf(spec))
    if (project === undefined) throw new Error(`The project of ${spec.name} was not seeded.`)
    return {
      spec,
      project,
      id: this.#idOfPipeline(spec, project),
      templateId: this.ids.uuid(),
      templateName: spec.templateName ?? `${spec.name}-template`,
      snapshotId: this.ids.uuid(),
      createdAt: this.startedAt - 60_000 + index * 1000,
    }
  }

  #projectOf(spec: PipelineSpec): string {
    return spec.project ?? this.options.project ?? DEFAULT_PROJECT
  }

  readonly #pipelineIds = new Map<string, string>()

  /** Several templates can belong to one pipeline. */
  #idOfPipeline(spec: PipelineSpec, project: Project): string {
    const key = `${project.name}/${spec.name}`
    const id = this.#pipelineIds.get(key) ?? this.ids.uuid()
    this.#pipelineIds.set(key, id)
    return id
  }

  get seeded(): SeededIds {
    const by = (name: (entry: PipelineEntry) => string, id: (entry: PipelineEntry) => string) =>
      Object.fromEntries(
        [...this.pipelines].reverse().flatMap((entry) => [
          [name(entry), id(entry)],
          [`${entry.project.name}/${name(entry)}`, id(entry)],
        ]),
      )
    const project = this.pipelines[0]?.project ?? this.projects[0]
    return {
      project: project?.id ?? '',
      projects: Object.fromEntries(this.projects.map(({ name, id }) => [name, id])),
      templates: by(
        (e) => e.templateName,
        (e) => e.templateId,
      ),
      snapshots: hasSnapshots(this.version)
        ? by(
            (e) => e.templateName,
            (e) => e.snapshotId,
          )
        : {},
      pipelines: by(
        (e) => e.spec.name,
        (e) => e.id,
      ),
    }
  }

  /** The clock's time, with all work done that was due by then. */
  now(): number {
    const now = this.clock.now()
    this.keys.settle(now)
    return now
  }

  /** The runs that the server knows of now, oldest first. */
  visibleRuns(): readonly Run[] {
    const now = this.now()
    return this.runs.filter((run) => run.isThere(now) && !run.isGone(now))
  }

  entryOf(run: Run): PipelineEntry {
    const { templateId, sourceSnapshotId } = (run.parent ?? run).facts
    const entry = this.pipelines.find((e) => e.templateId === templateId || e.snapshotId === sourceSnapshotId)
    if (entry === undefined) throw new Error(`The run ${run.facts.name} came from nowhere.`)
    return entry
  }

  /** The account made what is seeded. */
  get ownsSeeded(): boolean {
    return this.options.seededBy !== 'another'
  }

  issueToken(): { readonly token: string; readonly expiresIn: number | null } {
    const { pro, tokenLifetime } = this.options
    const expiresIn = tokenLifetime === undefined ? (pro === undefined ? null : 3600) : tokenLifetime
    const token = this.ids.token()
    this.issuedTokens.push(token)
    this.#tokens.set(token, expiresIn === null ? Infinity : this.clock.now() + expiresIn * 1000)
    return { token, expiresIn }
  }

  #isKey(bearer: string): boolean {
    if (bearer === this.apiKey) return true
    const { pro } = this.options
    return bearer === pro?.apiKey && pro.authorize(bearer) === undefined
  }

  forgetTokens(): void {
    this.#tokens.clear()
  }

  /** Refuses unless the bearer is a token of this server that is still good; 0.98 takes the key itself as well. */
  authorize(header: string | undefined): void {
    const bearer = /^Bearer (.+)$/i.exec(header ?? '')?.[1]
    if (bearer === undefined) throw plainRefusal(401, 'Not authenticated')
    if (this.version === '0.98.0' && this.#isKey(bearer)) return
    const until = this.#tokens.get(bearer)
    if (until !== undefined && until > this.clock.now()) return
    throw invalidToken(bearer, until !== undefined)
  }
}

function invalidToken(bearer: string, expired: boolean): Refusal {
  const message = `Authentication error: error decoding access token: Invalid JWT token: ${jwtFault(bearer, expired)}.`
  return refusal(401, 'CredentialsNotValid', message)
}

function jwtFault(bearer: string, expired: boolean): string {
  if (expired) return 'Signature has expired'
  const [head, ...rest] = bearer.split('.')
  if (rest.length < 2) return 'Not enough segments'
  return head?.startsWith('eyJ') ? 'Signature verification failed' : 'Invalid header padding'
}
