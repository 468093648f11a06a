import { expect, jest, test } from '@jest/globals'
import { runAction, startAction } from '../../e2e/action.ts'
import { realClock, startPro, type ProSimulator, type SimulatorOptions } from '../../simulator/index.ts'
import { expectMasked, expectNoSecret } from './secrecy.ts'
import {
  annotations,
  expectGreen,
  expectRed,
  logLines,
  PATIENCE_MS,
  withServer,
  type Scene,
} from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/** A workspace named research, in a Pro of a test's own. */
async function withWorkspace(
  work: (scene: Scene, pro: ProSimulator) => Promise<void>,
  options: SimulatorOptions = {},
): Promise<void> {
  const pro = await startPro({ clock: realClock(20) })
  try {
    await withServer({ pro, orchestrator: 'kubernetes', ...options }, async (scene) => {
      pro.add({ name: 'research', organization: 'Lab', serverUrl: scene.server.url })
      await work(scene, pro)
    })
  } finally {
    await pro.close()
  }
}

function inputs(pro: ProSimulator, more: Readonly<Record<string, string>>): Record<string, string> {
  return { 'server-url': '', 'api-key': '', workspace: 'research', 'pro-api-url': pro.url, ...more }
}

test.concurrent('with a key, a workspace is found by its name and the run is started there', () =>
  withWorkspace(async (scene, pro) => {
    const result = await scene.step(inputs(pro, { 'api-key': pro.apiKey, pipeline: 'training' }))

    expectGreen(result, 'completed')
    expect(logLines(result).join('\n')).toContain(
      `Workspace "research" of organization "Lab" is at ${scene.server.url}`,
    )
    expect(pro.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /auth/login',
      'GET /workspaces?workspace_name=research&offset=0&limit=20',
    ])
    // The workspace itself never sees the key, so this works on every version.
    expect(scene.requests('POST', /\/login$/)).toMatchObject([{ body: 'grant_type=zenml-external' }])
    expect(JSON.stringify(scene.server.requests)).not.toContain(pro.apiKey)
    expectMasked(result, [pro.apiKey, ...pro.issuedTokens, ...scene.server.issuedTokens])
    expectNoSecret(result, [pro.apiKey, ...pro.issuedTokens])
  }),
)

test.concurrent('with client-id and client-secret the workspace sees only tokens', () =>
  withWorkspace(async (scene, pro) => {
    const { clientId, clientSecret } = pro
    const result = await scene.step(
      inputs(pro, { 'client-id': clientId, 'client-secret': clientSecret, pipeline: 'training' }),
    )

    expectGreen(result, 'completed')
    expect(JSON.stringify(scene.server.requests)).not.toContain(clientSecret)
    expectMasked(result, [clientSecret, ...pro.issuedTokens, ...scene.server.issuedTokens])
    expectNoSecret(result, [clientSecret, ...pro.issuedTokens])
  }),
)

test.concurrent('a workspace that is not available ends the step before its server is asked', () =>
  withWorkspace(async (scene, pro) => {
    pro.add({ name: 'asleep', status: 'deactivated', serverUrl: scene.server.url })
    const result = await scene.step(
      inputs(pro, { 'api-key': pro.apiKey, workspace: 'asleep', pipeline: 'training' }),
    )

    expect(expectRed(result, 'failed')).toBe(
      'workspace: "asleep" is not available ("deactivated"): it was deactivated; activate it in the dashboard',
    )
    expect(scene.server.requests).toEqual([])
  }),
)

test.concurrent('login/ hands over a token of the workspace, not of the management API', () =>
  withWorkspace(async ({ server }, pro) => {
    const given = { workspace: 'research', 'pro-api-url': pro.url, 'api-key': pro.apiKey }
    const result = await runAction({ entry: 'login', inputs: given })

    expect(annotations('error', result)).toEqual([])
    expect(result.outputs['access-token']).toBe(server.issuedTokens[0])
    expectMasked(result, [pro.apiKey, ...pro.issuedTokens, ...server.issuedTokens])
  }),
)

/** What a step leaves that was killed while its run went on. */
async function killed(pro: ProSimulator): Promise<Readonly<Record<string, string>>> {
  const running = await startAction({
    inputs: inputs(pro, {
      'api-key': pro.apiKey,
      pipeline: 'training',
      configuration: 'steps: {train: {parameters: {seconds: 36000}}}',
      'poll-interval': '1s',
    }),
    onLine: (line) => {
      if (line.startsWith('Started')) running.signal('SIGKILL')
    },
  })
  return (await running.done).state
}

test.concurrent('the post step of a killed step stops the run where it was started', () =>
  withWorkspace(async (scene, pro) => {
    const state = await killed(pro)
    const asked = pro.requests.length
    const result = await runAction({
      entry: 'post',
      state,
      inputs: inputs(pro, { 'api-key': pro.apiKey, pipeline: 'training' }),
    })

    expect(result.exitCode).toBe(0)
    expect(scene.runs).toMatchObject([{ busy: false }])
    // It knows where the workspace's server is, and only logs in.
    expect(pro.requests.slice(asked).map(({ path }) => path)).toEqual(['/auth/login'])
    expectNoSecret(result, [pro.apiKey])
  }),
)

