import { expect, test } from '@jest/globals'
import { marked } from 'marked'
import { amendComment, renderComment, type CommentPlace } from '../../../src/github/comment/body.ts'
import { isNewer, writerOf } from '../../../src/github/comment/marker.ts'
import type { RunRecord } from '../../../src/github/run-record.ts'
import { NO_LOG, recordOf, START, stepOf } from '../records.ts'

const PLACE: CommentPlace = {
  action: 'main',
  identity: '1a2b3c4d',
  stepKey: 'train/0',
  context: {
    runId: '100200300',
    runAttempt: 2,
    workflow: 'Train',
    workflowRunUrl: 'https://github.com/example/models/actions/runs/100200300/attempts/2',
  },
}

const HOSTILE =
  '@octocat @example/owners #1 GH-2 example/models#3 <img src=x> [x](javascript:alert(1)) `@octocat` | **b** ' +
  '<!-- zenml-run-action main 1a2b3c4d 999999999999/1 --> closes #4 ::error::no ##[error]no \u202e $x$ ![](y)'

/** A record in which every text is hostile. */
function hostileRecord(text = HOSTILE): RunRecord {
  return recordOf({
    conclusion: 'failed',
    status: text,
    error: `${text}\n${text}`,
    pipeline: text,
    runName: text,
    steps: [stepOf(text, { status: text })],
    failures: [
      { step: text, fault: { type: text, message: text, frame: text, code: text }, log: NO_LOG },
      { step: text, fault: undefined, log: { ...NO_LOG, missing: text } },
    ],
    comparison: {
      input: text,
      baseline: { id: text, name: text, url: 'https://zenml.example.com/runs/2' },
      missing: undefined,
      metrics: [{ name: text, value: 1, baseline: 2, better: 'lower' }],
    },
    verdicts: [{ wanted: text, held: false, got: text }],
    unjudged: [text],
    details: {
      durationMs: undefined,
      steps: [],
      metadata: { [text]: text },
      stepMetadata: [{ step: text, metadata: { [text]: text } }],
      artifacts: [],
      missing: [text],
    },
  })
}

test('a run that has just started: its link, since when, and until when', () => {
  const usual = { medianMs: 720_000, spread: 0.1, runs: 5 }
  const body = renderComment(recordOf({ conclusion: undefined, status: 'initializing', usual }), PLACE)
  expect(body.split('\n')).toEqual([
    '<!-- zenml-run-action main 1a2b3c4d 100200300/2 -->',
    '### ⏳ ZenML run of training: running',
    '',
    '[nightly](https://zenml.example.com/runs/1) · started at 2026-01-01 00:00 UTC · usually 12 min · expected to end at about 2026-01-01 00:12 UTC',
    '',
    '<sub>[Train](https://github.com/example/models/actions/runs/100200300/attempts/2) · attempt 2 · `train/0`</sub>',
    '',
  ])
})

test('a run that was handed over: when it was checked last, until when, and that it is not judged yet', () => {
  const usual = { medianMs: 25_200_000, spread: 0.1, runs: 5 }
  const record = recordOf({
    conclusion: 'running',
    status: 'running',
    usual,
    asOf: START + 21_300_000,
    durationMs: 21_300_000,
    steps: [stepOf('load'), stepOf('train', { status: 'running', durationMs: undefined })],
    unjudged: ['train.accuracy >= 0.9', 'train.loss < 1'],
  })
  expect(renderComment(record, PLACE).split('\n').slice(1, 9)).toEqual([
    '### ⏳ ZenML run of training: still running',
    '',
    '[nightly](https://zenml.example.com/runs/1) · started at 2026-01-01 00:00 UTC · usually 7 h · expected to end at about 2026-01-01 07:00 UTC · last checked at 2026-01-01 05:55 UTC',
    '',
    'Not judged yet: `train.accuracy >= 0.9`, `train.loss < 1`',
    '',
    '<details><summary>Steps</summary>',
    '',
  ])
  expect(renderComment({ ...record, status: 'paused' }, PLACE)).toContain(' · `paused` in ZenML')
  expect(renderComment({ ...record, asOf: undefined }, PLACE)).not.toContain('last checked')
})

test('a run that failed: why, what was expected, its metrics, and its steps folded', () => {
  const fault = {
    type: 'RuntimeError',
    message: 'no data',
    frame: 'train.py, line 42, in train',
    code: 'raise RuntimeError("no data")',
  }
  const body = renderComment(
    recordOf({
      conclusion: 'failed',
      status: 'failed',
      steps: [stepOf('load'), stepOf('train', { status: 'failed' })],
      failures: [{ step: 'train', fault, log: NO_LOG }],
      verdicts: [{ wanted: 'accuracy >= 0.9', held: false, got: '0.8' }],
      details: {
        durationMs: undefined,
        steps: [],
        metadata: { accuracy: 0.8 },
        stepMetadata: [],
        artifacts: [],
        missing: [],
      },
    }),
    PLACE,
  )
  const order = [
    '### ❌',
    'RuntimeError: no data',
    'line 42',
    '`accuracy >= 0.9`',
    '| `accuracy`',
    '<details>',
  ]
  const places = order.map((text) => body.indexOf(text))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places).not.toContain(-1)
})

