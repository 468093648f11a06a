import { afterEach, expect, test } from '@jest/globals'
import { ZENML_VERSIONS, type PipelineSpec, type StepSpec } from '../../../simulator/index.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const steps: readonly StepSpec[] = [
  { name: 'load', seconds: 5 },
  { name: 'train', seconds: 60, preempted: 'cancelled' },
  { name: 'report', seconds: 60, preempted: 'cancelling' },
]

const open = (spec: Omit<PipelineSpec, 'name'>, version: Scene['server']['version'] = '0.98.0') =>
  openScene({ version, pipelines: [{ name: 'night', ...spec }] })

const TARGET = { kind: 'template', reference: 'night-template' } as const

test.each(ZENML_VERSIONS)(
  'ZenML %s: a run that ZenML calls completed, though steps of it were cancelled or are about to be, is red and names them',
  async (version) => {
    const scene = await open({ steps }, version)
    const result = await scene.execute({ target: TARGET })
    expect(result).toMatchObject({ conclusion: 'failed', status: 'completed', failedStep: 'train' })
    expect(result.error).toMatch(
      /^ZenML calls the run "night-gh\S+" completed, but these steps were cancelled: train, report: http/,
    )
  },
)

test('the code of a dynamic pipeline may go on without a step that was cancelled: its word counts', async () => {
  const scene = await open({ steps: [], dynamic: { parameters: {}, expand: () => steps } })
  expect(await scene.execute({ target: TARGET })).toMatchObject({ conclusion: 'completed' })
})
