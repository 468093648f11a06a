import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { RunRecord } from '../../../src/github/run-record.ts'
import { renderSummary } from '../../../src/github/page/summary.ts'
import { anyText } from '../../any-text.ts'
import { hostileTexts } from '../../hostile/hostile-texts.ts'
import { fencesOf, shapeOf } from '../markdown-reader.ts'
import { NO_LOG, recordOf, START, stepOf } from '../records.ts'

const failure = {
  step: 'train',
  fault: {
    type: 'RuntimeError',
    message: 'no data for today',
    frame: 'train.py, line 42, in train',
    code: '    raise RuntimeError(fail)',
  },
  log: { lines: ['reading', 'no `data`'], left: 40, missing: undefined },
}

test('the heading tells how it ended, and the line below it links the run and says how long it took', () => {
  const usual = { medianMs: 720_000, spread: 0.1, runs: 5 }
  const text = renderSummary(recordOf({ durationMs: 723_000, usual }))
  expect(text).toMatch(/^### ✅ ZenML run of training: completed\n\n/)
  expect(text).toContain('[nightly](https://zenml.example.com/runs/1) · **12 min** · usually 12 min\n')
})

test('a failed run shows the exception, the line of the user and the folded log before the table of steps', () => {
  const steps = [stepOf('load'), stepOf('train', { status: 'failed' })]
  const text = renderSummary(
    recordOf({ conclusion: 'failed', status: 'failed', error: 'It failed', failures: [failure], steps }),
  )
  expect(text).toContain(
    '❌ `train` failed  \n`RuntimeError: no data for today`  \n' +
      'at `train.py, line 42, in train`: `raise RuntimeError(fail)`\n',
  )
  expect(text).toContain(
    '<details><summary>The last 2 lines of its log (40 earlier ones not shown)</summary>\n\n```\nreading\nno `data`\n```\n\n</details>',
  )
  expect(text.indexOf('RuntimeError')).toBeLessThan(text.indexOf('| Step |'))
  expect(text).not.toContain('It failed')
})

test.each([
  ['the server recorded neither a reason nor a log  \nAsk whoever runs the ZenML server or', {}],
  ['`no space left on device`', { reason: 'no space left on device' }],
  ['the server recorded no reason, only a log', { log: { lines: ['pulling'], left: 0, missing: undefined } }],
  [
    'Its log is not shown: `the account may not read it`',
    { log: { ...NO_LOG, missing: 'the account may not read it' } },
  ],
])('a run that failed before any step says: %s', (said, changes) => {
  const runFailure = { failedAt: undefined, reason: undefined, fault: undefined, log: NO_LOG, ...changes }
  const text = renderSummary(recordOf({ conclusion: 'failed', error: 'x', runFailure }))
  expect(text).toContain('❌ The run failed before any step was started')
  expect(text).toContain(said)
})

test('of many failed steps the first are shown whole, and the others counted', () => {
  const failures = Array.from({ length: 10 }, (_, index) => ({ ...failure, step: `train${index}` }))
  const counts = { total: 200, running: 0, succeeded: 0, cached: 0, failed: 130, stopped: 0 }
  const text = renderSummary(recordOf({ conclusion: 'failed', error: 'x', failures, counts }))
  expect(text.match(/^❌ `train\d+` failed/gm)).toHaveLength(10)
  expect(text).toContain('❌ 120 more failed steps: 120 others\n')
})

test('of a long log the last lines stay, and how many came before is said', () => {
  const lines = Array.from({ length: 1_000 }, (_, index) => `${index} ${'x'.repeat(398)}`)
  const log = { lines, left: 7, missing: undefined }
  const text = renderSummary(recordOf({ conclusion: 'failed', error: 'x', failures: [{ ...failure, log }] }))
  expect(text).toContain('<summary>The last 39 lines of its log (968 earlier ones not shown)</summary>')
  expect(text).toContain('\n999 xxx')
})

test('several faults stand each on a line of its own', () => {
  const text = renderSummary(recordOf({ conclusion: 'failed', error: 'first\nsecond' }))
  expect(text).toContain('`first`  \n`second`\n')
})

test('what the table of expectations says is not said above it once more', () => {
  const verdicts = [{ wanted: 'accuracy >= 0.9', held: false, got: '0.8' }]
  const error = 'The run "x" completed, but the expectation was not met'
  const text = renderSummary(recordOf({ conclusion: 'expectation-missed', error, verdicts }))
  expect(text).toContain('### 📉 ZenML run of training: completed, but not as expected\n')
  expect(text).not.toContain(error)
})

test('what was expected is a table, the missed ones first', () => {
  const verdicts = [
    { wanted: 'stage == "a|b"', held: true, got: '"a|b"' },
    { wanted: 'accuracy >= 0.9', held: false, got: '0.8' },
  ]
  const text = renderSummary(recordOf({ conclusion: 'expectation-missed', verdicts }))
  expect(text).toContain(
    '| Expected | Got |\n| --- | --- |\n| ❌ `accuracy >= 0.9` | `0.8` |\n' +
      '| ✅ `stage == "a\\|b"` | `"a\\|b"` |\n',
  )
})

test('the table of steps is in the order of their start, with state, duration and share of the time', () => {
  const steps = [
    stepOf('report', { status: undefined, startTime: undefined, durationMs: undefined }),
    stepOf('train', { startTime: START + 20_000, durationMs: 30_000, attempt: 2 }),
    stepOf('load', { durationMs: 10_000 }),
    stepOf('clean', { status: 'cached', startTime: START + 1 }),
  ]
  expect(renderSummary(recordOf({ steps }))).toContain(
    [
      '| Step | State | Share |',
      '| --- | --- | --- |',
      '| ✅ load | completed in 10 s | ▰▱▱▱▱\u00a025\u00a0% |',
      '| ♻️ clean | cached |  |',
      '| ✅ train | completed in 30 s, attempt 2 | ▰▰▰▰▱\u00a075\u00a0% |',
      '| ⚪ report | not started |  |',
    ].join('\n'),
  )
})

test('a run that took everything from the cache says that nothing was computed', () => {
  const counts = { total: 3, running: 0, succeeded: 3, cached: 3, failed: 0, stopped: 0 }
  expect(renderSummary(recordOf({ counts }))).toContain('every step was cached, so nothing was computed')
  expect(renderSummary(recordOf({ counts: { ...counts, total: 4 } }))).toContain('3 of 4 steps cached')
})

test('changed values stand beside those of the definition, metadata as they are', () => {
  const changes = [
    { path: 'train.rate', before: '0.1', after: '0.2' },
    { path: 'tags', before: undefined, after: '["nightly"]' },
  ]
  const details = {
    durationMs: undefined,
    steps: [],
    metadata: { accuracy: 0.93, matrix: [[1]] },
    stepMetadata: [{ step: 'train', metadata: { loss: 0.07, note: 'a|b' } }],
    artifacts: [],
    missing: ['the metadata of 3 steps: too many to be read'],
  }
  const text = renderSummary(recordOf({ changes, details }))
  expect(text).toContain('| `train.rate` | `0.1` → `0.2` |\n| `tags` | none → `["nightly"]` |\n')
  expect(text).toContain('| `accuracy` | `0.93` |\n| `train.loss` | `0.07` |\n| `train.note` | `a\\|b` |\n')
  expect(text).toContain('Metadata not shown: a list or mapping.')
  expect(text).toContain('Could not be read:\n\n- `the metadata of 3 steps: too many to be read`\n')
})

test('a value with a bar is left to the log, where the runner hides it if it is a secret', () => {
  const changes = [{ path: 'load.token', before: '""', after: '"hf_a|b"' }]
  const text = renderSummary(recordOf({ changes }))
  expect(text).toContain('| `load.token` | `""` → `a value with a vertical bar; see the log` |\n')
})

test('a dry run shows the difference in a fence that its text cannot end', () => {
  const text = renderSummary(
    recordOf({
      conclusion: 'dry-run',
      status: '',
      runId: undefined,
      runName: undefined,
      runUrl: undefined,
      dryRun: {
        kind: 'dry-run',
        expectations: ['accuracy >= 0.9'],
        lines: [
          { mark: '-', text: 'note: "a"' },
          { mark: '+', text: 'note: "````\u2028```"' },
        ],
        onlyWhenTriggered: ['whether the stack has changed'],
      },
    }),
  )
  expect(text).toContain('### 🧪 ZenML run of training: dry run, nothing was started\n')
  expect(text).toContain('\nWould be checked after the run: `accuracy >= 0.9`\n')
  expect(text).toContain('`````diff\n- note: "a"\n+ note: "````\\u{2028}```"\n`````\n')
})

const MANY = Array.from({ length: 5_000 }, (_, index) =>
  stepOf(`step_${index}_${'x|`'.repeat(1_000)}`, {
    status: index < 4_700 ? 'completed' : index < 4_800 ? 'cached' : 'failed',
    startTime: START + index * 1_000,
    durationMs: 1_000 + index,
  }),
)

