import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault, FaultAction, PipelineSpec } from '../../../simulator/index.ts'
import { stopExistingRun } from '../../../src/run/stop-existing-run.ts'
import { stopOrKeep } from '../../../src/run/stop/stop-or-keep.ts'
import { Deadline } from '../../../src/base/deadline.ts'
import { closeScenes, openScene, until } from '../scene.ts'
import { asking, askingChild, statusOf, YES, asked, errorOf, bodies, pausedRun } from './asked.ts'

afterEach(closeScenes)

test('a run that ZenML does not stop, though it has the answer abort, is no success', async () => {
  const { scene, id, name, answer } = await asked(5)
  const paused: Fault['do'] = { kind: 'answer', status: 200, body: pausedRun(id) }
  scene.server.addFault({ on: 'run', occurrence: { from: 2, to: 100 }, do: paused })
  const outcome = await answer({ resolution: 'abort', result: undefined })
  expect(outcome).toMatchObject({ conclusion: 'failed', status: 'paused' })
  expect(outcome.error).toMatch(
    `The question "Deploy this model?" of the run "${name}" was answered with abort, but ZenML did not stop the run. Stop it with stop/: http`,
  )
  expect(bodies(scene)).toEqual([{ resolution: 'abort' }])
})

test('a run that ZenML stops a moment after it took the answer abort is one', async () => {
  const { scene, id, answer } = await asked(5)
  const paused: Fault['do'] = { kind: 'answer', status: 200, body: pausedRun(id) }
  scene.server.addFault({ on: 'run', occurrence: { from: 2, to: 4 }, do: paused })
  const outcome = await answer({ resolution: 'abort', result: undefined })
  expect(outcome).toMatchObject({ conclusion: 'resolved', status: 'stopped' })
})

test('a child run is stopped by abort; that its parent waits on for nothing is an error', async () => {
  const { scene, answer } = await asked(5, { pipelines: [askingChild] })
  expect(await errorOf(answer({ resolution: 'abort', result: undefined }))).toMatch(
    /was answered with abort, but ZenML did not stop the run\. Stop it with stop\/: http/,
  )
  expect([0, 1].map((index) => statusOf(scene, index))).toEqual(['paused', 'stopped'])
})

test('a child run is stopped by abort, and its parent goes on', async () => {
  const { scene, id, answer } = await asked(5, { pipelines: [askingChild] })
  const running: Fault['do'] = { kind: 'answer', status: 200, body: pausedRun(id, 'running') }
  scene.server.addFault({ on: 'run', occurrence: 2, do: running })
  expect(await answer({ resolution: 'abort', result: undefined })).toMatchObject({ conclusion: 'resolved' })
  expect(statusOf(scene, 1)).toBe('stopped')
})

describe('a run that is stopped by abort while a step of it runs', () => {
  const trains: PipelineSpec = {
    name: 'gate',
    steps: [],
    dynamic: { parameters: {}, expand: () => [{ name: 'train', seconds: 3_600 }] },
  }
  const open = async () => {
    const played = await asked(5, { pipelines: [trains], orchestrator: 'kubernetes' })
    played.scene.server.pause(played.id, 'Deploy this model?')
    return played
  }
  const abort = { resolution: 'abort', result: undefined } as const

  test('says that the step is not stopped', async () => {
    const { scene, answer } = await open()
    expect(await answer(abort)).toMatchObject({ conclusion: 'resolved', status: 'stopped' })
    expect(scene.server.runs[0]?.busy).toBe(true)
    expect(scene.events.find(({ kind }) => kind === 'ended')).toMatchObject({
      sentence: expect.stringMatching(
        /was answered: abort: http\S+\. ZenML does not stop the steps that were running: train$/,
      ),
    })
  })

  test('is not called stopped by stop/ while the step runs', async () => {
    const { scene, id, answer } = await open()
    await answer(abort)
    const request = {
      run: id,
      project: undefined,
      mode: 'stop',
      workflowRunUrl: '',
      timeoutMs: 120_000,
    } as const
    const outcome = await stopExistingRun(request, scene.dependencies())
    expect(outcome).toMatchObject({ conclusion: 'failed', status: 'stopped' })
    expect(outcome.error).toMatch(
      /ZenML calls it stopped already, and then no longer stops its steps; still running: train$/,
    )
    await scene.clock.sleep(3_600_000)
    const later = await stopExistingRun(request, scene.dependencies())
    expect(later).toMatchObject({ conclusion: 'stopped' })
  })

  test('is not called stopped by a post step, which only knows that it was running', async () => {
    const { scene, answer } = await open()
    await answer(abort)
    const { clock, client } = scene
    const run = { ...scene.started[0]!, status: 'running' }
    const deadline = new Deadline(clock, 110_000)
    const ended = await stopOrKeep({ run, mode: 'stop', reason: 'r', deadline }, { client, clock })
    expect(ended.settled).toBe(false)
    expect(ended.sentence).toMatch(/ZenML calls it stopped already, .*; still running: train$/)
  })

  test('ends a step that follows it, which names the step and says nothing to be missing', async () => {
    const { scene, answer } = await open()
    const following = scene.execute({ target: { kind: 'template', reference: 'gate-template' } })
    await until(() => scene.server.runs[1]?.status === 'running')
    const followed = scene.server.runs[1]?.id ?? ''
    scene.server.pause(followed, 'Deploy this model?')
    await answer({ ...abort, run: followed })
    expect(await following).toMatchObject({ conclusion: 'stopped' })
    const of = (kind: string) => scene.events.filter((event) => event.kind === kind)
    expect(of('left-going-on')).toMatchObject([{ status: 'stopped', steps: ['train'] }])
    expect(of('details')).toMatchObject([{ details: { missing: [] } }])
  })
})

