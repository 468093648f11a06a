import assert from 'node:assert/strict'
import type { Hooks } from '../control-plane.ts'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'
import { both, isAtLeast, isPro, type Condition } from '../target.ts'

const INPUTS = { template: 'training-template', configuration: quick() }

/** Such servers do not take an organization's key, only the control plane's token for it. */
const needsExchange: Condition = (target) => !isAtLeast(target, '0.92')

/** The workspace is named instead of its server. */
function byWorkspace({ server }: Scene): Readonly<Record<string, string>> {
  return { 'server-url': '', workspace: server.fact('workspace'), 'pro-api-url': server.controlPlane.url }
}

async function completes(scene: Scene, inputs: Readonly<Record<string, string>>): Promise<void> {
  const result = await scene.action({ ...INPUTS, ...inputs })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: { 'run-id': run.id, status: 'completed', conclusion: 'completed' },
  })
}

async function workspaceAndKey(scene: Scene): Promise<void> {
  await completes(scene, byWorkspace(scene))
}

async function workspaceAndClient(scene: Scene): Promise<void> {
  const { server } = scene
  await completes(scene, {
    ...byWorkspace(scene),
    'api-key': '',
    'client-id': server.fact('client-id'),
    'client-secret': server.fact('client-secret'),
  })
}

async function workspaceOfTenants(scene: Scene): Promise<void> {
  await scene.server.controlPlane.set({ tenants: true })
  await completes(scene, byWorkspace(scene))
}

async function workspaceById(scene: Scene): Promise<void> {
  const result = await scene.action({
    ...byWorkspace(scene),
    workspace: 'e2f',
    template: 'training-template',
  })
  expectStep(result, { exitCode: 1, log: [/^::error .*workspace: .*"e2f".*"e2e"/m] })
}

/** The address that /info names is an answer without a login: it does not decide where a key goes. */
async function serverAloneBeforeExchange(scene: Scene): Promise<void> {
  const result = await scene.action({ ...INPUTS, 'pro-api-url': 'https://cloudapi.zenml.io' })
  expectStep(result, { exitCode: 1, log: [/^::error .*pro-api-url/m] })
  const { logins } = await scene.server.controlPlane.seen()
  assert.equal(logins['ci'] ?? 0, 0, 'the key was sent to an address that nobody had named')
}

/** The same login opens the server, and the workspace's token is good for as long as it says. */
async function login(scene: Scene): Promise<void> {
  const { stdout, outputs } = await scene.login(byWorkspace(scene))
  const token = outputs['access-token'] ?? ''
  assert.ok(token !== '' && stdout.includes(`::add-mask::${token}`), 'the token is not masked')
  const minutes = (Date.parse(outputs['expires-at'] ?? '') - Date.now()) / 60_000
  assert.ok(minutes > 50 && minutes < 61, `expires-at is ${outputs['expires-at']}`)
  const result = await scene.action({
    ...INPUTS,
    'pro-api-url': '',
    'api-key': '',
    'access-token': token,
    wait: 'false',
  })
  expectStep(result, { exitCode: 0, outputs: { conclusion: 'started' } })
}

/** The control plane fails for a moment, which the server calls 401; the key is good all the same. */
function hiccup(broken: NonNullable<Hooks['broken']>): (scene: Scene) => Promise<void> {
  return async (scene) => {
    await scene.server.controlPlane.set({ broken })
    await completes(scene, {})
  }
}

async function refused(scene: Scene): Promise<void> {
  await scene.server.controlPlane.set({ broken: { authorize: Array.from({ length: 50 }, () => 403) } })
  const result = await scene.action(INPUTS)
  expectStep(result, { exitCode: 1, log: [/^::error .*Not authorized to access this server/m] })
  assert.ok(result.ms < 20_000, `it went on for ${Math.round(result.ms)} ms`)
}

async function subscription(scene: Scene): Promise<void> {
  await scene.server.controlPlane.set({ entitlement: 402 })
  const result = await scene.action(INPUTS)
  expectStep(result, { exitCode: 1, log: [/^::error .*(?:402|subscription)/im] })
}

/** Three tokens of a minute each end in the middle of the wait; two of the renewals fail at first. */
async function longWait(scene: Scene): Promise<void> {
  const { controlPlane } = scene.server
  let breaking: Promise<void> | undefined
  const running = await scene.start(
    { ...INPUTS, configuration: quick({ seconds: 210 }), 'poll-interval': '5s' },
    {
      onLine: (line) => {
        // The first login is over. The renewals: a 503 and then well, a closed connection and then well, well.
        if (line.endsWith(': running'))
          breaking ??= controlPlane.set({ broken: { authorize: [503, 200, 0, 200] } })
      },
    },
  )
  const result = await running.done
  await breaking
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 0,
    outputs: { 'run-id': run.id, status: 'completed', conclusion: 'completed', metadata: /"accuracy":0\.9/ },
  })
  assert.ok(breaking !== undefined, 'the run was never seen running')
  const { authorized, requests } = await controlPlane.seen()
  const logins = authorized['ci'] ?? 0
  assert.ok(logins >= 4, `${logins} logins, not one and three renewals`)
  const asked = requests.filter((request) => request.includes('/users/authorize_server')).length
  assert.equal(asked - logins, 2, 'two renewals were to fail at first')
}

export const PRO: readonly Case[] = [
  { name: 'pro: workspace and api-key', where: isPro, runs: 1, run: workspaceAndKey },
  { name: 'pro: workspace and client-id', where: isPro, runs: 1, run: workspaceAndClient },
  { name: 'pro: an old control plane, with tenants', where: isPro, runs: 1, run: workspaceOfTenants },
  { name: 'pro: a workspace that does not exist', where: isPro, runs: 0, run: workspaceById },
  {
    name: 'pro: a key is not sent to an address that only the server names',
    where: both(isPro, needsExchange),
    runs: 0,
    run: serverAloneBeforeExchange,
  },
  { name: 'pro: login/ by workspace', where: isPro, runs: 1, run: login },
  { name: 'pro: the first login meets a 503', where: isPro, runs: 1, run: hiccup({ authorize: [503] }) },
  {
    name: 'pro: the first login meets a closed connection',
    where: isPro,
    runs: 1,
    run: hiccup({ authorize: [0], login: [503] }),
  },
  { name: 'pro: the account is refused', where: isPro, runs: 0, run: refused },
  { name: "pro: the subscription's limit", where: isPro, runs: 0, run: subscription },
  {
    name: 'pro: a wait over three renewals, two of which fail at first',
    where: isPro,
    slow: true,
    environment: { ZENML_SERVER_JWT_TOKEN_EXPIRE_MINUTES: '1' },
    runs: 1,
    run: longWait,
  },
]
