import { afterEach, expect, test } from '@jest/globals'
import type { PipelineSpec, StepFailure } from '../../../simulator/index.ts'
import type { RunEvent } from '../../../src/run/events.ts'
import { closeScenes, openScene, type Scene } from '../scene.ts'

afterEach(closeScenes)

const DYNAMIC = { parameters: {}, expand: () => [] }
const target = { kind: 'template', reference: 'parent-template' } as const

const FAILURE: StepFailure = {
  type: 'RuntimeError',
  message: 'loss is NaN',
  traceback: '  File "/app/train.py", line 42, in train\n    raise RuntimeError(fail)\n',
  userCodeLine: 1,
}

const calling = (child: PipelineSpec): PipelineSpec => ({
  name: 'parent',
  steps: [],
  dynamic: { parameters: {}, expand: () => [{ name: 'load', seconds: 5 }] },
  child,
})

const failing: PipelineSpec = {
  name: 'child',
  steps: [],
  dynamic: {
    parameters: {},
    expand: () => [
      { name: 'clean', seconds: 5 },
      { name: 'train', seconds: 20, fails: FAILURE, log: ['epoch 1', 'epoch 2'] },
    ],
  },
}

const failures = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.kind === 'step-failed' ? [event.failure] : []))

const nameOf = (scene: Scene, index: number) => scene.server.runs[index]?.name ?? ''

const FAULT = {
  type: 'RuntimeError',
  message: 'loss is NaN',
  frame: 'app/train.py, line 42, in train',
  code: 'raise RuntimeError(fail)',
}

test("a run whose child run failed names the child's step, with its exception and its log", async () => {
  const scene = await openScene({ pipelines: [calling(failing)] })
  const result = await scene.execute({ target })
  const step = `${nameOf(scene, 1)}/train`
  expect(step).toMatch(/^child-\d/)
  const [failure, ...others] = failures(scene.events)
  expect(others).toEqual([])
  expect(failure).toMatchObject({ step, fault: FAULT, isInChildRun: true })
  expect(failure?.log.lines).toContain('epoch 2')
  expect(result).toMatchObject({ conclusion: 'failed', failedStep: step })
  expect(result.error).toContain(
    `failed in the step "${step}": RuntimeError: loss is NaN (app/train.py, line 42, in train). See`,
  )
})

test('a failure two runs below is named by the whole way there', async () => {
  const middle: PipelineSpec = { name: 'middle', steps: [], dynamic: DYNAMIC, child: failing }
  const scene = await openScene({ pipelines: [calling(middle)] })
  const result = await scene.execute({ target })
  expect(result.failedStep).toBe(`${nameOf(scene, 1)}/${nameOf(scene, 2)}/train`)
  expect(result.error).toContain('RuntimeError: loss is NaN')
})

test('a child run that failed before any step shows its own exception', async () => {
  const early: PipelineSpec = {
    name: 'child',
    steps: [],
    dynamic: DYNAMIC,
    failsBeforeSteps: { reason: null, exception: FAILURE },
  }
  const scene = await openScene({ pipelines: [calling(early)] })
  const result = await scene.execute({ target })
  expect(failures(scene.events)).toMatchObject([{ step: nameOf(scene, 1), fault: FAULT, isInChildRun: true }])
  expect(result.failedStep).toBe(nameOf(scene, 1))
})

test('a run that something else started and that has failed is explained as well', async () => {
  const scene = await openScene({ pipelines: [calling(failing)] })
  const { runId = '' } = await scene.execute({ target, wait: false })
  await scene.clock.sleep(120_000)
  const result = await scene.attach(runId)
  expect(result).toMatchObject({ conclusion: 'failed', failedStep: `${nameOf(scene, 1)}/train` })
})

test("where the child's steps cannot be read, the parent's own exception is shown", async () => {
  const scene = await openScene({ pipelines: [calling(failing)] })
  const { runId = '' } = await scene.execute({ target, wait: false })
  await scene.clock.sleep(120_000)
  scene.server.vanish(scene.server.runs[1]?.id ?? '')
  const result = await scene.attach(runId)
  expect(failures(scene.events)).toEqual([])
  expect(result.error).toContain(
    'failed, but none of its steps: RuntimeError: loss is NaN (app/train.py, line 42, in train). See',
  )
})

test('a child run that completes changes nothing', async () => {
  const good: PipelineSpec = {
    name: 'child',
    steps: [],
    dynamic: { parameters: {}, expand: () => [{ name: 'train', seconds: 20 }] },
  }
  const scene = await openScene({ pipelines: [calling(good)] })
  expect(await scene.execute({ target })).toMatchObject({ conclusion: 'completed' })
  expect(failures(scene.events)).toEqual([])
})
