import { expect, jest, test } from '@jest/globals'
import { annotations, expectRed, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

test.concurrent('a wrong key ends the step at once and says what to check', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ 'api-key': 'ZENKEY_d3JvbmcgZm9yIHN1cmU', pipeline: 'training' })

    expect(expectRed(result, 'failed')).toMatch(
      /^Could not log in: .*401.*Check that api-key is the whole key/,
    )
    // Only an old ZenML Pro workspace could be opened in another way; whether it is one is asked without a credential.
    expect(scene.server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/v1/login',
      'GET /api/v1/info',
      'GET /api/v1/info',
    ])
    expect(scene.server.requests[1]?.headers['authorization']).toBeUndefined()
    expect(scene.server.requests[2]?.headers['authorization']).toBeUndefined()
  }),
)

const WRONG_KEY = { 'api-key': 'ZENKEY_d3JvbmcgZm9yIHN1cmU' }
const FOR_SWEEP = { snapshot: 'nightly', matrix: 'train.epochs: [1, 2]' }

test.concurrent.each([
  ['main', { snapshot: 'nightly' }, 'Requested: snapshot `nightly`'],
  ['main', { template: 'nightly', pipeline: 'tr' }, 'Requested: run template `nightly` of the pipeline `tr`'],
  ['main', { pipeline: 'training' }, 'Requested: pipeline `training`'],
  ['sweep', FOR_SWEEP, 'Requested: snapshot `nightly`'],
  ['wait', { run: 'nightly-5' }, 'Requested: run `nightly-5`'],
  ['stop', { run: 'nightly-5' }, 'Requested: run `nightly-5`'],
] as const)('after a failed login in %s, the summary names what was requested: %j', (entry, inputs, named) =>
  withServer({}, async (scene) => {
    const result = await scene.step({ ...WRONG_KEY, ...inputs }, { entry })
    expect(expectRed(result, 'failed')).toContain('Could not log in')
    expect(result.summary).toContain(`\n\n${named}\n\n`)
  }),
)

test.concurrent('wait/ names its run before the server has answered', () =>
  withServer({}, async (scene) => {
    const { stdout } = await scene.step({ ...WRONG_KEY, run: 'nightly-5' }, { entry: 'wait' })
    expect(stdout).toMatch(/^Looking up the run nightly-5\n(::debug.*\n)*::error/m)
  }),
)

test.concurrent('a token that the server does not know ends the step with the advice to use a key', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({
      'api-key': '',
      'access-token': 'bm90LWEtdG9rZW4tb2YtdGhpcy1zZXJ2ZXI',
      pipeline: 'training',
    })

    expect(expectRed(result, 'failed')).toContain("Use api-key with a service account's key instead")
    expect(scene.triggers).toEqual([])
  }),
)

test.concurrent.each([
  ['0.98.0', 'snapshot'],
  ['0.85.0', 'template'],
  ['0.74.0', 'template'],
] as const)('ZenML %s: an unknown %s lists those that there are, the nearest first', (version, kind) =>
  withServer({ version }, async (scene) => {
    const line = expectRed(await scene.step({ [kind]: 'trainig-template' }), 'failed')

    expect(line).toMatch(
      new RegExp(`^${kind}: there is no .*"trainig-template".*Runnable .*s: "training-template", "`),
    )
    expect(scene.triggers).toEqual([])
  }),
)

test.concurrent('a snapshot on a server that has none yet says to use template', () =>
  withServer({ version: '0.85.0' }, async (scene) => {
    const line = expectRed(await scene.step({ snapshot: 'training-template' }), 'failed')

    expect(line).toBe(
      'snapshot: this server is ZenML 0.85.0, which has no snapshots yet; use template instead',
    )
  }),
)

test.concurrent('a server that cannot start runs says what it lacks', () =>
  withServer({ workloadManager: false }, async (scene) => {
    const line = expectRed(await scene.step({ snapshot: 'training-template' }), 'failed')

    expect(line).toContain('This server cannot start runs: it has no workload manager')
    expect(scene.runs).toEqual([])
  }),
)

test.concurrent('a web page at the address is named as what it is', () =>
  withServer({ faults: [{ on: 'login', do: { kind: 'html', status: 404 } }] }, async (scene) => {
    const line = expectRed(await scene.step({ pipeline: 'training' }), 'failed')

    expect(line).toMatch(/^Could not log in: .*a web page.*check server-url/)
    expect(scene.requests('POST', /./)).toHaveLength(1)
  }),
)

test.concurrent('a redirect is not followed, so the key goes nowhere else', () =>
  withServer({}, async (elsewhere) =>
    withServer(
      {
        faults: [{ on: 'login', do: { kind: 'redirect', location: `${elsewhere.server.url}/api/v1/login` } }],
      },
      async (scene) => {
        const line = expectRed(await scene.step({ pipeline: 'training' }), 'failed')

        expect(line).toContain(`a redirect to ${elsewhere.server.url}/api/v1/login`)
        expect(elsewhere.server.requests).toEqual([])
      },
    ),
  ),
)

test.concurrent('plain http to another machine is refused before anything is sent', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({ 'server-url': 'http://zenml.example.com', pipeline: 'training' })

    expect(expectRed(result, 'failed')).toBe(
      'server-url: http:// would send the credential unencrypted; use https://, or set allow-insecure-http: true',
    )
  }),
)

test.concurrent('all faults of the inputs are told at once, and no request is sent', () =>
  withServer({}, async (scene) => {
    const result = await scene.step({
      'api-key': '',
      snapshto: 'training-template',
      'configuration-file': 'missing.yaml',
      tags: 'nightly,,gpu',
      wait: 'maybe',
      timeout: '5',
    })

    expect(result.exitCode).toBe(1)
    expect(annotations('error', result).map((line) => line.split(':')[0])).toEqual([
      '"snapshto"',
      'api-key',
      'snapshot',
      'configuration-file',
      'tags',
      'wait',
      'timeout',
    ])
    expect(result.outputs['error']).toBe(annotations('error', result).join('\n'))
    expect(result.outputs['conclusion']).toBe('failed')
    expect(scene.server.requests).toEqual([])
  }),
)

test.concurrent("a fork's pull request without secrets is told how to skip the step", () =>
  withServer({}, async (scene) => {
    const repo = (name: string): object => ({ repo: { full_name: name } })
    const result = await scene.step(
      { 'api-key': '', pipeline: 'training' },
      {
        env: { GITHUB_EVENT_NAME: 'pull_request' },
        event: { pull_request: { head: repo('octo-cat/example'), base: repo('octo-org/example') } },
      },
    )

    expect(expectRed(result, 'failed')).toMatch(/secrets are not passed to workflows of forks; skip the step/)
    expect(scene.server.requests).toEqual([])
  }),
)

test.concurrent('a refusal after the server made the run does not say that none was started', () => {
  const body = JSON.stringify({
    detail: ['IllegalOperationError', "Insufficient permissions to CREATE resource 'x:model_version'."],
  })
  const refused = { on: 'trigger', do: { kind: 'answer', status: 403, body, work: true } } as const
  return withServer({ startupSeconds: 3_600, faults: [refused] }, async (scene) => {
    const result = await scene.step({ pipeline: 'training' })

    expect(expectRed(result, 'failed')).toMatch(
      /The server had created the run anyway\. The run ".*" was stopped/,
    )
    expect(result.stdout).toContain('::error title=ZenML run failed::')
    expect(scene.server.runs.map(({ status }) => status)).toEqual(['failed'])
  })
})
