import type { JsonObject } from '../json.ts'
import type { ModelEntry, VersionEntry } from '../models.ts'
import { modelResource } from '../resources.ts'
import type { Run } from '../run.ts'
import type { World } from '../world.ts'
import { base, entity, ownerOf, utc } from './common.ts'

/** A model; in its own answers (`isWhole`) it names its newest version. */
export function modelModel(world: World, model: ModelEntry, isWhole: boolean): JsonObject {
  const newest = world.models.versions.findLast((version) => version.model === model)
  const latest = { latest_version_name: newest?.name ?? null, latest_version_id: newest?.id ?? null }
  const common = base(world, model.createdAt, model.createdAt, model.project.id)
  const { version, permissions } = world
  const old = version === '0.74.0'
  const shown = entity({
    id: model.id,
    name: model.name,
    body: old ? { ...common, tags: [], ...latest } : common,
    resources: isWhole && !old ? { ...ownerOf(world), tags: [], ...latest } : null,
  })
  return permissions.shown(modelResource(model), shown)
}

/** A version; in its own answers (`isWhole`) with what belongs to it. Its permission is that on its model. */
export function versionModel(world: World, row: VersionEntry, isWhole: boolean): JsonObject {
  const old = world.version === '0.74.0'
  const nothing = { model_artifact_ids: {}, data_artifact_ids: {}, deployment_artifact_ids: {} }
  const services = { index: 1, max_size: 5, total_pages: 1, total: 0, items: [] }
  const body: JsonObject = {
    ...base(world, row.createdAt, row.updatedAt, row.model.project.id),
    stage: row.stage,
    number: row.number,
    model: modelModel(world, row.model, false),
    ...(old ? { ...nothing, pipeline_run_ids: {}, tags: [] } : {}),
  }
  const resources = old ? { services } : { ...ownerOf(world), services, tags: [] }
  const whole = entity({ id: row.id, name: row.name, body, resources: isWhole ? resources : null })
  return isWhole ? whole : world.permissions.shown(modelResource(row.model), whole)
}

/** That a run made or used a version. */
export function linkModel(row: VersionEntry, run: JsonObject, id: string): JsonObject {
  const at = utc(row.createdAt)
  return entity({ id, body: { created: at, updated: at, model_version: row.id, pipeline_run: run } })
}

/** Of the run's own model; null if it has none. */
export function ownVersion(world: World, run: Run): JsonObject | null {
  const version = world.models.of(run)
  return version === undefined ? null : versionModel(world, version, false)
}