test('of 5,000 steps the failed ones and the first are shown, and how many more in which state', () => {
  const text = renderSummary(recordOf({ steps: MANY.slice(0, 4_900) }))
  expect(text).toContain('<details><summary>200 of 4,900 steps</summary>')
  expect(text).toContain('4,700 more steps are not shown: 4,600 completed, 100 cached.')
  expect(text.match(/^\| ❌ /gm)).toHaveLength(100)
  expect(text).toContain('The timeline shows the 50 longest of 4,900 steps that were started.')
})

/** As much of everything as a server could send. */
function hugeRecord(): RunRecord {
  const huge = '\u{e0001}|`漢字'.repeat(20_000)
  const many = Array.from({ length: 2_000 }, () => huge)
  return recordOf({
    conclusion: 'failed',
    pipeline: huge,
    runName: huge,
    error: huge,
    steps: MANY.map((step) => ({ ...step, name: huge })),
    failures: Array.from({ length: 10 }, () => ({
      step: huge,
      fault: { type: huge, message: huge, frame: huge, code: huge },
      log: { lines: many, left: 0, missing: undefined },
    })),
    verdicts: many.map((text) => ({ wanted: text, held: false, got: text })),
    changes: many.map((text) => ({ path: text, before: text, after: text })),
    details: {
      durationMs: undefined,
      steps: [],
      metadata: Object.fromEntries(many.map((text, index) => [`${index}`, text])),
      stepMetadata: [],
      artifacts: [],
      missing: many.slice(0, 10),
    },
  })
}

