import { afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../../simulator/index.ts'
import { closeScenes, openScene } from '../scene.ts'
import { sweepOver } from './sweep-over.ts'

afterEach(closeScenes)

const noRows = { type: 'ValueError', message: 'no rows', traceback: '', userCodeLine: 3 }

/** One branch fails at once where it is told so; the other takes an hour in any case. */
const split: PipelineSpec = {
  name: 'split',
  steps: [
    {
      name: 'short',
      seconds: 1,
      parameters: { fail: { default: '', jsonSchema: { type: 'string' } } },
      effect: ({ fail }) => (fail === 'yes' ? { fails: noRows } : {}),
    },
    { name: 'long', seconds: 3_600 },
  ],
}

test.each([
  ['stops the others at once, and starts none', true, 2, ['failed', 'stopped']],
  [
    'is not what others are stopped for without it',
    false,
    4,
    ['failed', 'completed', 'completed', 'completed'],
  ],
])(
  'fail-fast: a run that failed while its other branches go on %s',
  async (_, failFast, started, statuses) => {
    const scene = await openScene({ pipelines: [split], orchestrator: 'kubernetes' })
    const target = { kind: 'template', reference: 'split-template' } as const
    const cells = ['yes', 'a', 'b', 'c'].map((fail) => ({ 'short.fail': fail }))
    const outcome = await sweepOver(cells, scene, { target, failFast, maxParallel: 2 })
    expect(scene.server.runs).toHaveLength(started)
    expect(scene.server.runs.map(({ status }) => status)).toEqual(statuses)
    expect(outcome.conclusion).toBe('failed')
    if (failFast) expect(outcome.error).toContain('The sweep ended early: cell 1 failed (fail-fast)')
  },
)

/** A step that fails where it is told so, and one after it. */
const chain: PipelineSpec = {
  name: 'chain',
  sequential: true,
  steps: [
    { ...split.steps[0]!, seconds: 20 },
    { name: 'next', seconds: 3 },
  ],
}

test.each([
  [true, 2],
  [false, 4],
])(
  'fail-fast (%j), where it takes half a minute until a failed run counts as over (0.74): so many cells are started meanwhile: %d',
  async (failFast, started) => {
    const scene = await openScene({ pipelines: [chain], version: '0.74.0' })
    const target = { kind: 'template', reference: 'chain-template' } as const
    const cells = ['yes', 'a', 'b', 'c'].map((fail) => ({ 'short.fail': fail }))
    await sweepOver(cells, scene, { target, failFast, maxParallel: 2 })
    expect(scene.server.runs).toHaveLength(started)
  },
)
