import { json, notFound, refusal, type Answer } from '../answers.ts'
import { flag, list as page, type Listing } from '../query.ts'
import { runResource } from '../resources.ts'
import type { Run } from '../run.ts'
import type { StepSpan } from '../timeline.ts'
import { stepLogs } from '../wire/logs.ts'
import { stepModel, stepStatus } from '../wire/step.ts'
import type { World } from '../world.ts'
import { sortableTime } from './catalog.ts'
import { readableRun } from './runs.ts'
import type { Call, Route } from './route.ts'
import { inScope } from './scope.ts'

const listEndpoint = { function: 'get_run_steps', line: 191 }

/** The steps that have started. */
export const stepRoutes: readonly Route[] = [
  { name: 'steps', method: 'GET', path: '/runs/{run_id}/steps', endpoint: listEndpoint, handle: listSteps },
  {
    name: 'steps',
    method: 'GET',
    path: '/steps',
    endpoint: { function: 'list_run_steps', line: 191 },
    handle: listAllSteps,
  },
  {
    name: 'step',
    method: 'GET',
    path: '/steps/{step_id}',
    endpoint: { function: 'get_step', line: 191 },
    handle: ({ world, ids, query }) => {
      const { run, span } = stepById(world, ids[0])
      return json(stepModel(world, run, span, flag(query, 'hydrate', true)))
    },
  },
  {
    name: 'logs',
    method: 'GET',
    path: '/steps/{step_id}/logs',
    endpoint: { function: 'get_step_logs', line: 191 },
    handle: getLogs,
  },
]

/** A list of steps is never hydrated, whatever was asked for. */
function listSteps({ world, ids, query }: Call): Answer {
  const rows = rowsOf(world, readableRun(world, ids[0]))
  const endpoint = { ...listEndpoint, path: '/api/v1/runs/{run_id}/steps' }
  return list(world, query, rows, false, endpoint)
}

/** The started steps of all runs, mostly filtered by `pipeline_run_id`, hydrated if asked for. */
function listAllSteps({ world, query }: Call): Answer {
  const rows = world.visibleRuns().flatMap((run) => rowsOf(world, run))
  const endpoint = { function: 'list_run_steps', line: 191, path: '/api/v1/steps' }
  return list(world, query, rows, flag(query, 'hydrate', false), endpoint)
}

interface Row {
  readonly run: Run
  readonly span: StepSpan
}

function rowsOf(world: World, run: Run): readonly Row[] {
  const spans = [...run.state(world.now()).spans].sort((a, b) => a.start - b.start)
  return spans.map((span) => ({ run, span }))
}

function list(
  world: World,
  query: URLSearchParams,
  rows: readonly Row[],
  hydrate: boolean,
  endpoint: Listing<Row>['endpoint'],
): Answer {
  const now = world.now()
  return json(
    page(world.version, query, {
      rows: inScope(
        world,
        query,
        rows,
        ({ run }) => world.entryOf(run).project,
        ({ run }) => runResource(world, run),
      ),
      filters: {
        id: ({ run, span }) => run.stepOf(span).id,
        pipeline_run_id: ({ run }) => run.facts.id,
        name: ({ span }) => span.step.name,
        status: ({ span }) => stepStatus(span, now),
      },
      sorting: { created: ({ span }) => sortableTime(span.start), name: ({ span }) => span.step.name },
      model: ({ run, span }) => stepModel(world, run, span, hydrate),
      filterName: 'StepRunFilter',
      endpoint,
    }),
  )
}

function getLogs({ world, ids, query }: Call): Answer {
  const { run, span } = stepById(world, ids[0])
  if (world.version === '0.98.0') {
    // Here alone having started it does not help.
    world.permissions.verify('read', { ...runResource(world, run), owned: false })
    const source = query.get('source')
    if (source === null) throw refusal(400, 'ValueError', 'Either source or logs_id must be provided.')
    if (source !== 'step') throw notFound(`No logs found for source '${source}' in step ${ids[0] ?? ''}`)
  }
  if (span.outcome === 'skipped') throw notFound(`No logs found for step ${ids[0] ?? ''}.`)
  return json(stepLogs(world, run.stepOf(span), span))
}

function stepById(world: World, id = ''): { readonly run: Run; readonly span: StepSpan } {
  const now = world.now()
  for (const run of world.visibleRuns()) {
    const span = run.state(now).spans.find((each) => run.stepOf(each).id === id)
    if (span === undefined) continue
    world.permissions.verify('read', runResource(world, run))
    return { run, span }
  }
  const named =
    world.version === '0.74.0'
      ? `${id}: No step run with this ID found.`
      : `'${id}': No step run with this ID found`
  throw notFound(`Unable to get step run with ID ${named}`)
}
