import assert from 'node:assert/strict'
import { startGithub, type GithubSimulator } from '../../simulator/github/server.ts'
import type { ActionResult } from '../action.ts'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'

const REPOSITORY = 'example/models'
const ON_MAIN = { GITHUB_REPOSITORY: REPOSITORY, GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_NAME: 'push' }
const PULL_REQUEST = {
  GITHUB_REPOSITORY: REPOSITORY,
  GITHUB_REF: 'refs/pull/7/merge',
  GITHUB_HEAD_REF: 'faster',
  GITHUB_BASE_REF: 'main',
  GITHUB_EVENT_NAME: 'pull_request',
}
/** A fork's branch may be called main, and runs of pull_request_target say that they are on it. */
const NOT_MAIN = [
  { ...PULL_REQUEST, GITHUB_REF: 'refs/pull/8/merge', GITHUB_HEAD_REF: 'main' },
  { ...ON_MAIN, GITHUB_HEAD_REF: 'main', GITHUB_BASE_REF: 'main', GITHUB_EVENT_NAME: 'pull_request_target' },
]

const TOKEN = 'ghs_0000made0000up0000for0000tests0000'

/** Each run is one of a workflow run of its own: runs of the same one are no baseline. */
let workflowRuns = 0

/** The branch is one that no other case of the server uses, so that its newest run is known. */
async function train(
  scene: Scene,
  accuracy: number,
  env: Readonly<Record<string, string>>,
  inputs: Readonly<Record<string, string>> = {},
): ReturnType<Scene['action']> {
  const target = { template: 'training-template', configuration: quick({ accuracy }) }
  workflowRuns += 1
  return scene.action({ ...target, ...inputs }, { env: { GITHUB_RUN_ID: `20030${workflowRuns}`, ...env } })
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
  await missesLater(scene)
  for (const env of NOT_MAIN) expectStep(await train(scene, 0.2, env), { exitCode: 0 })

  const github = await startGithub({
    accounts: { [TOKEN]: { login: 'github-actions[bot]', rights: 'write' } },
    repository: REPOSITORY,
  })
  try {
    await isWorse(scene, github, first)
    await isBetter(scene, github, first)
  } finally {
    await github.close()
  }
}

/** One step follows the run and expects nothing; the next one expects more than there is. */
async function missesLater(scene: Scene): Promise<void> {
  const started = await train(scene, 0.4, ON_MAIN, { wait: 'false' })
  const { 'run-id': run = '' } = started.outputs
  const wait = { entry: 'wait', env: ON_MAIN } as const
  expectStep(await scene.action({ run }, wait), { exitCode: 0, outputs: { conclusion: 'completed' } })
  const missed = await scene.action({ run, expect: 'accuracy >= 0.9' }, wait)
  expectStep(missed, { exitCode: 1, outputs: { conclusion: 'expectation-missed' } })
  assert.deepEqual(await scene.view.metadata(run, 'github_actions_missed'), {
    conclusion: 'expectation-missed',
  })
}

async function onPullRequest(scene: Scene, github: GithubSimulator, accuracy: number): Promise<ActionResult> {
  return scene.action(
    { template: 'training-template', configuration: quick({ accuracy }), ...BASELINE, comment: 'true' },
    {
      env: { ...PULL_REQUEST, GITHUB_API_URL: github.apiUrl },
      event: { pull_request: { number: 7 } },
      contexts: { 'github.token': TOKEN },
    },
  )
}

async function isWorse(scene: Scene, github: GithubSimulator, first: ActionResult): Promise<void> {
  const worse = await onPullRequest(scene, github, 0.85)
  expectStep(worse, {
    exitCode: 1,
    outputs: {
      conclusion: 'expectation-missed',
      error: /expected train\.accuracy >= baseline - 0\.01 \(0\.89\), got 0\.85/,
    },
  })
  assert.deepEqual(comparisonOf(worse), {
    baseline: baselineOf(first),
    metrics: [
      { name: 'train.accuracy', value: 0.85, baseline: 0.9, change: -0.05, relative: -0.0555556 },
      { name: 'train.loss', value: 0.15, baseline: 0.1, change: 0.05, relative: 0.5 },
    ],
  })
  expectShown(worse, github, [
    '| ❌ `train.accuracy >= baseline - 0.01 (0.89)` | `0.85` |',
    '| `train.accuracy` | `0.9` | `0.85` | `-0.05 (-5.6 %)` 🔻 worse |',
    '| `train.loss` | `0.1` | `0.15` | `+0.05 (+50 %)` |',
  ])
}

async function isBetter(scene: Scene, github: GithubSimulator, first: ActionResult): Promise<void> {
  const better = await onPullRequest(scene, github, 0.95)
  expectStep(better, {
    exitCode: 0,
    outputs: { conclusion: 'completed' },
    log: ['Expectation met: train.accuracy >= baseline - 0.01 (0.89), got 0.95'],
  })
  assert.deepEqual(comparisonOf(better), {
    baseline: baselineOf(first),
    metrics: [
      { name: 'train.accuracy', value: 0.95, baseline: 0.9, change: 0.05, relative: 0.0555556 },
      { name: 'train.loss', value: 0.05, baseline: 0.1, change: -0.05, relative: -0.5 },
    ],
  })
  expectShown(better, github, [
    '| ✅ `train.accuracy >= baseline - 0.01 (0.89)` | `0.95` |',
    '| `train.accuracy` | `0.9` | `0.95` | `+0.05 (+5.6 %)` ✅ better |',
    '| `train.loss` | `0.1` | `0.05` | `-0.05 (-50 %)` |',
  ])
}

function baselineOf({ outputs: { 'run-id': id, 'run-name': name, 'run-url': url } }: ActionResult): unknown {
  return { id, name, url }
}

function comparisonOf({ outputs }: ActionResult): unknown {
  return JSON.parse(outputs['comparison'] ?? '')
}

/** The summary and the pull request's one comment hold these rows. */
function expectShown({ summary }: ActionResult, github: GithubSimulator, rows: readonly string[]): void {
  const comments = github.comments(7).map(({ body }) => body)
  assert.equal(comments.length, 1)
  const head = '| Metric | Baseline | This run | Change |'
  for (const text of [summary, ...comments]) {
    for (const line of [head, ...rows]) assert.ok(text.includes(line), `${line} is not in:\n${text}`)
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
    runs: 7,
    core: true,
    run: comparesWithMain,
  },
  { name: 'baseline: a run that is named', runs: 4, run: comparesWithRun },
]
