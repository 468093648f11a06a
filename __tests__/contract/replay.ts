import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { at, listAt, textAt, type Reply } from './api.ts'
import { NO_SUCH_ID, discard, failed, idOf, trigger, uniqueName, untilSlot, waitFor } from './start.ts'
import type { Fixture } from './target.ts'

/** A replay: a new run that takes over what an earlier one has done. */
export function replayCases(open: () => Fixture): void {
  test('older servers have no replay', async () => {
    const fixture = open()
    if (fixture.traits.snapshots) return
    const reply = await replay(fixture, await failed(fixture), {})
    expect([404, 405]).toContain(reply.status)
  })

  test('the answer is the new run, under the name that was sent, and says which one it replays', async () => {
    const fixture = open()
    if (!has(fixture)) return
    const original = await failedDelivery(fixture)
    const run_name = uniqueName('replay')
    const reply = await replay(fixture, original, { skip_successful_steps: true, run_name })
    await discard(fixture, reply)
    expect(reply).toMatchObject({
      status: 200,
      body: {
        id: expect.not.stringMatching(original),
        name: run_name,
        body: { status: 'initializing' },
        // Only the snapshot says what it was started from.
        metadata: { template_id: null, config: { skip_successful_steps: true, tags: ['contract'] } },
        resources: {
          original_run: { id: original, metadata: null, resources: null },
          source_snapshot: { id: fixture.target.id('delivery-snapshot') },
          tags: [{ name: 'contract' }],
        },
      },
    })
  })

  test('a name is taken once, and the same key gets the same run', async () => {
    const fixture = open()
    if (!has(fixture)) return
    const original = await failedDelivery(fixture)
    const key = randomUUID()
    const configuration = { skip_successful_steps: true, run_name: uniqueName('replay') }
    const first = await replay(fixture, original, configuration, key)
    await discard(fixture, first)
    expect(idOf(await replay(fixture, original, configuration, key))).toBe(idOf(first))
    const again = await replay(fixture, original, configuration)
    expect(again).toMatchObject({ status: 409, body: { detail: ['EntityExistsError', expect.any(String)] } })
  })

  test('a run that is not there cannot be replayed', async () => {
    const fixture = open()
    if (!has(fixture)) return
    const reply = await replay(fixture, NO_SUCH_ID, {})
    const detail = ['KeyError', expect.stringContaining('No pipeline run with this ID found')]
    expect(reply).toMatchObject({ status: 404, body: { detail } })
  })

  test('what was done is skipped, with its outputs and, the first time, what it has logged', async () => {
    const fixture = open()
    if (!has(fixture)) return
    const original = await failedDelivery(fixture)
    const second = await replayed(fixture, original)
    const third = await replayed(fixture, second)
    const runs = [original, second, third]
    const steps = await Promise.all(runs.map((id) => stepsOf(fixture, id)))
    const [first = [], ...replays] = steps
    const skipped = { status: 'skipped' }
    for (const [index, rows] of replays.entries()) {
      const before = steps[index] ?? []
      expect(rows).toMatchObject([
        { name: 'load', body: skipped, metadata: { original_step_run_id: at(before[0], 'id') } },
        { name: 'train', body: skipped, metadata: { original_step_run_id: at(before[1], 'id') } },
        { name: 'deliver', body: { status: 'failed' }, metadata: { original_step_run_id: null } },
      ])
      expect(outputsOf(rows[1])).toEqual(outputsOf(first[1]))
      expect(at(rows[1], 'body.start_time')).toBe(at(rows[1], 'body.end_time'))
    }
    const logged = { accuracy: 0.8, loss: 0.2 }
    expect(steps.map((rows) => at(rows[1], 'metadata.run_metadata'))).toEqual([logged, logged, {}])
  })

  test('steps of several runs are listed by their ids', async () => {
    const fixture = open()
    if (!has(fixture)) return
    const steps = (await stepsOf(fixture, await failedDelivery(fixture))).slice(0, 2)
    const ids = steps.map((step) => textAt(step, 'id'))
    const id = encodeURIComponent(`oneof:${JSON.stringify(ids)}`)
    const { body } = await fixture.api.get(`/steps?id=${id}&hydrate=true&size=2`)
    expect(listAt(body, 'items').map((item) => at(item, 'id'))).toEqual(expect.arrayContaining(ids))
    expect(at(body, 'total')).toBe(2)
  })

  test('a skipped step has no log', async () => {
    const fixture = open()
    if (!has(fixture)) return
    const steps = await stepsOf(fixture, await replayed(fixture, await failedDelivery(fixture)))
    const reply = await fixture.api.get(`/steps/${textAt(steps[0], 'id')}/logs?source=step`)
    expect(reply).toMatchObject({ status: 404, body: { detail: ['KeyError', expect.any(String)] } })
  })
}

function has({ target, traits }: Fixture): boolean {
  return traits.snapshots && target.has('delivery-template')
}

function replay(fixture: Fixture, id: string, body: unknown, key: string = randomUUID()): Promise<Reply> {
  const headers = { 'idempotency-key': key }
  return untilSlot(fixture, () => fixture.api.post(`/runs/${id}/replay`, body, headers))
}

function failedDelivery(fixture: Fixture): Promise<string> {
  return fixture.shared('failed delivery', async () => {
    const parameters = { seconds: 0.1, accuracy: 0.8 }
    const steps = { train: { parameters }, deliver: { parameters: { fail: '/nowhere/at/all' } } }
    const id = idOf(await trigger(fixture, 'delivery', { steps, tags: ['contract'] }))
    await waitFor(fixture, id, 'completed', 'failed')
    return id
  })
}

/** A replay that has ended. */
function replayed(fixture: Fixture, original: string): Promise<string> {
  return fixture.shared(`replay of ${original}`, async () => {
    const configuration = { skip_successful_steps: true, run_name: uniqueName('replay') }
    const id = idOf(await replay(fixture, original, configuration))
    await waitFor(fixture, id, 'completed', 'failed')
    return id
  })
}

async function stepsOf(fixture: Fixture, id: string): Promise<readonly unknown[]> {
  const query = `pipeline_run_id=${id}&hydrate=true&sort_by=asc:created`
  return listAt((await fixture.api.get(`/steps?${query}`)).body, 'items')
}

function outputsOf(step: unknown): unknown {
  return listAt(step, 'resources.outputs.accuracy').map((output) => at(output, 'id'))
}
