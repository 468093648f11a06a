import { afterEach, expect, test } from '@jest/globals'
import {
  ZENML_VERSIONS,
  type FaultAction,
  type PipelineSpec,
  type StepSpec,
} from '../../../simulator/index.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const steps: readonly StepSpec[] = [
  { name: 'load', seconds: 5 },
  { name: 'train', seconds: 60, preempted: 'cancelled' },
  { name: 'report', seconds: 60, preempted: 'cancelling' },
]

const open = (spec: Omit<PipelineSpec, 'name'>, version: Scene['server']['version'] = '0.98.0') =>
  openScene({ version, pipelines: [{ name: 'night', ...spec }] })

/** A second after the end of the run was read. */
function isBack({ server, clock }: Scene): boolean {
  const at = server.requests.find(({ path }) => path.includes('hydrate=true') && path.includes('/runs/'))?.at
  return at !== undefined && clock.now() - at >= 1_000
}

const TARGET = { kind: 'template', reference: 'night-template' } as const

test.each(ZENML_VERSIONS)(
  'ZenML %s: a run that ZenML calls completed, though steps of it were cancelled or are about to be, is red and names them',
  async (version) => {
    const scene = await open({ steps }, version)
    const result = await scene.execute({ target: TARGET })
    expect(result).toMatchObject({ conclusion: 'failed', status: 'completed', failedStep: 'train' })
    const missing = scene.events.flatMap((each) => (each.kind === 'details' ? each.details.missing : []))
    expect(missing).toEqual([])
    expect(result.error).toMatch(
      /^ZenML calls the run "night-gh\S+" completed, but these steps were cancelled: train, report: http/,
    )
  },
)

test('a gateway that answers for a moment as the run ends does not make it green', async () => {
  const scene = await open({ steps })
  for (const on of ['dag', 'steps'] as const) {
    scene.server.addFault({
      on,
      occurrence: 'always',
      get do(): FaultAction {
        const isOver = scene.server.runs[0]?.status === 'completed'
        return isOver && !isBack(scene) ? { kind: 'html', status: 502 } : { kind: 'delay', seconds: 0 }
      },
    })
  }
  expect(await scene.execute({ target: TARGET })).toMatchObject({ conclusion: 'failed', failedStep: 'train' })
})

test('the code of a dynamic pipeline may go on without a step that was cancelled: its word counts', async () => {
  const scene = await open({ steps: [], dynamic: { parameters: {}, expand: () => steps } })
  expect(await scene.execute({ target: TARGET })).toMatchObject({ conclusion: 'completed' })
})

test.each(['cancelled', 'cancelling'] as const)(
  'what a step logged that is %s is no result of a dynamic run',
  async (preempted) => {
    const train: StepSpec = { name: 'train', seconds: 60, preempted, metadata: { accuracy: 0.95 } }
    const scene = await open({ steps: [], dynamic: { parameters: {}, expand: () => [train] } })
    const expectations = [{ name: 'train.accuracy', operator: '>=', wanted: 0.9 } as const]
    expect(await scene.execute({ target: TARGET, expectations })).toMatchObject({
      conclusion: 'expectation-missed',
    })
  },
)
