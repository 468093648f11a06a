import { afterEach, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type FaultAction } from '../../../simulator/index.ts'
import { expectations as input } from '../../../src/github/inputs/expectations.ts'
import {
  evaluateExpectations,
  type Expectation,
  type Verdict,
} from '../../../src/run/outcome/evaluate-expectations.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import { closeScenes, openScene } from '../scene.ts'

afterEach(closeScenes)

function expected(text: string): readonly Expectation[] {
  return input.parse(text)
}

test.each(ZENML_VERSIONS)('%s: a run that completed and is as expected is green', async (version) => {
  const scene = await openScene({ version })
  const expectations = expected('train.accuracy >= 0.9\naccuracy == 0.9\nloss < 0.2\ntrain.loss != 1')
  const { conclusion, error } = await scene.execute({ expectations })
  expect({ conclusion, error }).toEqual({ conclusion: 'completed', error: undefined })
  expect(scene.events).toContainEqual({
    kind: 'expectations',
    verdicts: expect.arrayContaining([{ wanted: 'train.accuracy >= 0.9', held: true, got: '0.9' }]),
  })
})

test.each(ZENML_VERSIONS)(
  '%s: every miss is named, with what was wanted and what was got',
  async (version) => {
    const scene = await openScene({ version })
    const expectations = expected('accuracy > 0.9\nloss < 1\nf1 > 0\ntrain.accuracy == "0.9"')
    const { conclusion, error, status } = await scene.execute({ expectations })
    expect({ conclusion, status }).toEqual({ conclusion: 'expectation-missed', status: 'completed' })
    expect(error).toMatch(
      /^The run "[^"]+" completed, but 3 of 4 expectations were not met: expected accuracy > 0\.9, got 0\.9; expected f1 > 0, got no such value \(the run has train\.(accuracy, train\.loss|loss, train\.accuracy)\); expected train\.accuracy == "0\.9", got 0\.9 \(a number\)$/,
    )
  },
)

test('a name that several steps have is a miss that lists them', async () => {
  const scene = await openScene()
  const target = { kind: 'template', reference: 'wide-template' } as const
  const { conclusion, error } = await scene.execute({ target, expectations: expected('accuracy >= 0.9') })
  expect(conclusion).toBe('expectation-missed')
  expect(error).toContain('got several values: train_0.accuracy, train_1.accuracy,')
})

test('a run that failed is a failed run, whatever was expected', async () => {
  const layers = [{ source: 'configuration', value: { steps: { train: { parameters: { fail: 'no' } } } } }]
  const scene = await openScene()
  const overrides = { layers, tags: undefined, enableCache: undefined }
  const { conclusion } = await scene.execute({ overrides, expectations: expected('accuracy > 2') })
  expect(conclusion).toBe('failed')
})

test('wait/ judges a run that something else started', async () => {
  const scene = await openScene()
  const { runId } = await scene.execute({ wait: false })
  const { conclusion } = await scene.attach(runId ?? '', { expectations: expected('accuracy > 2') })
  expect(conclusion).toBe('expectation-missed')
})

test('metadata is read once, for the expectations and for the details', async () => {
  const scene = await openScene()
  await scene.execute({ expectations: expected('accuracy > 0') })
  expect(scene.sent(/\/steps\?/)).toHaveLength(1)
})

test('what is noted of where the run came from is nothing to expect', async () => {
  const scene = await openScene()
  const { error } = await scene.execute({ expectations: expected('actor == "octocat"') })
  expect(error).not.toContain('github')
})

test('metadata that cannot be read does not hold, and the miss says why', async () => {
  const scene = await openScene({
    faults: [
      { on: 'steps', occurrence: 'always', do: { kind: 'answer', status: 403, body: '{"detail":"no"}' } },
    ],
  })
  const { conclusion, error } = await scene.execute({ expectations: expected('accuracy > 0') })
  expect(conclusion).toBe('expectation-missed')
  expect(error).toMatch(/got nothing, because the metadata could not be read: .*answered 403: no/)
})

test('an expectation is patient with a server that is away for a moment', async () => {
  const scene = await openScene({ faults: [{ on: 'steps', do: { kind: 'html', status: 503 } }] })
  const { conclusion } = await scene.execute({ expectations: expected('accuracy > 0') })
  expect(conclusion).toBe('completed')
})

