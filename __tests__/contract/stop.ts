import { describe, expect, test } from '@jest/globals'
import { listAt, textAt, type Reply } from './api.ts'
import {
  NO_SUCH_ID,
  completed,
  failed,
  idOf,
  start,
  stepsOf,
  trigger,
  waitFor,
  waitForStep,
} from './start.ts'
import type { Fixture } from './target.ts'

const UNSUPPORTED = "The 'LocalOrchestrator' orchestrator does not support stopping pipeline runs."

/** Stopping, at every moment of a run's life; the servers' runs are on ZenML's local orchestrator. */
export function stopCases(open: () => Fixture): void {
  const stop = (id: string, graceful: boolean) =>
    open().api.post(`/runs/${id}/stop?graceful=${String(graceful)}`)

  /** 0.74 has no such route, 0.85's local orchestrator cannot; from 0.90 on it depends. */
  const expectStop = (reply: Reply, newest: { status: number; message?: string }) => {
    const { modern, snapshots } = open().traits
    if (!modern) {
      expect(reply).toMatchObject({ status: 405, body: { detail: 'Method Not Allowed' } })
    } else if (!snapshots) {
      expect(reply).toMatchObject({ status: 501, body: { detail: ['NotImplementedError', UNSUPPORTED] } })
    } else {
      expect(reply.status).toBe(newest.status)
      const detail = [expect.any(String), newest.message]
      expect(reply.body).toEqual(newest.message === undefined ? null : { detail })
    }
  }

  test('a run that is initializing cannot be stopped', async () => {
    const fixture = open()
    const id = await start(fixture)
    const reply = await stop(id, true)
    await fixture.api.put(`/runs/${id}`, { status: 'failed' })
    expectStop(reply, {
      status: 403,
      message: 'Cannot stop a pipeline run that has no orchestrator run id yet.',
    })
  })

  test('a running run is stopped gracefully: stopping, then stopped; where it cannot be, it goes on', async () => {
    const fixture = open()
    const id = await start(fixture, { seconds: 6 })
    await waitForStep(fixture, id, 'train')
    expectStop(await stop(id, true), { status: 200 })
    if (!fixture.traits.snapshots) {
      expect((await waitFor(fixture, id, 'completed', 'stopped')).at(-1)).toBe('completed')
      return
    }
    expectStop(await stop(id, true), { status: 403, message: 'Run is already being stopped.' })
    expect(await waitFor(fixture, id, 'stopped', 'completed', 'failed')).toEqual(['stopping', 'stopped'])
    expectStop(await stop(id, true), { status: 403, message: 'Run is already stopped.' })
    const run = await fixture.api.get(`/runs/${id}?hydrate=false`)
    const body = { status: 'stopped', in_progress: false, status_reason: 'Manual stop requested.' }
    expect(run.body).toMatchObject({ body })
    expect((await stepsOf(fixture, id)).map(({ name }) => name)).toEqual(['load', 'train'])
  })

  test('a forced stop that the orchestrator cannot do has still set stopping', async () => {
    const fixture = open()
    if (!fixture.traits.snapshots) return
    const id = await start(fixture, { seconds: 4 })
    await waitForStep(fixture, id, 'train')
    expectStop(await stop(id, false), {
      status: 501,
      message:
        "The forceful stop run functionality is not implemented for the 'LocalOrchestrator' orchestrator.",
    })
    expect(await waitFor(fixture, id, 'stopped', 'completed', 'failed')).toEqual(['stopping', 'stopped'])
  })

  describe('child runs, from 0.98 on', () => {
    const reason = 'Manual stop requested.'
    const forced = {
      status: 501,
      body: {
        detail: [
          'NotImplementedError',
          "The forceful stop run functionality is not implemented for the 'LocalOrchestrator' orchestrator.",
        ],
      },
    }
    const has = () => open().target.has('parent-template')
    const begin = async (name: string, parameters: object) =>
      idOf(await trigger(open(), name, { parameters, enable_cache: false }))

    /** The one child run of a run, as soon as its graph has it. */
    const childOf = async (id: string): Promise<string> => {
      for (;;) {
        const { body } = await open().api.get(`/runs/${id}/dag`)
        const node = listAt(body, 'nodes').find((each) => textAt(each, 'node_id').startsWith('child_run/'))
        if (node !== undefined) return textAt(node, 'id')
        await open().target.pause()
      }
    }

    test('go on when their parent is stopped, which waits for them', async () => {
      if (!has()) return
      const fixture = open()
      const id = await begin('parent', { seconds: 4 })
      const child = await childOf(id)
      await waitForStep(fixture, child, 'train')
      expect(await stop(id, false)).toMatchObject(forced)
      const body = { status: 'stopping', in_progress: true, status_reason: reason }
      const run = await fixture.api.get(`/runs/${id}?hydrate=false`)
      expect(run.body).toMatchObject({ body, resources: { snapshot: { body: { is_dynamic: true } } } })
      expect((await waitFor(fixture, child, 'stopped', 'completed', 'failed')).at(-1)).toBe('completed')
      expect((await waitFor(fixture, id, 'stopped', 'completed', 'failed')).at(-1)).toBe('completed')
    })

    test('are stopped by a stop of their own, and their parent with them', async () => {
      if (!has()) return
      const fixture = open()
      const id = await begin('parent', { seconds: 4 })
      const child = await childOf(id)
      await waitForStep(fixture, child, 'train')
      await stop(id, false)
      expect(await stop(child, false)).toMatchObject(forced)
      expect(await waitFor(fixture, child, 'stopped', 'completed', 'failed')).toEqual(['stopping', 'stopped'])
      expect((await waitFor(fixture, id, 'stopped', 'completed', 'failed')).at(-1)).toBe('stopped')
      expect((await stepsOf(fixture, child)).map(({ name }) => name)).toEqual(['load', 'train'])
    })

    test('are called even after their parent was stopped', async () => {
      if (!has()) return
      const fixture = open()
      const id = await begin('parent', { seconds: 1, before: 6 })
      await waitForStep(fixture, id, 'train')
      await stop(id, true)
      const child = await childOf(id)
      expect((await waitFor(fixture, child, 'stopped', 'completed', 'failed')).at(-1)).toBe('completed')
    })

    test('go on when the question of their parent is answered with abort, which is stopped at once', async () => {
      if (!has()) return
      const fixture = open()
      const id = await begin('asking_parent', { seconds: 6 })
      const child = await childOf(id)
      await waitForStep(fixture, child, 'train')
      const { body } = await fixture.api.get(`/run_wait_conditions?pipeline_run=${id}&status=pending`)
      const [condition] = listAt(body, 'items')
      await fixture.api.put(`/run_wait_conditions/${textAt(condition, 'id')}/resolve`, {
        resolution: 'abort',
      })
      const states = [id, child].map(async (each) => (await fixture.api.get(`/runs/${each}/status`)).body)
      expect(await Promise.all(states)).toEqual(['stopped', 'running'])
    })
  })

  test('a finished run cannot be stopped', async () => {
    const fixture = open()
    const done = await stop(await completed(fixture), false)
    const { modern } = fixture.traits
    if (modern) {
      const message = 'Cannot stop a run that is already completed.'
      expect(done).toMatchObject({ status: 403, body: { detail: ['IllegalOperationError', message] } })
    }
    expectStop(await stop(await failed(fixture), false), {
      status: 403,
      message: 'Cannot update the status of a finished run.',
    })
    expect((await stop(NO_SUCH_ID, false)).status).toBe(modern ? 404 : 405)
  })

  test('a run that is initializing is ended by setting it failed, and no step starts', async () => {
    const fixture = open()
    const id = await start(fixture)
    const put = await fixture.api.put(`/runs/${id}`, { status: 'failed', status_reason: 'Cancelled.' })
    const { modern } = fixture.traits
    const body = { status: 'failed', ...(modern ? { in_progress: true, status_reason: 'Cancelled.' } : {}) }
    expect(put).toMatchObject({ status: 200, body: { id, body } })
    // Longer than any run here needs to its first step.
    for (let pause = 0; pause < 40; pause++) await fixture.target.pause()
    expect(await stepsOf(fixture, id)).toEqual([])
    const run = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(run.body).toMatchObject({ body, metadata: { end_time: null, orchestrator_run_id: null } })
    const message = 'Cannot stop a pipeline run that has no orchestrator run id yet.'
    expectStop(await stop(id, false), { status: 403, message })
    const again = await fixture.api.put(`/runs/${id}`, { status: 'failed' })
    expect(again.status).toBe(200)
  })

  test('the end of a finished run cannot be changed from 0.90 on', async () => {
    const fixture = open()
    if (!fixture.traits.snapshots) return
    const id = await completed(fixture)
    const message = 'Cannot update the status of a finished run.'
    const reply = await fixture.api.put(`/runs/${id}`, { status: 'failed' })
    expect(reply).toMatchObject({ status: 403, body: { detail: ['IllegalOperationError', message] } })
  })

  test('a state that there is not cannot be set', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const reply = await fixture.api.put(`/runs/${id}`, { status: 'nope' })
    expect(reply).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining("'type': 'enum'")],
    })
    expect((await fixture.api.put(`/runs/${NO_SUCH_ID}`, { status: 'failed' })).status).toBe(404)
  })

  test('a reason of 255 characters can be set, one more is refused', async () => {
    const fixture = open()
    if (!fixture.traits.modern) return
    const id = await start(fixture)
    const put = (reason: string) =>
      fixture.api.put(`/runs/${id}`, { status: 'failed', status_reason: reason })
    expect(await put('x'.repeat(256))).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining("'type': 'string_too_long'")],
    })
    expect(await put('é'.repeat(255))).toMatchObject({ status: 200, body: { body: { status: 'failed' } } })
  })

  test('the local orchestrator cannot be asked what became of a run', async () => {
    const fixture = open()
    const reply = await fixture.api.post(`/runs/${await completed(fixture)}/refresh?include_steps=true`)
    if (!fixture.traits.modern) {
      expect(reply.status).toBe(405)
      return
    }
    const running = await start(fixture, { seconds: 2 })
    await waitForStep(fixture, running, 'train')
    const message =
      "The fetch status functionality is not implemented for the 'LocalOrchestrator' orchestrator."
    const refused = await fixture.api.post(`/runs/${running}/refresh?include_steps=true`)
    expect(refused).toMatchObject({ status: 501, body: { detail: ['NotImplementedError', message] } })
  })
}
