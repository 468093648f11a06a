import { expect, test } from '@jest/globals'
import { request } from 'undici'
import {
  VirtualClock,
  startPro,
  startSimulator,
  training,
  type ProOptions,
  type SimulatorOptions,
} from '../../simulator/index.ts'
import { Client, closeAfterTest, type Reply } from './client.ts'

const clock = new VirtualClock()

/** A workspace of a Pro of its own, with the pipeline training in the project ml, and a client that is logged in. */
async function workspace(options: SimulatorOptions = {}, proOptions: ProOptions = {}) {
  const pro = await startPro({ clock, ...proOptions })
  const simulator = await startSimulator({ clock, pro, project: 'ml', pipelines: [training], ...options })
  closeAfterTest(simulator, pro)
  const id = pro.add({ name: 'research', organization: 'Lab', serverUrl: simulator.url })
  const client = new Client(simulator)
  await client.login(pro.apiKey)
  return { pro, simulator, client, id }
}

/** A login with a token or key of Pro's. */
async function external(url: string, token: string): Promise<Reply> {
  const { statusCode, body } = await request(`${url}/api/v1/login`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=zenml-external',
  })
  return { status: statusCode, body: await body.json() }
}

const refused = (words: string) => ({ status: 401, body: { detail: ['AuthorizationException', words] } })

test('an authorization that fails a number of times is good again afterwards', async () => {
  const { pro, simulator } = await workspace()
  pro.fail('authorize', 503, 2)
  pro.fail('authorize', 'nonsense')
  const words = 'Error fetching user information from external authenticator.'
  expect(await external(simulator.url, pro.apiKey)).toEqual(refused(`${words} `))
  expect(await external(simulator.url, pro.apiKey)).toEqual(refused(`${words} `))
  expect(await external(simulator.url, pro.apiKey)).toEqual(refused('Unknown external authenticator error'))
  expect((await external(simulator.url, pro.apiKey)).status).toBe(200)
})

test('a control plane that does not answer is waited for ten seconds', async () => {
  const { pro, simulator } = await workspace()
  pro.fail('authorize', 'time-out')
  const before = clock.now()
  const words = 'Error fetching user information from external authenticator.'
  expect(await external(simulator.url, pro.apiKey)).toEqual(refused(words))
  expect(clock.now() - before).toBe(10_000)
})

test('a token lives for an hour', async () => {
  const { client } = await workspace()
  await clock.sleep(3_599_000)
  expect((await client.get('/current-user')).status).toBe(200)
  await clock.sleep(2000)
  const detail = ['CredentialsNotValid', expect.stringContaining('Signature has expired')]
  expect(await client.get('/current-user')).toMatchObject({ status: 401, body: { detail } })
})

