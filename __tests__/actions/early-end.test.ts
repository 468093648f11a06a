import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { isReportDue, reportEarlyEnd } from '../../src/actions/early-end.ts'
import { WorkflowLog } from '../../src/github/log.ts'
import { noteSummary } from '../../src/github/run-journal.ts'
import { parseFileCommand } from '../../e2e/action.ts'
import { RunnerFiles } from '../hostile/workflow-step.ts'

const files = new RunnerFiles()
beforeEach(() => {
  files.empty()
})
afterAll(() => {
  files.remove()
})

const STARTED = { id: '1', name: 'nightly', url: 'https://zenml.example.com/runs/1', status: 'running' }

/** The variables of a post step, after a main that saved its state and went no further. */
function leftBy(main: () => void): Record<string, string> {
  main()
  const state = { ...parseFileCommand(files.read('state')), started: JSON.stringify(STARTED) }
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
}

const silent = new WorkflowLog(() => undefined)

test('after a main step that was killed, the summary says what became of its run', async () => {
  const env = leftBy(() => {
    noteSummary(true, silent)
  })
  expect(isReportDue(env)).toBe(true)
  const sentence = 'The run "nightly" was stopped and is now stopped'
  await reportEarlyEnd({ sentence, status: 'stopped' }, undefined, env, silent)
  const summary = files.read('summary')
  expect(summary).toContain('cancelled')
  expect(summary).toContain('[nightly](https://zenml.example.com/runs/1)')
  expect(summary).toContain('was stopped and is now stopped')
})

test('a main step that was killed when its run had ended is told of, too', async () => {
  const env = leftBy(() => {
    noteSummary(true, silent)
  })
  await reportEarlyEnd(undefined, undefined, env, silent)
  expect(files.read('summary')).toContain('The step was ended before it could report on its run')
})

test.each([
  [
    'has written its own summary',
    () => {
      noteSummary(true, silent)
      noteSummary(false, silent)
    },
  ],
  ['wanted none', () => undefined],
])('after a main step that %s, the post step writes none', async (_, main) => {
  const env = leftBy(main)
  expect(isReportDue(env)).toBe(false)
  await reportEarlyEnd({ sentence: 'x', status: 'stopped' }, undefined, env, silent)
  expect(files.read('summary')).toBe('')
})
