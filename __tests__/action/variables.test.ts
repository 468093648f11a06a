import { createHash } from 'node:crypto'
import { expect, jest, test } from '@jest/globals'
import {
  runAction,
  startAction,
  type ActionOptions,
  type ActionResult,
  type Entry,
} from '../../e2e/action.ts'
import { startSimulator } from '../../simulator/index.ts'
import {
  annotations,
  expectGreen,
  expectRed,
  logLines,
  PATIENCE_MS,
  withServer,
  type Scene,
} from './scene.ts'
import { expectMasked, expectNoSecret } from './secrecy.ts'

jest.setTimeout(PATIENCE_MS)

const LONG = 'steps: {train: {parameters: {seconds: 36000}}}'

function variablesOf({ server }: Scene): Readonly<Record<string, string>> {
  return { ZENML_STORE_URL: server.url, ZENML_STORE_API_KEY: server.apiKey }
}

/** A step without a word on where to connect; it may print no secret. */
async function step(
  scene: Scene,
  inputs: Readonly<Record<string, string>>,
  options: Omit<ActionOptions, 'inputs'> = {},
): Promise<ActionResult> {
  const result = await runAction({ env: variablesOf(scene), ...options, inputs })
  expectMasked(result, [scene.server.apiKey])
  expectNoSecret(result, [scene.server.apiKey, ...scene.server.issuedTokens])
  return result
}

test.concurrent("without inputs, every action connects as the variables of ZenML's client say", () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const started = await step(scene, { pipeline: 'training', configuration: LONG, wait: 'false' })
    expectGreen(started, 'started')
    expect(logLines(started)[0]).toBe(
      'Server and credential come from ZENML_STORE_URL and ZENML_STORE_API_KEY',
    )
    const run = started.outputs['run-id'] ?? ''
    const waited = await step(scene, { run, timeout: '1s' }, { entry: 'wait' })
    expectRed(waited, 'timed-out')
    expectGreen(await step(scene, { run }, { entry: 'stop' }), 'stopped')
    const { 'access-token': token, ...outputs } = (
      await runAction({ entry: 'login', inputs: {}, env: variablesOf(scene) })
    ).outputs
    expect(token).toBe(scene.server.issuedTokens.at(-1))
    expect(outputs).toHaveProperty('expires-at')
  }),
)

test.concurrent('after login/ with export-env, later steps connect without a word', () =>
  withServer({}, async (scene) => {
    const other = {
      ZENML_STORE_URL: `${scene.server.url}/`,
      ZENML_STORE_API_KEY: 'ZENKEY_of-another-server-0123456789',
    }
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, 'export-env': 'true' }
    const result = await runAction({ entry: 'login', inputs, env: other })
    const [token = ''] = scene.server.issuedTokens
    expectMasked(result, [token])
    expect(annotations('warning', result)).toEqual([])
    expect(result.stdout.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain(token)
    expect(result.exported).toEqual({
      ZENML_STORE_URL: scene.server.url,
      ZENML_STORE_API_TOKEN: token,
      ZENML_STORE_API_KEY: '',
      ZENML_RUN_ACTION_PAIR: createHash('sha256').update(`${scene.server.url}\n${token}`).digest('hex'),
    })
    // Of a file that was cut off, the later steps get the first ones only.
    expect(Object.keys(result.exported)).toEqual([
      'ZENML_STORE_API_KEY',
      'ZENML_RUN_ACTION_PAIR',
      'ZENML_STORE_API_TOKEN',
      'ZENML_STORE_URL',
    ])
    expect(logLines(result).at(-1)).toBe(
      'Later steps of this job can use ZENML_STORE_URL and ZENML_STORE_API_TOKEN',
    )
    const later = await runAction({ inputs: { pipeline: 'training' }, env: { ...other, ...result.exported } })
    expectGreen(later, 'completed')
    expectMasked(later, [token])
    expectNoSecret(later, [token])
    expect(scene.requests('POST', /\/login$/)).toHaveLength(1)
  }),
)

test.concurrent('export-env leaves ZENML_STORE_API_KEY alone where none is set', () =>
  withServer({}, async (scene) => {
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, 'export-env': 'true' }
    const result = await runAction({ entry: 'login', inputs })
    expect(Object.keys(result.exported)).toEqual([
      'ZENML_RUN_ACTION_PAIR',
      'ZENML_STORE_API_TOKEN',
      'ZENML_STORE_URL',
    ])
  }),
)

const OTHER_SERVER =
  'ZENML_STORE_URL named another server before, so earlier steps cannot look after their runs at the end; give them the inputs server-url and api-key'
const KEY_OR_INPUTS = /^ZENML_STORE_API_KEY: cannot be combined with ZENML_STORE_API_TOKEN: /
const OTHER_PAIR = /^ZENML_STORE_API_TOKEN: does not belong to ZENML_STORE_URL: /

