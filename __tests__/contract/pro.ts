import { afterEach, expect, test } from '@jest/globals'
import { askManagement, authorization, login, loginExternal, send, textAt, type Reply } from './api.ts'
import { completed, discard, start, stepId, trigger, training, uniqueName, waitFor } from './start.ts'
import type { Fixture, ProTarget } from './target.ts'

/** A server in Pro's mode: who logs in how, what its control plane's failures look like, what is permitted. */
export function proCases(open: () => Fixture): void {
  const pro = (): ProTarget => {
    const { pro: found } = open().target
    if (found === undefined) throw new Error("The server is not in Pro's mode.")
    return found
  }
  const managementToken = async (): Promise<string> => {
    const { target } = open()
    const form = { password: target.apiKey }
    const { body } = await askManagement(target, '/auth/login', { form, bearer: target.apiKey })
    return textAt(body, 'access_token')
  }
  afterEach(async () => {
    await pro().plane.deny({})
    await pro().plane.entitlement(200)
  })

  test('the management API takes the key, or client id and secret, for a token of an hour', async () => {
    const { target } = open()
    const { clientId, clientSecret } = pro()
    const client = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
    for (const form of [{ password: target.apiKey }, client]) {
      const body = { access_token: expect.any(String), expires_in: 3600 }
      expect(await askManagement(target, '/auth/login', { form })).toMatchObject({ status: 200, body })
    }
    const refused = await askManagement(target, '/auth/login', { form: { password: 'nope' } })
    expect(refused.status).toBe(401)
  })

  test('the management API finds a workspace by name and by id', async () => {
    const { target } = open()
    const bearer = await managementToken()
    const { workspace } = pro()
    const found = await askManagement(target, `/workspaces?workspace_name=${workspace}&offset=0&limit=20`, {
      bearer,
    })
    const expected = {
      id: expect.any(String),
      name: workspace,
      status: 'available',
      organization: { id: expect.any(String), name: 'acme' },
      zenml_service: { status: { server_url: target.url } },
    }
    expect(found).toMatchObject({ status: 200, body: [expected] })
    const id = textAt(found.body, '0.id')
    expect(await askManagement(target, `/workspaces/${id}`, { bearer })).toMatchObject({ body: expected })
    const none = await askManagement(target, '/workspaces?workspace_name=nope&offset=0&limit=20', { bearer })
    expect(none).toMatchObject({ status: 200, body: [] })
    expect((await askManagement(target, '/workspaces', {})).status).toBe(401)
  })

  test('a token of the management API is exchanged for one of the workspace, a wrong one is 401', async () => {
    const { target } = open()
    const body = { access_token: expect.any(String), token_type: 'bearer', expires_in: 3600 }
    expect(await loginExternal(target, await managementToken())).toMatchObject({ status: 200, body })
    // The key itself does as well.
    expect(await loginExternal(target, target.apiKey)).toMatchObject({ status: 200, body })
    const detail = ['AuthorizationException', 'Not authorized to access this server.']
    expect(await loginExternal(target, 'nope')).toMatchObject({ status: 401, body: { detail } })
    const without = await loginExternal(target, undefined)
    expect(without).toEqual({ ...without, status: 200, body: { authorization_url: expect.any(String) } })
  })

  test("a token of the management API is none of the workspace's", async () => {
    const headers = authorization(await managementToken())
    const reply = await send(open().target, 'GET', '/api/v1/current-user', { headers })
    expect(reply).toMatchObject({
      status: 401,
      body: { detail: ['CredentialsNotValid', expect.any(String)] },
    })
  })

  test('a key that Pro does not know is refused in other words than one that is none', async () => {
    const { target, traits } = open()
    const why = traits.snapshots ? 'Not authorized to access this server..' : 'error decoding API key'
    const detail = ['CredentialsNotValid', `Authentication error: ${why}`]
    expect(await login(target, 'ZENPROKEY_nope')).toMatchObject({ status: 401, body: { detail } })
  })

  test.each<[number, string]>([
    [500, 'Error fetching user information from external authenticator. '],
    [503, 'Error fetching user information from external authenticator. '],
    [429, 'Error fetching user information from external authenticator. '],
    [0, 'Error fetching user information from external authenticator.'],
    [401, 'Not authorized to access this server.'],
    [403, 'Not authorized to access this server.'],
    [404, 'External authenticator did not recognize this server.'],
  ])('a control plane that answers %d makes a login 401: "%s"', async (status, words) => {
    const { target, traits } = open()
    const token = await managementToken()
    await pro().plane.failAuthorization(status)
    const external: Reply = await loginExternal(target, token)
    expect(external).toMatchObject({ status: 401, body: { detail: ['AuthorizationException', words] } })
    expect((await loginExternal(target, token)).status).toBe(200)
    if (!traits.snapshots) return
    await pro().plane.failAuthorization(status)
    const detail = ['CredentialsNotValid', `Authentication error: ${words}.`]
    expect(await login(target, target.apiKey)).toMatchObject({ status: 401, body: { detail } })
  })

  test('a missing permission is 403 and names what it is about', async () => {
    const fixture = open()
    const { target, api } = fixture
    const id = await completed(fixture)
    const project = textAt((await api.get(`/projects/${target.project}`)).body, 'id')
    const refused = (what: string) => ({
      status: 403,
      body: { detail: ['IllegalOperationError', `Insufficient permissions to ${what}.`] },
    })
    for (const type of ['pipeline_run', 'pipeline_deployment']) {
      await pro().plane.deny({ create: [type] })
      const reply = await trigger(fixture, 'training', training())
      expect(reply).toMatchObject(refused(`CREATE resource '${project}:${type}'`))
    }
    await pro().plane.deny({ create: ['run_metadata'] })
    const resources = [{ id, type: 'pipeline_run' }]
    const note = { project, resources, values: { a: 1 }, types: { a: 'int' } }
    expect(await api.post('/run-metadata', note)).toMatchObject(
      refused(`CREATE resource '${project}:run_metadata'`),
    )
    await pro().plane.deny({ read: ['project'] })
    expect(await api.get('/projects')).toMatchObject({ status: 200, body: { total: 0 } })
    expect(await api.get(`/projects/${target.project}`)).toMatchObject(
      refused(`READ resource 'project/${project}'`),
    )
    // The lists of a project that is named are still answered.
    expect((await api.get(`/runs?id=${id}`)).body).toMatchObject({ total: 1 })
  })

  test('what the account has made it may read and change, whatever is permitted; not its logs from 0.90 on', async () => {
    const fixture = open()
    const { api, traits } = fixture
    const id = await completed(fixture)
    const step = await stepId(fixture, id, 'train')
    await pro().plane.deny({
      read: ['pipeline_run', 'pipeline', 'stack', 'artifact'],
      update: ['pipeline_run'],
    })
    for (const path of [`/runs/${id}`, `/runs/${id}/status`, `/runs/${id}/dag`, `/steps/${step}`]) {
      expect([path, (await api.get(path)).status]).toEqual([path, 200])
    }
    expect((await api.get(`/runs?id=${id}`)).body).toMatchObject({ total: 1 })
    const logs = await api.get(`/steps/${step}/logs?source=step`)
    expect(logs.status).toBe(traits.snapshots ? 403 : 200)
    const stop = await api.post(`/runs/${id}/stop?graceful=false`)
    const detail = ['IllegalOperationError', 'Cannot stop a run that is already completed.']
    expect(stop).toMatchObject({ status: 403, body: { detail } })
  })

  test("another account's run is shown without the parts that may not be read", async () => {
    const fixture = open()
    const { api, traits } = fixture
    await completed(fixture)
    const id = await anothers(fixture)
    const step = await stepId(fixture, id, 'train')
    const hidden = { body: null, metadata: null, resources: null, permission_denied: true }
    // Whether the artifact is shown depends on which account wrote its first version.
    await pro().plane.deny({ read: ['artifact', 'pipeline_deployment'] })
    const { body } = await api.get(`/steps/${step}`)
    const artifact = { id: expect.any(String) }
    expect(body).toMatchObject({ permission_denied: false, resources: { outputs: { accuracy: [artifact] } } })
    const run = await api.get(`/runs/${id}`)
    expect(run).toMatchObject({ status: 200, body: { permission_denied: false } })
    if (!traits.snapshots) return
    // Whether the snapshot that was started is shown depends on which account made it; the trigger's copy is another's.
    expect(run.body).toMatchObject({
      resources: { snapshot: hidden, source_snapshot: { id: expect.any(String) } },
    })
  })

  test("another account's run cannot be read, or changed, without the permission", async () => {
    const fixture = open()
    const { api, target } = fixture
    const id = await anothers(fixture)
    const step = await stepId(fixture, id, 'train')
    const project = textAt((await api.get(`/projects/${target.project}`)).body, 'id')
    const refused = (action: string) => ({
      status: 403,
      body: {
        detail: [
          'IllegalOperationError',
          `Insufficient permissions to ${action} resource '${project}:pipeline_run/${id}'.`,
        ],
      },
    })
    await pro().plane.deny({ read: ['pipeline_run'] })
    const paths = [
      `/runs/${id}`,
      `/runs/${id}/status`,
      `/runs/${id}/dag`,
      `/runs/${id}/steps`,
      `/steps/${step}`,
    ]
    for (const path of [...paths, `/steps/${step}/logs?source=step`, `/runs/${id}/logs?source=runner`]) {
      expect([path, await api.get(path)]).toMatchObject([path, refused('READ')])
    }
    expect(await api.post(`/runs/${id}/stop?graceful=false`)).toMatchObject(refused('READ'))
    expect((await api.get(`/runs?id=${id}`)).body).toMatchObject({ total: 0 })
    expect((await api.get(`/steps?pipeline_run_id=${id}`)).body).toMatchObject({ total: 0 })

    await pro().plane.deny({ update: ['pipeline_run'] })
    expect(await api.post(`/runs/${id}/stop?graceful=false`)).toMatchObject(refused('UPDATE'))
    expect(await api.put(`/runs/${id}`, { status: 'completed' })).toMatchObject(refused('UPDATE'))
    const resources = [{ id, type: 'pipeline_run' }]
    const note = { project, resources, values: { a: 1 }, types: { a: 'int' } }
    expect(await api.post('/run-metadata', note)).toMatchObject(refused('UPDATE'))
    expect((await api.get(`/runs/${id}`)).status).toBe(200)
  })

  test('a subscription without a run left is 402, and nothing is made', async () => {
    const fixture = open()
    const run_name = uniqueName('subscription')
    await pro().plane.entitlement(402)
    const refused = await trigger(fixture, 'training', { ...training(), run_name })
    const message =
      'Your subscription reached its `template_run` limit. Please upgrade your subscription or reach out to us.'
    expect(refused).toMatchObject({
      status: 402,
      body: { detail: ['SubscriptionUpgradeRequiredError', message] },
    })
    await pro().plane.entitlement(500)
    const failed = await trigger(fixture, 'training', { ...training(), run_name })
    const words = expect.stringMatching(
      /^Failed while trying to contact the central zenml pro service: 500 Server Error/,
    )
    expect(failed).toMatchObject({ status: 500, body: { detail: ['RuntimeError', words] } })
    await pro().plane.entitlement(200)
    expect((await fixture.api.get(`/runs?name=equals:${run_name}`)).body).toMatchObject({ total: 0 })
    await discard(fixture, await trigger(fixture, 'training', { ...training(), run_name }))
  })
}

/** A completed run that another account has started. */
function anothers(fixture: Fixture): Promise<string> {
  return fixture.shared('another account', async () => {
    const { observerKey, disown } = fixture.target.pro ?? {}
    const other = observerKey === undefined ? fixture : await fixture.as(observerKey)
    const id = await start(other)
    await waitFor(other, id, 'completed', 'failed')
    disown?.(id)
    return id
  })
}
