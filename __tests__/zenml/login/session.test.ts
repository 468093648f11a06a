import { expect, test } from '@jest/globals'
import { VirtualClock } from '../../../simulator/index.ts'
import { CredentialError, UnreachableError } from '../../../src/zenml/errors.ts'
import { isPassing } from '../../../src/zenml/retry.ts'
import { keyGrant } from '../../../src/zenml/login/grants.ts'
import { LoginSession, TokenSession } from '../../../src/zenml/login/session.ts'
import {
  closedPort,
  openHttp,
  rejection,
  RESET,
  startScripted,
  type Reply,
} from '../../http/scripted-server.ts'

const KEY = 'ZENKEY_a+b/c=&d é'
const TOKEN = { access_token: 'token-1', token_type: 'bearer', expires_in: null }
const WRONG_KEY = {
  status: 401,
  body: { detail: ['CredentialsNotValid', 'Authentication error: error decoding API key'] },
}
const MINUTE = { status: 429, body: { detail: 'Minute request limit exceeded.' } }
const DAILY = { status: 429, body: { detail: 'Daily request limit exceeded.' } }

function open(
  url: string,
  { signal, onToken }: { signal?: AbortSignal; onToken?: (token: string) => void } = {},
) {
  const clock = new VirtualClock()
  const tokens: string[] = []
  const waits: { line: string; waitMs: number }[] = []
  const session = new LoginSession(keyGrant(url, KEY), {
    http: openHttp(),
    clock,
    onToken: onToken ?? ((token) => tokens.push(token)),
    onWait: (line, waitMs) => waits.push({ line, waitMs }),
    signal,
  })
  return { session, clock, tokens, waits, start: clock.now() }
}

/** A server that gives these answers to logins, the last one again and again. */
async function startLogin(...replies: (Reply | typeof RESET)[]) {
  return startScripted((_request, count) => replies[Math.min(count, replies.length) - 1] ?? { status: 599 })
}

test('the key is sent as the form field password, url-encoded, and nowhere else', async () => {
  const { url, requests } = await startLogin({ body: TOKEN })
  const { session } = open(`${url}/prefix`)
  expect(await session.token()).toBe('token-1')
  expect(requests).toMatchObject([
    {
      method: 'POST',
      path: '/prefix/api/v1/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'password=ZENKEY_a%2Bb%2Fc%3D%26d+%C3%A9',
    },
  ])
  expect(requests[0]?.headers.authorization).toBeUndefined()
})

test('one login serves all requests, also those that ask at once', async () => {
  const { url, requests } = await startLogin({ body: TOKEN })
  const { session } = open(url)
  await Promise.all([session.token(), session.token()])
  await session.token()
  expect(requests).toHaveLength(1)
})

test('every token is told, to be masked, before anyone can use it', async () => {
  const { url } = await startScripted((_request, count) => ({
    body: { ...TOKEN, access_token: `token-${count}` },
  }))
  const order: string[] = []
  const { session } = open(url, { onToken: (token) => order.push(`mask ${token}`) })
  order.push(`use ${await session.token()}`)
  await session.renew('token-1')
  order.push(`use ${await session.token()}`)
  expect(order).toEqual(['mask token-1', 'use token-1', 'mask token-2', 'use token-2'])
})

test.each([
  [null, undefined],
  [undefined, undefined],
  [3600, 3_600_000],
  [0, 0],
])('a token with expires_in %p ends in %p ms', async (expires_in, lifetimeMs) => {
  const { url } = await startLogin({ body: { ...TOKEN, expires_in } })
  const { session, start } = open(url)
  await session.token()
  expect(session.expiresAt).toBe(lifetimeMs === undefined ? undefined : start + lifetimeMs)
})

test.each([
  ['a wrong key', WRONG_KEY],
  ['an empty key', { status: 400, body: { detail: 'Invalid request: username is required.' } }],
  ['a deactivated account', { status: 403, body: { detail: ['IllegalOperationError', 'inactive'] } }],
])('%s is tried once, and the error says what to check', async (_name, reply) => {
  const { url, requests } = await startLogin(reply)
  const { session, waits } = open(url)
  const error = await rejection(session.token())
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toMatch(
    /^CredentialError: Could not log in: the server answered 40\d.*Check that api-key/,
  )
  expect(String(error)).not.toContain('ZENKEY')
  expect(requests).toHaveLength(1)
  expect(waits).toEqual([])
})

test('a refused key is not tried again by the next request', async () => {
  const { url, requests } = await startLogin(WRONG_KEY)
  const { session } = open(url)
  await rejection(session.token())
  expect(await rejection(session.token())).toBeInstanceOf(CredentialError)
  expect(requests).toHaveLength(1)
})

test('after "Minute request limit exceeded" one full minute passes before the one other try', async () => {
  const { url, requests } = await startLogin(MINUTE, { body: TOKEN })
  const { session, clock, waits, start } = open(url)
  expect(await session.token()).toBe('token-1')
  expect(clock.now() - start).toBe(61_000)
  expect(requests).toHaveLength(2)
  expect(waits).toEqual([
    {
      line: 'Could not log in: the server answered 429: Minute request limit exceeded. Waiting until the limit is reset',
      waitMs: 61_000,
    },
  ])
})