test.each([
  [
    503,
    /^Failed while trying to contact the central zenml pro service: 503 Server Error: Service Unavailable/,
  ],
  ['closed' as const, /^\('Connection aborted\.', RemoteDisconnected/],
])('permissions that the control plane does not tell (%s) are a 500', async (how, words) => {
  const { pro, client } = await workspace()
  pro.fail('permissions', how)
  const detail = ['RuntimeError', expect.stringMatching(words)]
  expect(await client.trigger('training')).toMatchObject({ status: 500, body: { detail } })
  expect((await client.trigger('training')).status).toBe(200)
})

test('a run whose start could not be noted stays initializing, and was not written to since', async () => {
  const { pro, simulator, client } = await workspace()
  pro.fail('usage', 503)
  expect((await client.trigger('training', { run_name: 'nightly' })).status).toBe(500)
  expect((await client.trigger('training', { run_name: 'nightly' })).status).toBe(409)
  expect((await client.trigger('training', { run_name: 'other' })).status).toBe(200)
  await clock.sleep(600_000)
  expect(simulator.runs.map(({ status }) => status)).toEqual(['initializing', 'completed'])
  const { body } = await client.get(`/runs/${simulator.runs[0]?.id ?? ''}`)
  const { created, updated } = (body as { body: { created: string; updated: string } }).body
  expect(updated).toBe(created)
})

test('only the ids that are allowed are listed and read, beside what the account has made', async () => {
  const { pro, simulator, client } = await workspace({
    seededBy: 'another',
    pipelines: [training, { ...training, templateName: 'b' }],
  })
  const { templates } = simulator.seeded
  pro.permit({ allowed: { run_template: [templates['b'] ?? ''] } })
  const listed = await client.get('/run_templates?project=ml')
  expect(listed.body).toMatchObject({ total: 1, items: [{ name: 'b' }] })
  expect((await client.get(`/run_templates/${templates['b'] ?? ''}`)).status).toBe(200)
  expect((await client.get(`/run_templates/${templates['training-template'] ?? ''}`)).status).toBe(403)
})

test('what another has made is shown without the parts that may not be read, and not started', async () => {
  const { pro, simulator, client } = await workspace({ seededBy: 'another' })
  pro.permit({ deny: { read: ['pipeline', 'pipeline_deployment', 'pipeline_build', 'stack'] } })
  const template = simulator.seeded.templates['training-template'] ?? ''
  const snapshot = simulator.seeded.snapshots['training-template'] ?? ''
  const hidden = { body: null, metadata: null, resources: null, permission_denied: true }
  expect((await client.get(`/run_templates/${template}`)).body).toMatchObject({
    resources: {
      pipeline: { name: 'training', ...hidden },
      source_snapshot: { id: snapshot, ...hidden },
      build: hidden,
    },
  })
  const message = `Missing permissions to access PipelineSnapshotResponse with ID ${snapshot}.`
  expect(await client.trigger('training')).toEqual({
    status: 403,
    body: { detail: ['IllegalOperationError', message] },
  })
  expect((await client.get(`/pipeline_snapshots/${snapshot}`)).status).toBe(403)
  pro.permit({ deny: { read: ['pipeline_build'] } })
  const reply = await client.post(`/pipeline_snapshots/${snapshot}/runs`, { run_configuration: {} })
  const missing = expect.stringContaining('Missing permissions to access PipelineBuildResponse')
  expect(reply).toMatchObject({ status: 403, body: { detail: ['IllegalOperationError', missing] } })
})

test('an artifact that another account has written first is a shell in the answer about a step', async () => {
  const { pro, simulator, client } = await workspace()
  await client.trigger('training')
  await clock.sleep(60_000)
  const id = simulator.runs[0]?.id ?? ''
  simulator.disown(id)
  pro.permit({ deny: { read: ['artifact'] } })
  const hidden = { body: null, metadata: null, resources: null, permission_denied: true }
  const { body } = await client.get(`/steps?project=ml&pipeline_run_id=${id}&hydrate=true`)
  expect(body).toMatchObject({
    items: [
      { resources: { outputs: { rows: [hidden] } } },
      { resources: { inputs: { rows: [hidden] } } },
      {},
    ],
  })
  expect((await client.get('/artifact_versions?project=ml')).body).toMatchObject({ total: 0 })
})

async function management(url: string, path: string, bearer: string): Promise<number> {
  const { statusCode, body } = await request(`${url}${path}`, {
    headers: { authorization: `Bearer ${bearer}` },
  })
  await body.dump()
  return statusCode
}

test('an old self-hosted Pro has tenants instead of workspaces', async () => {
  const { pro, id } = await workspace({}, { routes: 'tenants' })
  const query = '_name=research&offset=0&limit=20'
  expect(await management(pro.url, `/workspaces?workspace${query}`, pro.apiKey)).toBe(404)
  expect(await management(pro.url, `/tenants?tenant${query}`, pro.apiKey)).toBe(200)
  expect(await management(pro.url, `/tenants/${id}`, pro.apiKey)).toBe(200)
})

test('the management API fails with a status or closes the connection, as often as it was told', async () => {
  const { pro } = await workspace()
  pro.fail('workspaces', 503)
  pro.fail('workspaces', 'closed')
  expect(await management(pro.url, '/workspaces', pro.apiKey)).toBe(503)
  await expect(management(pro.url, '/workspaces', pro.apiKey)).rejects.toThrow()
  expect(await management(pro.url, '/workspaces', pro.apiKey)).toBe(200)
  pro.fail('login', 502)
  expect(await management(pro.url, '/auth/login', '')).toBe(502)
  expect(pro.requests.map(({ status }) => status)).toEqual([503, undefined, 200, 502])
})

test('/info names the workspace as it was added, on 0.74 as a tenant', async () => {
  const { client, id, pro } = await workspace()
  const known = { deployment_type: 'cloud', pro_api_url: pro.url, pro_organization_name: 'Lab' }
  const newest = { dashboard_url: `${pro.url}/workspaces/research`, pro_workspace_id: id }
  expect((await client.get('/info')).body).toMatchObject({ ...known, ...newest })
  const old = await workspace({ version: '0.74.0' })
  expect((await old.client.get('/info')).body).toMatchObject({
    dashboard_url: expect.stringMatching(new RegExp(`/organizations/[\\w-]+/tenants/${old.id}$`)),
    pro_tenant_name: 'research',
  })
})
