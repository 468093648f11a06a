import { expect, test } from '@jest/globals'
import { renderSummary, type SummaryContent } from '../../src/github/summary.ts'

const content: SummaryContent = {
  conclusion: 'completed',
  pipeline: 'training',
  runName: 'nightly',
  runUrl: 'https://zenml.example.com/runs/1',
  status: 'completed',
  durationMs: 61_000,
  error: undefined,
}

test('a dry run shows the difference in a fence that its text cannot end', () => {
  const text = renderSummary({
    ...content,
    conclusion: 'dry-run',
    runName: undefined,
    runUrl: undefined,
    status: '',
    dryRun: {
      lines: [
        { mark: '-', text: 'note: "a"' },
        { mark: '+', text: 'note: "````\u2028```"' },
      ],
      onlyWhenTriggered: ['whether the stack has changed'],
    },
  })
  expect(text).toContain('### 🧪 ZenML run of training: dry-run')
  expect(text).toContain('`````diff\n- note: "a"\n+ note: "````\\u{2028}```"\n`````\n')
})

test('what was expected is a table of wanted and got, and no text of a run is formatted', () => {
  const verdicts = [
    { wanted: 'accuracy >= 0.9', held: false, got: '0.8' },
    { wanted: 'stage == "a|b"', held: true, got: '"a|b"' },
  ]
  const text = renderSummary({ ...content, conclusion: 'expectation-missed', verdicts })
  expect(text).toContain('| | Wanted | Got |')
  expect(text).toContain('| ❌ | accuracy &#62;= 0&#46;9 | 0&#46;8 |')
  expect(text).toContain('"a&#124;b" |')
})

test('several faults stand each on a line of its own', () => {
  const text = renderSummary({ ...content, conclusion: 'failed', error: 'first\nsecond' })
  expect(text).toContain('first  \nsecond\n')
})
