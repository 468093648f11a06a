import { json, plainRefusal, refusal } from '../answers.ts'
import { isObject } from '../json.ts'
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

function login({ world, body, header }: Call) {
  world.loginLimit.enter(world.clock.now())
  const form = new URLSearchParams(body)
  if (form.get('grant_type') === 'zenml-external') admitFromPro(world, header('authorization'))
  else admitKey(world, form.get('password') ?? '')
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

/** As the source of the server has it: a token of the management API, which is asked whose it is. */
function admitFromPro({ options: { pro } }: World, header: string | undefined): void {
  if (pro === undefined) throw plainRefusal(400, 'Unsupported grant type: zenml-external.')
  const token = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? ''
  if (!pro.knows(token)) throw refusal(403, 'AuthorizationException', 'Not authorized to access this server.')
}

function admitKey(world: World, password: string): void {
  if (password === '') throw plainRefusal(400, 'Invalid request: username is required.')
  if (password !== world.apiKey && password !== world.options.pro?.apiKey) {
    const id = keyId(password)
    const fault = id === undefined ? 'error decoding API key' : `error retrieving API key ${id}`
    throw refusal(401, 'CredentialsNotValid', `Authentication error: ${fault}`)
  }
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
  const tenant = world.version === '0.74.0' ? 'pro_tenant' : 'pro_workspace'
  return json({
    id: world.serverId,
    name: 'default',
    version: world.version,
    active: true,
    debug: false,
    deployment_type: world.options.pro === undefined ? 'other' : 'cloud',
    database_type: 'sqlite',
    secrets_store_type: 'sql',
    auth_scheme: 'OAUTH2_PASSWORD_BEARER',
    server_url: `http://${header('host') ?? 'localhost'}${world.options.pathPrefix ?? ''}`,
    dashboard_url: '',
    analytics_enabled: false,
    metadata: {},
    last_user_activity: utc(world.clock.now()),
    pro_dashboard_url: null,
    pro_api_url: null,
    pro_organization_id: null,
    pro_organization_name: null,
    [`${tenant}_id`]: null,
    [`${tenant}_name`]: null,
  })
}
