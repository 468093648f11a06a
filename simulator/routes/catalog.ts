import { json, notFound, type Answer } from '../answers.ts'
import type { Resource } from '../permissions.ts'
import { flag, list, type Fields } from '../query.ts'
import { pipelineResource, snapshotResource, templateResource } from '../resources.ts'
import { pipelineModel, snapshotModel, templateModel, type SnapshotRow } from '../wire/catalog.ts'
import { entity, utc } from '../wire/common.ts'
import type { PipelineEntry, Project, World } from '../world.ts'
import { ONLY_074, SINCE_085, SINCE_090, type Call, type Route } from './route.ts'
import { inScope, projectByName, tagFilters } from './scope.ts'

const templatesEndpoint = { function: 'list_run_templates', line: 191 }
const snapshotsEndpoint = { function: 'list_pipeline_snapshots', line: 191 }

/** What can be run: projects, pipelines, templates, snapshots. */
export const catalogRoutes: readonly Route[] = [
  {
    name: 'templates',
    method: 'GET',
    path: '/run_templates',
    endpoint: templatesEndpoint,
    handle: listTemplates,
  },
  {
    name: 'template',
    method: 'GET',
    path: '/run_templates/{template_id}',
    endpoint: { function: 'get_run_template', line: 191 },
    handle: ({ world, ids, query }) =>
      json(templateModel(world, templateById(world, ids[0] ?? ''), flag(query, 'hydrate', true))),
  },
  {
    name: 'snapshots',
    method: 'GET',
    path: '/pipeline_snapshots',
    versions: SINCE_090,
    endpoint: snapshotsEndpoint,
    handle: listSnapshots,
  },
  {
    name: 'snapshot',
    method: 'GET',
    path: '/pipeline_snapshots/{snapshot_id}',
    versions: SINCE_090,
    endpoint: { function: 'get_pipeline_snapshot', line: 191 },
    handle: getSnapshot,
  },
  {
    name: 'pipelines',
    method: 'GET',
    path: '/pipelines',
    endpoint: { function: 'list_pipelines', line: 191 },
    handle: listPipelines,
  },
  ...projectRoutes('/projects', SINCE_085),
  // Renamed in 0.82; the old address stayed.
  ...projectRoutes('/workspaces', [...ONLY_074, ...SINCE_085]),
]

/** The template of this id, or ZenML's 404, or 403. */
export function templateById(world: World, id: string): PipelineEntry {
  const entry = world.pipelines.find((each) => each.templateId === id)
  if (entry !== undefined) {
    world.permissions.verify('read', templateResource(world, entry))
    return entry
  }
  const [named, end] = world.version === '0.74.0' ? [id, '.'] : [`'${id}'`, '']
  throw notFound(`Unable to get run template with ID ${named}: No run template with this ID found${end}`)
}

/** The snapshot of this id, a trigger's own copy included, or ZenML's 404, or 403. */
export function snapshotById(world: World, id: string): SnapshotRow {
  const row = snapshotRows(world).find((each) => (each.own?.id ?? each.entry.snapshotId) === id)
  if (row !== undefined) {
    world.permissions.verify('read', snapshotResource(world, row.entry, row.own))
    return row
  }
  throw notFound(`Unable to get pipeline snapshot with ID '${id}': No pipeline snapshot with this ID found`)
}

const templateFilters: Fields<PipelineEntry> = {
  id: (entry) => entry.templateId,
  name: (entry) => entry.templateName,
  pipeline: (entry) => [entry.spec.name, entry.id],
  pipeline_id: (entry) => entry.id,
  user: () => 'ci',
  stack: () => 'e2e',
}

function entriesInScope(
  world: World,
  query: URLSearchParams,
  resource: (world: World, entry: PipelineEntry) => Resource,
): readonly PipelineEntry[] {
  return inScope(
    world,
    query,
    world.pipelines,
    ({ project }) => project,
    (entry) => resource(world, entry),
  )
}

function listTemplates({ world, query }: Call): Answer {
  return json(
    list(world.version, query, {
      rows: entriesInScope(world, query, templateResource),
      filters: { ...templateFilters, ...tagFilters(world, () => []) },
      sorting: {
        created: (entry) => sortableTime(entry.createdAt),
        name: (entry) => entry.templateName,
        id: (entry) => entry.templateId,
      },
      model: (entry, hydrate) => templateModel(world, entry, hydrate),
      filterName: 'RunTemplateFilter',
      endpoint: { ...templatesEndpoint, path: '/api/v1/run_templates' },
    }),
  )
}

