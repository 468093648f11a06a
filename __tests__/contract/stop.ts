import { expect, test } from '@jest/globals'
import type { Reply } from './api.ts'
import { NO_SUCH_ID, completed, failed, start, stepsOf, waitFor, waitForStep } from './start.ts'
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
