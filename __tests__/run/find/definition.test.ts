import { afterAll, afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../../simulator/index.ts'
import { change } from '../../hostile/bad-answer.ts'
import { RunnerFiles, takeStep } from '../../hostile/workflow-step.ts'
import { closeScenes, openScene, TRIGGER } from '../scene.ts'

afterEach(closeScenes)

const files = new RunnerFiles()
afterAll(() => {
  files.remove()
})

const LOCAL: PipelineSpec = { name: 'local', runnable: false, steps: [{ name: 'train', seconds: 1 }] }

test.each([
  ['0.98.0', 'snapshot'],
  ['0.85.0', 'run template'],
] as const)(
  '%s: a pipeline that does not exist is called that, with the nearest name',
  async (version, noun) => {
    const scene = await openScene({ version })
    const target = { kind: 'pipeline', pipeline: 'trainin' } as const
    await expect(scene.execute({ target })).rejects.toThrow(
      new RegExp(
        `^pipeline: there is no pipeline named "trainin" with a named ${noun}[^.]*, or the account has no permission ` +
          `to read ${noun}s; did you mean training\\? Pipelines with a runnable ${noun}: "training", `,
      ),
    )
    expect(scene.sent(TRIGGER)).toEqual([])
  },
)

test('a pipeline of which nothing can be run is not said to be missing', async () => {
  const scene = await openScene({ pipelines: [LOCAL, { ...LOCAL, name: 'remote', runnable: true }] })
  const target = { kind: 'pipeline', pipeline: 'local' } as const
  await expect(scene.execute({ target })).rejects.toThrow(
    /^pipeline: "local" has no named snapshot that can be run[^.]*\. Pipelines with a runnable snapshot: "remote"$/,
  )
})

const ENABLED = { layers: [], tags: undefined, enableCache: true }

test.each([
  ['the newest snapshot of a pipeline', 'pipeline', undefined, false],
  ['the newest snapshot of a pipeline', 'pipeline', ENABLED, true],
  ['a snapshot named by its ID', 'snapshot', undefined, false],
  ['a snapshot named by its ID', 'snapshot', ENABLED, true],
] as const)(
  '%s is read with its parameters only if the inputs change something',
  async (_, kind, overrides, isRead) => {
    const scene = await openScene()
    const reference = scene.server.seeded.snapshots['training-template'] ?? ''
    const target =
      kind === 'pipeline' ? ({ kind, pipeline: 'training' } as const) : ({ kind, reference } as const)
    await scene.execute({ target, wait: false, ...(overrides && { overrides }) })
    const asked = scene.sent(/^GET .*\/pipeline_snapshots\/[^?]+/)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.includes('include_config_schema=true')).toBe(isRead)
  },
)

test.each([
  ['which one', undefined, 'the pipeline "training"'],
  ['that it is none of that name', null, 'another pipeline'],
])('an ID from another pipeline is refused, and the error says %s', async (_, pipeline, owner) => {
  const target = { kind: 'template' as const, reference: '', pipeline: 'nightly' }
  const { outputs, requests } = await takeStep(files, {
    tamper: (route) =>
      route === 'template' && pipeline === null ? change('resources.pipeline', null) : undefined,
    before: ({ seeded }) => {
      target.reference = seeded.templates['training-template'] ?? ''
    },
    changes: { target },
  })
  expect(outputs['error']).toBe(
    `pipeline: the run template ${target.reference} belongs to ${owner}. Correct or remove the input`,
  )
  expect(requests.filter((line) => line.startsWith('POST /run_templates'))).toEqual([])
})

test('ZenML 0.74.0: the newest template of a pipeline is not run where it is in another workspace', async () => {
  const { outputs, requests } = await takeStep(files, {
    server: { version: '0.74.0' },
    tamper: (route) =>
      route === 'template'
        ? change('metadata.workspace.id', '5e9bca73-528a-42cc-80bc-7356a1d86eb7')
        : undefined,
    changes: {
      target: { kind: 'pipeline', pipeline: 'training' },
      project: { nameOrId: 'default', source: 'project' },
    },
  })
  expect(outputs['error']).toMatch(
    /^pipeline: "training" has no named run template that can be run in the project "default"/,
  )
  expect(requests.filter((line) => line.startsWith('POST /run_templates'))).toEqual([])
})
