import { expect, jest, test } from '@jest/globals'
import { runAction, startAction } from '../../e2e/action.ts'
import { realClock, startPro, type ProSimulator } from '../../simulator/index.ts'
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
async function withWorkspace(work: (scene: Scene, pro: ProSimulator) => Promise<void>): Promise<void> {
  const pro = await startPro({ clock: realClock(20) })
  try {
    await withServer({ pro, orchestrator: 'kubernetes' }, async (scene) => {
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
        /was not looked after, because this step's inputs now name another server: .* it goes on at /,
      ),
    ])
    expect([scene.server.requests.length, pro.requests.length]).toEqual(asked)
  }),
)