test('a value that is nested too deeply to be written is a miss like any other', async () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const body = `{"total":1,"total_pages":1,"items":[{"id":"x","name":"train","body":{"status":"completed"},"metadata":{"run_metadata":{"accuracy":${deep}}}}]}`
  const node = '{"node_id":"x","type":"step","id":"x","name":"train","metadata":{"status":"completed"}}'
  const graph = `{"status":"completed","nodes":[${node}],"edges":[]}`
  const scene = await openScene({
    faults: [
      { on: 'steps', occurrence: 'always', do: { kind: 'answer', status: 200, body } },
      { on: 'dag', occurrence: 'always', do: { kind: 'answer', status: 200, body: graph } },
    ],
  })
  const { conclusion, error } = await scene.execute({ expectations: expected('accuracy >= 0.9') })
  expect(conclusion).toBe('expectation-missed')
  expect(error).toContain('expected accuracy >= 0.9, got a list of 1')
})

/** The verdict on one condition, on what a run and its steps logged. */
function verdictOn(
  text: string,
  metadata: object,
  steps: Readonly<Record<string, object>> = {},
): Verdict | undefined {
  const read = (value: object): JsonObject => {
    const json = JSON.stringify(value).replaceAll(/"RAW:([^"]+)"/g, '$1')
    return JSON.parse(json) as JsonObject
  }
  const stepMetadata = Object.entries(steps).map(([step, logged]) => ({ step, metadata: read(logged) }))
  return evaluateExpectations(expected(text), { metadata: read(metadata), stepMetadata }, undefined)[0]
}

test.each([
  ['train.accuracy', { 'train.accuracy': 0.99 }, { train: { accuracy: 0.1 } }],
  ['a.b.c', {}, { 'a.b': { c: 0.99 }, a: { 'b.c': 0.1 } }],
])('the name %s, which can be read in two ways, is several values', (name, metadata, steps) => {
  const verdict = verdictOn(`${name} >= 0.9`, metadata, steps)
  expect(verdict).toMatchObject({
    held: false,
    got: expect.stringMatching(/^several values of this name: .* \(log them under other names\)$/),
  })
})

test('a name that is the key of one step and reads as another step and its key is several values', () => {
  const verdict = verdictOn('train.f1 > 0', {}, { train: { f1: 0.1 }, test: { 'train.f1': 0.9 } })
  expect(verdict).toMatchObject({
    held: false,
    got: 'several values: train.f1, test.train.f1 (write one of these)',
  })
})

test.each<[string, object, Readonly<Record<string, object>>, boolean]>([
  ['"val.accuracy" >= 0.9', { 'val.accuracy': 0.95 }, { val: { accuracy: 0.1 } }, true],
  ["'val.accuracy' >= 0.9", {}, { fit: { 'val.accuracy': 0.95 }, val: { accuracy: 0.1 } }, true],
  ['"loss" <= 0.1', { loss: 0.1 }, { fit: { loss: 9 } }, true],
  ['"val.accuracy" >= 0.9', {}, { val: { accuracy: 0.95 } }, false],
  ['"metrics.f1" >= 0.9', { metrics: { f1: 0.95 } }, {}, false],
])('a name in quotes is a key as it was logged: %s', (text, metadata, steps, held) => {
  expect(verdictOn(text, metadata, steps)).toMatchObject({ held, wanted: text })
})

test('a key in quotes that several steps have is several values, each with a name to write', () => {
  const steps = { fit: { 'val.f1': 1 }, eval: { 'val.f1': 1 } }
  expect(verdictOn('"val.f1" > 0', {}, steps)?.got).toBe(
    'several values: fit.val.f1, eval.val.f1 (write one of these)',
  )
})

test.each<[string, object, Readonly<Record<string, object>>]>([
  ['conv.metrics.f1 >= 0.9', {}, { conv: { metrics: { f1: 0.9 } } }],
  ['metrics.f1 >= 0.9', {}, { conv: { metrics: { f1: 0.9 } } }],
  ['metrics.f1 >= 0.9', { metrics: { f1: 0.9 } }, { conv: { metrics: { f1: 0.1 } } }],
  ['metrics.f1 >= 0.9', { 'metrics.f1': 0.9, metrics: { f1: 0.1 } }, {}],
  ['a.b.c.d.e.f >= 0.9', { a: { b: { c: { d: { e: { f: 0.9 } } } } } }, {}],
])('a value in a mapping is found by its path: %s', (text, metadata, steps) => {
  expect(verdictOn(text, metadata, steps)).toMatchObject({ held: true, got: '0.9' })
})

