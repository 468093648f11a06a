import { describe, expect, test } from '@jest/globals'
import { progressOf, type Progress, type SeenSteps } from '../../../src/run/watch/progress.ts'
import type { StepState } from '../../../src/zenml/model.ts'

const NOTHING: SeenSteps = new Map()

function step(name: string, status?: string, id: string | undefined = status && name): StepState {
  return { id, name, status, upstream: undefined, startTime: undefined, durationMs: undefined }
}

/** What each of several readings, one after the other, brought. */
function readings(...all: readonly (readonly StepState[])[]): Progress[] {
  let seen = NOTHING
  return all.map((steps) => {
    const progress = progressOf(seen, steps)
    ;({ seen } = progress)
    return progress
  })
}

const changesOf = (progress: readonly Progress[]): string[][] =>
  progress.map(({ changes }) => changes.map(({ name, status, attempt }) => `${name} ${status} ${attempt}`))

test('a step is told when it starts and when it ends, and not in between nor before', () => {
  const progress = readings(
    [step('load', 'running'), step('train')],
    [step('load', 'running'), step('train')],
    [step('load', 'completed'), step('train', 'running')],
    [step('load', 'completed'), step('train', 'running')],
  )
  expect(changesOf(progress)).toEqual([['load running 1'], [], ['load completed 1', 'train running 1'], []])
})

test('a change has the times that the server tells', () => {
  const ended = { ...step('load', 'completed'), startTime: 1_000, durationMs: 250 }
  expect(progressOf(NOTHING, [ended]).changes).toEqual([
    { name: 'load', status: 'completed', startTime: 1_000, durationMs: 250, attempt: 1 },
  ])
})

test('a name like one of the language is a name like any other', () => {
  const progress = readings(
    [step('__proto__', 'running'), step('constructor')],
    [step('__proto__', 'failed')],
  )
  expect(changesOf(progress)).toEqual([['__proto__ running 1'], ['__proto__ failed 1']])
})

describe('a step that is tried again', () => {
  test('in a graph, which shows the newest attempt: another id is another attempt', () => {
    const progress = readings(
      [step('train', 'running', 'a')],
      [step('train', 'retrying', 'a')],
      [step('train', 'running', 'b')],
      [step('train', 'failed', 'b')],
    )
    expect(changesOf(progress).flat()).toEqual([
      'train running 1',
      'train retrying 1',
      'train running 2',
      'train failed 2',
    ])
  })

  test.each(['retrying', 'retried'])('with the same id: it goes on after %s', (between) => {
    const progress = readings([step('t', between)], [step('t', 'running')], [step('t', 'completed')])
    expect(changesOf(progress).flat()).toEqual([`t ${between} 1`, 't running 2', 't completed 2'])
  })

  test('in a list, which has all attempts: the newest counts, and it is one step', () => {
    const progress = readings(
      [step('t', 'retried', 'a'), step('t', 'running', 'b')],
      [step('t', 'retried', 'a'), step('t', 'running', 'b')],
      [step('t', 'retried', 'a'), step('t', 'retried', 'b'), step('t', 'completed', 'c')],
    )
    expect(changesOf(progress).flat()).toEqual(['t running 2', 't completed 3'])
    expect(progress.at(-1)?.counts).toMatchObject({ total: 1, succeeded: 1, failed: 0 })
  })

  test('between two looks: the same state of another attempt is a change', () => {
    const progress = readings([step('t', 'running', 'a')], [step('t', 'running', 'b')])
    expect(changesOf(progress)).toEqual([['t running 1'], ['t running 2']])
  })

  test('a step that had not started is at its first attempt when it starts', () => {
    expect(changesOf(readings([step('t')], [step('t', 'running', 'a')]))[1]).toEqual(['t running 1'])
  })
})

test('the failed steps of a reading are those that failed since the last', () => {
  const progress = readings(
    [step('a', 'failed'), step('b', 'running')],
    [step('a', 'failed'), step('b', 'failed')],
  )
  expect(progress.map(({ failed }) => failed.map(({ name }) => name))).toEqual([['a'], ['b']])
})

test('the steps are counted by their states, unknown ones as running', () => {
  const states = [
    'running',
    'hibernating',
    'completed',
    'cached',
    'skipped',
    'failed',
    'stopped',
    'cancelled',
  ]
  const steps = [...states.map((status) => step(status, status)), step('waiting')]
  expect(progressOf(NOTHING, steps).counts).toEqual({
    total: 9,
    running: 2,
    succeeded: 3,
    cached: 1,
    failed: 1,
    stopped: 2,
  })
})

test('each of the 5,000 steps of a run is told once', () => {
  const all = (status: string) => Array.from({ length: 5_000 }, (_, i) => step(`step_${i}`, status))
  const [first, second] = [all('running'), all('completed')]
  const progress = readings(first, second, second)
  expect(progress.map(({ changes }) => changes.length)).toEqual([5_000, 5_000, 0])
})
