import { expect, test } from '@jest/globals'
import { at, listAt } from './api.ts'
import { idOf, trigger, waitFor } from './start.ts'
import type { Fixture } from './target.ts'

/** A step that fails and is tried again; not every server has such a pipeline. */
export function retryCases(open: () => Fixture): void {
  test('each attempt at a step is a step of its own, the graph shows the last', async () => {
    const fixture = open()
    if (!fixture.target.has('flaky-template')) return
    const id = await flaky(fixture, 1)
    const attempts = (await stepsOf(fixture, id)).filter((step) => at(step, 'name') === 'unsteady')
    if (!fixture.traits.modern) {
      // A run from a template does not try again there.
      expect(attempts).toMatchObject([{ body: { status: 'failed' } }])
      return
    }
    expect(attempts).toMatchObject([
      { body: { status: 'retried', version: 1, is_retriable: true } },
      { body: { status: 'completed', version: 2, is_retriable: true } },
    ])
    expect(at(attempts[0], 'metadata.exception_info')).not.toBeNull()
    const { body } = await fixture.api.get(`/runs/${id}/dag`)
    const nodes = listAt(body, 'nodes').filter((node) => at(node, 'type') === 'step')
    expect(nodes).toMatchObject([
      { id: at(attempts[1], 'id'), name: 'unsteady', metadata: { status: 'completed' } },
      { name: 'after', metadata: { status: 'completed' } },
    ])
  })

  test('the metadata of failed attempts is on them, and with all others on the run', async () => {
    const fixture = open()
    if (!fixture.target.has('flaky-template')) return
    const { modern } = fixture.traits
    const id = await flaky(fixture, 9)
    const query = 'hydrate=true&include_full_metadata=true'
    const { body: run } = await fixture.api.get(`/runs/${id}?${query}`)
    const first = { attempt: 0, only_0: 0, score: 0.5 }
    const logged = modern
      ? [first, { attempt: 1, only_1: 1, score: 0.6 }, { attempt: 2, only_2: 2, score: 0.7 }]
      : [first]
    const all = Object.entries(Object.assign({}, ...logged) as object)
    expect(at(run, 'body.status')).toBe('failed')
    expect(at(run, 'metadata.run_metadata')).toEqual(
      Object.fromEntries(all.map(([key, value]: [string, unknown]) => [`unsteady::${key}`, value])),
    )
    const steps = await stepsOf(fixture, id)
    expect(steps.map((step) => at(step, 'metadata.run_metadata'))).toEqual(logged)
    const states = modern ? ['retried', 'retried', 'failed'] : ['failed']
    expect(steps.map((step) => at(step, 'body.status'))).toEqual(states)
  })
}

/** A run whose first step fails so many times, at most three. */
function flaky(fixture: Fixture, good: number): Promise<string> {
  return fixture.shared(`flaky ${String(good)}`, async () => {
    const steps = { unsteady: { parameters: { good } } }
    const id = idOf(await trigger(fixture, 'flaky', { steps, enable_cache: false }))
    await waitFor(fixture, id, 'completed', 'failed')
    return id
  })
}

async function stepsOf(fixture: Fixture, id: string): Promise<readonly unknown[]> {
  const query = `pipeline_run_id=${id}&hydrate=true&sort_by=asc:created`
  return listAt((await fixture.api.get(`/steps?${query}`)).body, 'items')
}
