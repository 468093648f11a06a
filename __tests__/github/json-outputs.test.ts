import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonOutputs } from '../../src/github/json-outputs.ts'
import { RunRecorder } from '../../src/github/run-recorder.ts'
import type { RecordedStep, RunRecord } from '../../src/github/run-record.ts'
import type { RunDetails } from '../../src/run/facts.ts'
import type { JsonValue } from '../../src/base/json.ts'
import { anyText } from '../any-text.ts'
import { details, stepState } from './run-events.ts'

const nothing = new RunRecorder({ elapsed: () => 0 }).record

type Entry = Record<string, JsonValue>

function outputs(changes: Partial<RunRecord>) {
  const texts = jsonOutputs({ ...nothing, ...changes })
  const values: { steps: Entry[]; metadata: Entry; artifacts: Entry[] } = {
    steps: JSON.parse(texts.steps),
    metadata: JSON.parse(texts.metadata),
    artifacts: JSON.parse(texts.artifacts),
  }
  return { texts, values }
}

function recorded(name: string, some: Partial<RecordedStep> = {}): RecordedStep {
  return { ...stepState(name), attempt: 1, ...some }
}

function withDetails(some: Partial<RunDetails>) {
  return outputs({ details: details(some) })
}

test('where nothing is known, each is valid JSON', () => {
  expect(jsonOutputs(nothing)).toEqual({
    steps: '[]',
    metadata: '{}',
    artifacts: '[]',
    comparison: '{"baseline":null,"metrics":[]}',
  })
})

test('the shapes are those of the documentation', () => {
  const unknown = { status: undefined, startTime: undefined, durationMs: undefined, attempt: undefined }
  const { values } = outputs({
    steps: [recorded('train', { status: 'failed', attempt: 2 }), recorded('report', unknown)],
    details: details({
      metadata: { accuracy: 0.93 },
      stepMetadata: [
        { step: 'train', metadata: { loss: 0.07, __proto__: null } },
        { step: 'load', metadata: {} },
        { step: '__proto__', metadata: { a: 1 } },
      ],
      artifacts: [
        {
          step: 'train',
          output: 'model',
          id: 'i',
          name: 'classifier',
          version: '12',
          uri: 's3://bucket/model',
          type: 'ModelArtifact',
        },
        {
          step: 'load',
          output: 'output',
          id: 'j',
          name: undefined,
          version: undefined,
          uri: undefined,
          type: undefined,
        },
      ],
    }),
  })
  expect(values.steps).toEqual([
    { name: 'train', status: 'failed', start: '2026-01-31T12:00:05.000Z', duration: 61.2, attempt: 2 },
    { name: 'report', status: null, start: null, duration: null, attempt: null },
  ])
  expect(values.metadata['run']).toEqual({ accuracy: 0.93 })
  expect(Object.entries(values.metadata['steps']!)).toEqual([
    ['train', { loss: 0.07 }],
    ['__proto__', { a: 1 }],
  ])
  expect(values.artifacts).toEqual([
    {
      step: 'train',
      output: 'model',
      id: 'i',
      name: 'classifier',
      version: '12',
      uri: 's3://bucket/model',
      type: 'ModelArtifact',
    },
    { step: 'load', output: 'output', id: 'j', name: null, version: null, uri: null, type: null },
  ])
})

test('a time that no date can say is not known', () => {
  expect(outputs({ steps: [recorded('a', { startTime: 1e300 })] }).values.steps[0]!['start']).toBeNull()
})

test('of 5,000 steps as many as fit are there, failed ones first, and the last entry says how many are not', () => {
  const all = Array.from({ length: 5_000 }, (_, index) =>
    recorded(`step_${index}`, { status: index % 100 === 99 ? 'failed' : 'completed' }),
  )
  const { texts, values } = outputs({ steps: all })
  expect(texts.steps.length).toBeLessThanOrEqual(100_000)
  expect(texts.steps.length).toBeGreaterThan(99_000)
  expect(values.steps.filter(({ status }) => status === 'failed')).toHaveLength(50)
  expect(values.steps.at(-1)).toEqual({ 'left-out': 5_000 - (values.steps.length - 1) })
})

test('of too much metadata whole entries are left out from the end, and a key says how many', () => {
  const long = 'x'.repeat(30_000)
  const { texts, values } = withDetails({
    metadata: { a: long, b: long },
    stepMetadata: [
      { step: 'train', metadata: { c: long, d: long, e: 1 } },
      { step: 'report', metadata: { f: 1 } },
    ],
  })
  expect(texts.metadata.length).toBeLessThanOrEqual(100_000)
  expect(values.metadata).toEqual({ run: { a: long, b: long }, steps: { train: { c: long } }, 'left-out': 3 })
})

test('one artifact that is too large for all leaves the list valid', () => {
  const artifact = { step: 's', output: 'o', id: 'i', name: undefined, version: undefined, type: undefined }
  const { texts } = withDetails({
    artifacts: [
      { ...artifact, uri: 'a' },
      { ...artifact, uri: 'x'.repeat(200_000) },
      { ...artifact, uri: 'b' },
    ],
  })
  expect(JSON.parse(texts.artifacts)).toMatchObject([{ uri: 'a' }, { 'left-out': 2 }])
})

test('a value that is nested too deeply to be written is left out', () => {
  let deep: JsonValue = 1
  for (let depth = 0; depth < 20_000; depth += 1) deep = [deep]
  const { values } = withDetails({ metadata: { fine: 1, deep } })
  expect(values.metadata).toEqual({ run: { fine: 1 }, steps: {}, 'left-out': 1 })
})

test('a command of the runner in it is none, also where a later step prints it', () => {
  const { texts, values } = withDetails({ metadata: { '##[group]a': '###[error]b' } })
  expect(texts.metadata).toBe('{"run":{"#\\u0023[group]a":"##\\u0023[error]b"},"steps":{}}')
  expect(values.metadata['run']).toEqual({ '##[group]a': '###[error]b' })
})

test('whatever the texts are, each output is one line of visible characters that means the same', () => {
  const text = anyText()
  fc.assert(
    fc.property(
      fc.array(text),
      fc.dictionary(text, fc.oneof(text, fc.double(), fc.boolean())),
      (names, metadata) => {
        const stepMetadata = names.map((step) => ({ step, metadata }))
        const { texts, values } = outputs({
          steps: names.map((name) => recorded(name)),
          details: details({ metadata: JSON.parse(JSON.stringify(metadata)), stepMetadata }),
        })
        for (const each of Object.values(texts))
          expect(each).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|##\[/u)
        expect(values.steps.map(({ name }) => name)).toEqual(names)
        expect(values.metadata['run']).toEqual(JSON.parse(JSON.stringify(metadata)))
      },
    ),
    { numRuns: 100 },
  )
})