describe('a run that is stopped by abort while its child run goes on', () => {
  const callsLong: PipelineSpec = {
    ...asking(600),
    dynamic: { parameters: {}, expand: () => [{ name: 'train', seconds: 5 }] },
    child: {
      name: 'child',
      steps: [],
      dynamic: { parameters: {}, expand: () => [{ name: 'train', seconds: 7_200 }] },
    },
  }

  test('is followed to its end, and the child run is named, where somebody else gave the answer', async () => {
    const scene = await openScene({ pipelines: [callsLong], orchestrator: 'kubernetes' })
    const following = scene.execute({ target: { kind: 'template', reference: 'gate-template' } })
    await until(() => scene.events.some(({ kind }) => kind === 'paused'))
    const { id } = scene.started[0]!
    const [question] = (await scene.client.dag(id)).questions
    await scene.client.resolveQuestion(question?.id ?? '', { resolution: 'abort', result: undefined })
    expect(await following).toMatchObject({ conclusion: 'stopped' })
    expect(statusOf(scene, 1)).toBe('running')
    expect(scene.events.find(({ kind }) => kind === 'left-going-on')).toMatchObject({
      steps: [`the child run ${scene.server.runs[1]!.name}`],
    })
  })

  test('names the child run also where the job is cancelled just then', async () => {
    const scene = await openScene({ pipelines: [callsLong], orchestrator: 'kubernetes' })
    const controller = new AbortController()
    const target = { kind: 'template', reference: 'gate-template' } as const
    const following = scene.execute({ target }, controller.signal)
    await until(() => scene.events.some(({ kind }) => kind === 'paused'))
    const [question] = (await scene.client.dag(scene.started[0]!.id)).questions
    const listed = scene.sent(/\/steps\?/).length
    scene.server.addFault({ on: 'steps', occurrence: 'always', do: { kind: 'delay', seconds: 5 } })
    await scene.client.resolveQuestion(question?.id ?? '', { resolution: 'abort', result: undefined })
    await until(() => scene.sent(/\/steps\?/).length > listed)
    controller.abort(new Error('cancelled'))
    expect(await following).toMatchObject({ conclusion: 'cancelled', status: 'stopped' })
    expect(scene.events.filter(({ kind }) => kind === 'left-going-on')).toMatchObject([
      { steps: [`the child run ${scene.server.runs[1]!.name}`] },
    ])
  })

  test('names the child run also where somebody ended the run as failed, because its pod was gone', async () => {
    const scene = await openScene({ pipelines: [callsLong], orchestrator: 'kubernetes' })
    const following = scene.execute({ target: { kind: 'template', reference: 'gate-template' } })
    await until(() => scene.server.runs[1]?.status === 'running')
    scene.server.setStatus(scene.started[0]!.id, 'failed', 'the pod of the run is gone')
    expect(await following).toMatchObject({ conclusion: 'failed' })
    expect(scene.events.find(({ kind }) => kind === 'left-going-on')).toMatchObject({
      status: 'failed',
      steps: expect.arrayContaining([`the child run ${scene.server.runs[1]!.name}`]),
    })
  })

  test('takes it along', async () => {
    const { scene, answer } = await asked(5, { pipelines: [callsLong], orchestrator: 'kubernetes' })
    expect([0, 1].map((index) => statusOf(scene, index))).toEqual(['running', 'running'])
    const outcome = await answer({ resolution: 'abort', result: undefined })
    expect(outcome).toMatchObject({ conclusion: 'resolved', status: 'stopped' })
    expect([0, 1].map((index) => statusOf(scene, index))).toEqual(['stopped', 'stopped'])
  })

  test('takes along also what a child run has called that was stopped before', async () => {
    const { wait: _, ...middle } = callsLong
    const { scene, answer } = await asked(5, {
      pipelines: [{ ...callsLong, child: { ...middle, name: 'middle' } }],
      orchestrator: 'kubernetes',
    })
    scene.server.setStatus(scene.server.runs[1]!.id, 'stopped')
    expect(statusOf(scene, 2)).toBe('running')
    expect(await answer({ resolution: 'abort', result: undefined })).toMatchObject({ conclusion: 'resolved' })
    expect(statusOf(scene, 2)).toBe('stopped')
  })

  test('is green where all that it called has ended, though one of that failed and a step beside the question runs', async () => {
    const { scene, answer } = await asked(5, { pipelines: [callsLong], orchestrator: 'kubernetes' })
    const [top, child] = scene.server.runs.map(({ id }) => id)
    const node = (type: string, id: string, status: string) => ({
      node_id: `${type}/x`,
      type,
      id,
      name: 'x',
      metadata: { status },
    })
    const nodes = [node('step', 'f00', 'running'), node('child_run', child!, 'failed')]
    const body = JSON.stringify({ id: top, status: 'stopped', nodes, edges: [] })
    scene.server.addFault({
      on: 'dag',
      occurrence: 'always',
      get do(): FaultAction {
        const isStopped = statusOf(scene) === 'stopped'
        return isStopped ? { kind: 'answer', status: 200, body } : { kind: 'delay', seconds: 0 }
      },
    })
    const stops = scene.sent(/\/stop\?/).length
    expect(await answer({ resolution: 'abort', result: undefined })).toMatchObject({ conclusion: 'resolved' })
    expect(scene.sent(/\/stop\?/)).toHaveLength(stops)
    expect(scene.events.find(({ kind }) => kind === 'ended')).toMatchObject({
      sentence: expect.stringMatching(/ZenML does not stop the steps that were running: x$/),
    })
  })

  test('is an error that names the child run where that goes on', async () => {
    const { scene, answer } = await asked(5, { pipelines: [callsLong], orchestrator: 'local' })
    const { id, name } = scene.server.runs[1]!
    const error = await errorOf(answer({ resolution: 'abort', result: undefined }))
    expect(error).toContain(
      `was answered with abort, but the child run "${name}" (${id}) had not ended in time (last status: stopping). Stop the run that asked (${scene.server.runs[0]!.id}) with stop/: http`,
    )
  })

  test.each([
    ['part of the run', 1],
    ['the child run', 2],
  ])('is an error where the server does not let %s be stopped', async (what, from) => {
    const { scene, answer } = await asked(5, { pipelines: [callsLong], orchestrator: 'kubernetes' })
    const body = '{"detail":["IllegalOperationError","Insufficient permissions to UPDATE resource"]}'
    const refused: Fault['do'] = { kind: 'answer', status: 403, body }
    scene.server.addFault({ on: 'stop', occurrence: { from, to: 1_000 }, do: refused })
    const error = await errorOf(answer({ resolution: 'abort', result: undefined }))
    expect(error).toMatch(
      / was answered with abort, but .*\. Stop the run that asked \(\S+\) with stop\/: http/,
    )
    expect(error).toContain(`, but ${what} `)
    expect(error).toContain(' may still be running: the server answered 403 IllegalOperationError')
    expect(statusOf(scene, 1)).toBe('running')
  })
})

