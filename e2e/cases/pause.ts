import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { expectStep, type Case, type Scene } from '../scene.ts'
import { since } from '../target.ts'

/** Pipelines that ask a person; resolve/ takes servers from 0.95 on. */
const canAsk = since('0.95')

const QUESTION = 'Deploy this model?'

/** How long a run takes on a busy machine to get from its start to its question, and from an answer to its end. */
const PATIENCE_MS = 90_000

const Page = z.object({ items: z.array(z.object({ id: z.string() })) })

/** @param patience seconds until the waiting run pauses, and its process ends */
function asking(patience: number): Readonly<Record<string, string>> {
  return { snapshot: 'approval-template', parameters: JSON.stringify({ patience }), timeout: '2m' }
}

async function untilStatus(scene: Scene, runId: string, wanted: string): Promise<void> {
  const until = Date.now() + PATIENCE_MS
  for (let status = ''; status !== wanted; status = await scene.view.status(runId)) {
    assert.ok(Date.now() < until, `the run is ${status}, not ${wanted}`)
    await sleep(500)
  }
}

/** The process waits, so the run is called running; the question is there all the same. */
async function seenAtOnce(scene: Scene): Promise<void> {
  const result = await scene.action({ ...asking(600), 'on-paused': 'fail' })
  const run = await scene.onlyRun(result)
  expectStep(result, { exitCode: 1, outputs: { 'run-id': run.id }, log: [QUESTION] })
  await stop(scene, run.id)
}

async function seenPaused(scene: Scene): Promise<void> {
  const started = await scene.action({ ...asking(1), timeout: '', wait: 'false' })
  const runId = started.outputs['run-id'] ?? ''
  await untilStatus(scene, runId, 'paused')
  const result = await scene.action({ run: runId, 'on-paused': 'fail' }, { entry: 'wait' })
  expectStep(result, { exitCode: 1, outputs: { 'run-id': runId, status: 'paused' }, log: [QUESTION] })
  await stop(scene, runId)
}

/** A paused run has no process that could be stopped: its question is answered with "abort". */
async function stop(scene: Scene, runId: string): Promise<void> {
  const stopped = await scene.action({ run: runId }, { entry: 'stop' })
  expectStep(stopped, { exitCode: 0, outputs: { conclusion: 'stopped' } })
  assert.equal(await scene.view.status(runId), 'stopped')
}

/** Somebody answers in ZenML; the step that waits sees the run go on to its end. */
async function answered(scene: Scene): Promise<void> {
  let questions = 0
  const running = await scene.start(asking(600), {
    onLine: (line) => {
      if (line.includes(QUESTION)) questions += 1
    },
  })
  const until = Date.now() + PATIENCE_MS
  while (questions === 0 && Date.now() < until) await sleep(200)
  const [run] = await scene.newRuns()
  if (run !== undefined) await answer(scene, run.id)
  const result = await running.done
  expectStep(result, {
    exitCode: 0,
    outputs: { 'run-id': run?.id ?? '?', status: 'completed', conclusion: 'completed' },
    log: [QUESTION],
  })
}

/** A wrong answer, the right one, and the right one again; the last fails, as the run asks nothing any more. */
async function resolved(scene: Scene): Promise<void> {
  const started = await scene.action({ ...asking(1), timeout: '', wait: 'false' })
  const { 'run-id': runId = '', 'run-url': page = '' } = started.outputs
  await untilStatus(scene, runId, 'paused')
  const wrong = await scene.action({ run: runId, answer: '"maybe"' }, { entry: 'resolve' })
  expectStep(wrong, {
    exitCode: 1,
    outputs: { conclusion: 'failed', status: 'paused' },
    log: ['answer: does not fit the question, which takes {"type":"boolean"}'],
  })
  const right = await scene.action({ run: page, answer: 'true' }, { entry: 'resolve' })
  expectStep(right, { exitCode: 0, outputs: { conclusion: 'resolved', 'run-id': runId }, log: [QUESTION] })
  const again = await scene.action({ run: runId, answer: 'true' }, { entry: 'resolve' })
  expectStep(again, { exitCode: 1, outputs: { conclusion: 'failed' }, log: ['is not waiting for an answer'] })
  const waited = await scene.action({ run: runId }, { entry: 'wait' })
  expectStep(waited, { exitCode: 0, outputs: { 'run-id': runId, conclusion: 'completed' } })
}

/** Of a run whose process still waits; it sees the answer by itself. */
async function aborted(scene: Scene): Promise<void> {
  const asked = await scene.action({ ...asking(600), 'on-paused': 'fail' })
  const { id } = await scene.onlyRun(asked)
  const result = await scene.action({ run: id, resolution: 'abort' }, { entry: 'resolve' })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'resolved', status: 'stopped' } })
}

async function answer({ view }: Scene, runId: string): Promise<void> {
  const { id } = await view.project()
  const query = `pipeline_run=${runId}&status=pending&project=${id}`
  const [question] = Page.parse(await view.call('GET', `/run_wait_conditions?${query}`)).items
  assert.ok(question !== undefined, 'the run asks nothing')
  await view.call('PUT', `/run_wait_conditions/${question.id}/resolve`, {
    resolution: 'continue',
    result: true,
  })
}

export const PAUSE: readonly Case[] = [
  { name: 'pause: the question of a run that waits', where: canAsk, runs: 1, run: seenAtOnce },
  { name: 'pause: the question of a run that is paused', where: canAsk, runs: 1, run: seenPaused },
  { name: 'pause: answered by resolve/', where: canAsk, runs: 1, run: resolved },
  { name: 'pause: aborted by resolve/', where: canAsk, runs: 1, run: aborted },
  { name: 'pause: answered in ZenML', where: canAsk, runs: 1, run: answered },
]
