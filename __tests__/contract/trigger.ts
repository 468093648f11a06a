import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { at, listAt, textAt } from './api.ts'
import {
  NO_SUCH_ID,
  discard,
  idOf,
  stepsOf,
  trigger,
  triggerSnapshot,
  training,
  uniqueName,
  waitFor,
} from './start.ts'
import type { Fixture } from './target.ts'

/** What a trigger's configuration may hold. */
export function configurationCases(open: () => Fixture): void {
  test('a trigger answers with the run, initializing', async () => {
    const fixture = open()
    const reply = await trigger(fixture, 'training', training())
    await discard(fixture, reply)
    const { modern, snapshots } = fixture.traits
    expect(reply).toMatchObject({ status: 200, contentType: 'application/json' })
    expect(reply.body).toMatchObject({
      id: expect.any(String),
      name: expect.stringMatching(/^training-\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d_\d{6}$/),
      permission_denied: false,
      body: { status: 'initializing', ...(modern ? { in_progress: true, status_reason: null } : {}) },
      metadata: {
        template_id: fixture.target.id('training-template'),
        start_time: expect.any(String),
        end_time: null,
        orchestrator_run_id: null,
        run_metadata: {},
        config: { enable_cache: false, name: 'training' },
      },
    })
    const pipeline = at(reply.body, snapshots ? 'resources.pipeline' : 'body.pipeline')
    expect(pipeline).toMatchObject({ name: 'training' })
    if (snapshots) {
      const source = at(reply.body, 'resources.source_snapshot.id')
      expect(source).toBe(fixture.target.id('training-snapshot'))
    }
  })

  test('an empty configuration starts a run, on 0.74 every parameter is wanted', async () => {
    const fixture = open()
    const reply = await trigger(fixture, 'training', {})
    if (fixture.traits.modern) return discard(fixture, reply)
    const message =
      "Run configuration is missing missing the following required parameters for step load: {'rows'}."
    expect(reply).toMatchObject({ status: 400, body: { detail: ['ValueError', message] } })
  })

  test('an unknown key is let through, on 0.74 refused', async () => {
    const fixture = open()
    const reply = await trigger(fixture, 'training', { ...training(), nope: 1 })
    if (fixture.traits.modern) return discard(fixture, reply)
    expect(reply).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining('extra_forbidden')],
    })
  })

  test('an unknown step is let through everywhere', async () => {
    const fixture = open()
    const { steps } = training()
    const reply = await trigger(fixture, 'training', { steps: { ...steps, nope: { parameters: { x: 1 } } } })
    await discard(fixture, reply)
  })

  test('an unknown parameter of a known step is refused', async () => {
    const fixture = open()
    const reply = await trigger(fixture, 'training', training({ x: 1 }))
    const message = fixture.traits.modern
      ? "Run configuration contains the following unknown parameters for step train: {'x'}."
      : 'Run configuration is missing missing the following required parameters for step train: set().'
    expect(reply).toMatchObject({ status: 400, body: { detail: ['ValueError', message] } })
  })

  test('a value of the wrong type starts a run that fails in its step', async () => {
    const fixture = open()
    const id = idOf(await trigger(fixture, 'training', training({ seconds: 'abc' })))
    expect((await waitFor(fixture, id, 'completed', 'failed')).at(-1)).toBe('failed')
    expect((await stepsOf(fixture, id)).at(-1)).toMatchObject({ name: 'train', status: 'failed' })
  })

  test('pipeline parameters of a static pipeline are refused', async () => {
    const reply = await trigger(open(), 'training', { ...training(), parameters: { x: 1 } })
    expect(reply).toMatchObject({
      status: 400,
      body: {
        detail: ['ValueError', expect.stringMatching(/^Can't set (pipeline )?parameters when running/)],
      },
    })
  })

  test('a body of the wrong shape is refused with 422', async () => {
    const fixture = open()
    const bodies: [unknown, string][] = [
      ['{', 'json_invalid'],
      [[], 'model_attributes_type'],
      [{ steps: [] }, 'dict_type'],
      [{ ...training(), enable_cache: 'perhaps' }, 'bool_parsing'],
    ]
    if (fixture.traits.modern) bodies.push([{ ...training(), execution_mode: 'nope' }, 'enum'])
    for (const [body, fault] of bodies) {
      const reply = await trigger(fixture, 'training', body)
      expect(reply).toMatchObject({ status: 422, body: ['ValueError', expect.stringContaining(fault)] })
    }
  })

  test('an id that is not there is 404, one that is no id is 422', async () => {
    const { api } = open()
    const missing = await api.post(`/run_templates/${NO_SUCH_ID}/runs`, {})
    expect(missing).toMatchObject({ status: 404, body: { detail: ['KeyError', expect.any(String)] } })
    const invalid = await api.post('/run_templates/foo/runs', {})
    expect(invalid).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining('uuid_parsing')],
    })
  })

  test('tags of the configuration are on the run and find it', async () => {
    const fixture = open()
    const tag = uniqueName('tag')
    const reply = await trigger(fixture, 'training', { ...training(), tags: [tag, 'pr:12'] })
    await discard(fixture, reply)
    const names = listAt(reply.body, 'resources.tags').map((each) => at(each, 'name'))
    expect(names).toEqual([tag, 'pr:12'])
    const filter = fixture.traits.snapshots ? 'tags' : 'tag'
    const found = await fixture.api.get(`/runs?${filter}=${tag}&hydrate=false`)
    expect(found.body).toMatchObject({ total: 1, items: [{ id: idOf(reply) }] })
  })
}

