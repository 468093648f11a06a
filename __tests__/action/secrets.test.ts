import { expect, jest, test } from '@jest/globals'
import type { Fault } from '../../simulator/index.ts'
import { expectMasked, expectNoSecret } from './secrecy.ts'
import { PATIENCE_MS, withServer, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const DEBUGGING = { env: { RUNNER_DEBUG: '1', ACTIONS_STEP_DEBUG: 'true' } }

test.concurrent('key and tokens are masked, each before its first use, and shown nowhere', () =>
  withServer({ tokenLifetime: 20 }, async (scene) => {
    const maskedBeforeLogin: boolean[] = []
    const result = await scene.step(
      {
        pipeline: 'training',
        configuration: 'steps: {train: {parameters: {seconds: 40}}}',
        'poll-interval': '1s',
      },
      {
        ...DEBUGGING,
        onLine: (line) => {
          if (line === `::add-mask::${scene.server.apiKey}`) {
            maskedBeforeLogin.push(scene.server.requests.length === 0)
          }
        },
      },
    )

    expect(result.outputs['conclusion']).toBe('completed')
    expect(maskedBeforeLogin).toEqual([true])
    expect(scene.server.issuedTokens.length).toBeGreaterThan(1)
    expectMasked(result, [scene.server.apiKey, ...scene.server.issuedTokens])
    expectNoSecret(result, [scene.server.apiKey, ...scene.server.issuedTokens])
  }),
)

/** Faults with which a step ends in different ways, each with debug logging on. */
const ENDINGS: readonly (readonly [string, Readonly<Record<string, string>>, readonly Fault[]])[] = [
  ['fails', { configuration: 'steps: {train: {parameters: {fail: no data}}}', 'poll-interval': '1s' }, []],
  ['times out', { configuration: 'steps: {train: {parameters: {seconds: 3600}}}', timeout: '1s' }, []],
  [
    'is refused',
    { wait: 'false' },
    [{ on: 'trigger', do: { kind: 'answer', status: 403, body: '{"detail": "no"}' } }],
  ],
  [
    'loses the server',
    { 'poll-interval': '1s', 'lost-after': '2s' },
    [
      {
        on: 'run',
        do: { kind: 'answer', status: 403, body: '{"detail":["IllegalOperationError","no"]}' },
        occurrence: 'always',
      },
    ],
  ],
  [
    'is turned away',
    {},
    [{ on: 'info', occurrence: 'always', do: { kind: 'answer', status: 400, body: '{"detail": "no"}' } }],
  ],
]

test.concurrent.each(ENDINGS)('a step that %s shows no secret either', (_, inputs, faults) =>
  withServer({ faults, orchestrator: 'kubernetes' }, async (scene: Scene) => {
    const result = await scene.step({ pipeline: 'training', ...inputs }, DEBUGGING)

    expect(result.exitCode).toBe(1)
    expectMasked(result, [scene.server.apiKey, ...scene.server.issuedTokens])
  }),
)

test.concurrent('a key pasted into another input is pointed out without being shown', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ snapshot: scene.server.apiKey })

    expect(result.exitCode).toBe(1)
    expect(result.outputs['error']).toBe('snapshot: contains the value of api-key; remove it from here')
    expect(scene.server.requests).toEqual([])
  }),
)

const STRAY = 'ZENPROKEY_eyJpZCI6ICIwMWIyYzNkNCIsICJrZXkiOiAiN2YzYTlkYzFlNGIyNjA4ZiJ9'

test.concurrent.each<[string, Readonly<Record<string, string>>, string]>([
  [
    'server-url, as the two were swapped',
    { 'server-url': STRAY, 'api-key': 'https://zenml.example.com' },
    'server-url',
  ],
  ['the address', { 'server-url': `https://zenml.example.com/${STRAY}` }, 'server-url'],
  ['an input about the run', { tags: `a,${STRAY}` }, 'tags'],
  ['an input that the action does not have', { apikey: STRAY }, 'apikey'],
])('a key in %s is masked and not shown', (_, inputs, input) =>
  withServer({}, async (scene) => {
    const result = await scene.step({ pipeline: 'training', ...inputs }, DEBUGGING)

    expectMasked(result, [STRAY])
    expectNoSecret(result, [STRAY])
    expect(result.exitCode).toBe(1)
    expect(result.outputs['error']).toMatch(
      input === 'apikey'
        ? /^"apikey": the action has no such input; did you mean api-key\? If the job sets the variable "INPUT_APIKEY" for something else, rename it$/
        : new RegExp(`^${input}: contains an API key; was it swapped with api-key\\? Replace that key`),
    )
    expect(scene.server.requests).toEqual([])
  }),
)

test.concurrent('a key that is passed on to the pipeline is masked, and reaches it', () =>
  withServer({}, async (scene) => {
    const configuration = `extra: {key: ${STRAY}}`
    const result = await scene.step({ pipeline: 'training', configuration, 'poll-interval': '1s' }, DEBUGGING)

    expectMasked(result, [STRAY])
    expectNoSecret(result, [STRAY])
    expect(result.outputs['conclusion']).toBe('completed')
    expect(scene.triggers[0]?.body).toContain(STRAY)
  }),
)

test.concurrent('what Node says of its requests with NODE_DEBUG holds no secret', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ pipeline: 'training', wait: 'false' }, { env: { NODE_DEBUG: 'http' } })
    expect(result.outputs['conclusion']).toBe('started')
    expect(result.stderr).toContain('HTTP')
    expectNoSecret(result, [scene.server.apiKey, ...scene.server.issuedTokens])
  }),
)