test.concurrent('a post step whose inputs name another workspace sends its credential nowhere', () =>
  withWorkspace(async (scene, pro) => {
    const state = await killed(pro)
    const asked = [scene.server.requests.length, pro.requests.length]
    const result = await runAction({
      entry: 'post',
      state,
      inputs: inputs(pro, { 'api-key': pro.apiKey, workspace: 'production', pipeline: 'training' }),
    })

    expect(annotations('warning', result)).toEqual([
      expect.stringMatching(
        /was not checked, because this step's inputs now name another server: .* it may still be running at /,
      ),
    ])
    expect([scene.server.requests.length, pro.requests.length]).toEqual(asked)
    // Of the run's state nothing is known, so nothing is said.
    expect(result.summary).toContain('### 🚫 ZenML run: cancelled')
    expect(result.summary).not.toContain('in ZenML')
  }),
)

const OLD = { version: '0.85.0' } as const

test.concurrent(
  'a workspace before 0.92 is opened by its address too, through the management API of pro-api-url',
  () =>
    withWorkspace(async (scene, pro) => {
      const result = await scene.step({
        'api-key': pro.apiKey,
        'pro-api-url': `${pro.url}/`,
        pipeline: 'training',
        'poll-interval': '1s',
        expect: 'train.accuracy >= 0.9',
      })

      expectGreen(result, 'completed')
      expect(pro.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /auth/login'])
      expect(scene.requests('POST', /\/login$/).map(({ body }) => body)).toEqual([
        new URLSearchParams({ password: pro.apiKey }).toString(),
        'grant_type=zenml-external',
      ])
      expectMasked(result, [pro.apiKey, ...pro.issuedTokens, ...scene.server.issuedTokens])
    }, OLD),
)

test.concurrent('an address that only the workspace names gets no key: one line says what to set', () =>
  withWorkspace(async (scene, pro) => {
    const result = await scene.step({ 'api-key': pro.apiKey, pipeline: 'training' })

    expect(expectRed(result, 'failed')).toBe(
      `api-key: a ZenML Pro workspace before 0.92 cannot check an organization's key itself. Set pro-api-url to your ZenML Pro management API (the workspace reports ${pro.url}), so that the action logs in there, or upgrade the workspace`,
    )
    expect(pro.requests).toEqual([])
    expect(scene.triggers).toEqual([])
  }, OLD),
)

test.concurrent('from 0.92 on, a key that the workspace refuses goes nowhere else', () =>
  withWorkspace(async (scene, pro) => {
    const result = await scene.step({
      'api-key': 'ZENPROKEY_bm90IGEga2V5IG9mIHRoaXM',
      'pro-api-url': pro.url,
      pipeline: 'training',
    })

    expect(expectRed(result, 'failed')).toMatch(
      /^Could not log in: .*401.*Check that api-key is the whole key/,
    )
    expect(pro.requests).toEqual([])
  }),
)

test.concurrent('a control plane that fails at the login is asked again, and the run is started once', () =>
  withWorkspace(async (scene, pro) => {
    pro.fail('authorize', 503)
    pro.fail('authorize', 'closed')
    const result = await scene.step({ 'api-key': pro.apiKey, pipeline: 'training', 'poll-interval': '1s' })

    expectGreen(result, 'completed')
    expect(scene.triggers).toHaveLength(1)
    expect(logLines(result).join('\n')).toContain('ZenML Pro could not confirm the account')
  }),
)

test.concurrent('a control plane that fails while tokens are renewed in mid-wait loses no run', () =>
  withWorkspace(
    async (scene, pro) => {
      let renewals = 0
      const running = await startAction({
        inputs: {
          'server-url': scene.server.url,
          'api-key': pro.apiKey,
          pipeline: 'training',
          parameters: 'train.seconds: 100',
          'poll-interval': '1s',
        },
        onLine: (line) => {
          if (/^ +0:0\d {2}running/.test(line)) pro.fail('authorize', 503)
          if (line.startsWith('::add-mask::') && ++renewals === 3) pro.fail('authorize', 'closed')
        },
      })
      const result = await running.done

      expectGreen(result, 'completed')
      expect(scene.triggers).toHaveLength(1)
      expect(scene.server.issuedTokens.length).toBeGreaterThanOrEqual(3)
      // Both failures were met.
      expect(pro.failure('authorize')).toBeUndefined()
      expectNoSecret(result, [pro.apiKey, ...scene.server.issuedTokens])
    },
    { tokenLifetime: 30 },
  ),
)

test.concurrent('a post step that meets a control plane that fails stops the run all the same', () =>
  withWorkspace(async (scene, pro) => {
    const state = await killed(pro)
    pro.fail('authorize', 503)
    const result = await runAction({
      entry: 'post',
      state,
      inputs: inputs(pro, { 'api-key': pro.apiKey, pipeline: 'training' }),
    })

    expect(result.exitCode).toBe(0)
    expect(scene.runs).toMatchObject([{ status: 'stopped', busy: false }])
  }),
)