test.each<[string, object, Readonly<Record<string, object>>, string]>([
  ['f1 > 0', {}, { conv: { metrics: { f1: 1 } } }, 'no such value (the run has conv.metrics.f1)'],
  ['m > 0', {}, { conv: { m: { f1: 1 } } }, '{"f1":1} (a mapping)'],
  ['x > 0', { m: {} }, {}, 'no such value (the run has m)'],
  [
    'train.acuracy > 0',
    {},
    { train: { accuracy: 1, loss: 0 } },
    'no such value, did you mean train.accuracy? (the run has train.accuracy, train.loss)',
  ],
  [
    'a.b.c.d.e.f.g > 0',
    { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } },
    {},
    'no such value, did you mean a.b.c.d.e.f? (the run has a.b.c.d.e.f)',
  ],
  [
    'm.f1 > 0',
    {},
    { a: { m: { f1: 1 } }, b: { m: { f1: 1 } } },
    'several values: a.m.f1, b.m.f1 (write one of these)',
  ],
  [
    'm.x.y > 0',
    { m: { 'x.y': 1 }, 'm.x': { y: 2 } },
    {},
    'several values of this name: "m.x.y of the run itself", "m.x.y of the run itself" (log them under other names)',
  ],
])('what is in mappings is not guessed: %s', (text, metadata, steps, got) => {
  expect(verdictOn(text, metadata, steps)).toMatchObject({ held: false, got })
})

test('a value in a mapping is held against the one in the same place of the baseline', () => {
  const judged = (before: JsonObject) => {
    const baseline = { kind: 'found', values: logged(before) } as const
    const own = logged({ m: { f1: 0.9 } })
    return evaluateExpectations(expected('m.f1 >= baseline'), own, undefined, baseline)[0]
  }
  expect(judged({ m: { f1: 0.9 } })).toEqual({ wanted: 'm.f1 >= baseline (0.9)', held: true, got: '0.9' })
  expect(judged({ m: { f1: 0.91 } })).toMatchObject({ held: false, got: '0.9' })
  expect(judged({ m: { f2: 0.1 } })?.got).toBe(
    'nothing to compare with: the baseline has no m.f1 (it has m.f2)',
  )
  expect(judged({ 'm.f1': 0.1 })?.held).toBe(false)
})

test("a bare name is the run's own value where it has one", () => {
  expect(verdictOn('f1 > 0.5', { f1: 0.9 }, { train: { f1: 0.1 } })).toMatchObject({ held: true })
})

/** Each would hold of the number next to it as well. */
test.each([
  ['rows == 1e16', '10000000000000001'],
  ['rows >= 1e16', '9999999999999999.9'],
  ['rows <= 1e16', '10000000000000001'],
  ['rows >= 0.9', '1e999'],
  ['rows > 0.9', '1e999'],
  ['rows != 5', '1e999'],
  ['rows < 0', '-1e999'],
])('%s does not hold of %s, which cannot be told from other numbers', (condition, number) => {
  expect(verdictOn(condition, { rows: `RAW:${number}` })).toMatchObject({
    held: false,
    got: expect.stringMatching(
      /\((a number that is too large to be read|more digits than can be compared exactly)\)$/,
    ),
  })
})

test.each([
  ['flops < 1e21', '300000000000000000000'],
  ['flops > 1e16', '10000000000000002'],
  ['rows == 9007199254740991', '9007199254740991'],
  ['rows != 1e16', '10000000000000002'],
])('%s holds of %s, as no other number could be meant', (condition, number) => {
  const key = condition.split(' ')[0] ?? ''
  expect(verdictOn(condition, { [key]: `RAW:${number}` })).toMatchObject({ held: true })
})

/** Of each comparison, on which side of 0.9 or "m" it holds. */
test.each([
  ['==', [false, true, false]],
  ['!=', [true, false, true]],
  ['<', [true, false, false]],
  ['<=', [true, true, false]],
  ['>', [false, false, true]],
  ['>=', [false, true, true]],
] as const)('%s compares numbers by their size and texts by their letters', (operator, holds) => {
  const held = (wanted: string, values: readonly unknown[]): (boolean | undefined)[] =>
    values.map((value) => verdictOn(`it ${operator} ${wanted}`, { it: value })?.held)
  expect(held('0.9', [0.8, 0.9, 1])).toEqual(holds)
  expect(held('"m"', ['l', 'm', 'n'])).toEqual(holds)
})

