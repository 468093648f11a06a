import assert from 'node:assert/strict'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'

const FINISHED = ['completed', 'failed', 'stopped', 'cached', 'skipped']

async function completes(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: scene.server.fact('training-template'),
    configuration: quick({ accuracy: 0.5 }),
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: {
      'run-id': run.id,
      'run-name': run.name,
      'run-url': new RegExp(`^${scene.server.dashboard}/.*${run.id}`),
      status: 'completed',
      conclusion: 'completed',
      duration: /^\d+(\.\d+)?$/,
      pipeline: 'training',
      'template-id': scene.server.fact('training-template'),
    },
    log: [run.name],
  })
  assert.equal(run.status, 'completed')
  assert.match(run.name, /^training-gh100200300-1-[0-9a-f]{8}-[0-9a-f]{12}$/)
}

/** What is given is changed, and what is not keeps the template's value (0.74 wants every parameter). */
async function overrides(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ accuracy: 0.5 }),
  })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed' } })
  const steps = await scene.view.steps((await scene.onlyRun(result)).id)
  const parameters = Object.fromEntries(steps.map((step) => [step.name, step.parameters]))
  assert.deepEqual(parameters['train'], { seconds: 0.1, accuracy: 0.5, fail: '' })
  assert.deepEqual(parameters['load'], { rows: 10 })
}

async function fails(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ fail: 'no data' }),
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 1,
    outputs: { 'run-id': run.id, status: 'failed', conclusion: 'failed' },
    log: [/failed/],
  })
}

/** The run is called failed at once, but the step must not end before the other branches have. */
async function oneBranchFails(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'wide-template',
    configuration: JSON.stringify({
      steps: {
        ...Object.fromEntries(
          Array.from({ length: 10 }, (_, index) => [`train_${index}`, { parameters: { seconds: 0.1 } }]),
        ),
        train_0: { parameters: { seconds: 0, fail: 'no data' } },
      },
    }),
  })
  const ended = Date.now()
  const run = await scene.onlyRun(result)
  expectStep(result, { exitCode: 1, outputs: { 'run-id': run.id, status: 'failed', conclusion: 'failed' } })

  const steps = await scene.view.steps(run.id)
  const unfinished = steps.filter(({ status }) => !FINISHED.includes(status))
  assert.deepEqual(unfinished, [], 'steps still ran when the action had ended')
  for (const { name, endTime } of steps) {
    const at = Date.parse(`${endTime ?? ''}Z`)
    assert.ok(at <= ended, `step ${name} ended at ${endTime}, after the action`)
  }
}

async function noWait(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    configuration: quick({ seconds: 3 }),
    wait: 'false',
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: { 'run-id': run.id, 'run-name': run.name, conclusion: 'started' },
  })
}

/** Three cells of a matrix share every GitHub variable; only step-key's default tells them apart. */
async function threeCells(scene: Scene): Promise<void> {
  const results = await Promise.all(
    ['0', '1', '2'].map((index) =>
      scene.action(
        { template: 'training-template', configuration: quick() },
        { contexts: { 'strategy.job-index': index } },
      ),
    ),
  )
  for (const result of results) expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed' } })
  assert.equal(new Set(results.map(({ outputs }) => outputs['run-id'])).size, 3)
  const identities = results.map(
    ({ outputs }) => /-([0-9a-f]{8})-[0-9a-f]{12}$/.exec(outputs['run-name'] ?? '')?.[1],
  )
  assert.equal(new Set(identities).size, 3)
}

export const OUTCOME: readonly Case[] = [
  { name: 'completes', core: true, runs: 1, run: completes },
  { name: 'overrides are merged into the template', runs: 1, run: overrides },
  { name: 'fails', runs: 1, run: fails },
  { name: 'one branch fails while others go on', runs: 1, run: oneBranchFails },
  { name: 'no wait', runs: 1, run: noWait },
  { name: 'three cells at once', runs: 3, run: threeCells },
]
