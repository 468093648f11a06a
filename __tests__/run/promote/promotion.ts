import type { SimulatedVersion, SimulatorOptions } from '../../../simulator/index.ts'
import type { VersionChoice } from '../../../src/run/promote/find-version.ts'
import { promoteVersion, type Promotion, type PromoteRequest } from '../../../src/run/promote/promote.ts'
import { openScene, type Scene } from '../scene.ts'

export const MODEL = 'classifier'

/** A server with some versions of a model, each in the stage given, and a client of it. */
export interface ModelScene extends Scene {
  readonly versions: readonly SimulatedVersion[]
  /** Promotes a version to production, `version` 1 being the first. */
  promote(version: number | VersionChoice, changes?: Partial<PromoteRequest>): Promise<Promotion>
  /** Stages of all versions now. */
  stages(): (string | null)[]
  /** Bodies of the requests that set a stage. */
  puts(): unknown[]
  /** Aborts what a cancelled workflow aborts: at once, and when no time is left. */
  readonly cancelled: AbortController
  readonly over: AbortController
}

export async function openModels(
  stages: readonly (string | null)[],
  options: SimulatorOptions = {},
): Promise<ModelScene> {
  const scene = await openScene(options)
  const versions = stages.map((stage) => scene.server.addModelVersion(MODEL, stage === null ? {} : { stage }))
  const [cancelled, over] = [new AbortController(), new AbortController()]
  const promote: ModelScene['promote'] = (version, changes = {}) => {
    const choice: VersionChoice =
      typeof version === 'number' ? { kind: 'model', model: MODEL, version: String(version) } : version
    const { client, clock, reporter } = scene.dependencies(over.signal)
    return promoteVersion(
      { choice, project: undefined, stage: 'production', replace: 'older', ...changes },
      {
        ...{ client, clock, signal: over.signal, cancelled: cancelled.signal },
        reporter: { ...reporter, found: () => undefined },
      },
    )
  }
  return {
    ...{ ...scene, versions, promote, cancelled, over },
    stages: () => versions.map(({ stage }) => stage),
    puts: () =>
      scene.server.requests
        .filter(({ method }) => method === 'PUT')
        .map(({ body }): unknown => JSON.parse(body)),
  }
}
