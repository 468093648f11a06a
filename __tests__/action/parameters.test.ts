import { expect, jest, test } from '@jest/globals'
import { annotations, expectRed, PATIENCE_MS, withServer } from './scene.ts'
import { sweep } from './sweeps.ts'

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

    const line = 'parameter "rows" of step "load" must be an integer, not "many"'
    expect(expectRed(result, 'failed').split('\n')).toEqual([
      `parameters, line 1, column 1: ${line}`,
      expect.stringMatching(
        /^parameters, line 2, column 1: parameter "accuracy" of step "train" must be a number/,
      ),
    ])
  }),
)

test.concurrent('a value that will be converted is a warning, and the run is started', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ ...training, parameters: 'rows: "5"', wait: 'false' })

    expect(annotations('warning', result)).toEqual([
      'parameters, line 1, column 1: parameter "rows" of step "load": "5" will be converted to 5',
    ])
    expect(scene.runs).toHaveLength(1)
  }),
)

test.concurrent('a float that a sweep sends as an integer is a warning that names the cell', () => {
  const jsonSchema = { anyOf: [{ type: 'integer' }, { type: 'number' }] }
  const step = { name: 'fit', seconds: 0.1, parameters: { share: { default: 0.5, jsonSchema } } }
  return withServer({ pipelines: [{ name: 'loose', steps: [step] }] }, async (scene) => {
    const inputs = { pipeline: 'loose', matrix: 'fit.share: [0.5, 1.0]', 'poll-interval': '1s' }
    const result = await sweep(scene, inputs)
    expect(annotations('warning', result)).toEqual([
      'matrix, line 1, column 1: parameter "share" of step "fit" is sent as 1, without the .0; that matters only to a step that tells 1.0 from 1 (cell 2)',
    ])
  })
})

test.concurrent(
  'a form is passed on as it is: what was left empty keeps its value, and a warning says so',
  () =>
    withServer({}, async (scene) => {
      const form = JSON.stringify({ rows: '', accuracy: '0.5', seconds: '' })
      const result = await scene.step({ ...training, parameters: form, wait: 'false' })

      expect(annotations('warning', result)).toEqual([
        'parameters, line 1, column 12: parameter "accuracy" of step "train": "0.5" will be converted to 0.5',
        'parameters: empty, so these keep the value that they have: rows, seconds',
      ])
      expect(result.outputs['conclusion']).toBe('started')
      expect(scene.runs[0]?.configuration['steps']).toEqual({ train: { parameters: { accuracy: '0.5' } } })
    }),
)

test.concurrent(
  'inputs about a wait are a notice where a form says not to wait, and the run is started',
  () =>
    withServer({}, async (scene) => {
      const result = await scene.step({ ...training, wait: 'false', timeout: '2h', expect: 'train.loss < 1' })

      expect(annotations('notice', result)).toEqual([
        'wait is false, so these inputs have no effect: timeout, expect',
      ])
      expect(annotations('error', result)).toEqual([])
      expect(result.outputs['conclusion']).toBe('started')
    }),
)

test.concurrent('an input that no action has is a warning; one that is misnamed ends the step', () =>
  withServer({}, async (scene) => {
    const unknown = await scene.step({ ...training, submodules: 'true', wait: 'false' })
    expect(annotations('warning', unknown)).toEqual([
      'the action has no input "submodules", so it is ignored',
    ])
    expect(scene.runs).toHaveLength(1)

    const misnamed = await scene.step({ ...training, params: 'accuracy: 0.5' })
    expect(expectRed(misnamed, 'failed')).toBe(
      '"params": the action has no such input; did you mean parameters? If the job sets the variable "INPUT_PARAMS" for something else, rename it',
    )
    expect(scene.runs).toHaveLength(1)

    const variable = await scene.step(training, { env: { INPUT_NAME: 'nightly' } })
    expect(expectRed(variable, 'failed')).toBe(
      '"name": the action has no such input; did you mean run-name? If the job sets the variable "INPUT_NAME" for something else, rename it',
    )
    expect(scene.runs).toHaveLength(1)
  }),
)

test.concurrent('an API key in a wrong input is masked before the input is named', () =>
  withServer({}, async (scene) => {
    const key = 'ZENKEY_bWFkZS11cC1mb3ItdGhpcy10ZXN0'
    for (const input of ['access-token', 'project', 'vault']) {
      const result = await scene.step({ ...training, 'api-key': '', [input]: key })
      const [mask, shown] = [result.stdout.indexOf(`::add-mask::${key}`), result.stdout.indexOf('::error')]
      expect(mask).toBeGreaterThanOrEqual(0)
      expect(mask).toBeLessThan(shown)
      expect(annotations('error', result).join('\n')).toMatch(
        new RegExp(
          `^"?${input}"?: (contains an API key|the action has no such input; did you mean api-key)`,
          'm',
        ),
      )
      expect(annotations('error', result).join() + JSON.stringify(result.outputs)).not.toContain(key)
    }
    expect(scene.server.requests).toEqual([])
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
      comparison: '{"baseline":null,"metrics":[]}',
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
      'Expectation met: train.accuracy >= 0.9, got 0.9\nExpectation not met: loss < 0.01, got 0.1\n',
    )
    expect(result.summary).toContain('| Expected | Got |')
  }),
)
