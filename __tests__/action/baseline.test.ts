import { expect, jest, test } from '@jest/globals'
import { ZENML_VERSIONS } from '../../simulator/index.ts'
import { annotations, expectGreen, expectRed, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const ON_MAIN = { GITHUB_RUN_ID: '4711', GITHUB_REF: 'refs/heads/main', GITHUB_EVENT_NAME: 'push' }
const PULL_REQUEST = {
  GITHUB_REF: 'refs/pull/7/merge',
  GITHUB_HEAD_REF: 'faster',
  GITHUB_BASE_REF: 'main',
  GITHUB_EVENT_NAME: 'pull_request',
}

const reaching = (accuracy: number) => ({
  pipeline: 'training',
  parameters: `train: {seconds: 0.1, accuracy: ${accuracy}}`,
  'poll-interval': '1s',
})

const BETTER = { baseline: 'main', expect: 'train.accuracy >= baseline' }

test.concurrent.each(ZENML_VERSIONS)(
  'ZenML %s: a run of a pull request is held against the last good one of main',
  (version) =>
    withServer({ version }, async (scene) => {
      const first = await scene.step({ ...reaching(0.9), ...BETTER }, { env: ON_MAIN })
      expectGreen(first, 'completed')
      expect(annotations('warning', first)).toEqual([
        'train.accuracy >= baseline (not checked: no other workflow run on the branch main has passed with this action yet)',
      ])

      const worse = await scene.step({ ...reaching(0.8), ...BETTER }, { env: PULL_REQUEST })
      expect(expectRed(worse, 'expectation-missed')).toContain(
        'expected train.accuracy >= baseline (0.9), got 0.8',
      )
      expect(worse.summary).toContain('| `train.accuracy` | `0.9` | `0.8` | `-0.1 (-11 %)` 🔻 worse |')
      expect(JSON.parse(worse.outputs['comparison'] ?? '')).toMatchObject({
        baseline: { id: first.outputs['run-id'], url: first.outputs['run-url'] },
        metrics: [{ name: 'train.accuracy', change: -0.1 }, { name: 'train.loss' }],
      })

      const required = { ...BETTER, baseline: 'release', 'baseline-required': 'true' }
      const none = await scene.step({ ...reaching(0.9), ...required }, { env: PULL_REQUEST })
      expect(expectRed(none, 'expectation-missed')).toMatch(
        /nothing to compare with: no other workflow run on the branch release has passed with this action yet/,
      )
    }),
)

test('wait/ compares the run that it waits for', () =>
  withServer({}, async (scene) => {
    const first = await scene.step(reaching(0.9), { env: ON_MAIN })
    const second = await scene.step({ ...reaching(0.95), wait: 'false' }, { env: PULL_REQUEST })
    const run = second.outputs['run-id'] ?? ''
    const result = await scene.step({ run, ...BETTER }, { entry: 'wait', env: PULL_REQUEST })
    expectGreen(result, 'completed')
    expect(result.stdout).toContain(`Compared with the run ${first.outputs['run-name']} (baseline: main)`)
    expect(JSON.parse(result.outputs['comparison'] ?? '')).toMatchObject({
      baseline: { id: first.outputs['run-id'] },
    })
  }))

test('a sweep that is run again, and takes up its own runs, is not compared with the best of them', () =>
  withServer({}, async (scene) => {
    const before = await scene.step(reaching(0.7), { env: ON_MAIN })
    const inputs = {
      pipeline: 'training',
      matrix: 'train.accuracy: [0.8, 0.9]',
      parameters: 'train.seconds: 0.1',
      rank: 'max train.accuracy',
      ...{ ...BETTER, expect: 'train.accuracy > baseline' },
      resume: 'true',
    }
    for (const GITHUB_RUN_ATTEMPT of ['1', '2']) {
      const env = { ...ON_MAIN, GITHUB_RUN_ID: '4712', GITHUB_RUN_ATTEMPT }
      const result = await scene.step(inputs, { entry: 'sweep', env })
      expect(result.exitCode).toBe(0)
      expect(JSON.parse(result.outputs['comparison'] ?? '')).toMatchObject({
        baseline: { id: before.outputs['run-id'] },
        metrics: [{ name: 'train.accuracy', value: 0.9, baseline: 0.7 }, { name: 'train.loss' }],
      })
    }
    expect(scene.runs).toHaveLength(3)
  }))
