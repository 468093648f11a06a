import { expect, test } from '@jest/globals'
import { VirtualClock } from '../../simulator/index.ts'
import { RunRecorder, type WorkflowStepEnd } from '../../src/github/run-recorder.ts'
import type { RunEvent } from '../../src/run/events.ts'
import { change, counts, details, run, RUN_URL, started, stepState, steps } from './run-events.ts'

const end: WorkflowStepEnd = {
  conclusion: 'failed',
  status: 'failed',
  error: 'The run failed',
  failedStep: 'train',
}

function recorder() {
  const clock = new VirtualClock()
  return { clock, recorder: new RunRecorder(clock) }
}

test('while a run goes on, the record says how long it has run, and has no conclusion', () => {
  const { clock, recorder: kept } = recorder()
  expect(kept.record).toMatchObject({
    conclusion: undefined,
    status: '',
    durationMs: undefined,
    runId: undefined,
  })
  kept.tell(started)
  clock.advance(12_000)
  kept.tell({ kind: 'state', status: 'running', reason: undefined })
  kept.tell({ kind: 'usual', usual: { medianMs: 1000, spread: 0.1, runs: 2 } })
  expect(kept.record).toMatchObject({
    conclusion: undefined,
    status: 'running',
    durationMs: 12_000,
    runId: run.id,
    runName: run.name,
    runUrl: RUN_URL,
    pipeline: 'training',
    created: run.created,
    usual: { runs: 2 },
  })
})

const ageMs = 900_000

test.each([
  ['was started', { kind: 'started', run, url: RUN_URL, ageMs, adopted: false }],
  ['something else started', { kind: 'attached', run, url: RUN_URL, ageMs }],
  ['an earlier attempt started', { kind: 'resumed', run, url: RUN_URL, ageMs, attempt: 1 }],
] satisfies [string, RunEvent][])(
  'the duration of a run that %s counts from its creation, whenever this step found it',
  (_, event) => {
    const { clock, recorder: kept } = recorder()
    clock.advance(5_000)
    expect(kept.record).toMatchObject({ asOf: undefined, durationMs: undefined })
    kept.tell(event)
    clock.advance(13_000)
    expect(kept.record).toMatchObject({ asOf: (run.created ?? 0) + 913_000, durationMs: 913_000 })
  },
)

test("of a run that has ended, the server's own duration is told, not how long this step took to see it", () => {
  const { clock, recorder: kept } = recorder()
  kept.tell(started)
  clock.advance(35_000)
  kept.tell({ kind: 'details', details: details({ durationMs: 4_000 }) })
  expect(kept.record.durationMs).toBe(4_000)
})

test('of each step the newest is known, and its last attempt also when the server tells all steps at the end', () => {
  const { recorder: kept } = recorder()
  kept.tell(started)
  kept.tell(steps([change('load', 'running'), change('train', 'running')], { running: 2 }))
  kept.tell(steps([change('train', 'running', { attempt: 2 })], { running: 1, succeeded: 1 }))
  const known = (): unknown[] => kept.record.steps.map(({ name, status, attempt }) => [name, status, attempt])
  expect(known()).toEqual([
    ['load', 'running', 1],
    ['train', 'running', 2],
  ])
  expect(kept.record.counts).toMatchObject({ running: 1, succeeded: 1 })
  kept.tell({ kind: 'details', details: details({ steps: [stepState('train'), stepState('report')] }) })
  expect(known()).toEqual([
    ['train', 'completed', 2],
    ['report', 'completed', undefined],
  ])
})

test('how many steps there are is known from a line in between, too, where none of them has changed', () => {
  const { recorder: kept } = recorder()
  kept.tell(steps([change('load', 'cached')], { total: 2, cached: 1, succeeded: 1 }))
  const still = {
    kind: 'still',
    status: 'running',
    sinceMs: 60_000,
    running: [],
    forecast: undefined,
  } as const
  const grown = counts({ total: 3, cached: 1, succeeded: 1 })
  kept.tell({ ...still, counts: grown })
  expect(kept.record.counts).toEqual(grown)
  kept.tell({ ...still, counts: undefined })
  expect(kept.record.counts).toEqual(grown)
})

test('steps that the server could not tell at the end stay as they were seen', () => {
  const { recorder: kept } = recorder()
  kept.tell(steps([change('load', 'running')]))
  kept.tell({ kind: 'details', details: details({ missing: ['the steps could not be read'] }) })
  expect(kept.record.steps).toMatchObject([{ name: 'load', status: 'running' }])
  expect(kept.record.details?.missing).toHaveLength(1)
})

test('the end says the conclusion, and an error of several faults keeps a line for each', () => {
  const { recorder: kept } = recorder()
  kept.end({ ...end, error: 'one two', faults: ['one\n::error::x', 'two'] })
  expect(kept.record).toMatchObject({
    conclusion: 'failed',
    status: 'failed',
    error: 'one\\n::error::x\ntwo',
  })
})
