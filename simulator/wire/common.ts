import { hasSnapshots } from '../definition.ts'
import { derivedUuid } from '../ids.ts'
import type { Json, JsonObject } from '../json.ts'
import { buildResource, pipelineResource, snapshotResource, stackResource } from '../resources.ts'
import type { Run } from '../run.ts'
import type { PipelineEntry, World } from '../world.ts'

/** UTC without a zone, microseconds; like Python's isoformat it leaves out a fraction of zero. */
export function utc(ms: number): string {
  const micro = Math.round((ms - Math.floor(ms / 1000) * 1000) * 1000)
  const seconds = new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)
  return micro === 0 ? seconds : `${seconds}.${String(Math.min(micro, 999_999)).padStart(6, '0')}`
}

export interface EntityParts {
  readonly id: string
  readonly name?: string | null
  readonly body: JsonObject
  readonly metadata?: Json
  readonly resources?: Json
}

/** The envelope that every object comes in. */
export function entity(parts: EntityParts): JsonObject {
  const { id, name, body, metadata = null, resources = null } = parts
  const named = name === undefined ? {} : { name }
  return { body, metadata, resources, id, permission_denied: false, ...named }
}

/** created, updated and the owner, each as its version writes it. */
export function base(world: World, created: number, updated: number, projectId?: string): JsonObject {
  const stored = (ms: number) => utc(world.options.wholeSeconds ? Math.round(ms / 1000) * 1000 : ms)
  const times = { created: stored(created), updated: stored(updated) }
  if (world.version === '0.74.0') return { ...times, user: user(world, false) }
  const project = projectId === undefined ? {} : { project_id: projectId }
  return { ...times, user_id: world.userId, ...project }
}

export function user(world: World, hydrate: boolean): JsonObject {
  const { version, options } = world
  const own = world.projects.find(({ name }) => name === options.defaultProject)
  const personal = version === '0.74.0' ? {} : { default_project_id: own?.id ?? null, avatar_url: null }
  const external_user_id = options.pro === undefined ? null : derivedUuid('account', world.userId)
  const known = { email: null, external_user_id, user_metadata: {} }
  const body: JsonObject = {
    created: utc(world.startedAt - 90_000),
    updated: utc(world.startedAt - 90_000),
    active: true,
    activation_token: null,
    full_name: '',
    email_opted_in: false,
    is_service_account: own === undefined,
    is_admin: false,
    ...personal,
  }
  const metadata = version === '0.98.0' ? { password_changed_at: null, ...known, oidc_claims: {} } : known
  return entity({ id: world.userId, name: 'ci', body, metadata: hydrate ? metadata : null })
}

/** Where an object may only be seen with its owner in the resources (from 0.85 on). */
export function ownerOf(world: World): JsonObject {
  return world.version === '0.74.0' ? {} : { user: user(world, false) }
}

export function stack(world: World): JsonObject {
  const body = base(world, world.startedAt - 80_000, world.startedAt - 80_000)
  return world.permissions.shown(stackResource(world), entity({ id: world.stackId, name: 'e2e', body }))
}

export function build(world: World, entry: PipelineEntry): JsonObject {
  const body = base(world, world.startedAt - 70_000, world.startedAt - 70_000, entry.project.id)
  return world.permissions.shown(buildResource(world, entry), entity({ id: world.buildId, body }))
}

/** The commit that a template or snapshot was made from. A repository is a resource of its own, which nobody hides here. */
export function codeReference(world: World, entry: PipelineEntry): JsonObject | null {
  const { commit } = entry.spec
  if (commit === undefined) return null
  const own = base(world, world.startedAt - 75_000, world.startedAt - 75_000, entry.project.id)
  const source = {
    module: 'zenml.integrations.github.code_repositories.github_code_repository',
    attribute: 'GitHubCodeRepository',
    type: 'internal',
  }
  const repository = entity({
    id: derivedUuid('code repository', entry.project.id),
    name: 'pipelines',
    body: { ...own, source, logo_url: null },
  })
  const at = utc(entry.createdAt)
  const body = { created: at, updated: at, commit, subdirectory: '.', code_repository: repository }
  return entity({ id: derivedUuid('code reference', entry.snapshotId), body })
}

export function workspace(world: World): JsonObject {
  const project = world.projects[0]
  const at = utc(world.startedAt - 100_000)
  return entity({ id: project?.id ?? '', name: project?.name ?? '', body: { created: at, updated: at } })
}

/** A pipeline inside another object's answer. */
export function pipelineReference(world: World, entry: PipelineEntry): JsonObject {
  const latest =
    world.version === '0.74.0' ? latestRun(world, (run) => world.entryOf(run).id === entry.id) : {}
  const body = { ...base(world, entry.createdAt, entry.createdAt, entry.project.id), ...latest }
  const pipeline = entity({ id: entry.id, name: entry.spec.name, body })
  return world.permissions.shown(pipelineResource(world, entry), pipeline)
}

/** The newest of some runs and its state. */
export function latestRun(world: World, which: (run: Run) => boolean): JsonObject {
  const run = world.visibleRuns().findLast(which)
  const status = run === undefined ? null : run.state(world.now()).status
  return { latest_run_id: run?.facts.id ?? null, latest_run_status: status }
}

/** A snapshot inside another object's answer; every trigger makes an unnamed one. */
export function snapshotReference(
  world: World,
  entry: PipelineEntry,
  own?: { id: string; at: number; owned: boolean },
): JsonObject {
  const created = own?.at ?? entry.createdAt
  const snapshot = entity({
    id: own?.id ?? entry.snapshotId,
    name: own ? null : entry.templateName,
    body: snapshotBody(world, entry, created),
  })
  return world.permissions.shown(snapshotResource(world, entry, own), snapshot)
}

export function snapshotBody(world: World, entry: PipelineEntry, created: number): JsonObject {
  return {
    ...base(world, created, created, entry.project.id),
    runnable: entry.spec.runnable ?? true,
    deployable: false,
    is_dynamic: entry.spec.dynamic !== undefined,
    pipeline_id: entry.id,
  }
}

/** The environment that a run's process reports of itself. */
export function environment(world: World): JsonObject {
  const facts = {
    environment: 'native',
    os: 'linux',
    linux_distro: 'debian',
    linux_distro_like: '',
    linux_distro_version: '12',
    python_version: '3.11.7',
  }
  return hasSnapshots(world.version) ? { ...facts, zenml_version: world.version } : facts
}
