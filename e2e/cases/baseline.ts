import assert from 'node:assert/strict'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'

const REPOSITORY = 'example/models'
const ON_MAIN = { GITHUB_REPOSITORY: REPOSITORY, GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_NAME: 'push' }
const PULL_REQUEST = {
  GITHUB_REPOSITORY: REPOSITORY,
  GITHUB_REF: 'refs/pull/7/merge',
  GITHUB_HEAD_REF: 'main',
  GITHUB_BASE_REF: 'main',
  GITHUB_EVENT_NAME: 'pull_request',
}

/** The branch is one that no other case of the server uses, so that its newest run is known. */
async function train(
  scene: Scene,
  accuracy: number,
  env: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>> = {},
): ReturnType<Scene['action']> {
  const target = { template: 'training-template', configuration: quick({ accuracy }) }
  return scene.action({ ...target, ...inputs }, { env })
}

const BASELINE = { baseline: 'main', expect: 'train.accuracy >= baseline - 0.01' }

/** Of main the newest run counts that met what was expected of it; of others none. */
async function comparesWithMain(scene: Scene): Promise<void> {
  const first = await train(scene, 0.9, ON_MAIN, BASELINE)
  expectStep(first, {
    exitCode: 0,
    outputs: { conclusion: 'completed', comparison: '{"baseline":null,"metrics":[]}' },
    log: [/^::warning title=Expectation not checked::train\.accuracy >= baseline - 0\.01 /m],
  })
  const missed = await train(scene, 0.5, ON_MAIN, BASELINE)
  expectStep(missed, { exitCode: 1, outputs: { conclusion: 'expectation-missed' } })
  // A fork's branch may be called main, and runs of pull_request_target say that they are on it.
  for (const env of [PULL_REQUEST, { ...ON_MAIN, GITHUB_EVENT_NAME: 'pull_request_target' }]) {
    expectStep(await train(scene, 0.2, env), { exitCode: 0 })
  }

  const worse = await train(scene, 0.85, PULL_REQUEST, BASELINE)
  expectStep(worse, {
    exitCode: 1,
    outputs: {
      conclusion: 'expectation-missed',
      error: /expected train\.accuracy >= baseline - 0\.01 \(0\.89\), got 0\.85/,
    },
  })
  const better = await train(scene, 0.95, PULL_REQUEST, BASELINE)
  expectStep(better, {
    exitCode: 0,
    outputs: { conclusion: 'completed' },
    log: ['Expectation met: train.accuracy >= baseline - 0.01 (0.89), got 0.95'],
  })
  const comparison: unknown = JSON.parse(better.outputs['comparison'] ?? '')
  const { 'run-id': id, 'run-name': name, 'run-url': url } = first.outputs
  assert.deepEqual(comparison, {
    baseline: { id, name, url },
    metrics: [
      { name: 'train.accuracy', value: 0.95, baseline: 0.9, change: 0.05, relative: 0.0555556 },
      { name: 'train.loss', value: 0.05, baseline: 0.1, change: -0.05, relative: -0.5 },
    ],
  })
  for (const row of [
    '| `train.accuracy` | `0.9` | `0.95` | `+0.05 (+5.6 %)` ✅ better |',
    '| `train.loss` | `0.1` | `0.05` | `-0.05 (-50 %)` |',
  ]) {
    assert.ok(better.summary.includes(row), `the summary lacks ${row}:\n${better.summary}`)
  }
}

/** A run that is named is the baseline, whatever is noted on it. */
async function comparesWithRun(scene: Scene): Promise<void> {
  const first = await train(scene, 0.9, {}, { 'note-origin': 'false' })
  const { 'run-id': id = '', 'run-name': name = '' } = first.outputs
  for (const run of [id, name]) {
    const result = await train(scene, 0.9, {}, { baseline: `run:${run}`, expect: 'train.loss <= baseline' })
    expectStep(result, { exitCode: 0, log: [`Compared with the run ${name} (baseline: run:${run})`] })
  }
  const lacking = await train(scene, 0.9, {}, { baseline: 'run:nope', expect: 'train.loss <= baseline' })
  expectStep(lacking, { exitCode: 1, outputs: { error: /nothing to compare with: there is no run "nope"/ } })
}

export const BASELINE_CASES: readonly Case[] = [
  {
    name: 'baseline: better and worse than the last good run of main',
    runs: 6,
    core: true,
    run: comparesWithMain,
  },
  { name: 'baseline: a run that is named', runs: 4, run: comparesWithRun },
]
