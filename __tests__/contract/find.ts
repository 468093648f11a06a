import { expect, test } from '@jest/globals'
import { at, listAt } from './api.ts'
import { NO_SUCH_ID, discard, idOf, namesOf, trigger } from './start.ts'
import type { Fixture } from './target.ts'

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)

/** What the pipeline `typed` was made from; the only one that says it. */
const COMMIT = '3f1c9a7b5d2e8f60a4b1c7d9e2f5a8b0c3d6e9f1'

/** Who made the seeded things: on a real server in Pro's mode that is another account than ours. */
const ACCOUNT = expect.stringMatching(/./)

/** Templates, snapshots and pipelines, by id and by name. */
export function findCases(open: () => Fixture): void {
  test('a template has its parameters with values, its schema and its steps', async () => {
    const { api, target } = open()
    const id = target.id('training-template')
    const { body, status } = await api.get(`/run_templates/${id}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id,
      name: 'training-template',
      permission_denied: false,
      body: { created: TIME, runnable: true },
      metadata: {
        config_template: {
          run_name: 'training-{date}-{time}',
          steps: {
            load: { parameters: { rows: 10 } },
            train: { parameters: { seconds: 1, accuracy: 0.9, fail: '' } },
          },
        },
        config_schema: { $defs: { Steps: { type: 'object' } }, properties: { run_name: {}, steps: {} } },
        pipeline_spec: { source: { attribute: 'training' } },
      },
      resources: { pipeline: { id: expect.any(String), name: 'training' } },
    })
    const steps = listAt(body, 'metadata.pipeline_spec.steps')
    const nameKey = open().traits.snapshots ? 'invocation_id' : 'pipeline_parameter_name'
    expect(steps.map((step) => at(step, nameKey))).toEqual(['load', 'train', 'report'])
    expect(steps.map((step) => at(step, 'upstream_steps'))).toEqual([[], ['load'], ['train']])
  })

  test('a template says who made it when and, where ZenML knew the repository, from which commit', async () => {
    const { api, target, traits } = open()
    const made = { created: TIME, ...(traits.modern ? {} : { user: { name: ACCOUNT } }) }
    const maker = traits.modern ? { user: { name: ACCOUNT } } : {}
    const source = traits.snapshots ? 'source_snapshot' : 'source_deployment'
    const { body } = await api.get(`/run_templates/${target.id('typed-template')}`)
    expect(body).toMatchObject({
      body: made,
      resources: {
        ...maker,
        [source]: { body: { created: TIME } },
        code_reference: { body: { commit: COMMIT, code_repository: { name: 'pipelines' } } },
      },
    })
    expect(at(body, 'resources.stack')).toBeUndefined()
    const other = await api.get(`/run_templates/${target.id('training-template')}`)
    expect(at(other.body, 'resources.code_reference')).toBeNull()
  })

  test('a run says which commit and stack it was started from, and from 0.90 on which snapshot', async () => {
    const fixture = open()
    const { api, target, traits } = fixture
    const { body: template } = await api.get(`/run_templates/${target.id('typed-template')}`)
    const parameters = at(template, 'metadata.config_template.steps.typed_step.parameters')
    const reply = await trigger(fixture, 'typed', { steps: { typed_step: { parameters } } })
    const { body: run } = await api.get(`/runs/${idOf(reply)}?hydrate=true`)
    const from = { stack: { name: 'e2e' }, code_reference: { body: { commit: COMMIT } } }
    const snapshot = {
      id: target.has('typed-snapshot') ? target.id('typed-snapshot') : '',
      name: 'typed-template',
      body: { created: TIME },
    }
    expect(run).toMatchObject(
      traits.snapshots ? { resources: { ...from, source_snapshot: snapshot } } : { body: from },
    )
    await discard(fixture, reply)
  })

  test('the schema of a template names each parameter, and from 0.90 on its type', async () => {
    const { api, target, traits } = open()
    const { body } = await api.get(`/run_templates/${target.id('typed-template')}`)
    const path = traits.snapshots ? 'typed_step.properties.parameters' : 'typed_step_parameters'
    const schema = at(body, `metadata.config_schema.$defs.${path}`)
    expect(Object.keys(Object(at(schema, 'properties')))).toHaveLength(11)
    expect(at(schema, 'properties.epochs.type')).toBe(traits.snapshots ? 'integer' : undefined)
    expect(at(body, 'metadata.config_schema.properties.steps')).toBeDefined()
  })

  test('a template is found by its exact name, with and without an operator', async () => {
    const { api, target } = open()
    for (const name of ['training-template', 'equals:training-template']) {
      const reply = await api.get(`/run_templates?name=${name}&size=2&hydrate=false`)
      expect(reply).toMatchObject({ status: 200, body: { index: 1, max_size: 2, total_pages: 1, total: 1 } })
      expect(listAt(reply.body, 'items')).toMatchObject([
        {
          id: target.id('training-template'),
          name: 'training-template',
          metadata: null,
          body: { runnable: true },
        },
      ])
    }
    expect((await api.get('/run_templates?name=equals:training')).body).toMatchObject({ total: 0, items: [] })
    expect(namesOf(await api.get('/run_templates?name=startswith:train'))).toEqual(['training-template'])
    expect(namesOf(await api.get('/run_templates?name=contains:ide'))).toEqual(['wide-template'])
  })

  test('case counts in a whole name, and not in a part of one', async () => {
    const { api } = open()
    expect(namesOf(await api.get('/run_templates?name=equals:Wide-Template'))).toEqual([])
    expect(namesOf(await api.get('/run_templates?name=contains:IDE'))).toEqual(['wide-template'])
    expect(namesOf(await api.get('/run_templates?name=startswith:WIDE'))).toEqual(['wide-template'])
  })

  test('the newest template of a pipeline comes first', async () => {
    const { api } = open()
    const query = 'pipeline=training&size=1&sort_by=desc:created&hydrate=false'
    expect(namesOf(await api.get(`/run_templates?${query}`))).toEqual(['training-template'])
    expect(namesOf(await api.get('/run_templates?pipeline=nope'))).toEqual([])
    const newest = namesOf(await api.get('/run_templates?sort_by=desc:created'))
    expect(newest).toEqual([...namesOf(await api.get('/run_templates?sort_by=asc:created'))].reverse())
  })

  test('a filter that the server does not know is ignored', async () => {
    const { api, traits, target } = open()
    const total = async (query: string) => at((await api.get(`/run_templates?${query}`)).body, 'total')
    const all = await total('size=1')
    expect(await total('zzz=nope&size=1')).toBe(all)
    expect(await total('tag=nope&size=1')).toBe(traits.snapshots ? all : 0)
    expect(await total('tags=nope&size=1')).toBe(traits.modern ? 0 : all)
    expect(await total(`project=${target.project}&size=1`)).toBe(all)
  })

  test('an unknown project is an error, on 0.74 it is ignored', async () => {
    const { api, traits } = open()
    const reply = await api.get('/run_templates?project=nope&size=1')
    expect(reply.status).toBe(traits.modern ? 404 : 200)
    if (traits.modern) {
      const message = `"Unable to get project with name or ID 'nope': 'nope' is not a valid  UUID and no project with this name exists."`
      expect(reply.body).toEqual({ detail: ['KeyError', message] })
    }
  })

  test('an id that is not there is 404, one that is no id is 422', async () => {
    const { api } = open()
    const missing = await api.get(`/run_templates/${NO_SUCH_ID}`)
    const message = expect.stringMatching(
      /^['"]Unable to get run template with ID .*No run template with this ID found/,
    )
    expect(missing).toMatchObject({ status: 404, body: { detail: ['KeyError', message] } })
    const invalid = await api.get('/run_templates/foo')
    expect(invalid).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining('uuid_parsing')],
    })
    expect((await api.get('/run_templates?id=foo')).body).toMatchObject({ total: 0 })
  })

  test('a page that is not there, or too long, is an error', async () => {
    const { api } = open()
    expect((await api.get('/run_templates?page=99')).status).toBe(400)
    expect((await api.get('/run_templates?page=0')).status).toBe(422)
    const long = await api.get('/run_templates?size=20000')
    expect(long).toMatchObject({ status: 422, body: ['ValueError', expect.stringContaining('10000')] })
    expect((await api.get('/run_templates?sort_by=nope')).status).toBe(422)
    const second = await api.get('/run_templates?size=2&page=2')
    const total_pages = Math.ceil(Number(at(second.body, 'total')) / 2)
    expect(second.body).toMatchObject({ index: 2, max_size: 2, total_pages })
    expect(listAt(second.body, 'items').length).toBeGreaterThan(0)
  })

  test('a pipeline is found by its name', async () => {
    const { body } = await open().api.get('/pipelines?name=equals:training&size=2&hydrate=false')
    expect(body).toMatchObject({ total: 1, items: [{ id: expect.any(String), name: 'training' }] })
  })

  test('before 0.90 there are no snapshots', async () => {
    const { api, traits } = open()
    if (traits.snapshots) return
    expect(await api.get('/pipeline_snapshots')).toMatchObject({ status: 404, body: { detail: 'Not Found' } })
  })
}

/** From 0.90 on. */
export function snapshotCases(open: () => Fixture): void {
  test('a snapshot has its schema only when asked for', async () => {
    const { api, target } = open()
    const id = target.id('training-snapshot')
    const plain = await api.get(`/pipeline_snapshots/${id}`)
    expect(plain.body).toMatchObject({
      id,
      // Creating a run template of it has renamed it.
      name: 'training-template',
      body: { runnable: true, is_dynamic: false, pipeline_id: expect.any(String) },
      metadata: { config_template: null, config_schema: null },
      resources: { pipeline: { name: 'training' } },
    })
    const whole = await api.get(`/pipeline_snapshots/${id}?include_config_schema=true`)
    expect(whole.body).toMatchObject({
      metadata: {
        config_template: { steps: { train: { parameters: { seconds: 1 } } } },
        config_schema: { $defs: { train: { properties: { parameters: { additionalProperties: false } } } } },
        pipeline_spec: { version: '0.5' },
      },
    })
  })

  test('a snapshot says who made it when, from which commit and for which stack', async () => {
    const { api, target } = open()
    const { body } = await api.get(`/pipeline_snapshots/${target.id('typed-snapshot')}`)
    expect(body).toMatchObject({
      body: { created: TIME },
      resources: {
        user: { name: ACCOUNT },
        stack: { name: 'e2e', permission_denied: false },
        code_reference: { body: { commit: COMMIT } },
      },
    })
  })

  test('a dynamic snapshot has the types of its parameters in the pipeline spec only', async () => {
    const { api, target } = open()
    const { body } = await api.get(
      `/pipeline_snapshots/${target.id('dynamic-snapshot')}?include_config_schema=true`,
    )
    expect(body).toMatchObject({
      body: { is_dynamic: true },
      metadata: {
        config_template: {
          steps: {},
          parameters: { rounds: 2, seconds: 0.5 },
          execution_mode: 'stop_on_failure',
        },
        config_schema: { $defs: { Parameters: { properties: { rounds: { title: 'Rounds' } } } } },
        pipeline_spec: { input_schema: { properties: { rounds: { type: 'integer', default: 2 } } } },
      },
    })
  })

  test('a snapshot is found by its name, and as the newest named one of its pipeline', async () => {
    const { api, target } = open()
    const id = target.id('training-snapshot')
    const byName = await api.get('/pipeline_snapshots?name=equals:training-template&size=2&hydrate=false')
    expect(byName.body).toMatchObject({
      total: 1,
      items: [{ id, name: 'training-template', metadata: null }],
    })
    const query = 'pipeline=training&runnable=true&named_only=true&sort_by=desc:created&size=1&hydrate=false'
    const newest = await api.get(`/pipeline_snapshots?${query}`)
    expect(newest.body).toMatchObject({ total: 1, items: [{ id, body: { runnable: true } }] })
    const missing = await api.get(`/pipeline_snapshots/${NO_SUCH_ID}`)
    expect(missing.body).toMatchObject({
      detail: ['KeyError', expect.stringContaining('No pipeline snapshot with this ID')],
    })
    expect((await api.get('/pipeline_snapshots/foo')).status).toBe(422)
  })
}
