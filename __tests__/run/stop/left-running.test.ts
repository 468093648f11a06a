import { afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../../simulator/index.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { stopOrKeep } from '../../../src/run/stop/stop-or-keep.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const fails = { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 }
const split: PipelineSpec = {
  name: 'split',
  steps: [
    { name: 'short', seconds: 1, fails },
    { name: 'long', seconds: 3_600 },
  ],
}

/** From 0.85 on, ZenML says `in_progress: false` of such a run as soon as it has failed. */
async function stoppedOnFailure(mode: string): Promise<{ scene: Scene; runId: string }> {
  const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
  const result = await scene.execute({
    target: { kind: 'template', reference: 'split-template' },
    overrides: {
      layers: [{ source: 'configuration', value: { execution_mode: mode } }],
      tags: undefined,
      enableCache: undefined,
    },
  })
  expect(result).toMatchObject({ conclusion: 'failed', failedStep: 'short' })
  return { scene, runId: result.runId ?? '' }
}

function leftGoingOn({ events }: Scene): readonly (readonly string[])[] {
  return events.flatMap((event) => (event.kind === 'left-going-on' ? [event.steps] : []))
}

test('stop_on_failure: at the end of the run the steps that still run are named, and nothing is said to be missing', async () => {
  const { scene } = await stoppedOnFailure('stop_on_failure')
  expect(scene.server.runs[0]?.busy).toBe(true)
  expect(leftGoingOn(scene)).toEqual([['long']])
  const missing = scene.events.flatMap((event) => (event.kind === 'details' ? event.details.missing : []))
  expect(missing).toEqual([])
})

test('stop_on_failure: a step that goes on keeps the run from being called ended, whoever stops it', async () => {
  const { scene } = await stoppedOnFailure('stop_on_failure')
  const run = { ...scene.started[0]!, status: 'running' }
  const deadline = new Deadline(scene.clock, 60_000)
  const ended = await stopOrKeep(
    { run, mode: 'stop', reason: 'r', deadline },
    { client: scene.client, clock: scene.clock },
  )
  expect(ended.settled).toBe(false)
  expect(ended.sentence).toMatch(
    /keeps running: http.* It could not be stopped: ZenML calls it failed already, and then no longer stops its steps; still running: long$/,
  )
})