/** From 0.90 on. */
export function snapshotTriggerCases(open: () => Fixture): void {
  test('a snapshot is run with its configuration one level down', async () => {
    const fixture = open()
    const name = uniqueName('snapshot')
    const reply = await triggerSnapshot(fixture, 'training', { ...training(), run_name: name })
    await discard(fixture, reply)
    expect(reply.body).toMatchObject({
      name,
      metadata: { template_id: null },
      resources: {
        source_snapshot: { id: fixture.target.id('training-snapshot') },
        snapshot: { name: null },
      },
    })
    const missing = await fixture.api.post(`/pipeline_snapshots/${NO_SUCH_ID}/runs`, {})
    expect(missing.status).toBe(404)
    expect((await fixture.api.post('/pipeline_snapshots/foo/runs', {})).status).toBe(422)
  })

  test('the unnamed copy that a trigger makes is listed, but not among the named', async () => {
    const fixture = open()
    const reply = await triggerSnapshot(fixture, 'training', training())
    await discard(fixture, reply)
    const copy = textAt(reply.body, 'resources.snapshot.id')
    const named = (query: string) => fixture.api.get(`/pipeline_snapshots?id=${copy}&hydrate=false${query}`)
    expect((await named('')).body).toMatchObject({
      total: 1,
      items: [{ name: null, body: { runnable: true } }],
    })
    expect((await named('&named_only=true')).body).toMatchObject({ total: 0 })
  })

  test('a dynamic pipeline takes parameters and decides its steps', async () => {
    const fixture = open()
    const reply = await triggerSnapshot(fixture, 'dynamic', { parameters: { rounds: 1, seconds: 0.1 } })
    expect(reply.body).toMatchObject({
      metadata: { config: { parameters: { rounds: 1, seconds: 0.1 }, execution_mode: 'stop_on_failure' } },
    })
    const id = idOf(reply)
    expect((await waitFor(fixture, id, 'completed', 'failed')).at(-1)).toBe('completed')
    expect((await stepsOf(fixture, id)).map((step) => step.name)).toEqual(['load', 'train'])
  })

  test('a dynamic pipeline with an unknown parameter starts and fails without a step or a reason, but with an exception', async () => {
    const fixture = open()
    const id = idOf(await triggerSnapshot(fixture, 'dynamic', { parameters: { zz: 5 } }))
    expect((await waitFor(fixture, id, 'completed', 'failed')).at(-1)).toBe('failed')
    expect(await stepsOf(fixture, id)).toEqual([])
    const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(body).toMatchObject({
      body: { status_reason: null, in_progress: false },
      metadata: {
        end_time: expect.any(String),
        exception_info: { source: 'builtins.ValueError', message: expect.any(String), user_code_line: null },
      },
    })
  })

  test('a dynamic run that is set failed while initializing is over at once', async () => {
    const fixture = open()
    const id = idOf(await triggerSnapshot(fixture, 'dynamic', {}))
    const put = await fixture.api.put(`/runs/${id}`, { status: 'failed', status_reason: 'Cancelled.' })
    expect(put.body).toMatchObject({
      body: { status: 'failed', in_progress: false, status_reason: 'Cancelled.' },
      metadata: { end_time: expect.any(String) },
    })
  })
}