test('a second "Minute request limit exceeded" is the end', async () => {
  const { url, requests } = await startLogin(MINUTE)
  const { session, clock, start } = open(url)
  const error = await rejection(session.token())
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toMatch(/try again in a few minutes$/)
  expect(requests).toHaveLength(2)
  expect(clock.now() - start).toBe(61_000)
})

test('after "Daily request limit exceeded" nothing is tried again', async () => {
  const { url, requests } = await startLogin(DAILY)
  const { session, clock, start } = open(url)
  const error = await rejection(session.token())
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toMatch(/Daily request limit exceeded\..* try again tomorrow$/)
  expect(requests).toHaveLength(1)
  expect(clock.now()).toBe(start)
})

test("a proxy's 429 is waited out as it asks", async () => {
  const { url, requests } = await startLogin(
    { status: 429, headers: { 'retry-after': '20' } },
    { body: TOKEN },
  )
  const { session, waits } = open(url)
  await session.token()
  expect(requests).toHaveLength(2)
  expect(waits[0]?.waitMs).toBeGreaterThanOrEqual(20_000)
})

test.each<[string, Reply | typeof RESET]>([
  ['a 503', { status: 503, body: 'away' }],
  ['a 500', { status: 500, body: 'Internal Server Error' }],
  ['a 522 of a gateway', { status: 522, body: 'error code: 522' }],
  ['a proxy page with 502', { status: 502, body: '<html>' }],
  ['a reset', RESET],
  ['a body that is cut', { body: '{"access_token": "tok' }],
])('after %s the login is tried again', async (_name, fault) => {
  const { url, requests } = await startLogin(fault, fault, { body: TOKEN })
  const { session, waits } = open(url)
  expect(await session.token()).toBe('token-1')
  expect(requests).toHaveLength(3)
  expect(waits.map(({ line }) => line)).toEqual(Array(2).fill(expect.stringMatching(/^Could not log in: /)))
})

test('a server that stays away is given up after seven tries, and may be asked again later', async () => {
  let away = true
  const { url, requests } = await startScripted(() =>
    away ? { status: 503, body: 'away' } : { body: TOKEN },
  )
  const { session } = open(url)
  expect(String(await rejection(session.token()))).toContain(
    'Could not log in: the server answered 503: away',
  )
  expect(requests).toHaveLength(7)
  away = false
  expect(await session.token()).toBe('token-1')
})

test('a renewal that failed because the server was away does not end the session', async () => {
  const { url } = await startLogin({ body: TOKEN }, ...Array<Reply>(7).fill({ status: 503 }), {
    body: { ...TOKEN, access_token: 'token-2' },
  })
  const { session } = open(url)
  await session.token()
  await rejection(session.renew(TOKEN.access_token))
  expect(await session.token()).toBe('token-2')
})

test('four requests that meet the same ended token share one login', async () => {
  const { url, requests } = await startLogin({ body: TOKEN }, { body: { ...TOKEN, access_token: 'token-2' } })
  const { session } = open(url)
  const ended = await session.token()
  await Promise.all(Array.from({ length: 4 }, () => session.renew(ended)))
  // An answer that comes late speaks of the old token.
  await session.renew(ended)
  expect(await session.token()).toBe('token-2')
  expect(requests).toHaveLength(2)
})

test.each([
  [
    'CredentialsNotValid',
    'Authentication error: Error fetching user information from external authenticator.',
  ],
  ['AuthorizationException', 'Error fetching user information from external authenticator. '],
  ['AuthorizationException', 'Unknown external authenticator error'],
])('a control plane that does not answer the workspace (%s: %s) is tried again', async (...detail) => {
  const { url, requests } = await startLogin({ status: 401, body: { detail } }, { body: TOKEN })
  const { session, waits } = open(url)
  expect(await session.token()).toBe('token-1')
  expect(requests).toHaveLength(2)
  expect(waits).toMatchObject([
    {
      line: expect.stringContaining(
        'ZenML Pro could not confirm the account; the credential was not refused',
      ),
    },
  ])
})

test('a control plane that stays away is an outage, not a wrong key', async () => {
  const detail = ['AuthorizationException', 'Unknown external authenticator error']
  const { url, requests } = await startLogin({ status: 401, body: { detail } })
  const error = await rejection(open(url).session.token())
  expect(error).toBeInstanceOf(UnreachableError)
  expect(isPassing(error as UnreachableError)).toBe(true)
  expect(requests).toHaveLength(7)
})

test.each([
  'Not authorized to access this server.',
  'External authenticator did not recognize this server.',
  'error decoding API key',
])('a real refusal (%s) ends at once', async (text) => {
  const { url, requests } = await startLogin({
    status: 401,
    body: { detail: ['AuthorizationException', text] },
  })
  expect(await rejection(open(url).session.token())).toBeInstanceOf(CredentialError)
  expect(requests).toHaveLength(1)
})

