import { expect, test } from '@jest/globals'
import { sweepOutputs } from '../../../src/github/sweep/outputs.ts'
import type { Candidate } from '../../../src/run/sweep/cell.ts'

const HOSTILE = 'best\n::error::forged\u001B[31m'

test('the name of the best run is one line, whatever the server calls it', () => {
  const best: Candidate = {
    cell: { number: 1, values: { 'train.epochs': 5 }, parameters: { source: 'matrix', value: {} } },
    run: { id: 'e9bca733-528a-42cc-80bc-7356a1d86eb7', name: HOSTILE, url: undefined },
    isResumed: false,
    outcome: { conclusion: 'completed', status: 'completed', error: undefined, failedStep: undefined },
    reason: undefined,
    durationMs: 3_000,
    unread: undefined,
    verdicts: [],
    rank: { value: 0.9 },
    comparison: undefined,
  }
  const outputs = sweepOutputs({ cells: [best], completed: 1, best, unranked: [], rank: undefined })
  expect(outputs['best-run-name']).toMatch(/^best.*forged/)
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  expect(outputs['best-run-name']).not.toMatch(/[\u0000-\u001F]/)
  expect(outputs).toMatchObject({ 'best-value': '0.9', 'best-parameters': '{"train.epochs":5}', failed: '0' })
})
