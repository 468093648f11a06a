import type { JsonObject } from '../../../src/base/json.ts'
import type { Outcome } from '../../../src/run/conclusion.ts'
import { runSweep, type SweepRequest } from '../../../src/run/sweep/sweep.ts'
import { BASE_REQUEST, type Scene } from '../scene.ts'

/** Runs of a dynamic pipeline or of a template's, one for each of these values; one after the other unless told otherwise. */
export function sweepOver(
  values: readonly JsonObject[],
  scene: Scene,
  changes: Partial<SweepRequest>,
): Promise<Outcome> {
  const cells = values.map((value, index) => {
    return { number: index + 1, values: value, parameters: { source: 'matrix', value } }
  })
  const request: SweepRequest = {
    ...BASE_REQUEST,
    cells,
    resume: false,
    baseline: undefined,
    maxParallel: 1,
    failFast: false,
    expectAll: false,
    rank: undefined,
    runTimeoutMs: undefined,
    ...changes,
  }
  const { journal, ...deps } = scene.dependencies()
  return runSweep(request, { ...deps, journalOf: () => journal })
}
