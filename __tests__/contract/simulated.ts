import {
  VirtualClock,
  delivery,
  flaky,
  seededPipelines,
  startPro,
  startSimulator,
  type ProSimulator,
  type Simulator,
  type ZenmlVersion,
} from '../../simulator/index.ts'
import type { Plane } from './plane.ts'
import type { ProTarget, Target } from './target.ts'

export interface SimulatedKind {
  readonly version: ZenmlVersion
  readonly mode: Target['mode']
  readonly project: string
}

const WORKSPACE = 'e2e'

/** A simulator as a target of the suite; in Pro's mode with a Pro of its own. */
export async function simulated({ version, mode, project }: SimulatedKind, pauseMs: number): Promise<Target> {
  const clock = new VirtualClock({ start: Date.now() })
  const pro = mode === 'pro' ? await startPro({ clock }) : undefined
  const simulator = await startSimulator({
    version,
    clock,
    project,
    projects: ['other'],
    pipelines: [...seededPipelines(version), flaky, delivery],
    maxConcurrentRuns: 2,
    ...(pro === undefined ? {} : { pro }),
  })
  pro?.add({ name: WORKSPACE, organization: 'acme', serverUrl: simulator.url })
  const { templates, snapshots } = simulator.seeded
  const id = (name: string) =>
    (name.endsWith('-snapshot') ? snapshots[name.replace('-snapshot', '-template')] : templates[name]) ?? ''
  return {
    version,
    mode,
    url: simulator.url,
    apiKey: pro?.apiKey ?? simulator.apiKey,
    project,
    ...(pro === undefined ? {} : { pro: proTarget(pro, simulator) }),
    id,
    has: (name) => id(name) !== '',
    pause: () => clock.sleep(pauseMs),
    close: async () => {
      await simulator.close()
      await pro?.close()
    },
  }
}

function proTarget(pro: ProSimulator, simulator: Simulator): ProTarget {
  const { url: apiUrl, clientId, clientSecret } = pro
  const plane: Plane = {
    deny: (deny) => {
      pro.permit({ deny })
      return Promise.resolve()
    },
    failAuthorization: (status) => {
      pro.fail('authorize', status === 0 ? 'closed' : status)
      return Promise.resolve()
    },
    entitlement: (status) => {
      if (status !== 200) pro.fail('entitlement', status)
      return Promise.resolve()
    },
  }
  const disown = (id: string) => {
    simulator.disown(id)
  }
  return { apiUrl, workspace: WORKSPACE, clientId, clientSecret, plane, disown }
}
