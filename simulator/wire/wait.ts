import type { Condition } from '../conditions.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Run } from '../run.ts'
import type { World } from '../world.ts'
import { base, entity, user, utc } from './common.ts'

/** A question of a run; `run` is the run as this answer shows it. */
export function waitCondition(
  world: World,
  owner: Run,
  condition: Condition,
  hydrate: boolean,
  run: JsonObject,
): JsonObject {
  const { id, name, question, schema, resolved } = condition
  const { resolution = null, result = null } = resolved ?? {}
  const metadata: JsonObject = { question, run_metadata: {}, data_schema: schema, resolution, result }
  return entity({
    id,
    name,
    body: waitBody(world, owner, condition),
    metadata: hydrate ? metadata : null,
    resources: { user: user(world, false), run: { ...run, resources: null } },
  })
}

function waitBody(world: World, run: Run, { askedAt, resolved }: Condition): JsonObject {
  return {
    ...base(world, askedAt, resolved?.at ?? askedAt, world.entryOf(run).project.id),
    type: 'external_input',
    status: resolved === undefined ? 'pending' : 'resolved',
    last_polled_at: utc(askedAt),
    poller_instance_id: null,
    poller_lease_expires_at: null,
    resolved_at: resolved === undefined ? null : utc(resolved.at),
    resolved_by_user_id: resolved === undefined ? null : world.userId,
  }
}

/** The open question in a run's own answer: without the question's words. */
export function activeCondition(world: World, run: Run): Json {
  const open = run.conditions(world.now()).find(({ resolved }) => resolved === undefined)
  return open === undefined
    ? null
    : entity({ id: open.id, name: open.name, body: waitBody(world, run, open) })
}

/** A question as a node of the run's graph. */
export function waitNode({ id, name, question, askedAt, resolved }: Condition): JsonObject {
  const metadata: JsonObject = {
    status: resolved === undefined ? 'pending' : 'resolved',
    type: 'external_input',
    created_at: utc(askedAt),
    ...(resolved === undefined ? {} : { resolution: resolved.resolution }),
    ...(question === null ? {} : { question }),
    ...(resolved === undefined ? {} : { resolved_at: utc(resolved.at) }),
  }
  return { node_id: `wait_condition/${name}`, type: 'wait_condition', id, name, metadata }
}
