import { expect, test } from '@jest/globals'
import { login, loginExternal, send } from './api.ts'
import type { Fixture } from './target.ts'

/** The way in, and who is there. */
export function accessCases(open: () => Fixture): void {
  test('a key is exchanged for a token that says how long it lives', async () => {
    const { target, traits } = open()
    const reply = await login(target, target.apiKey)
    if (target.mode === 'pro' && !traits.snapshots) {
      // An organization's key is none before 0.92.
      const detail = ['CredentialsNotValid', 'Authentication error: error decoding API key']
      expect(reply).toMatchObject({ status: 401, body: { detail } })
      return
    }
    expect(reply).toMatchObject({ status: 200, contentType: 'application/json' })
    expect(reply.body).toMatchObject({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: 'bearer',
      expires_in: target.mode === 'pro' ? 3600 : null,
    })
  })

  test('a key that is none is refused', async () => {
    const detail = ['CredentialsNotValid', 'Authentication error: error decoding API key']
    expect(await login(open().target, 'nope')).toMatchObject({ status: 401, body: { detail } })
  })

  test('a key that the server does not know is refused', async () => {
    const key = Buffer.from(
      JSON.stringify({ id: '00000000-0000-4000-8000-000000000000', key: 'ab' }),
    ).toString('base64')
    const detail = ['CredentialsNotValid', expect.stringContaining('error retrieving API key')]
    expect(await login(open().target, `ZENKEY_${key}`)).toMatchObject({ status: 401, body: { detail } })
  })

  test('an empty key is a bad request; on Pro it is told where a person logs in', async () => {
    const { target } = open()
    const reply = await login(target, '')
    if (target.mode === 'pro') {
      expect(reply).toEqual({ ...reply, status: 200, body: { authorization_url: expect.any(String) } })
    } else {
      const body = { detail: 'Invalid request: username is required.' }
      expect(reply).toMatchObject({ status: 400, body })
    }
  })

  test("an organization's key of Pro at an open-source server is an internal error from 0.92 on", async () => {
    const { target, traits } = open()
    if (target.mode === 'pro') return
    const reply = await login(target, 'ZENPROKEY_0123456789abcdef')
    const detail = traits.snapshots
      ? ['RuntimeError', '']
      : ['CredentialsNotValid', 'Authentication error: error decoding API key']
    expect(reply).toMatchObject({ status: traits.snapshots ? 500 : 401, body: { detail } })
  })

  test('a way to log in that the server does not have is a bad request', async () => {
    const { target } = open()
    if (target.mode === 'pro') return
    const body = { detail: 'Unsupported grant type: zenml-external.' }
    expect(await loginExternal(target, 'nope')).toMatchObject({ status: 400, body })
  })

  test('without a token nothing is told', async () => {
    const reply = await send(open().target, 'GET', '/api/v1/current-user')
    expect(reply).toMatchObject({ status: 401, body: { detail: 'Not authenticated' } })
  })

  test('a token that is none is refused', async () => {
    const headers = { authorization: 'Bearer nope' }
    const reply = await send(open().target, 'GET', '/api/v1/current-user', { headers })
    const detail = ['CredentialsNotValid', expect.stringContaining('Invalid JWT token: Not enough segments.')]
    expect(reply).toMatchObject({ status: 401, body: { detail } })
  })

  test('the key itself is a bearer on the newest server only', async () => {
    const { target, traits } = open()
    const headers = { authorization: `Bearer ${target.apiKey}` }
    const reply = await send(target, 'GET', '/api/v1/current-user', { headers })
    expect(reply.status).toBe(traits.snapshots ? 200 : 401)
  })

  test('/info needs no token and names version and kind of the server', async () => {
    const { target } = open()
    const reply = await send(target, 'GET', '/api/v1/info')
    expect(reply.status).toBe(200)
    expect(reply.body).toMatchObject({ version: target.version, server_url: target.url })
    if (target.pro === undefined) {
      expect(reply.body).toMatchObject({
        dashboard_url: '',
        deployment_type: 'other',
        pro_api_url: null,
        pro_dashboard_url: null,
        pro_organization_id: null,
      })
      return
    }
    expect(reply.body).toMatchObject({
      dashboard_url: expect.stringMatching(/\/workspaces\/e2e$/),
      deployment_type: 'cloud',
      pro_api_url: target.pro.apiUrl,
      pro_dashboard_url: expect.any(String),
      pro_organization_id: expect.any(String),
      pro_organization_name: 'acme',
      pro_workspace_id: expect.any(String),
      pro_workspace_name: target.pro.workspace,
    })
  })

  test('/current-user names the service account', async () => {
    const { api, target } = open()
    const { body, status } = await api.get('/current-user')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: expect.any(String),
      name: 'ci',
      permission_denied: false,
      body: { active: true, is_service_account: true },
      metadata: { external_user_id: target.mode === 'pro' ? expect.any(String) : null },
    })
  })

  test('the project is found by name under the name of its time', async () => {
    const { api, traits, target } = open()
    const path = traits.modern ? '/projects' : '/workspaces'
    const name = target.project
    const listed = await api.get(`${path}?name=${name}&hydrate=false`)
    expect(listed.body).toMatchObject({ total: 1, items: [{ id: expect.any(String), name }] })
    expect(await api.get(`${path}/${name}`)).toMatchObject({ status: 200, body: { name } })
    const missing = await api.get(`${path}/nope`)
    expect(missing).toMatchObject({
      status: 404,
      body: { detail: ['KeyError', expect.stringContaining("'nope'")] },
    })
    if (!traits.modern) expect((await api.get('/projects')).status).toBe(404)
  })

  test('an unknown address below the API is 404, or 405 for a POST; elsewhere the dashboard answers 200, on Pro it is elsewhere', async () => {
    const { api, target } = open()
    expect(await api.get('/nope')).toMatchObject({ status: 404, body: { detail: 'Not Found' } })
    expect(await api.post('/nope', {})).toMatchObject({ status: 405, body: { detail: 'Method Not Allowed' } })
    const dashboard = await send(target, 'GET', '/projects/default/runs/1')
    if (target.mode === 'pro') {
      expect(dashboard).toMatchObject({ status: 307, body: '' })
    } else {
      expect(dashboard).toMatchObject({ status: 200, contentType: 'text/html; charset=utf-8' })
      expect(dashboard.body).toMatch(/^<!doctype html>/i)
    }
    expect((await send(target, 'GET', '/health')).status).toBe(200)
  })
}
