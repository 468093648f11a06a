import { expect, test } from '@jest/globals'
import { at, listAt, textAt } from './api.ts'
import { NO_SUCH_ID, completed, stepId } from './start.ts'
import type { Fixture } from './target.ts'

/** What a list shows, and of which project. */
export function scopeCases(open: () => Fixture): void {
  const lists = () => [
    '/run_templates',
    '/pipelines',
    '/runs',
    '/steps',
    '/artifact_versions',
    ...(open().traits.snapshots ? ['/pipeline_snapshots', '/run_wait_conditions'] : []),
  ]

  test('a list without a project is refused on Pro; on an open-source server it is that of `default`', async () => {
    const fixture = open()
    const { target, api } = fixture
    const id = await completed(fixture)
    const detail = ['ValueError', 'Project scope missing from the filter']
    for (const path of [...lists(), `/runs/${id}/steps`]) {
      for (const query of ['?size=1', '?size=1&project=']) {
        const reply = await api.bare(`${path}${query}`)
        if (target.mode === 'pro')
          expect([path, reply]).toMatchObject([path, { status: 400, body: { detail } }])
        else expect([path, reply.status]).toEqual([path, 200])
      }
    }
    if (target.mode === 'pro') return
    const isDefault = target.project === 'default'
    expect((await api.bare(`/runs?id=${id}`)).body).toMatchObject({ total: isDefault ? 1 : 0 })
    const template = await api.bare('/run_templates?name=training-template')
    expect(template.body).toMatchObject({ total: isDefault ? 1 : 0 })
    expect((await api.bare(`/runs/${id}/steps`)).body).toMatchObject({ total: isDefault ? 3 : 0 })
    const steps = await api.bare(`/steps?pipeline_run_id=${id}`)
    expect(steps.body).toMatchObject({ total: isDefault ? 3 : 0 })
  })

  test('a project is named by its name or its id, the last one counts; 0.74 has none', async () => {
    const fixture = open()
    const { target, api, traits } = fixture
    const id = await completed(fixture)
    if (!traits.modern) {
      expect((await api.bare(`/runs?id=${id}&project=nope`)).body).toMatchObject({ total: 1 })
      return
    }
    const project = textAt((await api.get(`/projects/${target.project}`)).body, 'id')
    for (const query of [target.project, project, `nope&project=${target.project}`]) {
      expect((await api.bare(`/runs?id=${id}&project=${query}`)).body).toMatchObject({
        total: 1,
        items: [{ id }],
      })
    }
    const missing = (name: string, why: string) => `"Unable to get project with name or ID '${name}': ${why}"`
    const unknown = missing(NO_SUCH_ID, 'No project with this ID found.')
    const unnamed = missing('nope', "'nope' is not a valid  UUID and no project with this name exists.")
    for (const path of [...lists(), `/runs/${id}/steps`]) {
      const byId = await api.bare(`${path}?project=${NO_SUCH_ID}`)
      expect(byId).toMatchObject({ status: 404, body: { detail: ['KeyError', unknown] } })
      const byName = await api.bare(`${path}?project=nope`)
      expect(byName).toMatchObject({ status: 404, body: { detail: ['KeyError', unnamed] } })
    }
  })

  test('what is asked for by its id is answered in any project, and says in which it is', async () => {
    const fixture = open()
    const { target, api, traits } = fixture
    const id = await completed(fixture)
    const path = traits.modern ? `/projects/${target.project}` : '/workspaces/default'
    const project = textAt((await api.get(path)).body, 'id')
    const paths = [
      `/runs/${id}`,
      `/runs/${id}?hydrate=false`,
      `/runs/${id}?project=nope`,
      `/steps/${await stepId(fixture, id, 'train')}`,
      `/run_templates/${target.id('training-template')}`,
      ...(traits.snapshots ? [`/pipeline_snapshots/${target.id('training-snapshot')}`] : []),
    ]
    for (const each of paths) {
      const { status, body } = await api.bare(each)
      expect([each, status]).toEqual([each, 200])
      expect(at(body, 'body.project_id')).toBe(traits.modern ? project : undefined)
    }
    expect((await api.bare(`/runs/${id}/status`)).body).toBe('completed')
    if (traits.modern) expect((await api.bare(`/runs/${id}/dag`)).body).toMatchObject({ id })
  })

  test('the steps of a run under the name of another project are none', async () => {
    const fixture = open()
    const { target, api, traits } = fixture
    if (!traits.modern) return
    const { body } = await api.get('/projects?size=100')
    const names = listAt(body, 'items').map((item) => textAt(item, 'name'))
    expect(names).toContain(target.project)
    const other = names.find((name) => name !== target.project)
    if (other === undefined) return
    const id = await completed(fixture)
    expect((await api.bare(`/runs/${id}/steps?project=${other}`)).body).toMatchObject({ total: 0, items: [] })
    expect((await api.bare(`/runs?id=${id}&project=${other}`)).body).toMatchObject({ total: 0, items: [] })
  })

  test('a service account has no default project of its own', async () => {
    const { api, traits } = open()
    const { body } = await api.get('/current-user')
    expect(at(body, 'body.default_project_id')).toBe(traits.modern ? null : undefined)
  })

  test('an artifact version is found by its id and in the list', async () => {
    const fixture = open()
    const { api, traits } = fixture
    const step = await stepId(fixture, await completed(fixture), 'train')
    const { body } = await api.get(`/steps/${step}`)
    const [output] = listAt(body, `${traits.modern ? 'resources' : 'body'}.outputs.accuracy`)
    const id = textAt(output, 'id')
    const producer = traits.modern ? { resources: { producer_step_run_id: step } } : {}
    const own = { id, body: { artifact: { name: 'accuracy' } }, ...producer }
    const one = await api.get(`/artifact_versions/${id}`)
    expect(one).toMatchObject({
      status: 200,
      body: { ...own, metadata: { run_metadata: expect.any(Object) } },
    })
    expect((await api.get(`/artifact_versions?id=${id}`)).body).toMatchObject({ total: 1, items: [own] })
    expect((await api.get(`/artifact_versions/${NO_SUCH_ID}`)).status).toBe(404)
  })
}