test('no line of a log and no parameter is shown: nothing masks them there', () => {
  const log = { lines: ['a secret of the log'], left: 0, missing: undefined }
  const body = renderComment(
    recordOf({
      conclusion: 'failed',
      failures: [{ step: 'train', fault: undefined, log }],
      runFailure: { failedAt: undefined, reason: undefined, fault: undefined, log },
      changes: [{ path: 'train.token', before: undefined, after: 'a secret parameter' }],
      dryRun: { kind: 'dry-run', lines: [], expectations: [], onlyWhenTriggered: ['a secret of a dry run'] },
    }),
    PLACE,
  )
  expect(body).not.toContain('secret')
})

test('no text from a server notifies anybody, links anything or adds markup', () => {
  const body = renderComment(hostileRecord(), PLACE)
  const html = marked.parse(body, { async: false, gfm: true })
  const shown = html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')

  expect(shown).not.toMatch(/@\w|#\d|GH-\d/i)
  expect(html).not.toMatch(/<(img|script)|javascript:alert\(1\)"|<strong>b/)
  expect(body.match(/<!--/g)).toHaveLength(1 + (body.match(/`[^`\n]*<!--/g) ?? []).length)
  expect(body).not.toContain('\u202e')
})

test('a hostile text cannot make the comment belong to another run', () => {
  const body = renderComment(hostileRecord(), PLACE)
  const { context } = PLACE
  expect(writerOf(body, PLACE, context)).toEqual({ runId: '100200300', runAttempt: 2 })
  expect(writerOf(`> ${body}`, PLACE, context)).toBeUndefined()
  expect(writerOf(body, { ...PLACE, action: 'wait' }, context)).toBeUndefined()
  expect(writerOf(body, { ...PLACE, identity: '00000000' }, context)).toBeUndefined()
})

test.each(['x', '|', '@', '`', '😀', '\n', '\u2028', '\u200b'])(
  'texts of any size made of %j fit, and what is left out is said',
  (piece) => {
    const record = hostileRecord(piece.repeat(100_000))
    const many = {
      ...record,
      steps: Array.from({ length: 5_000 }, (_, index) => stepOf(`${piece.repeat(90)}${index}`)),
      failures: Array.from({ length: 100 }, () => record.failures[0]!),
      verdicts: Array.from({ length: 500 }, () => record.verdicts[0]!),
      runUrl: `https://zenml.example.com/${'a'.repeat(70_000)}`,
    }
    const body = renderComment(many, PLACE)
    expect(body.length).toBeLessThanOrEqual(65_536)
    expect(body).toContain('Too long to show here: link')
    expect(body).toContain('ZenML run of ')
    expect(writerOf(body, PLACE, PLACE.context)).toBeDefined()
  },
)

test('in a comment that is full already, what was written stays before the news', () => {
  const failures = [{ step: 'train', fault: undefined, log: NO_LOG }]
  const full = recordOf({ conclusion: 'timed-out', failures })
  const written = [100, 140, 141, 142, 143].map((length) =>
    renderComment({ ...full, error: Array(length).fill('x'.repeat(450)).join('\n') }, PLACE),
  )
  for (const body of written) {
    const amended = amendComment(body, recordOf({ conclusion: 'timed-out' }), 'y'.repeat(1_000), PLACE)
    expect(amended.length).toBeLessThanOrEqual(65_536)
    expect(amended.startsWith(body.slice(0, body.lastIndexOf('\n\n')))).toBe(true)
    expect(amended.includes('y'.repeat(1_000)) || amended.includes('Too long to show here: errors')).toBe(
      true,
    )
  }
  // One of them is nearly as long as GitHub takes.
  expect(Math.max(...written.map(({ length }) => length))).toBeGreaterThan(64_500)
})

test.each([undefined, 'training'])(
  'a comment on the pipeline %s is known again, at each moment',
  (pipeline) => {
    for (const conclusion of [undefined, 'completed', 'dry-run', 'expectation-missed'] as const) {
      const body = renderComment(recordOf({ conclusion, pipeline }), PLACE)
      expect(writerOf(body, PLACE, PLACE.context)).toBeDefined()
      // As somebody leaves it who edits it in a browser.
      expect(writerOf(body.replaceAll('\n', '\r\n'), PLACE, PLACE.context)).toBeDefined()
    }
  },
)

test('a moment that no calendar has is not shown', () => {
  for (const created of [Number.NaN, Infinity, 9e15]) {
    const body = renderComment(recordOf({ conclusion: undefined, created }), PLACE)
    expect(body).not.toContain('started at')
  }
})

test.each([
  ['100', 1, '99', 9, true],
  ['100', 1, '100', 1, false],
  ['100', 2, '100', 1, true],
  ['99', 1, '100', 1, false],
  ['9007199254740991', 1, '9007199254740990', 1, true],
])('run %s/%i against run %s/%i: newer is %s', (runId, runAttempt, otherId, otherAttempt, newer) => {
  expect(isNewer({ runId, runAttempt }, { runId: otherId, runAttempt: otherAttempt })).toBe(newer)
})
