import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ActionResult, RunningAction } from '../action.ts'
import { lastLines } from '../processes.ts'
import { expectStep, type Case, type Scene } from '../scene.ts'
import { isAtLeast } from '../target.ts'

const TARGET = { template: 'training-template', 'max-parallel': '4', 'poll-interval': '1s' }
const ON_MAIN = { GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_NAME: 'push' }

/** Twelve cells: ten that are as expected, one that misses, one that fails. */
const MATRIX = `
train.accuracy: [0.8, 0.85, 0.9, 0.95, 0.82]
train.seconds: [0.1, 0.2]
include:
  - {train.accuracy: 0.2, train.seconds: 0.1}
  - {train.accuracy: 0.99, train.seconds: 0.1, train.fail: loss is NaN}
`

interface Entry {
  readonly cell: number
  readonly 'run-id': string | null
  readonly conclusion: string
  readonly value: number | null
}

function entries({ outputs }: ActionResult): readonly Entry[] {
  return JSON.parse(outputs['runs'] ?? '') as readonly Entry[]
}

async function ranks(scene: Scene): Promise<void> {
  // Runs that other cases start with the same values must not look like those of an earlier attempt.
  const own = { 'step-key': 'ranks', matrix: MATRIX }
  const inputs = { ...TARGET, ...own, rank: 'max train.accuracy', expect: 'train.accuracy >= 0.5' }
  const first = await scene.action(inputs, { entry: 'sweep', env: ON_MAIN })
  expectStep(first, {
    exitCode: 1,
    outputs: {
      conclusion: 'failed',
      completed: '11',
      failed: '1',
      'best-value': '0.95',
      'best-parameters': '{"train.accuracy":0.95,"train.seconds":0.1}',
      error: /^1 of 12 cells did not complete\. Cell 12: The run failed in the step "train".*: .*loss is NaN/,
    },
    log: [/Best \(max train\.accuracy\): cell \d+ with 0\.95/],
  })
  const ids = entries(first).map((entry) => entry['run-id'])
  assert.equal(new Set(ids).size, 12)
  assert.equal(entries(first).at(-1)?.conclusion, 'failed')
  const runs = await scene.newRuns()
  assert.equal(runs.length, 12)

  const again = { ...inputs, resume: 'true' }
  const second = await scene.action(again, { entry: 'sweep', env: { ...ON_MAIN, GITHUB_RUN_ATTEMPT: '2' } })
  expectStep(second, { exitCode: 1, outputs: { completed: '11', failed: '1' } })
  // Only the one that had failed was started again.
  assert.equal((await scene.newRuns()).length, 13)
}

const LONG = { ...TARGET, matrix: 'train.seconds: [30, 31, 32]', 'max-parallel': '2' }

/** Starts the sweep, and does `deed` as soon as two of its runs are running. */
async function interrupt(scene: Scene, deed: (running: RunningAction) => void): Promise<ActionResult> {
  const running = await scene.start(LONG, { entry: 'sweep' })
  const until = Date.now() + 120_000
  for (;;) {
    const runs = await scene.newRuns()
    if (runs.filter(({ status }) => status === 'running').length === 2) break
    assert.ok(Date.now() < until, 'two runs are not running after two minutes')
    await sleep(500)
  }
  deed(running)
  return running.done
}

/** Nothing of the sweep goes on, or the log says of each run that does, and why. */
async function expectNothingLeft(scene: Scene, text: string): Promise<void> {
  const until = Date.now() + 60_000
  for (;;) {
    const runs = await scene.newRuns()
    assert.equal(runs.length, 2)
    const left = runs.filter(({ status }) => !['stopped', 'failed', 'completed'].includes(status))
    const silent = left.filter(({ name }) => !text.includes(name))
    if (left.length === 0 || (!isAtLeast(scene.server.target, '0.94') && silent.length === 0)) return
    assert.ok(
      Date.now() < until,
      `still going on: ${left.map(({ name }) => name).join(', ')}\n${lastLines(text, 30)}`,
    )
    await sleep(1_000)
  }
}

async function cancelled(scene: Scene): Promise<void> {
  const result = await interrupt(scene, (running) => {
    running.signal('SIGINT')
  })
  expectStep(result, {
    exitCode: 1,
    outputs: {
      conclusion: 'cancelled',
      error: 'Cancelled. Cells completed: 0, cancelled: 2, never started: 1',
    },
  })
  const post = await scene.action({}, { entry: 'post', state: result.state })
  await expectNothingLeft(scene, result.stdout + post.stdout)
}

async function killed(scene: Scene): Promise<void> {
  const result = await interrupt(scene, (running) => {
    running.signal('SIGKILL')
  })
  const post = await scene.action({}, { entry: 'post', state: result.state })
  expectStep(post, { exitCode: 0, log: ['This step ended before 2 of its runs did'] })
  await expectNothingLeft(scene, post.stdout)
}

export const SWEEP: readonly Case[] = [
  { name: 'sweep: twelve cells, of which one fails and one misses, and a re-run', runs: 13, run: ranks },
  { name: 'sweep: cancelled while two runs go on', runs: 2, run: cancelled },
  { name: 'sweep: killed while two runs go on', runs: 2, run: killed },
]
