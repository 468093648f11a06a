import { json, notFound, refusal, type Answer, type Refusal } from '../answers.ts'
import { enumFault, mappingOf } from '../body.ts'
import type { Condition } from '../conditions.ts'
import type { Json } from '../json.ts'
import { flag, invalidRequest, list } from '../query.ts'
import { runResource } from '../resources.ts'
import type { Run } from '../run.ts'
import { runModel } from '../wire/run.ts'
import { waitCondition } from '../wire/wait.ts'
import type { World } from '../world.ts'
import { sortableTime } from './catalog.ts'
import { inScope } from './scope.ts'
import { SINCE_090, type Call, type Route } from './route.ts'

const listEndpoint = { function: 'list_wait_conditions', line: 183 }
const answerEndpoint = { function: 'resolve_run_wait_condition', line: 183 }

/** What runs ask a person, and the answer (ZenML from 0.95 on). */
export const waitRoutes: readonly Route[] = [
  {
    name: 'wait-conditions',
    method: 'GET',
    path: '/run_wait_conditions',
    versions: SINCE_090,
    endpoint: listEndpoint,
    handle: listConditions,
  },
  {
    name: 'wait-condition',
    method: 'GET',
    path: '/run_wait_conditions/{run_wait_condition_id}',
    versions: SINCE_090,
    endpoint: { function: 'get_run_wait_condition', line: 183 },
    handle: ({ world, ids, query }) => {
      const row = rowById(world, ids[0])
      world.permissions.verify('read', runResource(world, row.run))
      return json(model(world, row, flag(query, 'hydrate', true)))
    },
  },
  {
    name: 'answer',
    method: 'PUT',
    path: '/run_wait_conditions/{run_wait_condition_id}/resolve',
    versions: SINCE_090,
    endpoint: answerEndpoint,
    handle: answer,
  },
]

interface Row {
  readonly run: Run
  readonly condition: Condition
}

function rows(world: World): readonly Row[] {
  const now = world.now()
  return world.visibleRuns().flatMap((run) => run.conditions(now).map((condition) => ({ run, condition })))
}

function rowById(world: World, id = ''): Row {
  const row = rows(world).find(({ condition }) => condition.id === id)
  if (row !== undefined) return row
  const why = 'No run wait condition with this ID found'
  throw notFound(`Unable to get run wait condition with ID '${id}': ${why}`)
}

function model(world: World, { run, condition }: Row, hydrate: boolean) {
  return waitCondition(world, run, condition, hydrate, runModel(world, run, false))
}

/** The filter is called `pipeline_run`; `run` and `run_id` are ignored as any unknown one. */
function listConditions({ world, query }: Call): Answer {
  return json(
    list(world.version, query, {
      rows: inScope(
        world,
        query,
        rows(world),
        ({ run }) => world.entryOf(run).project,
        ({ run }) => runResource(world, run),
      ),
      filters: {
        pipeline_run: ({ run }) => [run.facts.id, run.facts.name],
        id: ({ condition }) => condition.id,
        name: ({ condition }) => condition.name,
        status: ({ condition }) => (condition.resolved === undefined ? 'pending' : 'resolved'),
      },
      sorting: { created: ({ condition }) => sortableTime(condition.askedAt) },
      model: (row, hydrate) => model(world, row, hydrate),
      filterName: 'RunWaitConditionFilter',
      endpoint: { ...listEndpoint, path: '/api/v1/run_wait_conditions' },
    }),
  )
}

function answer({ world, ids, body }: Call): Answer {
  const path = '/api/v1/run_wait_conditions/{run_wait_condition_id}/resolve'
  const endpoint = { ...answerEndpoint, path }
  const place = { version: world.version, method: 'PUT', endpoint }
  const { resolution, result = null } = mappingOf(body, place)
  if (resolution === undefined) {
    const errors = `{'type': 'missing', 'loc': ('body', 'resolution'), 'msg': 'Field required', 'input': {}}`
    throw invalidRequest(world.version, errors, endpoint, 'PUT')
  }
  if (resolution !== 'continue' && resolution !== 'abort') {
    throw enumFault(
      ['body', 'resolution'],
      JSON.stringify(resolution).replaceAll('"', ''),
      ['continue', 'abort'],
      place,
    )
  }
  const { run, condition } = rowById(world, ids[0])
  world.permissions.verify('update', runResource(world, run))
  if (condition.resolved !== undefined) throw forbidden('Wait condition has already been resolved.')
  if (resolution === 'continue') checkResult(condition, result)
  const now = world.now()
  const { inProgress } = run.state(now)
  run.answer(now, condition, resolution, result)
  if (resolution === 'abort' && !inProgress) throw forbidden('Cannot update the status of a finished run.')
  return json(model(world, rowById(world, condition.id), true))
}

function checkResult({ schema }: Condition, result: Json): void {
  if (schema === null && result !== null) {
    throw forbidden('Wait conditions without a schema do not accept a result.')
  }
  if (schema === null || typeof result === 'boolean') return
  const shown = result === null ? 'None' : typeof result === 'string' ? result : JSON.stringify(result)
  throw refusal(400, 'ValueError', `Value \`${shown}\` does not match expected schema.`)
}

function forbidden(message: string): Refusal {
  return refusal(403, 'IllegalOperationError', message)
}
