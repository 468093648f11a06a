import { expect, test } from '@jest/globals'
import {
  VirtualClock,
  startSimulator,
  training,
  type PipelineSpec,
  type SimulatorOptions,
} from '../../simulator/index.ts'
import { Client, closeAfterTest } from './client.ts'

const clock = new VirtualClock()

const step = (name: string, seconds: number, upstream: string[] = []) => ({ name, seconds, upstream })
const boom = {
  type: 'ValueError',
  message: 'boom',
  traceback: '  File "/srv/code.py", line 1, in f\n',
  userCodeLine: 1,
}

/** Starts a simulator with one pipeline and one run of it. */
async function runOf(spec: Omit<PipelineSpec, 'name'>, options: SimulatorOptions = {}, configuration = {}) {
  const pipeline: PipelineSpec = { name: 'p', startupSeconds: 2, ...spec }
  const simulator = await startSimulator({ clock, pipelines: [pipeline], ...options })
  closeAfterTest(simulator)
  const client = await Client.login(simulator)
  const reply = await client.trigger('p', configuration)
  expect(reply.status).toBe(200)
  const run = simulator.runs[0]
  if (run === undefined) throw new Error('No run was made.')
  const body = async () => (await client.get(`/runs/${run.id}?hydrate=true`)).body
  return {
    simulator,
    client,
    run,
    id: run.id,
    body,
    stop: (graceful: boolean) => client.post(`/runs/${run.id}/stop?graceful=${String(graceful)}`),
  }
}

test('branches run side by side unless the pipeline is sequential', async () => {
  const steps = [step('a', 10), step('b', 10), step('c', 1, ['a', 'b'])]
  const parallel = await runOf({ steps })
  await clock.sleep(3000)
  expect(parallel.run.startedSteps).toEqual(['a', 'b'])
  await clock.sleep(10_500)
  expect(parallel.run.status).toBe('completed')
  const sequential = await runOf({ steps, sequential: true })
  await clock.sleep(3000)
  expect(sequential.run.startedSteps).toEqual(['a'])
  await clock.sleep(10_500)
  expect(sequential.run.status).toBe('running')
})

test('a failed branch makes the run failed while the other goes on, then it is over', async () => {
  const { run, body } = await runOf({
    steps: [{ ...step('a', 1), fails: boom }, step('b', 600), step('c', 1, ['a'])],
  })
  await clock.sleep(4000)
  expect([run.status, run.busy]).toEqual(['failed', true])
  expect(await body()).toMatchObject({ body: { in_progress: true }, metadata: { end_time: null } })
  await clock.sleep(600_000)
  expect([run.status, run.busy, run.startedSteps]).toEqual(['failed', false, ['a', 'b']])
  expect(await body()).toMatchObject({
    body: { in_progress: false },
    metadata: { end_time: expect.any(String) },
  })
})

test('before 0.90 such a run stays in progress for ever', async () => {
  const steps = [{ ...step('a', 1), fails: boom }, step('b', 600)]
  const { run, body } = await runOf({ steps }, { version: '0.85.0' })
  await clock.sleep(700_000)
  expect(run.busy).toBe(false)
  expect(await body()).toMatchObject({ body: { status: 'failed', in_progress: true } })
})

