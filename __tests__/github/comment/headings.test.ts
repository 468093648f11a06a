import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { WorkflowLog } from '../../../src/github/log/workflow-log.ts'
import type { WorkflowStepEnd } from '../../../src/github/run-recorder.ts'
import { WorkflowStepReporter } from '../../../src/github/workflow-step-reporter.ts'
import type { Conclusion } from '../../../src/run/conclusion.ts'
import { RunnerFiles } from '../../hostile/workflow-step.ts'
import { started } from '../run-events.ts'
import { PULL_REQUEST, withComment, type CommentScene } from './comment-scene.ts'

const files = new RunnerFiles()
beforeEach(() => {
  files.empty()
})
afterAll(() => {
  files.remove()
})

const ACTIONS = ['main', 'wait', 'sweep'] as const

/** What a step with a comment can end with, and what changes the heading then. */
const ENDS: Readonly<Record<Exclude<Conclusion, 'resolved'>, readonly Partial<WorkflowStepEnd>[]>> = {
  completed: [{}],
  failed: [{}, { remark: 'not-found' }, { remark: 'waits-for-person' }],
  stopped: [{}],
  'timed-out': [{}],
  cancelled: [{}],
  lost: [{}],
  started: [{}],
  running: [{}],
  'expectation-missed': [{}],
  'dry-run': [{}],
}

const ends = Object.entries(ENDS).flatMap(([conclusion, variants]) =>
  variants.map((more) => endOf({ ...more, conclusion: conclusion as Conclusion })),
)

function endOf(changes: Partial<WorkflowStepEnd>): WorkflowStepEnd {
  return { conclusion: 'completed', status: '', error: undefined, failedStep: undefined, ...changes }
}

/** Takes the same step once in each of two workflow runs. */
async function takeTwice(
  scene: CommentScene,
  [action, knowsRun]: readonly [(typeof ACTIONS)[number], boolean],
  [first, second]: readonly [WorkflowStepEnd, WorkflowStepEnd],
): Promise<[string[], string[]]> {
  const take = async (runId: string, end: WorkflowStepEnd): Promise<string[]> => {
    const report = new WorkflowStepReporter({
      action,
      log: new WorkflowLog(() => undefined),
      clock: scene.clock,
    })
    const comment = scene.comment({ action, context: { ...scene.context, runId } })
    report.address({ summary: false, comment })
    if (knowsRun && action === 'sweep')
      report.tell({ kind: 'cells-configured', cells: 2, warnings: [], unchecked: undefined, rankedBy: '' })
    else if (knowsRun) report.tell(started)
    await report.ended(end)
    return scene.github.comments(PULL_REQUEST).map(({ body }) => body.split('\n')[1] ?? '')
  }
  return [await take('100200300', first), await take('100200301', second)]
}

const NOTHING_DONE = { main: 'started', wait: 'followed', sweep: 'started' } as const

test.each(ACTIONS)('however a step ended, the next workflow run updates its comment (%s)', async (action) => {
  const seen: string[] = []
  for (const knowsRun of [false, true]) {
    for (const end of ends) {
      await withComment({}, async (scene) => {
        const [before, after] = await takeTwice(scene, [action, knowsRun], [end, endOf({})])
        seen.push(...before)
        expect(before).toHaveLength(1)
        expect(after).toEqual([expect.stringMatching(/^### ✅ ZenML .*: completed$/)])
      })
    }
  }
  expect(seen).toHaveLength(2 * ends.length)
  expect(seen).toEqual(
    expect.arrayContaining([
      `### ❌ No ZenML run was ${NOTHING_DONE[action]}`,
      '### ❌ ZenML run not found',
      '### ❌ ZenML run is waiting for a person',
    ]),
  )
})