test.each([
  ['0.9', '"0.95"', ' (a string)'],
  ['0.9', 'null', ' (nothing)'],
  ['0.9', 'true', ' (a boolean)'],
  ['0.9', '[1]', ' (a list)'],
  ['"m"', '{"a":1}', ' (a mapping)'],
  ['"m"', '7', ' (a number)'],
])(
  'to %s nothing of another kind compares, such as %s, and the miss names the kind',
  (wanted, value, kind) => {
    for (const operator of ['==', '!=', '<', '<=', '>', '>=']) {
      const verdict = verdictOn(`it ${operator} ${wanted}`, { it: JSON.parse(value) as unknown })
      expect(verdict).toMatchObject({ held: false })
      expect(verdict?.got.endsWith(kind)).toBe(true)
    }
  },
)

test.each([
  ['== true', true, true],
  ['== true', false, false],
  ['!= false', true, true],
  ['!= false', false, false],
  ['== false', 'false', false],
])('it %s on %j: %s', (condition, value, held) => {
  expect(verdictOn(`it ${condition}`, { it: value })?.held).toBe(held)
})

const logged = (metadata: JsonObject) => ({ metadata, stepMetadata: [] })

test.each<[string, number, number, string, boolean]>([
  ['x >= baseline', 0.9, 0.9, 'x >= baseline (0.9)', true],
  ['x > baseline', 0.9, 0.9, 'x > baseline (0.9)', false],
  ['x >= baseline + 0.2', 0.3, 0.1, 'x >= baseline + 0.2 (0.3)', true],
  ['x <= baseline + 5 %', 1.05, 1, 'x <= baseline + 5 % (1.05)', true],
  ['x <= baseline + 5 %', 1.06, 1, 'x <= baseline + 5 % (1.05)', false],
  ['x <= baseline + 50 %', -1, -2, 'x <= baseline + 50 % (-1)', true],
  ['x >= baseline - 10 %', -2.2, -2, 'x >= baseline - 10 % (-2.2)', true],
  // 0.7 + 0.1 is less than 0.8 for a computer, and 0.2 + 0.1 more than 0.3; a bound that is not allowed itself stays one.
  ['x > baseline + 0.1', 0.8, 0.7, 'x > baseline + 0.1 (0.8)', false],
  ['x > baseline + 0.1', 0.9, 0.8, 'x > baseline + 0.1 (0.9)', false],
  ['x < baseline + 0.1', 0.3, 0.2, 'x < baseline + 0.1 (0.3)', false],
  ['x != baseline + 0.1', 0.3, 0.2, 'x != baseline + 0.1 (0.3)', false],
  ['x > baseline + 0.1', 0.81, 0.7, 'x > baseline + 0.1 (0.8)', true],
])('%s: %d against %d', (text, value, before, wanted, held) => {
  const baseline = { kind: 'found', values: logged({ x: before }) } as const
  const verdicts = evaluateExpectations(expected(text), logged({ x: value }), undefined, baseline)
  expect(verdicts).toEqual([{ wanted, held, got: String(value) }])
})

test.each<[string, JsonObject, JsonObject, string]>([
  ['the run lacks it', { y: 1 }, { x: 1 }, 'no such value (the run has y)'],
  ['the baseline lacks it', { x: 1 }, { y: 1 }, 'nothing to compare with: the baseline has no x (it has y)'],
  [
    'the baseline has nothing',
    { x: 1 },
    {},
    'nothing to compare with: the baseline has no x (it has no metadata)',
  ],
  [
    'the baseline has a text',
    { x: 1 },
    { x: 'a' },
    'nothing to compare with: the baseline has "a", which is not a number',
  ],
  [
    'the baseline has a number that is too large',
    { x: 1 },
    { x: Infinity },
    'nothing to compare with: the baseline has a number that is too large to be read',
  ],
])('where %s, nothing holds', (_, own, before, got) => {
  const baseline = { kind: 'found', values: logged(before) } as const
  const [verdict] = evaluateExpectations(expected('x >= baseline - 1'), logged(own), undefined, baseline)
  expect(verdict).toEqual({ wanted: 'x >= baseline - 1', held: false, got })
})

