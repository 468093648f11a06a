import { Refusal, json, notFound, refusal, type Answer } from '../answers.ts'
import { mappingOf } from '../body.ts'
import { derivedUuid, isUuid } from '../ids.ts'
import type { ModelEntry, VersionEntry } from '../models.ts'
import { documented, invalidRequest, list } from '../query.ts'
import { modelResource, versionResource } from '../resources.ts'
import { linkModel, modelModel, versionModel } from '../wire/model.ts'
import { runModel } from '../wire/run.ts'
import type { World } from '../world.ts'
import { sortableTime } from './catalog.ts'
import { ONLY_074, SINCE_085, type Call, type Route } from './route.ts'
import { inScope } from './scope.ts'

const modelsEndpoint = { function: 'list_models', line: 191 }
const modelEndpoint = { function: 'get_model', line: 129 }
const versionsEndpoint = { function: 'list_model_versions', line: 191 }
const updateEndpoint = { function: 'update_model_version', line: 203 }
const linksEndpoint = { function: 'list_model_version_pipeline_run_links', line: 191 }

/** Models, their versions and stages. */
export const modelRoutes: readonly Route[] = [
  { name: 'models', method: 'GET', path: '/models', endpoint: modelsEndpoint, handle: listModels },
  {
    name: 'model',
    method: 'GET',
    path: '/models/{name}',
    versions: ONLY_074,
    endpoint: modelEndpoint,
    handle: getModel,
  },
  {
    name: 'model',
    method: 'GET',
    path: '/models/{model_id}',
    versions: SINCE_085,
    endpoint: modelEndpoint,
    handle: getModel,
  },
  {
    name: 'model-versions',
    method: 'GET',
    path: '/models/{name}/model_versions',
    endpoint: versionsEndpoint,
    handle: (call) => listVersions(call, call.ids[0]),
  },
  {
    name: 'model-versions',
    method: 'GET',
    path: '/model_versions',
    endpoint: versionsEndpoint,
    handle: (call) =>
      listVersions(call, call.world.version === '0.74.0' ? undefined : call.query.get('model')),
  },
  {
    name: 'model-version',
    method: 'GET',
    path: '/model_versions/{model_version_id}',
    endpoint: { function: 'get_model_version', line: 191 },
    handle: ({ world, ids }) => {
      const version = versionById(world, ids[0])
      world.permissions.verify('read', modelResource(version.model))
      return json(versionModel(world, version, true))
    },
  },
  {
    name: 'stage',
    method: 'PUT',
    path: '/model_versions/{model_version_id}',
    endpoint: updateEndpoint,
    handle: updateVersion,
  },
  {
    name: 'model-links',
    method: 'GET',
    path: '/model_version_pipeline_runs',
    endpoint: linksEndpoint,
    handle: listLinks,
  },
]

function listModels({ world, query }: Call): Answer {
  return json(
    list(world.version, query, {
      rows: inScope(world, query, world.models.entries, ({ project }) => project, modelResource),
      filters: { id: ({ id }) => id, name: ({ name }) => name },
      sorting: { name: ({ name }) => name, created: ({ createdAt }) => sortableTime(createdAt) },
      model: (model) => modelModel(world, model, true),
      filterName: 'ModelFilter',
      endpoint: { ...modelsEndpoint, path: '/api/v1/models' },
    }),
  )
}

function getModel({ world, ids }: Call): Answer {
  const model = modelByName(world, ids[0] ?? '')
  if (model === undefined) throw noModel(world, ids[0] ?? '')
  world.permissions.verify('read', modelResource(model))
  return json(modelModel(world, model, true))
}

function modelByName(world: World, reference: string): ModelEntry | undefined {
  return world.models.entries.find(({ id, name }) => id === reference || name === reference)
}

function noModel({ version }: World, reference: string): Refusal {
  if (version !== '0.74.0') {
    return notFound(`Unable to get model with ID '${reference}': No model with this ID found`)
  }
  const why = isUuid(reference)
    ? 'No model with this ID found.'
    : `'${reference}' is not a valid  UUID and no model with this name exists.`
  return notFound(`Unable to get model with name or ID '${reference}': ${why}`)
}

