import { expect, test } from '@jest/globals'
import { startPro, VirtualClock, type ProSimulator, type WorkspaceSpec } from '../../../simulator/index.ts'
import { Api } from '../../../src/zenml/api.ts'
import { CredentialError, UnreachableError, WorkspaceError } from '../../../src/zenml/errors.ts'
import {
  managementClientGrant,
  managementKeyGrant,
  managementTokenGrant,
} from '../../../src/zenml/login/grants.ts'
import { findWorkspace, ProClient } from '../../../src/zenml/login/workspaces.ts'
import { LoginSession, type LoginDependencies } from '../../../src/zenml/login/session.ts'
import {
  closeAfterTest,
  openHttp,
  rejection,
  startScripted,
  type Received,
} from '../../http/scripted-server.ts'

const SERVER = 'https://1bfe5d94-zenml.example.com'

async function open(...workspaces: WorkspaceSpec[]) {
  const pro = await startPro()
  closeAfterTest(() => pro.close())
  const ids = workspaces.map((each) => pro.add(each))
  return { pro, ids }
}

function dependencies(): LoginDependencies & { tokens: string[] } {
  const tokens: string[] = []
  return {
    http: openHttp(),
    clock: new VirtualClock(),
    onToken: (token) => tokens.push(token),
    onWait: () => undefined,
    tokens,
  }
}

function find(url: string, key: string, workspace: string, allowPlainHttp = false) {
  const deps = dependencies()
  const session = new LoginSession(managementKeyGrant(url, key), deps)
  const { http, clock } = deps
  const api = new Api({
    http,
    clock,
    session,
    baseUrl: url,
    apiPath: '',
    addressInput: 'pro-api-url',
    onRetry: () => undefined,
  })
  return findWorkspace({ workspace, proApiUrl: url, allowPlainHttp }, new ProClient(api))
}

const by = ({ url, apiKey }: ProSimulator, workspace: string) => find(url, apiKey, workspace)

