import { Front } from './server.ts'
import { byName } from './attempts.ts'
import type { Run } from './run.ts'
import { modelControls, versionView } from './model-controls.ts'
import type { SimulatedRun, Simulator, SimulatorOptions } from './types.ts'
import { World } from './world.ts'

export { realClock, VirtualClock, type SimulatorClock } from './clock.ts'
export { FAULT_ROUTES, type Fault, type FaultAction, type Occurrence, type RouteName } from './faults.ts'
export { approval, delivery, dynamic, flaky, seededPipelines, training, typed, wide } from './pipelines.ts'
export type { PermissionRules } from './permissions.ts'
export {
  startPro,
  type ProFailure,
  type ProMembership,
  type ProOptions,
  type ProPlace,
  type ProSimulator,
  type WorkspaceSpec,
} from './pro.ts'
export * from './types.ts'

/** Starts a ZenML server in this process, on 127.0.0.1; resolves when it listens. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const world = new World(options)
  const front = new Front(world)
  await front.listen()

  const find = (id: string): Run => {
    world.now()
    const run = world.runs.find((each) => each.facts.id === id)
    if (run === undefined) throw new Error(`The simulator has no run ${id}.`)
    return run
  }
  return {
    url: front.url,
    apiKey: world.apiKey,
    version: world.version,
    requests: front.requests,
    get runs() {
      world.now()
      return world.runs.map((run) => view(world, run))
    },
    get modelVersions() {
      return world.models.versions.map(versionView)
    },
    seeded: world.seeded,
    issuedTokens: world.issuedTokens,
    runStatus: (id) => find(id).state(world.now()).status,
    addFault: (fault) => {
      front.faults.add(fault)
    },
    expireTokens: () => {
      world.forgetTokens()
    },
    restart: async ({ downSeconds = 0, forgetTokens = true, stuckKeys = true } = {}) => {
      world.keys.die(stuckKeys)
      await front.close()
      if (forgetTokens) world.forgetTokens()
      if (downSeconds > 0) await world.clock.sleep(downSeconds * 1000)
      await front.listen()
    },
    vanish: (id) => {
      find(id).goneFrom = world.now()
    },
    ...modelControls(world),
    disown: (id) => {
      find(id).owned = false
      world.models.disown(find(id))
    },
    pause: (id, question) => {
      find(id).pause(world.now(), question ?? null)
    },
    resume: (id) => {
      find(id).resume(world.now())
    },
    setStatus: (id, status, reason) => {
      find(id).setStatus(world.now(), status, reason ?? null, 'test')
    },
    close: () => front.close(),
  }
}

/** A run for a test to look at; what changes is read when it is asked for. */
function view(world: World, run: Run): SimulatedRun {
  const { id, name, templateId, sourceSnapshotId, configuration, key } = run.facts
  const { original } = run
  return {
    id,
    name,
    ...(templateId === undefined ? {} : { templateId }),
    ...(sourceSnapshotId === undefined ? {} : { snapshotId: sourceSnapshotId }),
    ...(key === undefined ? {} : { key }),
    ...(original === undefined ? {} : { replayOf: original.facts.id }),
    createdAt: run.createdAt,
    configuration,
    get startedSteps() {
      return [...byName(run.state(world.now()).spans).keys()]
    },
    get status() {
      return run.state(world.now()).status
    },
    get busy() {
      return run.state(world.now()).busy
    },
    get gone() {
      return run.isGone(world.now())
    },
    get metadata() {
      return Object.fromEntries(run.metadata)
    },
  }
}