/** @param reference name or id of the model; null or undefined: of all */
function listVersions({ world, query }: Call, reference: string | null | undefined): Answer {
  const model = reference == null ? undefined : modelByName(world, reference)
  if (reference != null && model === undefined && world.version === '0.74.0') throw noModel(world, reference)
  const now = world.now()
  const rows = world.models.versions.filter(
    (version) => version.createdAt <= now && (reference == null || version.model === model),
  )
  return json(
    list(world.version, query, {
      rows: inScope(
        world,
        query,
        rows,
        (version) => version.model.project,
        (version) => modelResource(version.model),
      ),
      filters: {
        id: ({ id }) => id,
        name: ({ name }) => name,
        number: ({ number }) => String(number),
        stage: ({ stage }) => stage ?? [],
      },
      sorting: {
        number: ({ number }) => String(number).padStart(10, '0'),
        created: ({ createdAt }) => sortableTime(createdAt),
        name: ({ name }) => name,
      },
      model: (version) => versionModel(world, version, true),
      filterName: 'ModelVersionFilter',
      endpoint: { ...versionsEndpoint, path: '/api/v1/model_versions' },
    }),
  )
}

function versionById(world: World, id = ''): VersionEntry {
  const version = world.models.versions.find((each) => each.id === id)
  if (version !== undefined) return version
  throw notFound(
    world.version === '0.74.0'
      ? `Unable to get model_version with name or ID '${id}': No model_version with this ID found.`
      : `Unable to get model version with ID '${id}': No model version with this ID found`,
  )
}

const STAGES = ['none', 'staging', 'production', 'archived', 'latest']

/** Without `force`, a stage that another version has is refused, `archived` too. */
function updateVersion({ world, ids, body }: Call): Answer {
  const place = {
    version: world.version,
    method: 'PUT',
    endpoint: { ...updateEndpoint, path: '/api/v1/model_versions/{model_version_id}' },
  }
  const { stage, force, model } = mappingOf(body, place)
  if (world.version === '0.74.0' && typeof model !== 'string') {
    const missing = `{'type': 'missing', 'loc': ('body', 'model'), 'msg': 'Field required', 'input': {}`
    const text = `[${missing}${documented(world.version, 'missing')}}]`
    throw new Refusal(json(['ValueError', text], 422))
  }
  if (typeof stage !== 'string' || !STAGES.includes(stage)) {
    const shown = JSON.stringify(stage ?? null).replaceAll('"', '')
    const said = `Value error, \`${shown}\` is not a valid model stage.`
    const text = `{'type': 'value_error', 'loc': ('body', 'stage'), 'msg': '${said}', 'input': '${shown}'}`
    throw invalidRequest(world.version, text, place.endpoint, 'PUT')
  }
  world.options.beforeStage?.()
  const version = versionById(world, ids[0])
  world.permissions.verify('promote', modelResource(version.model))
  world.permissions.verify('update', versionResource(version))
  setStage(world, version, stage, force === true)
  return json(versionModel(world, version, true))
}

function setStage(world: World, version: VersionEntry, stage: string, force: boolean): void {
  const isIn = (each: VersionEntry): boolean => each.model === version.model && each.stage === stage
  const holder = world.models.versions.find(isIn)
  if (holder !== undefined && holder !== version) {
    const message = `Model version ${holder.name} is in ${stage}, but \`force\` flag is False.`
    if (!force) throw refusal(500, 'RuntimeError', message)
    holder.stage = 'archived'
    holder.updatedAt = world.now()
  }
  version.stage = stage
  version.updatedAt = world.now()
}

/** In no project, and without a permission of its own. */
function listLinks({ world, query }: Call): Answer {
  const rows = world
    .visibleRuns()
    .flatMap((run) => world.models.linkedTo(run).map((version) => ({ run, version })))
  return json(
    list(world.version, query, {
      rows,
      filters: {
        pipeline_run_id: ({ run }) => run.facts.id,
        model_version_id: ({ version }) => version.id,
      },
      sorting: { created: ({ version }) => sortableTime(version.createdAt) },
      model: ({ run, version }) =>
        linkModel(version, runModel(world, run, false), derivedUuid('model link', run.facts.id, version.id)),
      filterName: 'ModelVersionPipelineRunFilter',
      endpoint: { ...linksEndpoint, path: '/api/v1/model_version_pipeline_runs' },
    }),
  )
}