test('a run with more child runs than are looked at is not answered', async () => {
  const { scene, name, answer } = await asked(5, { pipelines: [askingChild] })
  const parent = scene.server.runs[0]!.id
  const child = scene.server.runs[1]!.id
  const nodes = Array.from({ length: 11 }, (_, index) => ({
    node_id: `child_run/${index}`,
    type: 'child_run',
    id: child,
    name: `child-${index}`,
    metadata: { status: 'paused' },
  }))
  const body = JSON.stringify({ id: parent, status: 'paused', nodes, edges: [] })
  scene.server.addFault({
    on: 'dag',
    occurrence: { from: 1, to: 2 },
    do: { kind: 'answer', status: 200, body },
  })
  expect(await errorOf(answer())).toMatch(
    `run: "${name}" has too many child runs to search for a question. Give the ID of the child run to answer: http`,
  )
  expect(bodies(scene)).toEqual([])
})

test('a run with more child runs than are looked at is answered where the question is its own', async () => {
  const busy: PipelineSpec = {
    name: 'child',
    steps: [],
    dynamic: { parameters: {}, expand: () => [{ name: 'train', seconds: 7_200 }] },
  }
  const { scene, id, answer } = await asked(600, { pipelines: [{ ...asking(600), child: busy }] })
  const [question] = (await scene.client.dag(id)).questions
  const metadata = { status: 'pending', question: 'Deploy this model?' }
  const own = { node_id: 'own', type: 'wait_condition', id: question?.id, name: 'deploy', metadata }
  const called = Array.from({ length: 11 }, (_, index) => ({
    node_id: `child_run/${index}`,
    type: 'child_run',
    id: scene.server.runs[1]!.id,
    name: `child-${index}`,
    metadata: { status: 'running' },
  }))
  const body = JSON.stringify({ id, status: 'running', nodes: [own, ...called], edges: [] })
  scene.server.addFault({ on: 'dag', do: { kind: 'answer', status: 200, body } })
  expect(await answer()).toMatchObject({ conclusion: 'resolved', error: undefined })
  expect(bodies(scene)).toEqual([YES])
  expect((await scene.client.dag(id)).questions).toEqual([])
})