/** As a pipeline computes them: each has more digits than a person writes. */
const FRACTIONS = [29 / 30, 26 / 30, 2 / 3, 0.1 + 0.2, 93 / 97, 1 / 3, 1e-7 / 3]

test.each(FRACTIONS)('%d is as good as itself', (value) => {
  const baseline = { kind: 'found', values: logged({ x: value }) } as const
  for (const text of ['x >= baseline', 'x <= baseline', 'x >= baseline - 0.01', 'x <= baseline + 1 %']) {
    const judged = evaluateExpectations(expected(text), logged({ x: value }), undefined, baseline)
    expect(judged).toMatchObject([{ held: true }])
  }
  for (const text of ['x > baseline', 'x < baseline', 'x != baseline']) {
    const judged = evaluateExpectations(expected(text), logged({ x: value }), undefined, baseline)
    expect(judged).toMatchObject([{ held: false }])
  }
})

test.each(FRACTIONS.slice(0, 6))('a loss of exactly the tolerance from %d is none too many', (value) => {
  const baseline = { kind: 'found', values: logged({ x: value }) } as const
  const own = logged({ x: value - 0.01 })
  expect(evaluateExpectations(expected('x >= baseline - 0.01'), own, undefined, baseline)).toMatchObject([
    { held: true },
  ])
})

test('a number of more digits than can be compared exactly is more or less than another, never equal', () => {
  const baseline = { kind: 'found', values: logged({ flos: 2.5e17 }) } as const
  const judged = (text: string, flos: number) =>
    evaluateExpectations(expected(text), logged({ flos }), undefined, baseline)
  expect(judged('flos <= baseline', 1.5e17)).toMatchObject([{ held: true }])
  expect(judged('flos <= baseline', 2.5e17)).toMatchObject([
    { held: false, got: expect.stringContaining('more digits than can be compared exactly') },
  ])
})

test.each(['<', '<=', '>', '>='])('texts have no order beside a baseline: %s', (operator) => {
  const baseline = { kind: 'found', values: logged({ x: '10.5' }) } as const
  const judged = evaluateExpectations(
    expected(`x ${operator} baseline`),
    logged({ x: '9.5' }),
    undefined,
    baseline,
  )
  expect(judged).toMatchObject([
    { held: false, got: 'nothing to compare with: the baseline has "10.5", which is not a number' },
  ])
})

test("a run's own value is not held against that of a step of the baseline", () => {
  const values = { metadata: {}, stepMetadata: [{ step: 'train', metadata: { acc: 0.5 } }] }
  const baseline = { kind: 'found', values } as const
  expect(
    evaluateExpectations(expected('acc >= baseline'), logged({ acc: 0.6 }), undefined, baseline),
  ).toMatchObject([
    {
      held: false,
      got: 'nothing to compare with: the baseline has no acc (it has train.acc)',
    },
  ])
})

test('what is no number can be told from the baseline, if nothing is added', () => {
  const baseline = { kind: 'found', values: logged({ stage: 'candidate' }) } as const
  const judged = (text: string) =>
    evaluateExpectations(expected(text), logged({ stage: 'final' }), undefined, baseline)
  expect(judged('stage != baseline')).toMatchObject([{ held: true }])
  expect(judged('stage == baseline')).toMatchObject([{ held: false, got: '"final"' }])
})

test.each([
  ['completed', 'completed'],
  ['failed', 'expectation-missed'],
  ['stopped', 'expectation-missed'],
])('what a step that is %s logged, in a run that completed: %s', async (status, conclusion) => {
  const scene = await openScene()
  const item = {
    id: 'a0000000-0000-4000-8000-000000000001',
    name: 'train',
    body: { status },
    metadata: { run_metadata: { accuracy: 0.95 } },
  }
  const body = JSON.stringify({ total: 1, total_pages: 1, items: [item] })
  const answer: FaultAction = { kind: 'answer', status: 200, body }
  scene.server.addFault({ on: 'steps', occurrence: 'always', do: answer })
  const graph: FaultAction = { kind: 'answer', status: 404, body: '{"detail":"Not Found"}' }
  scene.server.addFault({ on: 'dag', occurrence: 'always', do: graph })
  const result = await scene.execute({ expectations: expected('accuracy >= 0.9') })
  expect(result.conclusion).toBe(conclusion)
})
