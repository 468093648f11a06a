import { expect, test } from '@jest/globals'
import { at, listAt, textAt, type Reply } from './api.ts'
import { NO_SUCH_ID, idOf, training, trigger, uniqueName, waitFor } from './start.ts'
import type { Fixture } from './target.ts'

/** Model versions, and the stages that they are given. */
export function modelCases(open: () => Fixture): void {
  /** A completed run with these models; gives its id. */
  const run = async (model: object | undefined, steps: Record<string, object> = {}): Promise<string> => {
    const fixture = open()
    const base = training({ seconds: 0.1 })
    const configured = Object.entries(steps).map(([name, its]) => [
      name,
      { ...(at(base.steps, name) as object | undefined), model: its },
    ])
    const configuration = {
      ...base,
      steps: { ...base.steps, ...Object.fromEntries(configured) },
      ...(model && { model }),
    }
    const id = idOf(await trigger(fixture, 'training', configuration))
    await waitFor(fixture, id, 'completed', 'failed')
    return id
  }

  interface Versions {
    readonly model: string
    readonly modelId: string
    readonly ids: readonly string[]
    readonly runs: readonly string[]
  }

  let made: Promise<Versions> | undefined
  /** Three versions of one model, the second with a name. */
  const versions = (): Promise<Versions> => {
    made ??= (async () => {
      const { api } = open()
      const model = uniqueName('model')
      const runs: string[] = []
      for (const version of [undefined, 'release', undefined]) {
        runs.push(await run({ name: model, ...(version && { version }) }))
      }
      const { body } = await api.get(`/models?name=equals:${model}`)
      const [first] = listAt(body, 'items')
      const modelId = textAt(first, 'id')
      const list = await api.get(`/models/${modelId}/model_versions?sort_by=asc:number`)
      return { model, modelId, runs, ids: listAt(list.body, 'items').map((item) => textAt(item, 'id')) }
    })()
    return made
  }

  const put = async (index: number, body: object): Promise<Reply> => {
    const { ids, modelId } = await versions()
    return open().api.put(`/model_versions/${ids[index] ?? ''}`, { model: modelId, ...body })
  }

  const stages = async (): Promise<unknown[]> => {
    const { modelId } = await versions()
    const { body } = await open().api.get(`/models/${modelId}/model_versions?sort_by=asc:number`)
    return listAt(body, 'items').map((item) => at(item, 'body.stage'))
  }

  test('a run says the version of its own model, and only that', async () => {
    const { api } = open()
    const { model, modelId, ids, runs } = await versions()
    const { body } = await api.get(`/runs/${runs[1] ?? ''}?hydrate=true`)
    expect(at(body, 'resources.model_version')).toMatchObject({
      id: ids[1],
      name: 'release',
      permission_denied: false,
      body: { number: 2, model: { id: modelId, name: model } },
    })
    const plain = await run(undefined)
    expect(at((await api.get(`/runs/${plain}`)).body, 'resources.model_version')).toBeNull()
  })

  test('the links of a run name the versions of its steps too', async () => {
    const { api } = open()
    const [one, other] = [uniqueName('model'), uniqueName('model')]
    const id = await run(undefined, { load: { name: one }, train: { name: other } })
    const { body } = await api.get(`/model_version_pipeline_runs?pipeline_run_id=${id}&size=100`)
    expect(body).toMatchObject({ total: 2, items: [{ body: { pipeline_run: { id } } }, {}] })
    const linked = listAt(body, 'items').map((item) => textAt(item, 'body.model_version'))
    const names = await Promise.all(
      linked.map(async (version) =>
        textAt((await api.get(`/model_versions/${version}`)).body, 'body.model.name'),
      ),
    )
    expect(names.sort()).toEqual([one, other].sort())
    expect(at((await api.get(`/runs/${id}`)).body, 'resources.model_version')).toBeNull()
  })

  test('versions are found by number and name, and the highest number first', async () => {
    const { api, target } = open()
    const { model, modelId, ids } = await versions()
    for (const reference of [modelId, model]) {
      const found = async (query: string): Promise<unknown[]> => {
        const { body } = await api.get(`/models/${reference}/model_versions?${query}`)
        return listAt(body, 'items').map((item) => textAt(item, 'id'))
      }
      expect(await found('number=2')).toEqual([ids[1]])
      expect(await found('name=equals:release')).toEqual([ids[1]])
      expect(await found('stage=staging')).toEqual([])
      expect(await found('sort_by=desc:number&size=2')).toEqual([ids[2], ids[1]])
    }
    const unknown = await api.get('/models/no-such-model/model_versions')
    if (target.version === '0.74.0') expect(unknown.status).toBe(404)
    else expect(unknown).toMatchObject({ status: 200, body: { total: 0 } })
  })

  test('a stage that another version has is a 500; with force the other one is archived', async () => {
    expect(await put(0, { stage: 'production' })).toMatchObject({
      status: 200,
      body: { body: { stage: 'production' } },
    })
    expect(await put(0, { stage: 'production' })).toMatchObject({ status: 200 })
    const taken = (stage: string) => {
      const message = `Model version 1 is in ${stage}, but \`force\` flag is False.`
      return { status: 500, body: { detail: ['RuntimeError', message] } }
    }
    expect(await put(1, { stage: 'production' })).toMatchObject(taken('production'))
    expect(await put(1, { stage: 'production', force: false })).toMatchObject(taken('production'))
    expect(await stages()).toEqual(['production', null, null])
    expect(await put(1, { stage: 'production', force: true })).toMatchObject({ status: 200 })
    expect(await stages()).toEqual(['archived', 'production', null])
    // ZenML does not know that several may be archived.
    expect(await put(2, { stage: 'archived' })).toMatchObject(taken('archived'))
    expect(await put(2, { stage: 'archived', force: true })).toMatchObject({ status: 200 })
    expect(await stages()).toEqual(['archived', 'production', 'archived'])
    const { modelId, ids } = await versions()
    const { body } = await open().api.get(`/models/${modelId}/model_versions?stage=production`)
    expect(body).toMatchObject({ total: 1, items: [{ id: ids[1] }] })
  })

  test('what is not there is 404, and a stage that there is not is 422', async () => {
    const { api } = open()
    const { modelId } = await versions()
    for (const reply of [
      await api.get(`/model_versions/${NO_SUCH_ID}`),
      await api.put(`/model_versions/${NO_SUCH_ID}`, { stage: 'production', model: modelId }),
      await api.get(`/models/${NO_SUCH_ID}`),
    ]) {
      expect(reply).toMatchObject({ status: 404, body: { detail: ['KeyError', expect.any(String)] } })
    }
    expect(await put(0, { stage: 'Production' })).toMatchObject({
      status: 422,
      body: ['ValueError', expect.stringContaining('is not a valid model stage')],
    })
  })

  test('before 0.80 the model has to be named', async () => {
    const { api, traits } = open()
    const { ids } = await versions()
    const reply = await api.put(`/model_versions/${ids[0] ?? ''}`, { stage: 'staging' })
    expect(reply.status).toBe(traits.modern ? 200 : 422)
  })
}

