import { randomUUID } from 'node:crypto'
import type { PipelineSpec, SimulatorOptions } from '../../../simulator/index.ts'
import { watchRun, type Watched, type WatchRequest } from '../../../src/run/watch/watch.ts'
import type { DefinitionKind, Run } from '../../../src/zenml/model.ts'
import { openScene, type Scene } from '../scene.ts'

/** A watch that has ended. */
export interface WatchedScene {
  readonly scene: Scene
  readonly watched: Watched
  /** The names of the steps that were handed on as failed, call by call. */
  readonly failed: string[][]
  /** The requests since the watch began: path and time. */
  readonly requests: readonly { readonly path: string; readonly at: number }[]
}

/** Starts a run of the server's only pipeline of that name. */
export async function startRun(
  { client }: Scene,
  pipeline: string,
  kind: DefinitionKind = 'template',
): Promise<Run> {
  const found = (await client.definitions(kind, { size: 100 })).find(
    ({ name }) => name === `${pipeline}-template`,
  )
  if (found === undefined) throw new Error(`no ${kind} of ${pipeline}`)
  const answer = await client.trigger(found, { run_name: randomUUID() }, randomUUID())
  if (answer.kind !== 'started') throw new Error(`the server answered ${answer.kind}`)
  return answer.run
}

/** Starts a run of the pipeline, lets `afterMs` pass, and watches it to its end; `meanwhile` is called as the watch begins. */
export async function watchPipeline(
  pipeline: PipelineSpec,
  options: SimulatorOptions = {},
  changes: Partial<WatchRequest> & {
    afterMs?: number
    meanwhile?: (scene: Scene) => void
    longestReadMs?: number
  } = {},
): Promise<WatchedScene> {
  const scene = await openScene({ pipelines: [pipeline], ...options })
  const run = await startRun(scene, pipeline.name)
  const { afterMs = 0, meanwhile, longestReadMs = Infinity, ...request } = changes
  await scene.clock.sleep(afterMs)
  const before = scene.server.requests.length
  const failed: string[][] = []
  meanwhile?.(scene)
  const watched = await watchRun(
    {
      run,
      status: run.status,
      timeoutMs: 86_400_000,
      pollIntervalMs: undefined,
      url: undefined,
      onPaused: 'wait',
      ageMs: 0,
      lostAfterMs: 600_000,
      ...request,
    },
    {
      client: scene.client,
      clock: scene.clock,
      reporter: { tell: (event) => void scene.events.push(event) },
      timeLimit: (ms) => AbortSignal.timeout(Math.min(ms, longestReadMs)),
      failedSteps: (steps) => {
        failed.push(steps.map(({ name }) => name))
        return Promise.resolve()
      },
    },
  )
  return { scene, watched, failed, requests: scene.server.requests.slice(before) }
}
