import { json, refusal, type Answer, type Refusal } from '../answers.ts'
import { flag } from '../query.ts'
import { runResource, stackResource } from '../resources.ts'
import { readableRun } from './runs.ts'
import { SINCE_085, type Call, type Route } from './route.ts'

/** Ending a run, and asking the orchestrator what became of it. */
export const stopRoutes: readonly Route[] = [
  {
    name: 'stop',
    method: 'POST',
    path: '/runs/{run_id}/stop',
    versions: SINCE_085,
    endpoint: { function: 'stop_run', line: 191 },
    handle: stopRun,
  },
  {
    name: 'refresh',
    method: 'POST',
    path: '/runs/{run_id}/refresh',
    versions: SINCE_085,
    endpoint: { function: 'refresh_run_status', line: 191 },
    handle: refreshRun,
  },
]

function stopRun({ world, ids, query }: Call): Answer {
  const run = readableRun(world, ids[0])
  world.permissions.verify('update', runResource(world, run))
  const now = world.now()
  const { status, begun } = run.state(now)
  if (status === 'completed') throw forbidden('Cannot stop a run that is already completed.')
  if (status === 'stopped') throw forbidden('Run is already stopped.')
  if (status === 'stopping') throw forbidden('Run is already being stopped.')

  const local = world.options.orchestrator !== 'kubernetes'
  if (local && world.version === '0.85.0') {
    throw notImplemented("The 'LocalOrchestrator' orchestrator does not support stopping pipeline runs.")
  }
  if (!begun && run.parent === undefined)
    throw forbidden('Cannot stop a pipeline run that has no orchestrator run id yet.')
  if (status === 'failed') throw forbidden('Cannot update the status of a finished run.')

  const graceful = flag(query, 'graceful', false)
  run.stop(now, graceful, !local)
  if (local && !graceful) {
    throw notImplemented(
      "The forceful stop run functionality is not implemented for the 'LocalOrchestrator' orchestrator.",
    )
  }
  return json(null)
}

function refreshRun({ world, ids }: Call): Answer {
  const run = readableRun(world, ids[0])
  world.permissions.needs('StackResponse', stackResource(world))
  if (world.options.orchestrator !== 'kubernetes') {
    throw notImplemented(
      "The fetch status functionality is not implemented for the 'LocalOrchestrator' orchestrator.",
    )
  }
  const now = world.now()
  if (run.isDead(now)) run.setStatus(now, 'failed', null, 'orchestrator')
  return json(null)
}

function forbidden(message: string): Refusal {
  return refusal(403, 'IllegalOperationError', message)
}

function notImplemented(message: string): Refusal {
  return refusal(501, 'NotImplementedError', message)
}