test('stop_on_failure lets running steps end and starts none; fail_fast ends them', async () => {
  const steps = [{ ...step('a', 1), fails: boom }, step('b', 10), step('c', 1, ['b'])]
  const patient = await runOf({ steps }, {}, { execution_mode: 'stop_on_failure' })
  const hasty = await runOf({ steps }, { stopSeconds: 1 }, { execution_mode: 'fail_fast' })
  await clock.sleep(5000)
  expect([patient.run.status, patient.run.busy, hasty.run.busy]).toEqual(['failed', true, false])
  await clock.sleep(60_000)
  expect([patient.run.startedSteps, hasty.run.startedSteps]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
})

test('a run whose steps are all cached is completed at once', async () => {
  const { client, run, id } = await runOf({ steps: [{ ...step('a', 50), cached: true }] })
  await clock.sleep(2000)
  expect(run.status).toBe('completed')
  expect((await client.get(`/runs/${id}/steps`)).body).toMatchObject({
    items: [{ body: { status: 'cached' } }],
  })
})

test('a run that never moves is initializing for ever', async () => {
  const { run, stop } = await runOf({ steps: [step('a', 1)], neverMoves: true })
  await clock.sleep(86_400_000)
  expect(run.status).toBe('initializing')
  expect((await stop(false)).status).toBe(403)
})

test('a run whose process died stays running until its orchestrator is asked', async () => {
  const { client, run, id } = await runOf(
    { steps: [step('a', 100)], diesAfter: 10 },
    { orchestrator: 'kubernetes' },
  )
  await clock.sleep(3_600_000)
  expect([run.status, run.busy]).toEqual(['running', false])
  expect(await client.post(`/runs/${id}/refresh?include_steps=true`)).toEqual({ status: 200, body: null })
  expect(run.status).toBe('failed')
})

test('a run that failed before any step has its reason and its log', async () => {
  const spec = {
    steps: [step('a', 1)],
    failsBeforeSteps: { reason: 'No image.' },
    runnerLog: ['pulling', 'failed'],
  }
  const { client, run, id, body } = await runOf(spec)
  await clock.sleep(3000)
  expect([run.status, run.startedSteps]).toEqual(['failed', []])
  expect(await body()).toMatchObject({ body: { status_reason: 'No image.', in_progress: true } })
  const log = await client.get(`/runs/${id}/logs?source=runner`)
  expect(log.body).toMatchObject([{ message: 'pulling' }, { message: 'failed' }])
})

test('on Kubernetes a forced stop ends the running step', async () => {
  const { run, stop } = await runOf(
    { steps: [step('a', 600), step('b', 1, ['a'])] },
    { orchestrator: 'kubernetes', stopSeconds: 3 },
  )
  await clock.sleep(4000)
  expect(await stop(false)).toEqual({ status: 200, body: null })
  expect([run.status, run.busy]).toEqual(['stopping', true])
  await clock.sleep(3000)
  expect([run.status, run.busy, run.startedSteps]).toEqual(['stopped', false, ['a']])
})

test('a graceful stop waits for the running step', async () => {
  const { run, stop } = await runOf(
    { steps: [step('a', 60), step('b', 1, ['a'])] },
    { orchestrator: 'kubernetes' },
  )
  await clock.sleep(4000)
  expect((await stop(true)).status).toBe(200)
  await clock.sleep(50_000)
  expect(run.status).toBe('stopping')
  await clock.sleep(10_000)
  expect([run.status, run.startedSteps]).toEqual(['stopped', ['a']])
})

test('a paused run starts no step until it is resumed, and says what it asks', async () => {
  const { client, simulator, run, id } = await runOf({ steps: [step('a', 1), step('b', 1, ['a'])] })
  simulator.pause(id, 'Deploy it?')
  await clock.sleep(60_000)
  expect([run.status, run.startedSteps]).toEqual(['paused', []])
  const asked = await client.get(`/run_wait_conditions?pipeline_run=${id}&status=pending&hydrate=true`)
  expect(asked.body).toMatchObject({ total: 1, items: [{ metadata: { question: 'Deploy it?' } }] })
  simulator.resume(id)
  await clock.sleep(1500)
  expect([run.status, run.startedSteps]).toEqual(['running', ['a', 'b']])
})

test('a state that a test sets is what the server says, even one that nobody knows', async () => {
  const { client, simulator, id } = await runOf({ steps: [step('a', 10)] })
  simulator.setStatus(id, 'hibernating')
  expect((await client.get(`/runs/${id}/status`)).body).toBe('hibernating')
})

test('a run that vanished is 404, and still known to the test', async () => {
  const { client, simulator, run, id } = await runOf({ steps: [step('a', 10)] })
  simulator.vanish(id)
  expect((await client.get(`/runs/${id}/status`)).status).toBe(404)
  expect([run.gone, simulator.runs.length]).toEqual([true, 1])
})

test('a run that is told it were stopped stays running', async () => {
  const { client, run, id } = await runOf({ steps: [step('a', 1)] })
  expect((await client.put(`/runs/${id}`, { status: 'stopped' })).status).toBe(200)
  await clock.sleep(60_000)
  expect(run.status).toBe('running')
})

test('a snapshot that cannot be started says why', async () => {
  const refuses = { status: 400, exception: 'ValueError', message: 'The stack e2e has been updated.' }
  const simulator = await startSimulator({ clock, pipelines: [{ ...training, refusesToStart: refuses }] })
  closeAfterTest(simulator)
  const client = await Client.login(simulator)
  const reply = await client.trigger('training')
  expect(reply).toEqual({ status: 400, body: { detail: ['ValueError', 'The stack e2e has been updated.'] } })
  expect(simulator.runs).toEqual([])
})

test('steps that wait for each other are a mistake in the test', async () => {
  const simulator = await startSimulator({
    clock,
    pipelines: [{ name: 'p', steps: [step('a', 1, ['b']), step('b', 1, ['a'])] }],
  })
  closeAfterTest(simulator)
  const client = await Client.login(simulator)
  await client.trigger('p').catch(() => undefined)
  await clock.sleep(5000)
  expect(() => simulator.runs.map((run) => run.status)).toThrow('a, b wait for each other')
})

test('a step that fails and is tried again has a span for each attempt, and one name', async () => {
  const attempt = { fails: boom, metadata: { score: 0.1 }, seconds: 5 }
  const { client, run, id } = await runOf({
    steps: [{ ...step('a', 10), retried: [attempt], metadata: { score: 0.9 } }, step('b', 1, ['a'])],
  })
  const status = async () => {
    const { body } = await client.get(`/runs/${id}/dag`)
    return (body as { nodes: { metadata: { status?: string } }[] }).nodes[0]?.metadata.status
  }
  const seen: unknown[] = []
  for (const ms of [3000, 4200, 1000, 10_000]) {
    await clock.sleep(ms)
    seen.push(await status())
  }
  expect(seen).toEqual(['running', 'retrying', 'running', 'completed'])
  await clock.sleep(5000)
  expect([run.status, run.startedSteps]).toEqual(['completed', ['a', 'b']])
  const { body } = await client.get(`/runs/${id}/steps`)
  expect(body).toMatchObject({
    items: [
      { name: 'a', body: { status: 'retried', version: 1, is_retriable: true } },
      { name: 'a', body: { status: 'completed', version: 2, is_retriable: false } },
      { name: 'b' },
    ],
  })
})

test('a stop in a failed attempt lets no other one start', async () => {
  const attempt = { fails: boom, seconds: 5 }
  const { run, id, client, stop } = await runOf(
    { steps: [{ ...step('a', 60), retried: [attempt] }] },
    { orchestrator: 'kubernetes' },
  )
  await clock.sleep(4000)
  expect((await stop(false)).status).toBe(200)
  await clock.sleep(5000)
  expect(run.status).toBe('stopped')
  const { body } = await client.get(`/runs/${id}/steps`)
  expect(body).toMatchObject({ total: 1, items: [{ name: 'a', body: { status: 'stopped' } }] })
})

test('a run whose process dies while it waits for an answer stays running', async () => {
  const { client, run, id } = await runOf({
    dynamic: { parameters: {}, expand: () => [step('a', 1), step('b', 1)] },
    steps: [],
    sequential: true,
    wait: { name: 'deploy', question: 'Deploy it?', patience: 600 },
    diesAfter: 60,
  })
  await clock.sleep(3_600_000)
  expect(run.status).toBe('running')
  const { body } = await client.get(`/runs/${id}?hydrate=false`)
  expect(body).toMatchObject({ resources: { active_wait_condition: { body: { status: 'pending' } } } })
})
