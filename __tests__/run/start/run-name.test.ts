import { expect, test } from '@jest/globals'
import { runNameProblem } from '../../../src/base/run-name.ts'
import { defaultRunName, otherRunName } from '../../../src/run/start/run-name.ts'

test('a name of 255 characters is taken, whatever they are, and one more is refused', () => {
  expect(runNameProblem('n'.repeat(255))).toBeUndefined()
  expect(runNameProblem('🚀'.repeat(255))).toBeUndefined()
  expect(runNameProblem('n'.repeat(256))).toMatch(/^becomes 256 characters long; /)
})

test.each([
  ['nightly-{pipeline}', 'contains {pipeline}, which is not filled in; only {date} and {time} are'],
  ['nightly-{}', 'contains {}, which is not filled in; only {date} and {time} are'],
  ['nightly-{dat}', 'contains {dat}, which is not filled in; did you mean {date}?'],
  ['nightly-{date', 'contains a single { or }, which ZenML cannot read; remove it'],
  ['nightly-date}', 'contains a single { or }, which ZenML cannot read; remove it'],
])('a name that the server would change, as %s, is refused', (name, problem) => {
  expect(runNameProblem(name)).toBe(problem)
})

test('a name counts with its date and time', () => {
  // 2026_11_22 and 21_47_25_741000
  expect(runNameProblem(`${'n'.repeat(255 - 10 - 15)}{date}{time}`)).toBeUndefined()
  expect(runNameProblem(`${'n'.repeat(256 - 10 - 15)}{date}{time}`)).toMatch(/^becomes 256 characters/)
})

test.each([
  ['training', 'training'],
  [' training ', 'training'],
  ['{date}', 'date'],
  ['tra\u0007ining\ud800', 'training'],
  ['tra\u0308ining', 'tr\u00e4ining'],
  ['p'.repeat(300), 'p'.repeat(175)],
  ['\u{1f680}'.repeat(300), '\u{1f680}'.repeat(175)],
])('a default name begins with the pipeline %j as no server changes it', (pipeline, begins) => {
  const requester = { workflowRunId: '4711', attempt: 1, stepIdentity: '0a1b2c3d' }
  const name = defaultRunName(requester, pipeline, '01234567-89ab-4cde-8f01-23456789abcd')
  expect(name).toBe(`${begins}-gh4711-1-0a1b2c3d-0123456789ab`)
})

test.each([
  ['nightly', 'nightly'],
  ['n'.repeat(255), 'n'.repeat(242)],
  ['\u{1f680}'.repeat(255), '\u{1f680}'.repeat(242)],
  [`n${'\u{1f680}'.repeat(254)}`, `n${'\u{1f680}'.repeat(241)}`],
])('the other name of a run named %j has whole characters, 255 of them at most', (name, begins) => {
  const other = otherRunName(name, false, '01234567-89ab-4cde-8f01-23456789abcd')
  expect(other).toBe(`${begins}-0123456789ab`)
})
