import { expect, jest, test } from '@jest/globals'
import { runAction, type ActionOptions, type ActionResult } from '../../e2e/action.ts'
import { annotations, logLines, PATIENCE_MS, withServer, type Scene } from './scene.ts'
import { expectMasked, expectNoSecret } from './secrecy.ts'

jest.setTimeout(PATIENCE_MS)

/** Runs login/; the token is what it hands over, and may stand nowhere else. */
async function login(
  { server }: Scene,
  inputs: Readonly<Record<string, string>> = {},
  options: Omit<ActionOptions, 'inputs'> = {},
): Promise<ActionResult> {
  const given = { 'server-url': server.url, 'api-key': server.apiKey, ...inputs }
  const result = await runAction({ ...options, entry: 'login', inputs: given })
  const { 'access-token': token = '', ...outputs } = result.outputs
  expect(['', undefined, ...server.issuedTokens]).toContain(token)
  expectNoSecret({ ...result, outputs }, [server.apiKey, ...server.issuedTokens])
  return result
}

/** A step that failed, and handed nothing over. Gives its lines. */
function expectRefused(result: ActionResult): string[] {
  expect(result.stdout + result.stderr).not.toMatch(/\n\s+at .+:\d+:\d+/)
  expect(result.stderr).toBe('')
  expect(result.outputs).toEqual({})
  expect(result.exitCode).toBe(1)
  return annotations('error', result)
}

test.concurrent('a later step can use the token, which is masked before it is handed over', () =>
  withServer({ tokenLifetime: 3600 }, async (scene) => {
    const before = Date.now()
    const result = await login(scene)

    expect(result.exitCode).toBe(0)
    expect(annotations('error', result)).toEqual([])
    const { 'access-token': token = '', 'expires-at': expiresAt = '' } = result.outputs
    expectMasked(result, [scene.server.apiKey, token])
    const answer = await fetch(`${scene.server.url}/api/v1/current-user`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(200)
    expect(expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Date.parse(expiresAt)).toBeGreaterThanOrEqual(before + 3_599_000)
    expect(Date.parse(expiresAt)).toBeLessThanOrEqual(Date.now() + 3_600_000)
    expect(logLines(result)).toEqual([
      `Logged in at ${scene.server.url}; the token is valid until ${expiresAt}`,
    ])
  }),
)

test.concurrent('where the server says that a token never ends, expires-at is empty', () =>
  withServer({ tokenLifetime: null }, async (scene) => {
    const result = await login(scene)

    expect(result.exitCode).toBe(0)
    expect(Object.keys(result.outputs).sort()).toEqual(['access-token', 'expires-at'])
    expect(result.outputs['expires-at']).toBe('')
    expect(logLines(result)).toEqual([`Logged in at ${scene.server.url}; the token does not expire`])
  }),
)

test.concurrent('an end beyond all dates does no harm', () =>
  withServer({ tokenLifetime: 1e300 }, async (scene) => {
    const result = await login(scene)

    expect(result.exitCode).toBe(0)
    expect(result.outputs['expires-at']).toBe('9999-12-31T00:00:00Z')
  }),
)

test.concurrent('one request is all that is sent', () =>
  withServer({}, async (scene) => {
    await login(scene)

    const sent = scene.server.requests.map(({ method, path }) => `${method} ${path}`)
    expect(sent).toEqual(['POST /api/v1/login'])
  }),
)

test.concurrent('a wrong key is refused in one line', () =>
  withServer({}, async (scene) => {
    const result = await login(scene, { 'api-key': 'ZENKEY_wrong-wrong-wrong-wrong' })

    expect(expectRefused(result)).toEqual([
      expect.stringMatching(/^[^\n]*\b401\b[^\n]*Check that api-key is the whole key[^\n]*$/),
    ])
    expectNoSecret(result, ['ZENKEY_wrong-wrong-wrong-wrong'])
  }),
)

test.concurrent('faults of the inputs are said at once, and nothing is sent', () =>
  withServer({}, async (scene) => {
    const result = await login(scene, { 'api-key': '', 'allow-insecure-http': 'maybe' })

    expect(expectRefused(result)).toEqual([
      'api-key: missing, or its secret does not exist; write api-key: ${{ secrets.ZENML_API_KEY }} with the key of a ZenML service account',
      'allow-insecure-http: "maybe" is not a boolean; write true or false',
    ])
    expect(scene.server.requests).toEqual([])
  }),
)

test.concurrent('a server that fails for a moment is asked again', () =>
  withServer(
    { faults: [{ on: 'login', do: { kind: 'answer', status: 503, body: 'busy' } }] },
    async (scene) => {
      const result = await login(scene)

      expect(result.exitCode).toBe(0)
      expect(scene.requests('POST', /\/login$/)).toHaveLength(2)
      expect(logLines(result)[0]).toMatch(/503.*; trying again in /)
    },
  ),
)

test.concurrent('an address without a ZenML server is a fault in one line', () =>
  withServer(
    {
      faults: [
        { on: 'login', do: { kind: 'answer', status: 404, body: '<html></html>' }, occurrence: 'always' },
      ],
    },
    async (scene) => {
      expect(expectRefused(await login(scene))).toEqual([expect.stringContaining('404')])
    },
  ),
)