test('a run that cannot be read after its answer was taken has been answered all the same', async () => {
  const { scene, name, answer } = await asked(5)
  const body = '{"detail":["IllegalOperationError","Insufficient permissions to READ resource"]}'
  scene.server.addFault({
    on: 'run',
    occurrence: { from: 2, to: 100 },
    do: { kind: 'answer', status: 403, body },
  })
  expect(await answer()).toMatchObject({ conclusion: 'resolved', status: 'paused', error: undefined })
  expect(scene.events.at(-1)).toMatchObject({
    sentence: expect.stringMatching(`of the run "${name}" was answered: continue: http`),
  })
  expect(bodies(scene)).toEqual([YES])
})

test('a run that ZenML cannot resume is no success', async () => {
  const { scene, id, name, answer } = await asked(5)
  const paused: Fault = {
    on: 'run',
    occurrence: { from: 2, to: 100 },
    do: { kind: 'answer', status: 200, body: pausedRun(id) },
  }
  scene.server.addFault(paused)
  const outcome = await answer()
  expect(outcome).toMatchObject({ conclusion: 'failed', status: 'paused' })
  expect(outcome.error).toMatch(
    `The question "Deploy this model?" of the run "${name}" was answered, but ZenML could not resume the run, which is still paused (Waiting for manual resume.). Resume it in ZenML: http`,
  )
  expect(bodies(scene)).toEqual([YES])
})

test('a run that asks the next question at once was resumed', async () => {
  const { scene, id, answer } = await asked(5)
  const condition = {
    node_id: 'wait_condition/second',
    type: 'wait_condition',
    id: '00000000-0000-4000-8000-000000000002',
    name: 'announce',
    metadata: { status: 'pending', question: 'Announce it?' },
  }
  const dag = JSON.stringify({ id, status: 'paused', nodes: [condition], edges: [] })
  scene.server.addFault({
    on: 'run',
    occurrence: { from: 2, to: 200 },
    do: { kind: 'answer', status: 200, body: pausedRun(id) },
  })
  scene.server.addFault({
    on: 'dag',
    occurrence: { from: 2, to: 200 },
    do: { kind: 'answer', status: 200, body: dag },
  })
  expect(await answer()).toMatchObject({ conclusion: 'resolved', status: 'paused' })
})

test.each<[string, number, string]>([
  ['a run that cannot be started again is seen to be paused once more', 8, 'failed'],
  ['a run that is still being resumed after a minute is resolved', 200, 'resolved'],
])('%s', async (_, resumingUntil, conclusion) => {
  const { scene, id, answer } = await asked(5)
  let looks = 0
  scene.server.addFault({
    on: 'run',
    occurrence: { from: 2, to: 200 },
    get do(): Fault['do'] {
      looks += 1
      const body = looks < resumingUntil ? pausedRun(id, 'resuming') : pausedRun(id)
      return { kind: 'answer', status: 200, body }
    },
  })
  expect((await answer()).conclusion).toBe(conclusion)
  expect(bodies(scene)).toEqual([YES])
})

test('a run that is still being resumed after it was answered with abort was not stopped', async () => {
  const { scene, id, answer } = await asked(5)
  const resuming: Fault['do'] = { kind: 'answer', status: 200, body: pausedRun(id, 'resuming') }
  scene.server.addFault({ on: 'run', occurrence: { from: 2, to: 200 }, do: resuming })
  expect((await answer({ resolution: 'abort', result: undefined })).conclusion).toBe('failed')
})