test('whatever a server sends, the summary stays under 300 kB and says which parts are left out', () => {
  const text = renderSummary(hugeRecord())
  expect(Buffer.byteLength(text)).toBeLessThan(301_000)
  expect(text).toMatch(/\nToo long to show here: .+\.\n$/)
})

/** One text in every place where a server or a user can put one. */
function recordWith(text: string): RunRecord {
  // A message shows its lines as lines, and says that it was cut.
  const line = text.slice(0, 500).replaceAll(/[\r\n]/g, ' ')
  return recordOf({
    conclusion: 'failed',
    status: text,
    pipeline: text,
    runName: text,
    usual: { medianMs: 1_000, spread: 0.1, runs: 1 },
    steps: [stepOf(text, { status: text }), stepOf(text, { startTime: START + 1 })],
    failures: [
      {
        step: text,
        fault: { type: undefined, message: line, frame: text, code: text },
        log: { lines: [text, text], left: undefined, missing: undefined },
      },
      { step: text, fault: undefined, log: { lines: [], left: undefined, missing: text } },
    ],
    comparison: {
      input: text,
      baseline: { id: text, name: text, url: 'https://zenml.example.com/runs/2' },
      missing: undefined,
      metrics: [{ name: text, value: 1, baseline: 2, better: 'lower' }],
    },
    verdicts: [{ wanted: text, held: false, got: text }],
    changes: [{ path: text, before: text, after: text }],
    details: {
      durationMs: undefined,
      steps: [],
      metadata: { [`x${text}`]: text },
      stepMetadata: [{ step: text, metadata: { key: text } }],
      artifacts: [],
      missing: [text],
    },
  })
}

