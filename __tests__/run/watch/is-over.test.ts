import { describe, expect, test } from '@jest/globals'
import { isBetweenSteps, isOver, needsSteps } from '../../../src/run/watch/is-over.ts'
import type { Run, StepState } from '../../../src/zenml/model.ts'

/** As a server shows a run whose `in_progress` never becomes false. */
const ended = (status: string, changes: Partial<Run> = {}): Run => ({
  id: 'f00',
  name: 'a run',
  permissionDenied: false,
  status,
  statusReason: undefined,
  inProgress: true,
  created: undefined,
  updated: undefined,
  endTime: undefined,
  templateId: undefined,
  sourceSnapshotId: undefined,
  isDynamic: false,
  startMark: undefined,
  pipeline: undefined,
  projectId: undefined,
  code: undefined,
  metadata: undefined,
  ...changes,
})

const step = (name: string, status?: string, upstream?: readonly string[]): StepState => ({
  id: status && name,
  name,
  status,
  upstream,
  startTime: undefined,
  durationMs: undefined,
})

const load = step('load', 'completed', [])
const train = step('train', 'failed', ['load'])

/** Seconds without a change after which the run counts as over; undefined if it does not even after a day. */
function overAfter(run: Run, steps: readonly StepState[] | undefined, now?: number): number | undefined {
  const seconds = [0, 10, 20, 29, 30, 60, 120, 299, 300, 600, 86_400]
  return seconds.find((each) => isOver({ run, ...(steps && { steps }) }, each * 1_000, now))
}

describe.each(['failed', 'stopped'])('a %s run that is said to be in progress for ever', (status) => {
  test.each([
    ['none of its steps runs', [load, train], 30],
    ['no step has started', [step('load', undefined, []), step('train', undefined, ['load'])], 30],
    ['the next step waits for one that failed', [load, train, step('test', undefined, ['train'])], 30],
    [
      'the next step waits for two, of which one failed',
      [load, train, step('a', undefined, ['load', 'train'])],
      30,
    ],
    ['the server does not say what the next step waits for', [load, train, step('test')], 30],
    ['another branch can still start', [load, train, step('report', undefined, ['load'])], 300],
    [
      'another branch, which waits for nothing, can still start',
      [load, train, step('b', undefined, [])],
      300,
    ],
    ['the first of two branches failed', [train, step('b', undefined, [])], 300],
    ['another branch runs', [load, train, step('report', 'running', ['load'])], undefined],
    ['another branch is in a state that nobody knows', [load, step('b', 'hibernating', [])], undefined],
  ] as const)('%s: it is over after so many unchanged seconds', (_, steps, seconds) => {
    expect(overAfter(ended(status), steps)).toBe(seconds)
  })

  test('of a dynamic pipeline, whose graph does not show what comes next: over after five minutes', () => {
    expect(overAfter(ended(status, { isDynamic: true }), [load, train])).toBe(300)
    expect(overAfter(ended(status, { isDynamic: true, inProgress: undefined }), [load, train])).toBe(30)
  })

  test('is not over before its steps were read', () => {
    expect(overAfter(ended(status), undefined)).toBeUndefined()
    expect(needsSteps(ended(status))).toBe(true)
    expect(needsSteps(ended(status, { inProgress: undefined }))).toBe(true)
  })

  test('is over at once where the server says that nothing of it is in progress', () => {
    expect(overAfter(ended(status, { inProgress: false }), undefined)).toBe(0)
    expect(needsSteps(ended(status, { inProgress: false }))).toBe(false)
  })
})

test('a completed run is over at once, and one that goes on never is', () => {
  expect(overAfter(ended('completed'), undefined)).toBe(0)
  expect(overAfter(ended('running', { inProgress: false }), [load])).toBeUndefined()
  expect(needsSteps(ended('completed'))).toBe(false)
  expect(needsSteps(ended('running'))).toBe(false)
})

test('a run in a state that nobody knows is over when the server says so', () => {
  expect(overAfter(ended('hibernating'), [load])).toBeUndefined()
  expect(overAfter(ended('hibernating', { inProgress: false }), undefined)).toBe(0)
  expect(overAfter(ended('hibernating', { endTime: 1 }), undefined)).toBe(0)
})

describe('a failed run of a server that does not say whether it is in progress, of which a step may start', () => {
  const run = ended('failed', { inProgress: undefined, updated: 1_000_000 })
  const steps = [load, train, step('report', undefined, ['load'])]

  test.each([
    ['right after it failed', 1_000_000, run, true],
    ['up to five minutes later', 1_299_999, run, true],
    ['after five minutes', 1_300_000, run, false],
    ['where the server has not said what time it is', undefined, run, true],
    ['where it was stopped', 1_000_000, { ...run, status: 'stopped' }, false],
    ['where the server says that it is not in progress', 1_000_000, { ...run, inProgress: false }, false],
    ['where the server says that it is in progress', 9_000_000, { ...run, inProgress: true }, true],
  ])('%s', (_, now, seen, expected) => {
    expect(isBetweenSteps(seen, steps, now, true)).toBe(expected)
    expect(overAfter(seen, steps, now)).toBe(seen.inProgress === false ? 0 : expected ? 300 : 30)
  })

  test('the end of a step counts as a change', () => {
    const late = { ...load, startTime: 1_100_000, durationMs: 50_000 }
    const then = [late, train, step('report', undefined, ['load'])]
    expect(isBetweenSteps(run, then, 1_449_999, true)).toBe(true)
    expect(isBetweenSteps(run, then, 1_450_000, true)).toBe(false)
  })
})
