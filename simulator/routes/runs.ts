import { json, notFound, refusal, type Answer, type Refusal } from '../answers.ts'
import { enumFault, mappingOf, tooLong } from '../body.ts'
import { hasSnapshots } from '../definition.ts'
import { isUuid } from '../ids.ts'
import { isObject, type Json } from '../json.ts'
import { flag, invalidRequest, list, uuidFault } from '../query.ts'
import { runResource } from '../resources.ts'
import type { Run } from '../run.ts'
import { dagModel } from '../wire/dag.ts'
import { runnerLogs } from '../wire/logs.ts'
import { runModel } from '../wire/run.ts'
import type { World } from '../world.ts'
import { sortableTime } from './catalog.ts'
import { inScope, tagFilters } from './scope.ts'
import { ONLY_074, SINCE_085, type Call, type Route } from './route.ts'

const listEndpoint = { function: 'list_runs', line: 191 }
const logsEndpoint = { function: 'run_logs', line: 191, path: '/api/v1/runs/{run_id}/logs' }
const updateEndpoint = { function: 'update_run', line: 338 }

/** What there is to see of a run, and what may be written to it, except stopping it. */
export const runRoutes: readonly Route[] = [
  { name: 'runs', method: 'GET', path: '/runs', endpoint: listEndpoint, handle: listRuns },
  {
    name: 'run',
    method: 'GET',
    path: '/runs/{run_id}',
    endpoint: { function: 'get_run', line: 191 },
    handle: ({ world, ids, query }) =>
      json(
        runModel(world, readableRun(world, ids[0]), flag(query, 'hydrate', true), wantsSteps(world, query)),
      ),
  },
  {
    name: 'status',
    method: 'GET',
    path: '/runs/{run_id}/status',
    endpoint: { function: 'get_run_status', line: 191 },
    handle: ({ world, ids }) => json(readableRun(world, ids[0]).state(world.now()).status),
  },
  {
    name: 'dag',
    method: 'GET',
    path: '/runs/{run_id}/dag',
    versions: SINCE_085,
    endpoint: { function: 'get_run_dag', line: 191 },
    handle: ({ world, ids }) => json(dagModel(world, readableRun(world, ids[0]))),
  },
  {
    name: 'logs',
    method: 'GET',
    path: '/runs/{run_id}/logs',
    versions: SINCE_085,
    endpoint: logsEndpoint,
    handle: getRunLogs,
  },
  { name: 'update', method: 'PUT', path: '/runs/{run_id}', endpoint: updateEndpoint, handle: updateRun },
  {
    name: 'metadata',
    method: 'POST',
    path: '/run-metadata',
    versions: SINCE_085,
    endpoint: { function: 'create_run_metadata', line: 191 },
    handle: attachMetadata,
  },
  {
    name: 'metadata',
    method: 'POST',
    path: '/workspaces/{name}/run-metadata',
    versions: ONLY_074,
    endpoint: { function: 'create_run_metadata', line: 191 },
    handle: attachMetadata,
  },
]

/** The run of this id, or ZenML's 404. */
export function runById(world: World, id = ''): Run {
  const run = world.visibleRuns().find((each) => each.facts.id === id)
  if (run !== undefined) return run
  throw notFound(
    world.version === '0.74.0'
      ? `Unable to get run with name or ID '${id}': No run with this ID found.`
      : `Unable to get pipeline run with ID '${id}': No pipeline run with this ID found`,
  )
}

/** The same, if the account may read it. */
export function readableRun(world: World, id = ''): Run {
  const run = runById(world, id)
  world.permissions.verify('read', runResource(world, run))
  return run
}

function wantsSteps(world: World, query: URLSearchParams): boolean {
  return world.version !== '0.74.0' && flag(query, 'include_full_metadata', false)
}

