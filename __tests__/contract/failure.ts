import { expect, test } from '@jest/globals'
import { at, textAt } from './api.ts'
import { failed, namesOf, stepId, stepsOf, trigger, waitFor } from './start.ts'
import type { Fixture } from './target.ts'

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)

/** Why it failed. */
export function failureCases(open: () => Fixture): void {
  test('a failed run is over when nothing else goes on', async () => {
    const fixture = open()
    const id = await failed(fixture)
    const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(body).toMatchObject({
      body: {
        status: 'failed',
        ...(fixture.traits.modern ? { in_progress: false, status_reason: null } : {}),
      },
      metadata: { end_time: TIME },
    })
    const steps = await stepsOf(fixture, id)
    expect(steps.map(({ name, status }) => [name, status])).toEqual([
      ['load', 'completed'],
      ['train', 'failed'],
    ])
  })

  test('the exception is on the step from 0.90 on, the traceback from 0.85 on', async () => {
    const fixture = open()
    const id = await failed(fixture)
    const { body } = await fixture.api.get(`/steps/${await stepId(fixture, id, 'train')}?hydrate=true`)
    const info = at(body, 'metadata.exception_info')
    const traceback = expect.stringMatching(
      /File ".*e2e_pipelines\.py", line \d+, in train\n {4}raise RuntimeError\(fail\)/,
    )
    if (fixture.traits.snapshots) {
      const known = {
        source: 'builtins.RuntimeError',
        message: 'loss is NaN',
        user_code_line: expect.any(Number),
      }
      expect(info).toMatchObject({ ...known, traceback })
    } else if (fixture.traits.modern) {
      expect(info).toEqual({ traceback, step_code_line: expect.any(Number) })
    } else {
      expect(info).toBeUndefined()
    }
  })

  test('the log of a failed step has its lines and the exception', async () => {
    const fixture = open()
    const id = await failed(fixture)
    const step = await stepId(fixture, id, 'train')
    const { body } = await fixture.api.get(`/steps/${step}/logs?source=step`)
    if (!fixture.traits.modern) {
      expect(body).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\] Step train has started\.\n/)
      expect(body).toMatch(/training, 1\.0 s left\n.*RuntimeError: loss is NaN/s)
      return
    }
    const entries = Array.isArray(body) ? body : []
    expect(entries[0]).toMatchObject({
      message: expect.any(String),
      level: expect.any(Number),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z?$/),
      chunk_index: 0,
      total_chunks: 1,
    })
    const messages = entries.map((entry) => textAt(entry, 'message')).join('\n')
    expect(messages).toMatch(/training, 1\.0 s left\n.*RuntimeError: loss is NaN/s)
    expect(entries.some((entry) => at(entry, 'level') === 40)).toBe(true)
    const trace =
      /^An exception has occurred\.\n(RuntimeError: loss is NaN\n)?Traceback \(most recent call last\):\n {2}File "[^]*\nRuntimeError: loss is NaN$/
    expect(textAt(entries.at(-1), 'message')).toMatch(trace)
  })

  test('a log is asked for by its source from 0.90 on', async () => {
    const fixture = open()
    const id = await failed(fixture)
    const step = await stepId(fixture, id, 'train')
    const reply = await fixture.api.get(`/steps/${step}/logs`)
    expect(reply.status).toBe(fixture.traits.snapshots ? 400 : 200)
    const runner = await fixture.api.get(`/runs/${id}/logs?source=runner`)
    if (fixture.traits.modern) expect(runner).toMatchObject({ status: 200, body: [] })
    else expect(runner.status).toBe(404)
  })

  test('a run is failed as soon as one step is, while the others go on', async () => {
    const fixture = open()
    const { modern, snapshots } = fixture.traits
    const branches = Array.from({ length: 10 }, (_, i): [string, unknown] => [
      `train_${String(i)}`,
      { parameters: { seconds: 1, accuracy: 0.5, fail: i === 0 ? 'boom' : '' } },
    ])
    const steps = { load: { parameters: { rows: 1 } }, ...Object.fromEntries(branches) }
    const reply = await trigger(fixture, 'wide', { steps, enable_cache: false })
    const id = textAt(reply.body, 'id')
    expect((await waitFor(fixture, id, 'failed', 'completed')).at(-1)).toBe('failed')
    // 0.74's local orchestrator stops at the first failure.
    if (!modern) return
    const early = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(early.body).toMatchObject({
      body: { status: 'failed', in_progress: true },
      metadata: { end_time: snapshots ? null : TIME },
    })
    const stop = await fixture.api.post(`/runs/${id}/stop?graceful=false`)
    expect(stop.status).toBe(snapshots ? 403 : 501)
    if (snapshots) {
      expect(stop.body).toEqual({
        detail: ['IllegalOperationError', 'Cannot update the status of a finished run.'],
      })
    }
    await waitForCount(fixture, id, 20)
    const late = await fixture.api.get(`/runs/${id}?hydrate=true`)
    // Before 0.90 it stays in progress for ever.
    expect(late.body).toMatchObject({
      body: { status: 'failed', in_progress: !snapshots },
      metadata: { end_time: TIME },
    })
  })
}

/** Until so many steps are there and none of them runs. */
async function waitForCount(fixture: Fixture, id: string, count: number): Promise<void> {
  for (let attempt = 0; attempt < 240; attempt++) {
    const steps = await stepsOf(fixture, id)
    const running = steps.some(({ status }) => status === 'running')
    const { body } = await fixture.api.get(`/runs/${id}?hydrate=false`)
    const settled = !fixture.traits.snapshots || at(body, 'body.in_progress') === false
    if (steps.length === count && !running && settled) return
    await fixture.target.pause()
  }
  throw new Error(
    `The run ${id} never had ${String(count)} ended steps: ${String(namesOf(await fixture.api.get(`/runs/${id}/steps?size=100`)))}`,
  )
}
