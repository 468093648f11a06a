import { expect, test } from '@jest/globals'
import { comparisonText, shownNumber } from '../../../src/github/page/comparison.ts'
import { renderComment } from '../../../src/github/comment/body.ts'
import { jsonOutputs } from '../../../src/github/json-outputs.ts'
import { renderSummary } from '../../../src/github/page/summary.ts'
import type { ComparedMetric, Comparison } from '../../../src/run/facts.ts'
import { recordOf } from '../records.ts'

const metric = (name: string, some: Partial<ComparedMetric> = {}): ComparedMetric => ({
  name,
  value: 0.95,
  baseline: 0.93,
  better: undefined,
  ...some,
})

const comparison = (...metrics: ComparedMetric[]): Comparison => ({
  input: 'main',
  baseline: { id: 'b', name: 'training-5', url: 'https://zenml.example.com/runs/b' },
  missing: undefined,
  metrics,
})

test('each metric is one row: baseline, this run, the change, and whether that is good', () => {
  const text = comparisonText(
    comparison(
      metric('train.accuracy', { better: 'higher' }),
      metric('train.loss', { value: 0.08, baseline: 0.05, better: 'lower' }),
      metric('rows', { value: 12_000, baseline: 12_000 }),
      metric('new', { baseline: undefined }),
      metric('old', { value: undefined }),
      metric('from nothing', { value: 2, baseline: 0 }),
      metric('from next to nothing', { value: 1, baseline: 1e-320 }),
      metric('from end to end', { value: 1.5e308, baseline: -1.5e308 }),
    ),
  )
  expect(text.split('\n')).toEqual([
    'Compared with [training&#45;5](https://zenml.example.com/runs/b) (baseline `main`)',
    '',
    '| Metric | Baseline | This run | Change |',
    '| --- | --- | --- | --- |',
    '| `train.accuracy` | `0.93` | `0.95` | `+0.02 (+2.2 %)` ✅ better |',
    '| `train.loss` | `0.05` | `0.08` | `+0.03 (+60 %)` 🔻 worse |',
    '| `rows` | `12,000` | `12,000` | same |',
    '| `new` | none | `0.95` |  |',
    '| `old` | `0.93` | none |  |',
    '| `from nothing` | `0` | `2` | `+2` |',
    '| `from next to nothing` | `1e-320` | `1` | `+1` |',
    '| `from end to end` | `-1.5e+308` | `1.5e+308` |  |',
  ])
})

test('at most thirty rows are shown, and the others counted', () => {
  const text = comparisonText(comparison(...Array.from({ length: 33 }, (_, index) => metric(`m${index}`))))
  expect(text.match(/^\| `m/gm)).toHaveLength(30)
  expect(text).toMatch(/\n\n3 more metrics not shown\.$/)
})

test.each([
  [0.1 + 0.2, '0.3'],
  [0.931_234_5, '0.93123'],
  [1_234_567, '1,234,567'],
  [12_345.678, '12,346'],
  [1.25e-7, '1.25e-7'],
  [-0.5, '-0.5'],
  [1e300, '1e+300'],
])('a person reads %d as %s', (value, text) => {
  expect(shownNumber(value)).toBe(text)
})

test('summary and comment say it, and why there is nothing to compare with', () => {
  const place = {
    action: 'main',
    identity: '1a2b3c4d',
    stepKey: '',
    context: { runId: '1', runAttempt: 1, workflow: 'CI', workflowRunUrl: 'https://github.com/o/r' },
  } as const
  const none = {
    ...comparison(),
    baseline: undefined,
    missing: 'no other workflow run on the branch main has passed with this action yet',
  }
  for (const show of [renderSummary, (record: ReturnType<typeof recordOf>) => renderComment(record, place)]) {
    expect(show(recordOf({ comparison: comparison(metric('f1')) }))).toContain('| `f1` | `0.93` | `0.95` |')
    expect(show(recordOf({ comparison: none }))).toContain(
      'Not compared (baseline `main`): `no other workflow run on the branch main has passed with this action yet`',
    )
  }
})

test('the output is JSON, exact in decimal, with null where there is nothing', () => {
  const text = jsonOutputs(
    recordOf({
      comparison: comparison(
        metric('f1', { value: 0.95, baseline: 0.9 }),
        metric('zero', { value: 1, baseline: 0 }),
        metric('new', { baseline: undefined }),
      ),
    }),
  ).comparison
  expect(JSON.parse(text)).toEqual({
    baseline: { id: 'b', name: 'training-5', url: 'https://zenml.example.com/runs/b' },
    metrics: [
      { name: 'f1', value: 0.95, baseline: 0.9, change: 0.05, relative: 0.0555556 },
      { name: 'zero', value: 1, baseline: 0, change: 1, relative: null },
      { name: 'new', value: 0.95, baseline: null, change: null, relative: null },
    ],
  })
  expect(JSON.parse(jsonOutputs(recordOf()).comparison)).toEqual({ baseline: null, metrics: [] })
})