test.concurrent('a credential of the job, of a step or of login/ never reaches the server of another', () =>
  withServer({}, (scene) =>
    withServer({}, async ({ server: other }) => {
      const inputs = { 'server-url': other.url, 'api-key': other.apiKey, 'export-env': 'true' }
      const login = await runAction({
        entry: 'login',
        inputs,
        env: { ZENML_STORE_URL: scene.server.url },
      })
      expect(annotations('warning', login)).toEqual([OTHER_SERVER])
      const { exported } = login
      const before = other.requests.length
      const { ZENML_STORE_URL, ZENML_STORE_API_KEY } = variablesOf(scene)
      const key = { ...exported, ZENML_STORE_API_KEY }
      const told = async (env: NonNullable<ActionOptions['env']>, entry: Entry = 'main') => {
        const given = entry === 'login' ? {} : { [entry === 'main' ? 'pipeline' : 'run']: 'training' }
        const result = await runAction({ entry, inputs: given, env })
        expectNoSecret(result, [scene.server.apiKey, ...other.issuedTokens])
        expect(result.exitCode).toBe(1)
        return annotations('error', result)
      }

      for (const entry of ['main', 'wait', 'stop', 'login'] as const) {
        expect(await told(key, entry)).toEqual([expect.stringMatching(KEY_OR_INPUTS)])
      }
      expect(await told({ ...exported, ZENML_STORE_URL })).toEqual([expect.stringMatching(OTHER_PAIR)])
      const token = { ...exported, ZENML_STORE_API_TOKEN: 'a-token-of-another-server' }
      expect(await told(token, 'stop')).toEqual([expect.stringMatching(OTHER_PAIR)])
      expect(scene.server.requests).toEqual([])
      expect(other.requests).toHaveLength(before)
    }),
  ),
)

test.concurrent.each([
  ['GITHUB_ENV', '/dev/full', ' (ENOSPC)'],
  ['GITHUB_OUTPUT', '/dev/full', ' (ENOSPC)'],
  ['GITHUB_ENV', '/nowhere/env', ''],
])('when %s is %s, login/ says that the token could not be handed over', (variable, file, code) =>
  withServer({}, async (scene) => {
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, 'export-env': 'true' }
    const result = await runAction({ entry: 'login', inputs, env: { [variable]: file } })

    expect(result.exitCode).toBe(1)
    expect(annotations('error', result)).toEqual([
      `The token could not be passed to later steps: the runner's file for it cannot be written${code}. Check disk space and permissions on the runner`,
    ])
    expect(result.exported).toEqual({})
    expectMasked(result, scene.server.issuedTokens)
  }),
)

test.concurrent('without export-env nothing is exported', () =>
  withServer({}, async (scene) => {
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    expect((await runAction({ entry: 'login', inputs })).exported).toEqual({})
  }),
)

test.concurrent('a key of the variables never reaches the server that an input names', () =>
  withServer({}, async (scene) => {
    const other = await startSimulator()
    const inputs = { 'server-url': other.url, pipeline: 'training' }
    const result = await runAction({ inputs, env: variablesOf(scene) })
    const requests = [...other.requests, ...scene.server.requests]
    await other.close()

    expect(expectRed(result, 'failed')).toMatch(/^api-key: missing/)
    expect(requests).toEqual([])
    expect(result.stdout).not.toContain(scene.server.url)
  }),
)

test.concurrent("a database's address in the variable is refused and not shown", () =>
  withServer({}, async (scene) => {
    const env = { ...variablesOf(scene), ZENML_STORE_URL: 'mysql://zenml:hunter22@db.example.com/zenml' }
    const result = await runAction({ inputs: { pipeline: 'training' }, env })

    expect(expectRed(result, 'failed')).toMatch(/^ZENML_STORE_URL: is not a web address/)
    expect(JSON.stringify(result)).not.toMatch(/hunter22|db\.example/)
  }),
)

test.concurrent(
  "the post step looks after the run, unless a later step's variables name another server",
  () =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      const inputs = { pipeline: 'training', configuration: LONG }
      const running = await startAction({
        inputs,
        env: variablesOf(scene),
        onLine: (line) => {
          if (line.includes(': running')) running.signal('SIGKILL')
        },
      })
      const { state } = await running.done
      const other = await startSimulator()
      const elsewhere = { ZENML_STORE_URL: other.url, ZENML_STORE_API_KEY: other.apiKey }
      const before = scene.server.requests.length
      const refused = await runAction({ entry: 'post', inputs, state, env: elsewhere })
      const requests = [...other.requests, ...scene.server.requests.slice(before)]
      await other.close()
      const stopped = await runAction({ entry: 'post', inputs, state, env: variablesOf(scene) })

      expect(annotations('warning', refused)[0]).toMatch(
        /because the variables \(ZENML_STORE_URL and its key or token\) now name another server: /,
      )
      expect(requests).toEqual([])
      expect(stopped.stdout).toContain('was stopped: http')
      expect(scene.runs).toMatchObject([{ busy: false }])
    }),
)
