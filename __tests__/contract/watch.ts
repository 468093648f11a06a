import { expect, test } from '@jest/globals'
import { at, listAt, textAt } from './api.ts'
import {
  NO_SUCH_ID,
  completed,
  failed,
  idOf,
  start,
  stepId,
  stepsOf,
  training,
  trigger,
  waitFor,
  waitForStep,
} from './start.ts'
import type { Fixture } from './target.ts'

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)

/** A run while it runs, and after. */
export function runCases(open: () => Fixture): void {
  test('a run goes from initializing over running to completed', async () => {
    const fixture = open()
    const id = await start(fixture, { seconds: 3 })
    const seen = [
      ...(await waitFor(fixture, id, 'running', 'completed')),
      ...(await waitFor(fixture, id, 'completed')),
    ]
    expect([...new Set(seen)]).toEqual(['initializing', 'running', 'completed'])
  })

  test('a run that is under way has no end, its running step neither', async () => {
    const fixture = open()
    const id = await start(fixture, { seconds: 4 })
    await waitForStep(fixture, id, 'train')
    const run = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(run.body).toMatchObject({
      body: { status: 'running', ...(fixture.traits.modern ? { in_progress: true } : {}) },
      metadata: { start_time: TIME, end_time: null, orchestrator_run_id: expect.any(String) },
    })
    const step = await fixture.api.get(`/steps/${await stepId(fixture, id, 'train')}?hydrate=true`)
    expect(step.body).toMatchObject({ body: { status: 'running', start_time: TIME, end_time: null } })
    if (!fixture.traits.modern) return
    const { body } = await fixture.api.get(`/runs/${id}/dag`)
    const nodes = listAt(body, 'nodes').filter((node) => at(node, 'type') === 'step')
    expect(nodes).toMatchObject([
      { name: 'load', metadata: { status: 'completed', duration: expect.any(Number) } },
      { name: 'train', metadata: { status: 'running', start_time: TIME } },
      { name: 'report', id: null, metadata: {} },
    ])
    expect(at(nodes[1], 'metadata.duration')).toBeUndefined()
  })

  test('a completed run has its times and is not in progress', async () => {
    const fixture = open()
    const id = await completed(fixture)
    expect(await fixture.api.get(`/runs/${id}/status`)).toMatchObject({ status: 200, body: 'completed' })
    const { body } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    expect(body).toMatchObject({
      id,
      permission_denied: false,
      body: {
        status: 'completed',
        ...(fixture.traits.modern ? { in_progress: false, status_reason: null } : {}),
      },
      metadata: {
        start_time: TIME,
        end_time: TIME,
        template_id: fixture.target.id('training-template'),
        orchestrator_run_id: expect.any(String),
      },
    })
    const light = await fixture.api.get(`/runs/${id}?hydrate=false`)
    expect(light.body).toMatchObject({ id, metadata: null, body: { status: 'completed' } })
  })

  test('the metadata that a step logs is on the step, and on the run if asked for, on 0.74 always', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const step = await fixture.api.get(`/steps/${await stepId(fixture, id, 'train')}?hydrate=true`)
    expect(step.body).toMatchObject({
      name: 'train',
      metadata: {
        run_metadata: { accuracy: 0.8, loss: 0.2 },
        config: { parameters: { seconds: 1, accuracy: 0.8, fail: '' } },
        spec: { upstream_steps: ['load'] },
      },
    })
    const run = await fixture.api.get(`/runs/${id}?hydrate=true`)
    const expected = fixture.traits.modern ? {} : { 'train::accuracy': 0.8, 'train::loss': 0.2 }
    expect(at(run.body, 'metadata.run_metadata')).toMatchObject(expected)
    if (!fixture.traits.modern) return
    expect(at(run.body, 'metadata.run_metadata.train::accuracy')).toBeUndefined()
    const query = 'hydrate=true&include_full_metadata=true'
    const all = { metadata: { run_metadata: { 'train::accuracy': 0.8, 'train::loss': 0.2 } } }
    expect((await fixture.api.get(`/runs/${id}?${query}`)).body).toMatchObject(all)
    expect((await fixture.api.get(`/runs?id=${id}&${query}`)).body).toMatchObject({ items: [all] })
  })

  test('a mapping noted on a run again replaces the first one, and is merged with it on 0.98; it is found by its JSON', async () => {
    const fixture = open()
    const { api, target, traits } = fixture
    const id = await start(fixture, { seconds: 0 })
    await waitFor(fixture, id, 'completed')
    const { body: run } = await api.get(`/runs/${id}?hydrate=true`)
    const pipeline = textAt(
      run,
      at(run, 'body.pipeline.id') === undefined ? 'resources.pipeline.id' : 'body.pipeline.id',
    )
    const project = textAt(run, traits.modern ? 'body.project_id' : 'metadata.workspace.id')
    const user = textAt((await api.get('/current-user')).body, 'id')
    const branch = `feature/${id}`
    const resources = [{ id, type: 'pipeline_run' }]
    const path = traits.modern ? '/run-metadata' : `/workspaces/${project}/run-metadata`
    for (const noted of [
      { branch, first: 1 },
      { branch, second: 2 },
    ]) {
      const values = { github_actions: noted }
      const types = { github_actions: 'dict' }
      const scope = traits.modern ? { project } : { workspace: project, user }
      expect(await api.post(path, { ...scope, resources, values, types })).toMatchObject({ status: 200 })
    }
    const merged = target.version === '0.98.0'
    const { body } = await api.get(`/runs/${id}?hydrate=true`)
    expect(at(body, 'metadata.run_metadata.github_actions')).toEqual({
      branch,
      second: 2,
      ...(merged ? { first: 1 } : {}),
    })
    const listed = async (value: string): Promise<unknown> => {
      const filter = encodeURIComponent(`github_actions:contains:"branch": "${value}"`)
      const query = `project=${project}&pipeline=${pipeline}&status=completed&run_metadata=${filter}`
      return (await api.get(`/runs?${query}&sort_by=desc:created&size=50&hydrate=true`)).body
    }
    const own = { id, metadata: { run_metadata: { github_actions: { branch } } } }
    expect(listAt(await listed(branch), 'items')).toContainEqual(expect.objectContaining({ id }))
    if (!traits.modern) return
    expect(await listed(branch)).toMatchObject({ total: 1, items: [own] })
    expect(await listed(`${branch}-2`)).toMatchObject({ total: 0 })
  })

  test('the outputs of a step are artifacts with an address and a type', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const { body } = await fixture.api.get(`/steps/${await stepId(fixture, id, 'train')}?hydrate=true`)
    const outputs = at(body, fixture.traits.modern ? 'resources.outputs' : 'body.outputs')
    expect(outputs).toMatchObject({
      accuracy: [
        {
          id: expect.any(String),
          body: {
            uri: expect.any(String),
            type: 'DataArtifact',
            version: expect.any(String),
            data_type: { module: 'builtins', attribute: 'float' },
            artifact: { name: 'accuracy' },
          },
        },
      ],
    })
  })

  test('an artifact says what it shows, which comes as text, a picture in base64; a wrong index is 404', async () => {
    const fixture = open()
    const { api } = fixture
    const body = { steps: { ...training({ accuracy: 0.9, seconds: 0.1 }).steps }, enable_cache: false }
    const id = idOf(await trigger(fixture, 'evaluation', body))
    await waitFor(fixture, id, 'completed')
    const step = await api.get(`/steps/${await stepId(fixture, id, 'evaluate')}?hydrate=true`)
    const outputs = at(step.body, fixture.traits.modern ? 'resources.outputs' : 'body.outputs')
    const expected = {
      report: {
        type: 'markdown',
        value: '## Evaluation\n\n| metric | value |\n| --- | ---: |\n| accuracy | 0.9 |\n',
      },
      confusion: { type: 'csv', value: 'actual,cat,dog\ncat,90,10\ndog,10,90\n' },
      page: {
        type: 'html',
        value: '<style>p { color: teal }</style><h1>Evaluation</h1><p>accuracy 0.9</p>',
      },
      plot: { type: 'image', value: expect.stringMatching(/^iVBORw0KGgo[\w+/]+=*$/) },
    }
    for (const [output, visualization] of Object.entries(expected)) {
      const path = `/artifact_versions/${textAt(listAt(outputs, output)[0], 'id')}`
      const { body: artifact } = await api.get(`${path}?hydrate=true`)
      const { type } = visualization
      expect(artifact).toMatchObject({
        body: { artifact: { name: output } },
        metadata: { visualizations: [{ id: expect.any(String), body: { type } }] },
      })
      expect(await api.get(`${path}/visualize?index=0`)).toMatchObject({ status: 200, body: visualization })
      const detail = ['DoesNotExistException', expect.stringContaining('only has 1 visualizations')]
      expect(await api.get(`${path}/visualize?index=1`)).toMatchObject({ status: 404, body: { detail } })
    }
    const { body: run } = await api.get(`/runs/${id}?hydrate=true`)
    expect(at(run, 'resources.visualizations')).toEqual(fixture.traits.snapshots ? [] : undefined)
    expect((await api.get(`/artifact_versions/${NO_SUCH_ID}/visualize?index=0`)).status).toBe(404)
  })

  test('the steps of a run are listed page by page and never hydrated', async () => {
    const fixture = open()
    const id = await completed(fixture)
    expect(await stepsOf(fixture, id)).toMatchObject([
      { name: 'load', status: 'completed' },
      { name: 'train', status: 'completed' },
      { name: 'report', status: 'completed' },
    ])
    const second = await fixture.api.get(`/runs/${id}/steps?hydrate=true&size=2&page=2`)
    expect(second.body).toMatchObject({ index: 2, max_size: 2, total_pages: 2, total: 3 })
    expect(listAt(second.body, 'items')).toMatchObject([
      { name: 'report', metadata: null, body: { start_time: TIME, end_time: TIME } },
    ])
  })

  test('the graph of a run has its steps, durations and edges; 0.74 has none', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const reply = await fixture.api.get(`/runs/${id}/dag`)
    if (!fixture.traits.modern) {
      expect(reply).toMatchObject({ status: 404, body: { detail: 'Not Found' } })
      return
    }
    expect(reply.body).toMatchObject({ id, status: 'completed' })
    const node = { id: expect.any(String), type: 'step' }
    const metadata = { status: 'completed', start_time: TIME, duration: expect.any(Number) }
    const nodes = listAt(reply.body, 'nodes').filter((each) => at(each, 'type') === 'step')
    expect(nodes).toMatchObject(
      ['load', 'train', 'report'].map((name) => ({ ...node, node_id: `step/${name}`, name, metadata })),
    )
    expect(listAt(reply.body, 'edges')).toContainEqual({
      source: 'step/load',
      target: 'load/outputs/step_output/rows',
      metadata: { output_name: 'rows', type: 'step_output' },
    })
  })

  test('runs are found by name, template and state', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const broken = await failed(fixture)
    const name = textAt((await fixture.api.get(`/runs/${id}`)).body, 'name')
    const byName = await fixture.api.get(`/runs?name=equals:${name}&size=2&hydrate=false`)
    expect(byName.body).toMatchObject({ total: 1, items: [{ id, name, body: { status: 'completed' } }] })
    const ids = async (query: string) =>
      listAt((await fixture.api.get(`/runs?${query}&size=1000&hydrate=false`)).body, 'items').map((run) =>
        at(run, 'id'),
      )
    const template = fixture.target.id('training-template')
    const done = await ids(`template_id=${template}&status=completed&sort_by=desc:created`)
    expect(done).toContain(id)
    expect(done).not.toContain(broken)
    const both = await ids('status=completed&status=failed')
    // Both at once from 0.90 on; before, the last one counts.
    expect([both.includes(id), both.includes(broken)]).toEqual([false, !fixture.traits.snapshots])
    expect(await ids('status=nope')).toEqual([])
    expect(await ids('pipeline=wide')).not.toContain(id)
  })

  test('the last completed runs of a template or a pipeline have their times', async () => {
    const fixture = open()
    const id = await completed(fixture)
    await failed(fixture)
    const { body: run } = await fixture.api.get(`/runs/${id}?hydrate=true`)
    const template = fixture.target.id('training-template')
    const pipeline = textAt(run, fixture.traits.snapshots ? 'resources.pipeline.id' : 'body.pipeline.id')
    for (const filter of [`template_id=${template}`, `pipeline=${pipeline}`]) {
      const { body } = await fixture.api.get(
        `/runs?${filter}&status=completed&sort_by=desc:created&size=5&hydrate=true`,
      )
      const items = listAt(body, 'items')
      expect(items.map((item) => at(item, 'id'))).toContain(id)
      for (const item of items) {
        expect(item).toMatchObject({
          body: { status: 'completed', created: TIME },
          metadata: { start_time: TIME, end_time: TIME, template_id: template },
        })
      }
    }
  })

  test('the steps of one run are listed with their metadata and outputs, the earliest first', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const path = `/steps?pipeline_run_id=${id}&hydrate=true&sort_by=asc:created`
    const { body } = await fixture.api.get(`${path}&size=100`)
    expect(body).toMatchObject({ index: 1, total_pages: 1, total: 3 })
    const outputs = (output: string): object => {
      const artifact = { name: output }
      const named = { [output]: [{ id: expect.any(String), body: { artifact, uri: expect.any(String) } }] }
      return fixture.traits.modern ? { resources: { outputs: named } } : { body: { outputs: named } }
    }
    const run_metadata = { accuracy: 0.8, loss: 0.2 }
    const [load, train, report] = listAt(body, 'items')
    expect(load).toMatchObject(outputs('rows'))
    expect(load).toMatchObject({ name: 'load', metadata: { pipeline_run_id: id, run_metadata: {} } })
    expect(train).toMatchObject(outputs('accuracy'))
    expect(train).toMatchObject({ name: 'train', metadata: { pipeline_run_id: id, run_metadata } })
    expect(report).toMatchObject({ name: 'report', body: { status: 'completed' } })
    expect(at(report, fixture.traits.modern ? 'resources.outputs' : 'body.outputs')).toEqual({})
    const second = await fixture.api.get(`${path}&size=2&page=2`)
    expect(second.body).toMatchObject({ index: 2, total_pages: 2, total: 3, items: [{ name: 'report' }] })
  })

  test('metadata from outside is attached to a run and seen there', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const { modern } = fixture.traits
    const { project: name } = fixture.target
    const project = await fixture.api.get(modern ? `/projects/${name}` : '/workspaces/default')
    const user = await fixture.api.get('/current-user')
    const scope = modern
      ? { project: at(project.body, 'id') }
      : { workspace: at(project.body, 'id'), user: at(user.body, 'id') }
    const resources = [{ id, type: 'pipeline_run' }]
    const values = { github: { sha: 'abc' } }
    const path = modern ? '/run-metadata' : '/workspaces/default/run-metadata'
    const reply = await fixture.api.post(path, { ...scope, resources, values, types: { github: 'dict' } })
    expect(reply).toMatchObject({ status: 200, body: null })
    const run = await fixture.api.get(`/runs/${id}`)
    expect(run.body).toMatchObject({ metadata: { run_metadata: values } })
    const missing = { ...scope, resources: [{ id: NO_SUCH_ID, type: 'pipeline_run' }], values }
    const gone = await fixture.api.post(path, { ...missing, types: { github: 'dict' } })
    expect(gone).toMatchObject({ status: 404, body: { detail: ['KeyError', expect.any(String)] } })
    const homeless = await fixture.api.post(path, { resources, values, types: { github: 'dict' } })
    expect(homeless.status).toBe(422)
    if (!modern) return
    // The project is given as its id, and must be the run's own.
    const named = { ...scope, project: name, resources, values, types: { github: 'dict' } }
    expect((await fixture.api.post(path, named)).status).toBe(422)
    const elsewhere = await fixture.api.post(path, { ...named, project: NO_SUCH_ID })
    const message = `"The pipeline run with ID ${id} referenced by the run metadata being created was not found in the '${NO_SUCH_ID}' project"`
    expect(elsewhere).toMatchObject({ status: 404, body: { detail: ['KeyError', message] } })
  })

  test('a run that is not there is 404 on all its routes, an id that is none 422', async () => {
    const { api, traits } = open()
    const message = traits.modern
      ? `"Unable to get pipeline run with ID '${NO_SUCH_ID}': No pipeline run with this ID found"`
      : `"Unable to get run with name or ID '${NO_SUCH_ID}': No run with this ID found."`
    const routes = ['', '/status', '/steps', ...(traits.modern ? ['/dag'] : [])]
    for (const route of routes) {
      const missing = await api.get(`/runs/${NO_SUCH_ID}${route}`)
      expect(missing).toMatchObject({ status: 404, body: { detail: ['KeyError', message] } })
      expect((await api.get(`/runs/foo${route}`)).status).toBe(422)
    }
    const step = await api.get(`/steps/${NO_SUCH_ID}`)
    const noStep = expect.stringContaining('Unable to get step run with ID')
    expect(step).toMatchObject({ status: 404, body: { detail: ['KeyError', noStep] } })
  })

  test('nobody waits for a person; before 0.90 nobody can', async () => {
    const fixture = open()
    const id = await completed(fixture)
    const reply = await fixture.api.get(`/run_wait_conditions?pipeline_run=${id}&status=pending`)
    if (fixture.traits.snapshots) expect(reply.body).toMatchObject({ total: 0, items: [] })
    else expect(reply.status).toBe(404)
  })
}