test('a workspace is found by its name, with the key in form and header as the real client sends it', async () => {
  const { pro } = await open(
    { name: 'other' },
    { name: 'research', organization: 'Lab', serverUrl: `${SERVER}/` },
  )
  expect(await by(pro, 'research')).toEqual({ name: 'research', organization: 'Lab', serverUrl: SERVER })
  expect(pro.requests).toMatchObject([
    {
      method: 'POST',
      path: '/auth/login',
      headers: {
        authorization: `Bearer ${pro.apiKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ password: pro.apiKey }).toString(),
    },
    {
      method: 'GET',
      path: '/workspaces?workspace_name=research&offset=0&limit=20',
      headers: { authorization: `Bearer ${pro.issuedTokens[0]}` },
    },
  ])
})

test('a workspace is found by its id, in one request', async () => {
  const { pro, ids } = await open({ name: 'research', serverUrl: SERVER })
  expect(await by(pro, ids[0]!)).toMatchObject({ name: 'research' })
  expect(pro.requests.map(({ path }) => path)).toEqual(['/auth/login', `/workspaces/${ids[0]}`])
})

test('an old management API, which calls a workspace a tenant, is asked for tenants', async () => {
  const pro = await startPro({ routes: 'tenants' })
  closeAfterTest(() => pro.close())
  pro.add({ name: 'other', serverUrl: 'https://other.example.com' })
  const id = pro.add({ name: 'research', organization: 'Lab', serverUrl: SERVER })
  const found = { name: 'research', organization: 'Lab', serverUrl: SERVER }
  expect(await by(pro, 'research')).toEqual(found)
  expect(await by(pro, id)).toEqual(found)
  expect(pro.requests.map(({ path, status }) => [path, status])).toEqual([
    ['/auth/login', 200],
    ['/workspaces?workspace_name=research&offset=0&limit=20', 404],
    ['/tenants?tenant_name=research&offset=0&limit=20', 200],
    ['/auth/login', 200],
    [`/workspaces/${id}`, 404],
    [`/tenants/${id}`, 200],
  ])
  expect(String(await rejection(by(pro, 'reserch')))).toContain('there are: "research", "other"')
})

test('several of a name list their organizations with the ids to choose from', async () => {
  const { pro, ids } = await open(
    { name: 'research', organization: 'Lab', serverUrl: SERVER },
    { name: 'research', organization: 'Factory', serverUrl: SERVER },
  )
  const error = await rejection(by(pro, 'research'))
  expect(error).toBeInstanceOf(WorkspaceError)
  expect(String(error)).toContain(
    `workspace: 2 workspaces are named "research"; write the ID of one of them instead: ${ids[0]} (organization "Lab"), ${ids[1]} (organization "Factory")`,
  )
})

test('one that was deleted does not stand in the way of its successor', async () => {
  const { pro } = await open({ name: 'research', status: 'deleted' }, { name: 'research', serverUrl: SERVER })
  expect(await by(pro, 'research')).toMatchObject({ serverUrl: SERVER })
})

test.each<[WorkspaceSpec['status'], string]>([
  ['not_initialized', 'it has not been deployed yet; deploy it in the dashboard'],
  ['pending', 'it is being deployed, upgraded or activated; try again in a few minutes'],
  ['failed', 'its deployment failed; deploy it again in the dashboard'],
  ['deactivated', 'it was deactivated; activate it in the dashboard'],
  ['deleted', 'it was deleted; name another one'],
])('a workspace that is %s says so, and what to do', async (status, words) => {
  const { pro } = await open({ name: 'research', serverUrl: SERVER, ...(status && { status }) })
  const error = await rejection(by(pro, 'research'))
  expect(String(error)).toBe(`WorkspaceError: workspace: "research" is not available ("${status}"): ${words}`)
})

test('a state that nobody knows yet is shown as it is', async () => {
  const { pro } = await open({ name: 'research', status: 'hibernating', serverUrl: SERVER })
  expect(String(await rejection(by(pro, 'research')))).toContain('is not available ("hibernating")')
})

test('a name that is not there lists those that are, the nearest first, over several pages', async () => {
  const many = Array.from({ length: 23 }, (_, index) => ({ name: `team-${index}`, serverUrl: SERVER }))
  const { pro } = await open(...many, { name: 'research' })
  const line = String(await rejection(by(pro, 'reserch')))
  expect(line).toMatch(
    /there is no workspace "reserch" that this account can see; there are: "research", "team-/,
  )
  expect(line).toMatch(/ and 19 more$/)
})

test('an account that sees no workspace is told so', async () => {
  const { pro } = await open()
  expect(String(await rejection(by(pro, 'research')))).toContain('nor any other; add the account')
})

test('an id that is not there is looked for as a name too', async () => {
  const { pro } = await open({ name: 'research', serverUrl: SERVER })
  const id = '00000000-0000-4000-8000-000000000000'
  expect(String(await rejection(by(pro, id)))).toContain(`there is no workspace "${id}"`)
})

test.each<[string, Omit<WorkspaceSpec, 'name'>, RegExp]>([
  ['no server', {}, /does not say where the server of "research" is; give server-url instead$/],
  ['a password', { serverUrl: 'https://user:pass-word@x.example.com' }, /contains a user name or password/],
  ['plain http', { serverUrl: 'http://x.example.com' }, /begins with http:.* set allow-insecure-http: true/],
  ['no address', { serverUrl: 'x.example.com' }, /has no https:\/\/ in front/],
  ['a script', { serverUrl: 'javascript:alert(1)' }, /which is not a web address/],
])('an available workspace with %s is not trusted with a key', async (_, spec, words) => {
  const { pro } = await open({ name: 'research', ...spec })
  const error = await rejection(by(pro, 'research'))
  expect(error).toBeInstanceOf(WorkspaceError)
  expect(String(error)).toMatch(words)
  expect(String(error)).not.toContain('pass-word')
})

test('plain http is taken where it is allowed', async () => {
  const { pro } = await open({ name: 'research', serverUrl: 'http://x.example.com' })
  expect(await find(pro.url, pro.apiKey, 'research', true)).toMatchObject({
    serverUrl: 'http://x.example.com',
  })
})

test('a key that the management API does not know is tried once, and the error says which key it takes', async () => {
  const { pro } = await open()
  const error = await rejection(find(pro.url, 'ZENKEY_of-a-workspace', 'research'))
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toMatch(/^CredentialError: Could not log in to ZenML Pro: the server answered 401/)
  expect(String(error)).toContain("a workspace's own key needs server-url instead of workspace")
  expect(String(error)).not.toContain('ZENKEY')
  expect(pro.requests).toHaveLength(1)
})

test.each([
  ['a dashboard', { status: 200, body: '<!doctype html><title>ZenML Pro</title>' }, /check pro-api-url/],
  ['another API', { status: 404, body: { detail: 'Not Found' } }, /Check pro-api-url: no management API/],
  ['a redirect', { status: 308, headers: { location: 'https://x.example.com/' } }, /as pro-api-url$/],
])('%s under the address says to check pro-api-url', async (_, reply, words) => {
  const { url } = await startScripted(() => reply)
  expect(String(await rejection(find(url, 'ZENPROKEY_x', 'research')))).toMatch(words)
})

test('a management API that is away for a moment is asked again', async () => {
  let count = 0
  const { url } = await startScripted(({ path }: Received) => {
    count += 1
    if (count % 2 === 1) return { status: 503, body: 'away' }
    if (path === '/auth/login') return { body: { access_token: 'pro-token', expires_in: 3600 } }
    const zenml_service = { status: { server_url: SERVER } }
    return { body: [{ id: '1', name: 'research', status: 'available', zenml_service }] }
  })
  expect(await find(url, 'ZENPROKEY_x', 'research')).toMatchObject({ serverUrl: SERVER })
  expect(count).toBe(4)
})

/** A management API that gives all workspaces, whatever page is asked for. */
async function withoutPages(count: number, name: (index: number) => string, id: (index: number) => string) {
  const zenml_service = { status: { server_url: SERVER } }
  const all = Array.from({ length: count }, (_, i) => ({
    id: id(i),
    name: name(i),
    status: 'available',
    zenml_service,
  }))
  return await startScripted(({ path }: Received) => ({
    body: path === '/auth/login' ? { access_token: 'pro-token', expires_in: 3600 } : all,
  }))
}

test('a management API without pages is asked until nothing new comes, and counts no workspace twice', async () => {
  const { url, requests } = await withoutPages(
    25,
    (i) => `w${i}`,
    (i) => `id-${i}`,
  )
  expect(await find(url, 'ZENPROKEY_x', 'w3')).toMatchObject({ name: 'w3', serverUrl: SERVER })
  expect(requests).toHaveLength(3)
})

test('of many workspaces of one name a few are listed, their ids on one line', async () => {
  const { url } = await withoutPages(
    12,
    () => 'same',
    (i) => `id\n::error::${i}`,
  )
  const message = String(await rejection(find(url, 'ZENPROKEY_x', 'same')))
  expect(message).toContain('12 workspaces are named "same"')
  expect(message).toMatch(/"id ::error::4" \(organization ".*"\) and 7 more$/)
  expect(message).not.toContain('\n')
})

test('one that stays away is given up', async () => {
  const { url } = await startScripted(() => ({ status: 503, body: 'away' }))
  expect(await rejection(find(url, 'ZENPROKEY_x', 'research'))).toBeInstanceOf(UnreachableError)
})

test('an answer without a list is no workspace', async () => {
  const { url } = await startScripted(({ path }) => ({
    body: path === '/auth/login' ? { access_token: 'pro-token' } : { items: [] },
  }))
  expect(String(await rejection(find(url, 'ZENPROKEY_x', 'research')))).toContain(
    'Could not find the workspace: something that is not a ZenML API answered 200',
  )
})

const BY_CLIENT = { addressInput: 'workspace', credentialInput: 'client-secret' } as const

test("client-id and client-secret get Pro's token, which the workspace exchanges for its own", async () => {
  const { pro } = await open()
  const { url, requests } = await startScripted((_, count) => ({
    body: { access_token: `own-${count}`, expires_in: 60 },
  }))
  const deps = dependencies()
  const management = new LoginSession(managementClientGrant(pro.url, pro.clientId, pro.clientSecret), deps)
  const session = new LoginSession(managementTokenGrant(url, management, BY_CLIENT), deps)
  expect(await session.token()).toBe('own-1')
  expect(pro.requests).toMatchObject([
    {
      path: '/auth/login',
      body: `grant_type=client_credentials&client_id=${pro.clientId}&client_secret=${pro.clientSecret}`,
    },
  ])
  expect(requests).toMatchObject([
    {
      path: '/api/v1/login',
      body: 'grant_type=zenml-external',
      headers: { authorization: `Bearer ${pro.issuedTokens[0]}` },
    },
  ])
  await session.renew('own-1')
  expect(requests[1]?.headers.authorization).toBe(`Bearer ${pro.issuedTokens[1]}`)
  expect(deps.tokens).toEqual([pro.issuedTokens[0], 'own-1', pro.issuedTokens[1], 'own-2'])
  expect(JSON.stringify(requests)).not.toContain(pro.clientSecret)
})

test('a client secret that is wrong says which inputs to check', async () => {
  const { pro } = await open()
  const session = new LoginSession(managementClientGrant(pro.url, pro.clientId, 'wrong'), dependencies())
  expect(String(await rejection(session.token()))).toMatch(
    /401.*Check that client-id and client-secret belong/,
  )
})

test('an account that is no member of the workspace is told so', async () => {
  const { pro } = await open()
  const { url } = await startScripted(() => ({
    status: 401,
    body: { detail: ['AuthorizationException', 'Not authorized to access this server.'] },
  }))
  const deps = dependencies()
  const management = new LoginSession(managementClientGrant(pro.url, pro.clientId, pro.clientSecret), deps)
  const session = new LoginSession(managementTokenGrant(url, management, BY_CLIENT), deps)
  expect(String(await rejection(session.token()))).toMatch(
    /^CredentialError: Could not log in to the workspace: .*401.*Check that the account is a member of this workspace/,
  )
})

test('a workspace that is not the one asked for by its id gets no key', async () => {
  const id = '0b5f3c1a-9d2e-4f6b-8a7c-1d2e3f4a5b6c'
  const other = { id: '99999999-9999-4999-8999-999999999999', name: 'other', status: 'available' }
  const { url } = await startScripted(({ method }) => ({
    body:
      method === 'POST'
        ? { access_token: 'a', expires_in: null }
        : { ...other, zenml_service: { status: { server_url: 'https://evil.example.com' } } },
  }))
  expect(String(await rejection(find(url, 'ZENPROKEY_x', id)))).toContain(
    'the response is for a different ID',
  )
})

test("a workspace's name is not cut in the middle of a word, which may be a secret", async () => {
  const { pro } = await open({ name: `${'team '.repeat(18)}correct-horse-battery-staple` })
  const error = String(await rejection(by(pro, 'reserch')))
  expect(error).toContain('team team…"')
  expect(error).not.toContain('correct')
})
