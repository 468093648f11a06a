import { expect, test } from '@jest/globals'
import { isStepFinished, isStepSucceeded, runPhase } from '../../src/zenml/status.ts'

test.each([
  ['completed', 'succeeded'],
  ['cached', 'succeeded'],
  ['skipped', 'succeeded'],
  ['failed', 'failed'],
  ['stopped', 'stopped'],
  ['cancelled', 'stopped'],
  ['initializing', 'going-on'],
  ['provisioning', 'going-on'],
  ['running', 'going-on'],
  ['paused', 'going-on'],
  ['resuming', 'going-on'],
  ['stopping', 'going-on'],
  ['cancelling', 'going-on'],
  ['queued', 'going-on'],
  ['retrying', 'going-on'],
  ['a-word-of-next-year', 'unknown'],
  ['COMPLETED', 'unknown'],
  ['', 'unknown'],
  ['constructor', 'unknown'],
])('a run that is "%s" has %s', (status, phase) => {
  expect(runPhase(status)).toBe(phase)
})

test.each([
  ['completed', true, true],
  ['cached', true, true],
  ['skipped', true, true],
  ['failed', true, false],
  ['stopped', true, false],
  ['cancelled', true, false],
  ['retried', true, false],
  ['retrying', false, false],
  ['running', false, false],
  ['initializing', false, false],
  ['a-word-of-next-year', false, false],
])('a step that is "%s": uses nothing more %s, lets others start %s', (status, finished, succeeded) => {
  expect(isStepFinished(status)).toBe(finished)
  expect(isStepSucceeded(status)).toBe(succeeded)
})