/** 0.74 does not know the filter. A value is kept as JSON text and looked for by LIKE. */
function hasNoted(world: World, query: URLSearchParams, run: Run): boolean {
  const wanted = /^(\w+):contains:(.*)$/s.exec(query.get('run_metadata') ?? '')
  if (wanted === null || world.version === '0.74.0') return true
  const [, key = '', part = ''] = wanted
  return pythonJson(run.metadata.get(key) ?? null)
    .toLowerCase()
    .includes(part.toLowerCase())
}

/** As Python's json.dumps writes it. */
function pythonJson(value: Json): string {
  return JSON.stringify(value, null, 1)
    .replaceAll(/\n */g, ' ')
    .replaceAll(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function tagsOf(run: Run): readonly string[] {
  return Array.isArray(run.tags) ? run.tags.filter((tag): tag is string => typeof tag === 'string') : []
}

function listRuns({ world, query }: Call): Answer {
  const now = world.now()
  const state = (run: Run) => run.state(now)
  const later = hasSnapshots(world.version)
    ? {
        source_snapshot_id: (run: Run) => run.facts.sourceSnapshotId ?? [],
        snapshot_id: (run: Run) => run.facts.ownSnapshotId,
        in_progress: (run: Run) => String(state(run).inProgress),
      }
    : {}
  return json(
    list(world.version, query, {
      rows: inScope(
        world,
        query,
        world.visibleRuns(),
        (run) => world.entryOf(run).project,
        (run) => runResource(world, run),
      ).filter((run) => hasNoted(world, query, run)),
      filters: {
        id: (run) => run.facts.id,
        name: (run) => run.facts.name,
        pipeline: (run) => [run.facts.pipeline.name, world.entryOf(run).id],
        pipeline_name: (run) => run.facts.pipeline.name,
        pipeline_id: (run) => world.entryOf(run).id,
        template_id: (run) => run.facts.templateId ?? [],
        status: (run) => state(run).status,
        user: () => 'ci',
        stack: () => 'e2e',
        ...later,
        ...tagFilters(world, tagsOf),
      },
      sorting: {
        created: (run) => sortableTime(run.createdAt),
        name: (run) => run.facts.name,
        start_time: (run) => sortableTime(run.createdAt),
        end_time: (run) => sortableTime(state(run).end ?? 0),
        status: (run) => state(run).status,
      },
      model: (run, hydrate) => runModel(world, run, hydrate, wantsSteps(world, query)),
      filterName: 'PipelineRunFilter',
      endpoint: { ...listEndpoint, path: '/api/v1/runs' },
    }),
  )
}

function getRunLogs({ world, ids, query }: Call): Answer {
  const source = query.get('source')
  if (source === null) throw missingSource(world)
  const run = readableRun(world, ids[0])
  if (source !== 'runner') {
    throw notFound(`No logs found for source '${source}' in run ${run.facts.id}`)
  }
  const log = world.now() < run.begin ? [] : (run.facts.pipeline.runnerLog ?? [])
  return json(runnerLogs(world, run.facts.id, run.begin, log))
}

function missingSource(world: World): Refusal {
  if (world.version === '0.98.0') {
    return refusal(400, 'ValueError', 'Either source or logs_id must be provided.')
  }
  const errors = `{'type': 'missing', 'loc': ('query', 'source'), 'msg': 'Field required', 'input': None}`
  return invalidRequest(world.version, errors, logsEndpoint, 'GET')
}

const OLD_STATES = ['initializing', 'failed', 'completed', 'running', 'cached']
const STATES_085 = [...OLD_STATES, 'retrying', 'retried', 'stopped', 'stopping']
const STATES_098 = [
  'initializing',
  'provisioning',
  'queued',
  'running',
  'failed',
  'completed',
  'cached',
  'skipped',
  'retrying',
  'retried',
  'cancelling',
  'cancelled',
  'paused',
  'resuming',
  'stopped',
  'stopping',
]
const STATES = { '0.74.0': OLD_STATES, '0.85.0': STATES_085, '0.98.0': STATES_098 } as const

function updateRun({ world, ids, body }: Call): Answer {
  const { version } = world
  const place = { version, method: 'PUT', endpoint: { ...updateEndpoint, path: '/api/v1/runs/{run_id}' } }
  const { status, status_reason: reason } = mappingOf(body, place)
  const states = STATES[version]
  if (typeof status === 'string' && !states.includes(status)) {
    throw enumFault(['body', 'status'], status, states, place)
  }
  if (typeof reason === 'string' && reason.length > 255 && version !== '0.74.0') {
    throw tooLong(['body', 'status_reason'], reason, 255, place)
  }
  const run = runById(world, ids[0])
  world.permissions.verify('update', runResource(world, run))
  const now = world.now()
  if (typeof status === 'string') {
    const { status: current, reason: known } = run.state(now)
    const wanted = storedStatus(run, status, current)
    const finished = ['failed', 'completed', 'stopped'].includes(current)
    if (version === '0.98.0' && finished && current !== wanted) {
      throw refusal(403, 'IllegalOperationError', 'Cannot update the status of a finished run.')
    }
    const kept = current === wanted ? known : null
    run.setStatus(now, wanted, typeof reason === 'string' ? reason : kept, 'request')
  }
  return json(runModel(world, run, true))
}

/**
 * What becomes of a state that is set from outside: a static run's follows from its steps, so one that is told it
 * were stopped stays running for ever. A dynamic one that fails while it is stopping has stopped.
 */
function storedStatus(run: Run, status: string, current: string): string {
  if (status === 'failed' && current === 'stopping' && run.facts.pipeline.dynamic !== undefined)
    return 'stopped'
  return status === 'stopped' && run.facts.pipeline.dynamic === undefined ? 'running' : status
}

function attachMetadata({ world, body }: Call): Answer {
  const endpoint = { function: 'create_run_metadata', line: 191, path: '/api/v1/run-metadata' }
  const place = { version: world.version, method: 'POST', endpoint }
  const sent = mappingOf(body, place)
  for (const field of world.version === '0.74.0' ? ['workspace', 'user'] : ['project']) {
    const id = sent[field]
    if (typeof id !== 'string') throw missingField(world, field, endpoint)
    if (!isUuid(id)) throw uuidFault(world.version, `('body', '${field}')`, id, endpoint, 'POST')
  }
  const { resources, values, project } = sent
  world.permissions.verify('create', {
    type: 'run_metadata',
    ...(typeof project === 'string' ? { project } : {}),
  })
  for (const resource of Array.isArray(resources) ? resources : []) {
    if (!isObject(resource) || resource['type'] !== 'pipeline_run') continue
    const id = resource['id']
    const run = runInProject(
      world,
      typeof id === 'string' ? id : '',
      typeof project === 'string' ? project : '',
    )
    world.permissions.verify('update', runResource(world, run))
    for (const [key, value] of Object.entries(isObject(values) ? values : {})) {
      const before = run.metadata.get(key)
      // Seen on 0.98.0; 0.74.0 and 0.85.0 put the new mapping in the place of the old one.
      const isMerged = world.version === '0.98.0' && isObject(before) && isObject(value)
      run.metadata.set(key, isMerged ? { ...before, ...value } : value)
    }
  }
  return json(null)
}

/** The run, if it is in the project that was named (from 0.82 on; before there is only one). */
function runInProject(world: World, id: string, project: string): Run {
  if (world.version === '0.74.0') return runById(world, id)
  const run = world.visibleRuns().find(({ facts }) => facts.id === id)
  if (run !== undefined && world.entryOf(run).project.id === project) return run
  const what = `The pipeline run with ID ${id} referenced by the run metadata being created`
  throw notFound(`${what} was not found in the '${project}' project`)
}

function missingField(world: World, field: string, endpoint: typeof logsEndpoint): Refusal {
  const errors = `{'type': 'missing', 'loc': ('body', '${field}'), 'msg': 'Field required', 'input': {}}`
  return invalidRequest(world.version, errors, endpoint, 'POST')
}
