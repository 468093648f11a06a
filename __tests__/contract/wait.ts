import { expect, test } from '@jest/globals'
import { at, listAt, textAt } from './api.ts'
import { NO_SUCH_ID, idOf, stepsOf, trigger, waitFor } from './start.ts'
import type { Fixture } from './target.ts'

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)
const QUESTION = 'Deploy this model?'

/** A run that asks a person something; the pipeline asks after its step load. */
export function waitCases(open: () => Fixture): void {
  test('a question is in the graph, on the run and in the list while the run is running', async () => {
    const fixture = open()
    const id = await asking(fixture)
    const condition = await conditionOf(fixture, id)
    const { body: run } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(run).toMatchObject({
      body: { status: 'running', in_progress: true, status_reason: null },
      resources: {
        active_wait_condition: {
          id: condition,
          name: 'deploy',
          body: { type: 'external_input', status: 'pending', resolved_at: null },
          metadata: null,
        },
      },
    })
    expect(await waitNode(fixture, id)).toEqual({
      node_id: 'wait_condition/deploy',
      type: 'wait_condition',
      id: condition,
      name: 'deploy',
      metadata: { status: 'pending', type: 'external_input', created_at: TIME, question: QUESTION },
    })
    const listed = await fixture.api.get(
      `/run_wait_conditions?pipeline_run=${id}&status=pending&hydrate=true`,
    )
    const metadata = { question: QUESTION, data_schema: { type: 'boolean' }, resolution: null, result: null }
    expect(listed.body).toMatchObject({
      total: 1,
      items: [
        { id: condition, name: 'deploy', body: { status: 'pending' }, metadata, resources: { run: { id } } },
      ],
    })
    const one = await fixture.api.get(`/run_wait_conditions/${condition}`)
    expect(one).toMatchObject({ status: 200, body: { id: condition, metadata } })
  })

  test('questions are listed by `pipeline_run`; `run` and `run_id` are ignored', async () => {
    const fixture = open()
    const condition = await conditionOf(fixture, await asking(fixture))
    const ids = async (query: string) => {
      const { body } = await fixture.api.get(`/run_wait_conditions?${query}&size=1000`)
      return listAt(body, 'items').map((item) => at(item, 'id'))
    }
    expect(await ids(`pipeline_run=${NO_SUCH_ID}`)).toEqual([])
    expect(await ids(`run=${NO_SUCH_ID}`)).toContain(condition)
    expect(await ids(`run_id=${NO_SUCH_ID}`)).toContain(condition)
  })

  test('an answer that fits is taken once, and the run goes on', async () => {
    const fixture = open()
    const id = await asking(fixture)
    const condition = await conditionOf(fixture, id)
    for (const [result, shown] of [
      [null, 'None'],
      ['maybe', 'maybe'],
      [1, '1'],
    ]) {
      const refused = await answer(fixture, condition, 'continue', result)
      const detail = ['ValueError', `Value \`${String(shown)}\` does not match expected schema.`]
      expect(refused).toMatchObject({ status: 400, body: { detail } })
    }
    expect(await answer(fixture, condition, 'perhaps')).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining("Input should be 'continue' or 'abort'")],
    })
    expect(await answer(fixture, NO_SUCH_ID, 'abort')).toMatchObject({
      status: 404,
      body: { detail: ['KeyError', expect.stringContaining('No run wait condition with this ID found')] },
    })

    const taken = await answer(fixture, condition, 'continue', true)
    expect(taken).toMatchObject({
      status: 200,
      body: {
        id: condition,
        body: { status: 'resolved', resolved_at: TIME, resolved_by_user_id: expect.any(String) },
        metadata: { resolution: 'continue', result: true },
      },
    })
    const again = await answer(fixture, condition, 'abort')
    const detail = ['IllegalOperationError', 'Wait condition has already been resolved.']
    expect(again).toMatchObject({ status: 403, body: { detail } })
    expect(await waitFor(fixture, id, 'completed', 'failed', 'stopped')).toEqual(['running', 'completed'])
    expect(await namesOfSteps(fixture, id)).toEqual(['load', 'report'])
    expect(await waitNode(fixture, id)).toMatchObject({
      metadata: { status: 'resolved', resolution: 'continue', question: QUESTION, resolved_at: TIME },
    })
    const { body: run } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(at(run, 'resources.active_wait_condition')).toBeNull()
  })

  test('after its patience the run is paused; an answer brings it back', async () => {
    const fixture = open()
    const id = await paused(fixture)
    const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(body).toMatchObject({
      body: { status: 'paused', in_progress: true, status_reason: 'Waiting for input.' },
      metadata: { end_time: null },
      resources: { active_wait_condition: { name: 'deploy' } },
    })
    await answer(fixture, await conditionOf(fixture, id), 'continue', true)
    const reason = 'Automatically resuming run from server.'
    const resuming = await fixture.api.get(`/runs/${id}?hydrate=false`)
    expect(resuming.body).toMatchObject({ body: { status: 'resuming', status_reason: reason } })
    const seen = await waitFor(fixture, id, 'completed', 'failed', 'stopped')
    expect([seen[0], seen.at(-1)]).toEqual(['resuming', 'completed'])
  })

  test('an answer of false ends this pipeline without its last step', async () => {
    const fixture = open()
    const id = await paused(fixture)
    await answer(fixture, await conditionOf(fixture, id), 'continue', false)
    expect((await waitFor(fixture, id, 'completed', 'failed', 'stopped')).at(-1)).toBe('completed')
    expect(await namesOfSteps(fixture, id)).toEqual(['load'])
  })

  test('an abort stops a run at once, whether it is running or paused', async () => {
    const fixture = open()
    for (const id of await Promise.all([start(fixture, 600), paused(fixture)])) {
      expect((await answer(fixture, await conditionOf(fixture, id), 'abort')).status).toBe(200)
      const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
      const reason = 'Wait condition was aborted.'
      expect(body).toMatchObject({
        body: { status: 'stopped', in_progress: false, status_reason: reason },
        metadata: { end_time: TIME },
        resources: { active_wait_condition: null },
      })
      const stop = await fixture.api.post(`/runs/${id}/stop?graceful=false`)
      expect(stop).toMatchObject({
        status: 403,
        body: { detail: ['IllegalOperationError', 'Run is already stopped.'] },
      })
    }
  })

  test('a stop does not end a run that waits, an abort afterwards does', async () => {
    const fixture = open()
    for (const id of await Promise.all([start(fixture, 600), paused(fixture)])) {
      const condition = await conditionOf(fixture, id)
      const message =
        "The forceful stop run functionality is not implemented for the 'LocalOrchestrator' orchestrator."
      const stop = await fixture.api.post(`/runs/${id}/stop?graceful=false`)
      expect(stop).toMatchObject({ status: 501, body: { detail: ['NotImplementedError', message] } })
      for (let pause = 0; pause < 6; pause++) await fixture.target.pause()
      const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
      expect(body).toMatchObject({
        body: { status: 'stopping', in_progress: true, status_reason: 'Manual stop requested.' },
        resources: { active_wait_condition: { id: condition } },
      })
      await answer(fixture, condition, 'abort')
      const after = await fixture.api.get(`/runs/${id}?hydrate=false`)
      const status_reason = 'Wait condition was aborted.'
      expect(after.body).toMatchObject({ body: { status: 'stopped', in_progress: false, status_reason } })
    }
  })

  test('a paused run that was asked to stop and is answered then stays paused, without a question', async () => {
    const fixture = open()
    const id = await paused(fixture)
    const condition = await conditionOf(fixture, id)
    expect((await fixture.api.post(`/runs/${id}/stop?graceful=true`)).status).toBe(200)
    await answer(fixture, condition, 'continue', true)
    for (let pause = 0; pause < 6; pause++) await fixture.target.pause()
    const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(body).toMatchObject({
      body: { status: 'paused', in_progress: true, status_reason: 'Waiting for manual resume.' },
      resources: { active_wait_condition: null },
    })
  })

  test('a paused run that was asked to stop is stopped when it is set failed', async () => {
    const fixture = open()
    const id = await paused(fixture)
    expect((await fixture.api.post(`/runs/${id}/stop?graceful=true`)).status).toBe(200)
    const put = await fixture.api.put(`/runs/${id}`, { status: 'failed', status_reason: 'Not needed.' })
    expect(put).toMatchObject({
      status: 200,
      body: { body: { status: 'stopped', in_progress: false, status_reason: 'Not needed.' } },
    })
  })

  test('a paused run that was set failed runs again when it is answered, but not after an abort', async () => {
    const fixture = open()
    const [answered, aborted] = await Promise.all([paused(fixture), paused(fixture)])
    for (const id of [answered, aborted]) {
      const put = await fixture.api.put(`/runs/${id}`, { status: 'failed', status_reason: 'Not needed.' })
      expect(put).toMatchObject({
        status: 200,
        body: {
          body: { status: 'failed', in_progress: false, status_reason: 'Not needed.' },
          resources: { active_wait_condition: { name: 'deploy' } },
        },
      })
    }
    await answer(fixture, await conditionOf(fixture, answered), 'continue', true)
    expect((await waitFor(fixture, answered, 'completed')).at(-1)).toBe('completed')

    const refused = await answer(fixture, await conditionOf(fixture, aborted), 'abort')
    const message = 'Cannot update the status of a finished run.'
    expect(refused).toMatchObject({ status: 403, body: { detail: ['IllegalOperationError', message] } })
    const { body } = await fixture.api.get(`/runs/${aborted}?hydrate=true`)
    expect(body).toMatchObject({ body: { status: 'failed' }, resources: { active_wait_condition: null } })
  })
}

