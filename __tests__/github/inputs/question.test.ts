import { expect, test } from '@jest/globals'
import { readResolveInputs } from '../../../src/github/inputs/read.ts'
import { least, readWith, variables } from './given.ts'

test.each([
  ['1', undefined, true],
  ['2', undefined, false],
  ['2', ' Deploy it? ', true],
])('resolve/ in attempt %s, with the question %j: read is %s', async (attempt, question, ok) => {
  const given = variables({ ...least.resolve, ...(question === undefined ? {} : { question }) })
  const outcome = await readWith(readResolveInputs, { ...given, GITHUB_RUN_ATTEMPT: attempt })
  expect(outcome.ok).toBe(ok)
  if (outcome.ok) expect(outcome.inputs.question).toBe(question?.trim())
  else
    expect(outcome.faults.faults.map(({ line }) => line)).toEqual([
      'question: missing; a re-run needs it, as the run may ask something else by now: start a new workflow run instead; to allow re-runs, set question in the workflow',
    ])
})
