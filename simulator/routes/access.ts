import { json, plainRefusal, refusal } from '../answers.ts'
import { hasSnapshots } from '../definition.ts'
import { derivedUuid } from '../ids.ts'
import { isObject, type JsonObject } from '../json.ts'
import type { ProMembership, ProWorkspace } from '../pro.ts'
import { user, utc } from '../wire/common.ts'
import type { World } from '../world.ts'
import type { Call, Route } from './route.ts'

/** Who is there, and the way in. */
export const accessRoutes: readonly Route[] = [
  {
    name: 'login',
    method: 'POST',
    path: '/login',
    endpoint: { function: 'token', line: 1 },
    open: true,
    handle: login,
  },
  {
    name: 'info',
    method: 'GET',
    path: '/info',
    endpoint: { function: 'server_info', line: 1 },
    open: true,
    handle: info,
  },
  {
    name: 'user',
    method: 'GET',
    path: '/current-user',
    endpoint: { function: 'get_current_user', line: 1 },
    handle: ({ world }) => json(user(world, true)),
  },
]

async function login({ world, body, header }: Call) {
  world.loginLimit.enter(world.clock.now())
  const form = new URLSearchParams(body)
  const { pro } = world.options
  const elsewhere = await admit(world, form, bearerOf(header('authorization')))
  if (elsewhere && pro !== undefined) return json({ authorization_url: `${pro.url}/api/auth/login` })
  world.loginLimit.succeed()
  const { token, expiresIn } = world.issueToken()
  return json({
    access_token: token,
    token_type: 'bearer',
    expires_in: expiresIn,
    refresh_token: null,
    csrf_token: null,
    scope: null,
    device_id: null,
    device_metadata: null,
  })
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer (.+)$/i.exec(header ?? '')?.[1]
}

/** Refuses a wrong credential; true where there is none, and Pro says where a person logs in. */
async function admit(world: World, form: URLSearchParams, bearer: string | undefined): Promise<boolean> {
  const { pro } = world.options
  const grant = form.get('grant_type')
  const password = form.get('password') ?? ''
  if (grant === 'zenml-external' && pro !== undefined) {
    if (bearer === undefined) return true
    const why = await whyNot(world, pro, bearer)
    if (why !== undefined) throw refusal(401, 'AuthorizationException', why)
    return false
  }
  if (grant === 'zenml-external') throw plainRefusal(400, 'Unsupported grant type: zenml-external.')
  if (grant !== null && grant !== 'password') throw plainRefusal(400, `Unsupported grant type: ${grant}`)
  if (password === '' && pro !== undefined) return true
  if (password === '') throw plainRefusal(400, 'Invalid request: username is required.')
  await admitKey(world, password)
  return false
}

/** Why the control plane does not say whose this is, in the server's words; undefined where it does. */
async function whyNot(world: World, pro: ProMembership, token: string): Promise<string | undefined> {
  const failure = pro.authorize(token)
  if (failure === 'time-out') await world.clock.sleep(10_000)
  switch (failure) {
    case undefined:
      return undefined
    case 401:
    case 403:
      return 'Not authorized to access this server.'
    case 404:
      return 'External authenticator did not recognize this server.'
    case 'nonsense':
      return 'Unknown external authenticator error'
    case 'closed':
    case 'time-out':
      return 'Error fetching user information from external authenticator.'
    default:
      return 'Error fetching user information from external authenticator. '
  }
}

/** An organization's key is asked of the control plane from 0.92 on; before, it is no key at all. */
async function admitKey(world: World, password: string): Promise<void> {
  if (password === world.apiKey) return
  const { pro } = world.options
  if (password.startsWith('ZENPROKEY_') && hasSnapshots(world.version)) {
    if (pro === undefined) throw refusal(500, 'RuntimeError', '')
    const why = await whyNot(world, pro, password)
    if (why !== undefined) throw refusal(401, 'CredentialsNotValid', `Authentication error: ${why}.`)
    return
  }
  const id = keyId(password)
  const fault = id === undefined ? 'error decoding API key' : `error retrieving API key ${id}`
  throw refusal(401, 'CredentialsNotValid', `Authentication error: ${fault}`)
}

/** The id inside a key that has the right form; undefined for any other text. */
function keyId(key: string): string | undefined {
  try {
    const content: unknown = JSON.parse(Buffer.from(key.replace(/^ZENKEY_/, ''), 'base64').toString('utf8'))
    return isObject(content) && typeof content['id'] === 'string' ? content['id'] : undefined
  } catch {
    return undefined
  }
}

function info({ world, header }: Call) {
  const url = `http://${header('host') ?? 'localhost'}${world.options.pathPrefix ?? ''}`
  return json({
    id: world.serverId,
    name: 'default',
    version: world.version,
    active: true,
    debug: false,
    deployment_type: 'other',
    database_type: 'sqlite',
    secrets_store_type: 'sql',
    auth_scheme: 'OAUTH2_PASSWORD_BEARER',
    server_url: url,
    dashboard_url: '',
    analytics_enabled: false,
    metadata: {},
    last_user_activity: utc(world.clock.now()),
    ...proInfo(world, url),
  })
}

function workspaceOf(world: World, pro: ProMembership, url: string): ProWorkspace {
  const organization = { id: derivedUuid('organization'), name: 'Example' }
  return pro.workspaceAt(url) ?? { id: world.serverId, name: 'workspace', organization }
}

/** Where a person looks at the workspace whose server has this address; that of 0.74 was read in its source. */
export function dashboardUrl(world: World, pro: ProMembership, url: string): string {
  const { id, name, organization } = workspaceOf(world, pro, url)
  return world.version === '0.74.0'
    ? `${pro.url}/organizations/${organization.id}/tenants/${id}`
    : `${pro.url}/workspaces/${name}`
}

/** What differs on Pro. */
function proInfo(world: World, url: string): JsonObject {
  const { pro } = world.options
  const old = world.version === '0.74.0'
  const kind = old ? 'pro_tenant' : 'pro_workspace'
  if (pro === undefined) {
    return {
      pro_dashboard_url: null,
      pro_api_url: null,
      pro_organization_id: null,
      pro_organization_name: null,
      [`${kind}_id`]: null,
      [`${kind}_name`]: null,
    }
  }
  const { id, name, organization } = workspaceOf(world, pro, url)
  return {
    id,
    deployment_type: 'cloud',
    auth_scheme: 'EXTERNAL',
    dashboard_url: dashboardUrl(world, pro, url),
    metadata: { account_id: organization.id, organization_id: organization.id, workspace_id: id },
    pro_dashboard_url: pro.url,
    pro_api_url: pro.url,
    pro_organization_id: organization.id,
    pro_organization_name: organization.name,
    [`${kind}_id`]: id,
    [`${kind}_name`]: name,
  }
}