/** Seconds until the runs here pause; none of them can wait less. */
const SHORT = 1

async function start(fixture: Fixture, patience: number): Promise<string> {
  const reply = await trigger(fixture, 'approval', { parameters: { patience }, enable_cache: false })
  const id = idOf(reply)
  await waitFor(fixture, id, 'running', 'paused')
  return id
}

/** A running run with an open question that the first cases look at. */
function asking(fixture: Fixture): Promise<string> {
  return fixture.shared('asking', () => start(fixture, 600))
}

async function paused(fixture: Fixture): Promise<string> {
  const id = await start(fixture, SHORT)
  await waitFor(fixture, id, 'paused')
  return id
}

/** The id of the run's question, as soon as it is asked. */
async function conditionOf(fixture: Fixture, id: string): Promise<string> {
  for (let attempt = 0; attempt < 120; attempt++) {
    const node = await waitNode(fixture, id)
    if (node !== undefined) return textAt(node, 'id')
    await fixture.target.pause()
  }
  throw new Error(`The run ${id} never asked anything.`)
}

async function waitNode(fixture: Fixture, id: string): Promise<unknown> {
  const { body } = await fixture.api.get(`/runs/${id}/dag`)
  return listAt(body, 'nodes').find((node) => at(node, 'type') === 'wait_condition')
}

function answer(fixture: Fixture, condition: string, resolution: string, result?: unknown) {
  const body = { resolution, ...(result === undefined ? {} : { result }) }
  return fixture.api.put(`/run_wait_conditions/${condition}/resolve`, body)
}

async function namesOfSteps(fixture: Fixture, id: string): Promise<readonly string[]> {
  return (await stepsOf(fixture, id)).map(({ name }) => name)
}