test('where nobody listens, the error says so', async () => {
  const { session } = open(`http://127.0.0.1:${await closedPort()}`)
  const error = await rejection(session.token())
  expect(error).toBeInstanceOf(UnreachableError)
  expect(String(error)).toBe(
    'UnreachableError: Could not log in: the connection was refused; check server-url, and that the server is running',
  )
})

test('a dashboard under the address: check server-url', async () => {
  const { url, requests } = await startLogin({ status: 404, body: '<!doctype html><title>ZenML</title>' })
  const { session } = open(url)
  const error = await rejection(session.token())
  expect(error).toBeInstanceOf(UnreachableError)
  expect(String(error)).toContain('a web page titled "ZenML" instead of JSON; check server-url')
  expect(requests).toHaveLength(1)
})

test.each([404, 405])('another API under the address (%i): check server-url', async (status) => {
  const { url } = await startLogin({ status, body: { detail: 'Not Found' } })
  const error = await rejection(open(url).session.token())
  expect(String(error)).toMatch(/Check server-url: no ZenML server answers at this address$/)
})

test('a redirected login names the new address, and the key goes nowhere', async () => {
  const target = await startLogin({ body: TOKEN })
  const { url } = await startLogin({ status: 308, headers: { location: `${target.url}/api/v1/login?k=v` } })
  const error = await rejection(open(url).session.token())
  expect(String(error)).toContain(`a redirect to ${target.url}/api/v1/login;`)
  expect(target.requests).toEqual([])
})

test('a cancelled wait ends at once with the reason of the cancel', async () => {
  const { url, requests } = await startLogin(MINUTE)
  const reason = new Error('cancelled')
  const cancel = new AbortController()
  const session = new LoginSession(keyGrant(url, KEY), {
    http: openHttp(),
    clock: new VirtualClock(),
    onToken: () => undefined,
    onWait: () => cancel.abort(reason),
    signal: cancel.signal,
  })
  expect(await rejection(session.token())).toBe(reason)
  expect(requests).toHaveLength(1)
})

test('an access-token is used as it is, and cannot be renewed: the advice is a key', async () => {
  const session = new TokenSession('ready-made')
  expect(await session.token()).toBe('ready-made')
  expect(session.expiresAt).toBeUndefined()
  const error = await rejection(session.renew())
  expect(error).toBeInstanceOf(CredentialError)
  expect(String(error)).toMatch(/refused the access-token.*Use api-key with a service account's key instead/)
  expect(String(error)).not.toContain('ready-made')
})

/** Nobody has seen it before, so nothing can hide it. */
const FRESH = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3YjFmNDg5MiJ9.q4VdZp0xKJ8sWnT1yRmHcLbA5uEoGf'
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const TEXT = { 'content-type': 'text/plain' }

const FOREIGN: readonly (readonly [name: string, reply: Reply, shown: string])[] = [
  ['a text', { body: FRESH, headers: TEXT }, '200: an unexpected answer: (76 characters of text/plain)'],
  [
    'a text in UTF-16',
    { body: FRESH.replaceAll(/./g, '$&\0'), headers: TEXT },
    '200: an unexpected answer: (152 characters of text/plain)',
  ],
  [
    'a text of no type',
    { body: FRESH, headers: { 'content-type': FRESH } },
    '(76 characters of no known type)',
  ],
  [
    'a refusal that is a text',
    { status: 401, body: FRESH, headers: TEXT },
    '401: (76 characters of text/plain)',
  ],
  [
    'a refusal with a token',
    { status: 403, body: { access_token: FRESH } },
    '403: (95 characters of application/json)',
  ],
  ['a key that is a token', { body: { [FRESH]: 1 } }, '200: an unexpected answer: (82 characters of'],
  [
    'a title',
    { body: `<html><title>${FRESH}</title>`, headers: HTML },
    '200: a web page instead of JSON; check server-url',
  ],
  ['a page of no type', { status: 404, body: `<!doctype html>${FRESH}` }, '404: a web page instead of JSON'],
  ['an exception of that name', { status: 400, body: [FRESH] }, '400: (80 characters of application/json)'],
  ['a structure in an error', { status: 400, body: { detail: { token: FRESH } } }, '400: (99 characters of'],
  [
    'a list in an error',
    { status: 422, body: { detail: ['ValueError', { token: FRESH }] } },
    '422: (114 characters',
  ],
  [
    'the text beside it',
    { status: 401, body: `Not for ${FRESH}`, headers: TEXT },
    '(84 characters of text/plain)',
  ],
  ['an error beside it', { status: 400, body: { detail: 'no', access_token: FRESH } }, '400: no'],
]

test.each(FOREIGN)('a token in %s of a login is not shown', async (_, reply, shown) => {
  const { url } = await startLogin(reply)
  const { session, waits } = open(url)
  const error = String(await rejection(session.token()))
  expect(error).toContain(shown)
  expect(`${error}${JSON.stringify(waits)}`).not.toContain(FRESH.slice(0, 12))
})