/** What Pro permits. */
export function modelPermissionCases(open: () => Fixture): void {
  test("another account's version is read, listed and promoted by the permissions on its model", async () => {
    const fixture = open()
    const { api, target } = fixture
    const { observerKey, disown, plane } = target.pro ?? {}
    const other = observerKey === undefined ? fixture : await fixture.as(observerKey)
    const model = { name: uniqueName('model') }
    const id = idOf(await trigger(other, 'training', { ...training({ seconds: 0.1 }), model }))
    await waitFor(other, id, 'completed', 'failed')
    disown?.(id)
    const version = textAt((await api.get(`/runs/${id}`)).body, 'resources.model_version.id')
    const { body } = await api.get(`/model_versions/${version}`)
    const [modelId, project] = [textAt(body, 'body.model.id'), textAt(body, 'body.project_id')]
    const promote = (): Promise<Reply> => api.put(`/model_versions/${version}`, { stage: 'staging' })
    const refused = (what: string) => ({
      status: 403,
      body: { detail: ['IllegalOperationError', `Insufficient permissions to ${what}'.`] },
    })

    await plane?.deny({ promote: ['model'] })
    expect(await promote()).toMatchObject(refused(`PROMOTE resource '${project}:model/${modelId}`))
    await plane?.deny({ update: ['model_version'] })
    expect(await promote()).toMatchObject(refused(`UPDATE resource '${project}:model_version/${version}`))

    await plane?.deny({ read: ['model'] })
    const unread = refused(`READ resource '${project}:model/${modelId}`)
    expect(await api.get(`/model_versions/${version}`)).toMatchObject(unread)
    expect(await api.get(`/models/${modelId}`)).toMatchObject(unread)
    for (const list of [`/models?name=equals:${model.name}`, `/models/${modelId}/model_versions`]) {
      expect((await api.get(list)).body).toMatchObject({ total: 0 })
    }
    expect(at((await api.get(`/runs/${id}`)).body, 'resources.model_version')).toMatchObject({
      id: version,
      body: null,
      permission_denied: true,
    })
    await plane?.deny({})
    expect(await promote()).toMatchObject({ status: 200, body: { body: { stage: 'staging' } } })
  })
}
