import { expect, jest, test } from '@jest/globals'
import { annotations, expectRed, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const training = { snapshot: 'training-template' }

test.concurrent('a misspelt parameter ends the step with one line, and nothing is started', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ ...training, parameters: '{train.accuracyy: "ten"}' })

    expect(expectRed(result, 'failed')).toBe(
      'parameters, line 1, column 2: step "train" has no parameter "accuracyy"; did you mean accuracy? ' +
        'It has: seconds, accuracy, fail',
    )
    expect(scene.triggers).toEqual([])
    expect(result.outputs['snapshot-id']).toBe(scene.server.seeded.snapshots['training-template'])
  }),
)

test.concurrent('several faults are one annotation with a line each, in the output as well', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ ...training, parameters: 'rows: many\naccuracy: high\n' })

    const line = 'parameter "rows" of step "load" takes an integer, which "many" cannot become'
    expect(expectRed(result, 'failed').split('\n')).toEqual([
      `parameters, line 1, column 1: ${line}`,
      expect.stringMatching(
        /^parameters, line 2, column 1: parameter "accuracy" of step "train" takes a number/,
      ),
    ])
  }),
)

test.concurrent('a value that will be converted is a warning, and the run is started', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ ...training, parameters: 'rows: "5"', wait: 'false' })

    expect(annotations('warning', result)).toEqual([
      'parameters, line 1, column 1: parameter "rows" of step "load": "5" will reach it as 5',
    ])
    expect(scene.runs).toHaveLength(1)
  }),
)

test.concurrent('a dry run is green, shows the difference, and starts nothing', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ ...training, parameters: 'accuracy: 0.5', 'dry-run': 'true' })

    expect(result.exitCode).toBe(0)
    expect(result.outputs).toEqual({
      'template-id': '',
      'snapshot-id': scene.server.seeded.snapshots['training-template'],
      pipeline: 'training',
      status: '',
      conclusion: 'dry-run',
      duration: '0',
      'failed-step': '',
      error: '',
      steps: '[]',
      metadata: '{}',
      artifacts: '[]',
    })
    expect(result.stdout).toContain('│ -       accuracy: 0.9\n│ +       accuracy: 0.5\n')
    expect(result.summary).toContain('-       accuracy: 0.9\n+       accuracy: 0.5\n')
    expect(scene.triggers).toEqual([])
    expect(scene.runs).toEqual([])
  }),
)

test.concurrent('an expectation that is missed fails the step after the run, and all are shown', () =>
  withServer({}, async (scene) => {
    const expected = 'train.accuracy >= 0.9\nloss < 0.01'
    const result = await scene.step({ ...training, expect: expected, 'poll-interval': '1s' })

    expect(expectRed(result, 'expectation-missed')).toMatch(
      /1 of 2 expectations .*: expected loss < 0\.01, got 0\.1\. See the run: http/,
    )
    expect(result.outputs['status']).toBe('completed')
    expect(result.stdout).toContain(
      'Expectation met: train.accuracy >= 0.9 (got 0.9)\nExpectation not met: loss < 0.01 (got 0.1)\n',
    )
    expect(result.summary).toContain('| Expected | Got |')
  }),
)
