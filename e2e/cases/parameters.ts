import assert from 'node:assert/strict'
import path from 'node:path'
import { expectStep, type Case, type Scene } from '../scene.ts'
import { z } from 'zod'
import { both, isAtLeast, isOpenSource, since } from '../target.ts'

/** What is changed is shown beside the template's value, and the server starts nothing. */
async function dryRun(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    parameters: 'train.accuracy: 0.5',
    'dry-run': 'true',
  })
  expectStep(result, {
    exitCode: 0,
    outputs: { conclusion: 'dry-run', error: '', pipeline: 'training' },
    log: [/- +accuracy: 0\.9/, /\+ +accuracy: 0\.5/, 'nothing was started'],
  })
  assert.equal(result.outputs['run-id'] ?? '', '')
  assert.match(result.summary, /\+ +accuracy: 0\.5/)
}

/** Every version takes such a parameter for one that it does not know, or not at all; here nothing is sent. */
async function slip(scene: Scene): Promise<void> {
  const result = await scene.action({ template: 'training-template', parameters: 'train.acuracy: 0.5' })
  expectStep(result, {
    exitCode: 1,
    outputs: {
      conclusion: 'failed',
      error: /^parameters, line 1, column 1: .*acuracy.*did you mean accuracy\?/,
    },
  })
}

async function held(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    parameters: 'train: {seconds: 0.1, accuracy: 0.75}',
    expect: 'train.accuracy >= 0.7\nloss == 0.25',
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: { 'run-id': run.id, status: 'completed', conclusion: 'completed', error: '' },
    log: ['Expectation met: train.accuracy >= 0.7, got 0.75', 'Expectation met: loss == 0.25, got 0.25'],
  })
}

/** The run completed, and the step is red all the same. */
async function missed(scene: Scene): Promise<void> {
  const result = await scene.action({
    template: 'training-template',
    parameters: 'train: {seconds: 0.1, accuracy: 0.75}',
    expect: 'train.accuracy >= 0.9\nload.rows > 5',
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 1,
    outputs: {
      'run-id': run.id,
      status: 'completed',
      conclusion: 'expectation-missed',
      error: /expected train\.accuracy >= 0\.9, got 0\.75; expected load\.rows > 5, got no such value/,
    },
  })
}

/** wait/ judges a run of somebody else by the same conditions. */
async function missedElsewhere(scene: Scene): Promise<void> {
  const started = await scene.action({
    template: 'training-template',
    parameters: 'train: {seconds: 0.1, accuracy: 0.75}',
    wait: 'false',
  })
  const run = started.outputs['run-id'] ?? ''
  const result = await scene.action({ run, expect: 'accuracy >= 0.9' }, { entry: 'wait' })
  expectStep(result, {
    exitCode: 1,
    outputs: {
      'run-id': run,
      conclusion: 'expectation-missed',
      error: /expected accuracy >= 0\.9, got 0\.75/,
    },
  })
}

/** What an attempt logged that then failed says nothing about the step that completed. */
async function failedAttempt(scene: Scene): Promise<void> {
  const marker = path.join(scene.server.directory, `attempt-${Date.now()}`)
  const retry = { max_retries: 1, delay: 0, backoff: 1 }
  const parameters = { seconds: 0.1, accuracy: 0.95, fail: `once:${marker}` }
  const result = await scene.action({
    template: 'training-template',
    configuration: JSON.stringify({ steps: { train: { parameters, retry } } }),
    expect: 'train.accuracy >= 0.9',
  })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 1,
    outputs: {
      'run-id': run.id,
      status: 'completed',
      conclusion: 'expectation-missed',
      error: /expected train\.accuracy >= 0\.9, got no such value/,
    },
  })
}

/** A key of the run itself that reads like a step's does not hide the step's value. */
async function twoMeanings(scene: Scene): Promise<void> {
  const started = await scene.action({
    template: 'training-template',
    parameters: 'train: {seconds: 0.1, accuracy: 0.1}',
  })
  const run = started.outputs['run-id'] ?? ''
  const { id: project } = await scene.view.project()
  await scene.view.call('POST', '/run-metadata', {
    project,
    resources: [{ id: run, type: 'pipeline_run' }],
    values: { 'train.accuracy': 0.99 },
    types: { 'train.accuracy': 'float' },
  })
  const result = await scene.action({ run, expect: 'train.accuracy >= 0.9' }, { entry: 'wait' })
  expectStep(result, {
    exitCode: 1,
    outputs: {
      conclusion: 'expectation-missed',
      error: /expected train\.accuracy >= 0\.9, got several values/,
    },
  })
}

/** The server itself would replace the pipeline's own tags; those that label the snapshot are not those of its runs. */
async function tags(scene: Scene): Promise<void> {
  const { server, view } = scene
  if (isAtLeast(server.target, '0.90')) {
    const snapshot = server.fact('evaluation-snapshot')
    await view.call('PUT', `/pipeline_snapshots/${snapshot}`, { add_tags: ['label'] })
  }
  const result = await scene.action({
    template: 'evaluation-template',
    tags: 'nightly, evaluated',
    wait: 'false',
  })
  const run = await scene.onlyRun(result)
  const seen = await view.call('GET', `/runs/${run.id}?hydrate=true`)
  const { resources } = z
    .object({ resources: z.object({ tags: z.array(z.object({ name: z.string() })) }) })
    .parse(seen)
  assert.deepEqual(resources.tags.map(({ name }) => name).sort(), ['evaluated', 'nightly'])
}

export const PARAMETERS: readonly Case[] = [
  { name: 'dry run: shows what would be sent and starts nothing', runs: 0, run: dryRun },
  { name: 'a slip in a parameter starts nothing', core: true, runs: 0, run: slip },
  { name: 'tags are added to those of the pipeline', runs: 1, run: tags },
  { name: 'expectations held', core: true, runs: 1, run: held },
  { name: 'an expectation missed', core: true, runs: 1, run: missed },
  { name: 'an expectation missed in wait/', runs: 1, run: missedElsewhere },
  {
    name: 'an expectation on what a failed attempt logged',
    where: since('0.85'),
    runs: 1,
    run: failedAttempt,
  },
  {
    name: 'an expectation on a name with two meanings',
    where: both(since('0.85'), isOpenSource),
    runs: 1,
    run: twoMeanings,
  },
]