const expectedShape = shapeOf(renderSummary(recordWith('x')))

describe('no text gets out of its place', () => {
  test.each(hostileTexts.filter(({ text }) => text.trim() !== ''))('$title', ({ text }) => {
    expect(shapeOf(renderSummary(recordWith(text)))).toEqual(expectedShape)
  })

  test('any text made of characters with a meaning', () => {
    const parts = [
      '`',
      '```',
      '|',
      '\\',
      '<b>',
      '</details>',
      '<!--',
      '#',
      '-',
      '=',
      '*',
      '_',
      '[a](b)',
      '&',
      '\n',
    ]
    const marks = fc.array(
      fc.constantFrom(...parts, '~~~', '    ', '> ', '1. ', 'www.a.b', 'a@b.c', ':', '$', 'x'),
    )
    const text = fc.oneof(
      marks.map((some) => some.join('')),
      anyText(60),
    )
    const visible = text.filter((each) => each.trim() !== '')
    fc.assert(
      fc.property(visible, (each) => {
        const markdown = renderSummary(recordWith(each))
        expect(shapeOf(markdown)).toEqual(expectedShape)
        expect(markdown).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|[^\n\t\P{Cc}]/u)
      }),
      { numRuns: 60 },
    )
  })
})

/** A line of a chart: what Mermaid reads as a label has letters, digits, spaces and entity codes only. */
const BAR = /^ {2}#\d+;(?:[A-Za-z0-9 ]|#\d+;)* :(?:done, |crit, |active, )?s\d+, \d+, \d+$/

describe('the timeline', () => {
  const chartOf = (record: RunRecord): string[] => fencesOf(renderSummary(record), 'mermaid')[0] ?? []

  test('has one bar a step in the order of their start, from start to end in milliseconds', () => {
    const steps = [
      stepOf('train 2', { status: 'failed', startTime: START + 10_000, durationMs: 50_000 }),
      stepOf('load'),
    ]
    expect(chartOf(recordOf({ steps }))).toEqual([
      'gantt',
      '  dateFormat x',
      '  axisFormat %H:%M:%S',
      '  tickInterval 15second',
      `  #108;oad :done, s0, ${START}, ${START + 10_000}`,
      `  #116;rain 2 :crit, s1, ${START + 10_000}, ${START + 60_000}`,
    ])
  })

  test('draws a step that still runs to where the record ends', () => {
    const running = stepOf('train', { status: 'running', durationMs: undefined })
    const chart = chartOf(recordOf({ steps: [stepOf('load'), running] }))
    expect(chart.at(-1)).toBe(`  #116;rain :active, s1, ${START}, ${START + 61_000}`)
  })

  test('draws it to there also where the run was followed for a part of its time', () => {
    const running = stepOf('train', { status: 'running', durationMs: undefined })
    const record = recordOf({ steps: [stepOf('load'), running], durationMs: 13_000, asOf: START + 900_000 })
    expect(chartOf(record).at(-1)).toBe(`  #116;rain :active, s1, ${START}, ${START + 900_000}`)
  })

  test('is not there where fewer than two steps were started', () => {
    expect(chartOf(recordOf({ steps: [stepOf('load'), stepOf('x', { startTime: undefined })] }))).toEqual([])
  })

  test('stays far below 50,000 characters, and no name of a step is read as anything else', () => {
    const text = fc.oneof(
      anyText(),
      fc.constantFrom(
        'section a',
        'title x',
        'click s0 call a()',
        'x :crit, s1, 1, 2',
        '%%{init: {}}%%',
        'a;b#35;',
      ),
    )
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 80 }), (names) => {
        const steps = names.map((name, index) => stepOf(name, { startTime: START + index }))
        const chart = chartOf(recordOf({ steps }))
        expect(chart.join('\n').length).toBeLessThan(25_000)
        for (const line of chart.slice(4)) expect(line).toMatch(BAR)
        expect(chart.slice(4)).toHaveLength(Math.min(50, names.length))
      }),
      { numRuns: 50 },
    )
  })
})