/** Names, keys, and how many runs there are in the end. */
export function oneRunCases(open: () => Fixture): void {
  const nameTaken = (fixture: Fixture, name: string) => {
    if (fixture.traits.snapshots) return `Pipeline run name '${name}' already exists in this project.`
    return fixture.traits.modern
      ? `Unable to create the requested pipeline run with name '${name}': Found another existing pipeline run with the same name`
      : `Unable to create pipeline run: A pipeline run with name '${name}' already exists.`
  }

  test('the same key again answers with the same run, even for another body; 0.74 takes no notice of it', async () => {
    const fixture = open()
    const name = uniqueName('key')
    const key = { 'idempotency-key': randomUUID() }
    const first = await trigger(fixture, 'training', { ...training(), run_name: name }, key)
    await discard(fixture, first)
    const again = await trigger(fixture, 'training', { ...training(), run_name: name }, key)
    const other = await trigger(fixture, 'training', { ...training(), run_name: `${name}-2` }, key)
    if (fixture.traits.modern) {
      expect(again).toMatchObject({ status: 200, body: { id: idOf(first), name } })
      expect(other).toMatchObject({ status: 200, body: { id: idOf(first), name } })
    } else {
      const message = expect.stringContaining(nameTaken(fixture, name))
      expect(again).toMatchObject({ status: 409, body: { detail: ['EntityExistsError', message] } })
      await discard(fixture, other)
    }
  })

  test('the same name under another key is refused with 409', async () => {
    const fixture = open()
    const name = uniqueName('name')
    const send = () =>
      trigger(fixture, 'training', { ...training(), run_name: name }, { 'idempotency-key': randomUUID() })
    await discard(fixture, await send())
    const message = expect.stringContaining(nameTaken(fixture, name))
    expect(await send()).toMatchObject({ status: 409, body: { detail: ['EntityExistsError', message] } })
  })

  test('three posts at once make one run', async () => {
    const fixture = open()
    const name = uniqueName('three')
    const key = { 'idempotency-key': randomUUID() }
    const send = () => trigger(fixture, 'training', { ...training(), run_name: name }, key)
    const replies = await Promise.all([send(), send(), send()])
    const found = await fixture.api.get(`/runs?name=equals:${name}&size=2&hydrate=false`)
    expect(found.body).toMatchObject({ total: 1, items: [{ name, metadata: null }] })
    const started = replies.filter((reply) => reply.status === 200)
    expect(new Set(started.map(idOf)).size).toBe(1)
    expect(replies.map((reply) => reply.status).sort()).toEqual(
      fixture.traits.modern ? [200, 200, 200] : [200, 409, 409],
    )
    for (const reply of started.slice(0, 1)) await discard(fixture, reply)
  })

  test('a key that is no UUID is an internal error, on 0.74 nothing', async () => {
    const fixture = open()
    const reply = await trigger(fixture, 'training', training(), { 'idempotency-key': 'abc' })
    if (!fixture.traits.modern) return discard(fixture, reply)
    expect(reply).toMatchObject({
      status: 500,
      contentType: 'text/plain; charset=utf-8',
      body: 'Internal Server Error',
    })
  })

  test('a name has at most 255 characters, and its date and time are filled in', async () => {
    const fixture = open()
    const long = await trigger(fixture, 'training', { ...training(), run_name: 'x'.repeat(256) })
    const message = expect.stringContaining('String should have at most 255 characters')
    expect(long).toMatchObject({ status: 422, body: { detail: ['ValueError', message] } })
    const id = randomUUID()
    const filled = await trigger(fixture, 'training', { ...training(), run_name: `${id}-{date}-{time}` })
    await discard(fixture, filled)
    expect(textAt(filled.body, 'name')).toMatch(
      new RegExp(`^${id}-\\d{4}_\\d\\d_\\d\\d-\\d\\d_\\d\\d_\\d\\d_\\d{6}$`),
    )
  })

  test('a name that nobody has is not found', async () => {
    const { body } = await open().api.get(`/runs?name=equals:${uniqueName('nobody')}&size=2&hydrate=false`)
    expect(body).toEqual({ index: 1, max_size: 2, total_pages: 1, total: 0, items: [] })
  })
}
