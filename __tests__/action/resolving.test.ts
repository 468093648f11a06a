import { expect, jest, test } from '@jest/globals'
import { approval } from '../../simulator/index.ts'
import { expectGreen, expectRed, PATIENCE_MS, withServer, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const ANSWERS = /\/run_wait_conditions\/[^/]+\/resolve$/

/** A run that asks, as the step that started it leaves it. */
async function asking(scene: Scene) {
  const started = await scene.step({ pipeline: 'approval', 'on-paused': 'fail', 'poll-interval': '1s' })
  expect(started.outputs['error']).toContain('is waiting for a person (Deploy this model?)')
  return started.outputs
}

test.concurrent('resolve/ answers a run by its name or page, once, and wait/ sees it through', () =>
  withServer({ pipelines: [approval] }, async (scene) => {
    const { 'run-id': id, 'run-name': name, 'run-url': page } = await asking(scene)
    const answered = await scene.step({ run: page ?? '', answer: 'true' }, { entry: 'resolve' })
    expectGreen(answered, 'resolved')
    expect(answered.outputs).toMatchObject({ 'run-id': id, 'run-name': name, 'run-url': page })
    expect(answered.stdout).toContain(
      `The question "Deploy this model?" of the run "${name}" was answered: continue: ${page}`,
    )
    expect(answered.summary).toContain('### ✅ ZenML run of approval: its question was answered')

    expectGreen(await scene.step({ run: id ?? '' }, { entry: 'wait' }), 'completed')
    const again = await scene.step({ run: name ?? '', answer: 'true' }, { entry: 'resolve' })
    expect(expectRed(again, 'failed')).toBe(
      `run: the run "${name}" is not waiting for an answer; it is completed. It has ended, was answered already, or has not asked yet: ${page}`,
    )
    expect(again.stdout).toContain('title=ZenML run not resolved')
    expect(again.summary).toContain('### ❌ ZenML run not resolved\n\n[')
    expect(scene.requests('PUT', ANSWERS).map(({ body }) => body)).toEqual([
      JSON.stringify({ resolution: 'continue', result: true }),
    ])
  }),
)

test.concurrent('resolve/ stops a run with abort', () =>
  withServer({ pipelines: [approval] }, async (scene) => {
    const { 'run-id': run = '' } = await asking(scene)
    const aborted = await scene.step({ run, resolution: 'abort' }, { entry: 'resolve' })
    expectGreen(aborted, 'resolved')
    expect(aborted.outputs['status']).toBe('stopped')
    expect(scene.runs).toMatchObject([{ status: 'stopped', busy: false }])
  }),
)

test.concurrent('an answer that is not JSON is refused before anything is sent', () =>
  withServer({ pipelines: [approval] }, async (scene) => {
    const refused = await scene.step({ run: 'nightly', answer: 'approved' }, { entry: 'resolve' })
    expect(expectRed(refused, 'failed')).toBe(
      `answer: "approved" is not JSON; write true, 3, {"key": "value"}, or a string in double quotes, as in '"yes"'`,
    )
    expect(scene.server.requests).toEqual([])
  }),
)