/** So that times sort as text. */
export function sortableTime(ms: number): string {
  return ms.toFixed(3).padStart(20, '0')
}

function snapshotRows(world: World): readonly SnapshotRow[] {
  const copies = world.visibleRuns().map((run): SnapshotRow => {
    const { ownSnapshotId, templateId } = run.facts
    const own = { id: ownSnapshotId, at: run.createdAt, templateId, owned: run.owned }
    return { entry: world.entryOf(run), own }
  })
  return [...world.pipelines.map((entry) => ({ entry })), ...copies]
}

function listSnapshots({ world, query }: Call): Answer {
  const all = inScope(
    world,
    query,
    snapshotRows(world),
    ({ entry }) => entry.project,
    ({ entry, own }) => snapshotResource(world, entry, own),
  )
  const rows = all.filter((row) => !flag(query, 'named_only', false) || row.own === undefined)
  return json(
    list(world.version, query, {
      rows,
      filters: {
        id: (row) => row.own?.id ?? row.entry.snapshotId,
        name: (row) => (row.own ? [] : row.entry.templateName),
        pipeline: (row) => [row.entry.spec.name, row.entry.id],
        pipeline_id: (row) => row.entry.id,
        runnable: (row) => String(row.entry.spec.runnable ?? true),
        source_snapshot_id: (row) => (row.own ? row.entry.snapshotId : []),
        user: () => 'ci',
        stack: () => 'e2e',
        ...tagFilters(world, () => []),
      },
      sorting: {
        created: (row) => sortableTime(row.own?.at ?? row.entry.createdAt),
        name: (row) => (row.own ? '' : row.entry.templateName),
      },
      model: (row, hydrate) => snapshotModel(world, row, hydrate, false),
      filterName: 'PipelineSnapshotFilter',
      endpoint: { ...snapshotsEndpoint, path: '/api/v1/pipeline_snapshots' },
    }),
  )
}

function getSnapshot({ world, ids, query }: Call): Answer {
  const row = snapshotById(world, ids[0] ?? '')
  return json(
    snapshotModel(world, row, flag(query, 'hydrate', true), flag(query, 'include_config_schema', false)),
  )
}

function listPipelines({ world, query }: Call): Answer {
  const entries = entriesInScope(world, query, pipelineResource)
  const rows = entries.filter((entry, i, all) => all.findIndex(({ id }) => id === entry.id) === i)
  return json(
    list(world.version, query, {
      rows,
      filters: {
        id: (entry) => entry.id,
        name: (entry) => entry.spec.name,
        ...tagFilters(world, () => []),
      },
      sorting: { created: (entry) => sortableTime(entry.createdAt), name: (entry) => entry.spec.name },
      model: (entry) => pipelineModel(world, entry),
      filterName: 'PipelineFilter',
      endpoint: { function: 'list_pipelines', line: 191, path: '/api/v1/pipelines' },
    }),
  )
}

function projectRoutes(path: string, versions: Route['versions'] & object): readonly Route[] {
  const endpoint = { function: 'list_projects', line: 191 }
  return [
    {
      name: 'projects',
      method: 'GET',
      path,
      versions,
      endpoint,
      handle: ({ world, query }) =>
        json(
          list(world.version, query, {
            rows: world.projects.filter(({ id }) => world.permissions.may('read', { type: 'project', id })),
            filters: { id: ({ id }) => id, name: ({ name }) => name },
            sorting: { name: ({ name }) => name },
            model: (project, hydrate) => projectModel(world, project, hydrate),
            filterName: 'ProjectFilter',
            endpoint: { ...endpoint, path: `/api/v1${path}` },
          }),
        ),
    },
    {
      name: 'project',
      method: 'GET',
      path: `${path}/{name}`,
      versions,
      endpoint,
      handle: ({ world, ids }) => {
        const project = projectByName(world, ids[0] ?? '')
        world.permissions.verify('read', { type: 'project', id: project.id })
        return json(projectModel(world, project, true))
      },
    },
  ]
}

function projectModel(world: World, { id, name }: Project, hydrate: boolean) {
  const at = utc(world.startedAt - 100_000)
  const display = world.version === '0.74.0' ? {} : { display_name: name }
  const extra = world.version === '0.98.0' ? { project_metadata: {} } : {}
  const metadata = hydrate ? { description: '', ...extra } : null
  return entity({ id, name, body: { created: at, updated: at, ...display }, metadata })
}
