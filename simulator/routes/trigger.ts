import { tooBusy, type Answer } from '../answers.ts'
import type { FailurePoint, FaultAction } from '../faults.ts'
import { checkShape, mappingOf } from '../body.ts'
import { mergeDeep, objectAt, type JsonObject } from '../json.ts'
import { noFreeSlot, startAndDelete, startRun, type TriggerRequest } from '../trigger.ts'
import { snapshotById, templateById } from './catalog.ts'
import { readableRun } from './runs.ts'
import { SINCE_090, type Call, type Route } from './route.ts'

const templateEndpoint = { function: 'create_template_run', line: 234 }
const replayEndpoint = { function: 'replay_run', line: 649 }
const snapshotEndpoint = { function: 'create_snapshot_run', line: 234 }

/** The ways to start a run. */
export const triggerRoutes: readonly Route[] = [
  {
    name: 'trigger',
    method: 'POST',
    path: '/run_templates/{template_id}/runs',
    workload: true,
    endpoint: templateEndpoint,
    handle: (call) => {
      const id = call.ids[0] ?? ''
      const configuration = configurationOf(call, '/run_templates/{template_id}/runs', templateEndpoint)
      const entry = templateById(call.world, id)
      return trigger(call, { entry, templateId: id, configuration, key: keyOf(call) })
    },
  },
  {
    name: 'trigger',
    method: 'POST',
    path: '/pipeline_snapshots/{snapshot_id}/runs',
    workload: true,
    versions: SINCE_090,
    endpoint: snapshotEndpoint,
    handle: (call) => {
      const path = '/pipeline_snapshots/{snapshot_id}/runs'
      const configuration = configurationOf(call, path, snapshotEndpoint, 'run_configuration')
      const { entry } = snapshotById(call.world, call.ids[0] ?? '')
      return trigger(call, { entry, templateId: undefined, configuration, key: keyOf(call) })
    },
  },
  {
    name: 'trigger',
    method: 'POST',
    path: '/runs/{run_id}/replay',
    workload: true,
    versions: SINCE_090,
    endpoint: replayEndpoint,
    handle: (call) => {
      const { world } = call
      const given = configurationOf(call, '/runs/{run_id}/replay', replayEndpoint)
      const original = readableRun(world, call.ids[0])
      const configuration = mergeDeep(original.facts.configuration, given)
      const entry = world.entryOf(original)
      return trigger(call, { entry, templateId: undefined, configuration, key: keyOf(call), original })
    },
  },
]

/** 0.74 takes no notice of the key. */
function keyOf({ world, header }: Call): string | undefined {
  return world.version === '0.74.0' ? undefined : header('idempotency-key')
}

function configurationOf(call: Call, path: string, endpoint: Route['endpoint'], within?: string): JsonObject {
  const { version } = call.world
  const place = { version, method: 'POST', endpoint: { ...endpoint, path: `/api/v1${path}` } }
  const body = mappingOf(call.body, place)
  const configuration = within === undefined ? body : objectAt(body, within)
  checkShape(configuration, place)
  return configuration
}

/** Seconds that the work still takes after a fault's "too busy". */
const LATE_SECONDS = 5

function trigger({ world, fault }: Call, request: TriggerRequest): Answer | Promise<Answer> {
  const workMs = (world.options.triggerSeconds ?? 0) * 1000
  const failsAt = failureOf(fault)
  const work = (at: number) => startRun(world, { ...request, failsAt }, at)
  const { key } = request
  if (fault?.kind === 'too-busy') {
    world.keys.begin(key, workMs + (fault.seconds ?? LATE_SECONDS) * 1000, work)
    return tooBusy
  }
  if (fault?.kind === 'too-busy-forever') {
    if (key !== undefined) world.keys.stick(key)
    return tooBusy
  }
  if (fault?.kind === 'no-slot' && !world.keys.isKnown(key)) {
    startAndDelete(world, request, world.clock.now())
    throw noFreeSlot(world)
  }
  return world.keys.run(key, workMs, work)
}

function failureOf(fault: FaultAction | undefined): FailurePoint | undefined {
  if (fault?.kind === 'not-dispatched') return 'control-plane'
  if (fault?.kind === 'not-tagged') return 'tags'
  return fault?.kind === 'answer' || fault?.kind === 'too-busy' ? fault.failsAt : undefined
}
