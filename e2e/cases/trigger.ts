import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ActionOptions, ActionResult } from '../action.ts'
import { gatewayError, startFaultProxy, type Fault } from '../faults.ts'
import { withPreload } from '../preload.ts'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'
import { since } from '../target.ts'

/** Such servers give up on a slow request, and know a second one of the same key. */
const hasIdempotency = since('0.84')

const showsHandOver = since('0.96')

const INPUTS = { template: 'training-template', configuration: quick() }

/** Triggers are held for 5 seconds; servers that have a limit (0.85 and newer) give up on a request after 2. */
const SLOW = { E2E_SLOW_TRIGGER: '5', ZENML_SERVER_REQUEST_TIMEOUT: '2' }

async function slowTrigger(scene: Scene): Promise<void> {
  const result = await scene.action(INPUTS)
  const run = await scene.onlyRun(result)
  expectStep(result, { exitCode: 0, outputs: { 'run-id': run.id, conclusion: 'completed' } })
  if (!hasIdempotency(scene.server.target)) return
  assert.match(await scene.server.log(), /"POST [^"]*\/runs HTTP\/1\.1" 429/)
}

/** Starts the action, kills the server as soon as it holds the trigger at `hold`, and starts it again. */
async function killInTrigger(
  scene: Scene,
  hold: string,
  inputs: Readonly<Record<string, string>>,
): Promise<ActionResult> {
  const { server } = scene
  const written = (await server.log()).length
  const running = await scene.start({ ...INPUTS, ...inputs })
  await server.logged(`e2e hold ${hold}`, written)
  await sleep(500)
  await server.kill()
  await sleep(3_000)
  await server.restart({ ...server.environment, E2E_SLOW_TRIGGER: undefined, E2E_SLOW_ANSWER: undefined })
  return running.done
}

async function killedBeforeTheRunWasMade(scene: Scene): Promise<void> {
  const result = await killInTrigger(scene, 'E2E_SLOW_TRIGGER', {})
  const run = await scene.onlyRun(result)
  expectStep(result, { exitCode: 0, outputs: { 'run-id': run.id, conclusion: 'completed' } })
}

/** The run is there, but what should have executed it died with the server: it can only be watched in vain. */
async function killedAfterTheRunWasMade(scene: Scene): Promise<void> {
  const result = await killInTrigger(scene, 'E2E_SLOW_ANSWER', { timeout: '10s' })
  const run = await scene.onlyRun(result)
  expectStep(result, { exitCode: 1, outputs: { 'run-id': run.id, conclusion: 'timed-out' }, log: [run.name] })
}

/** From 0.96 on the run shows that it was never handed over: after three minutes it is ended, and another one started. */
async function killedBeforeTheHandOver(scene: Scene): Promise<void> {
  const result = await killInTrigger(scene, 'E2E_SLOW_ANSWER', {})
  const runs = await scene.newRuns()
  const run = runs.find(({ id }) => id === result.outputs['run-id'])
  assert.deepEqual(runs.map(({ status }) => status).sort(), ['completed', 'failed'])
  assert.equal(run?.status, 'completed')
  expectStep(result, {
    exitCode: 0,
    outputs: { conclusion: 'completed' },
    log: [/The server never began the run/],
  })
}

function throughFault(
  fault: Fault,
  inputs: ActionOptions['inputs'] = {},
  options: Omit<ActionOptions, 'inputs'> = {},
): Case['run'] {
  return async (scene) => {
    const rule = { method: 'POST', path: /\/runs$/, occurrence: 1, fault }
    const proxy = await startFaultProxy(scene.server.url, [rule])
    try {
      const result = await scene.action(
        { ...INPUTS, ...inputs, 'server-url': proxy.url, wait: 'false' },
        options,
      )
      const run = await scene.onlyRun(result)
      expectStep(result, { exitCode: 0, outputs: { 'run-id': run.id, conclusion: 'started' } })

      const sent = proxy.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/runs'))
      assert.equal(sent[0]?.fault, fault, 'the fault was not met')
      assert.equal(new Set(sent.map(({ body }) => body)).size, 1, 'the body changed between two sends')
    } finally {
      await proxy.close()
    }
  }
}

/** The runner's clock is ten minutes ahead, and the name is not made of random digits. */
async function clockAhead(scene: Scene): Promise<void> {
  const inputs = { 'run-name': `nightly-${Date.now()}` }
  await withPreload('const { now } = Date; Date.now = () => now() + 600_000', async (env) => {
    await throughFault({ kind: 'reset-after' }, inputs, { env })(scene)
  })
}

/** The first sending does not arrive, and another step of the same template takes the name before the second one. */
async function nameTakenByAnother(scene: Scene): Promise<void> {
  const instead = (body: string): string => {
    const changed = body.replace(/("start":")[^"]*/, '$1another')
    assert.notEqual(changed, body, 'the request has no mark')
    return changed
  }
  const rule = {
    method: 'POST',
    path: /\/runs$/,
    occurrence: 1,
    fault: { kind: 'another-first', instead },
  } as const
  const proxy = await startFaultProxy(scene.server.url, [rule])
  try {
    const name = `nightly-${Date.now()}`
    const result = await scene.action({ ...INPUTS, 'server-url': proxy.url, 'run-name': name })
    expectStep(result, {
      exitCode: 1,
      outputs: { conclusion: 'failed' },
      log: [/already exists/],
    })
    const post = await scene.action({ 'server-url': proxy.url }, { entry: 'post', state: result.state })
    assert.equal(post.exitCode, 0, post.stdout)
    const asked = proxy.requests.filter(({ path }) => path.includes('stop'))
    assert.deepEqual(asked, [], "another step's run was stopped")
    const [run] = await scene.newRuns()
    assert.notEqual(run?.status, 'stopped')
  } finally {
    await proxy.close()
  }
}

/** One slot, kept for 8 seconds by each run: the second step waits for it, and says so. */
async function noFreeSlot(scene: Scene): Promise<void> {
  const results = await Promise.all(
    ['0', '1'].map((index) => scene.action(INPUTS, { contexts: { 'strategy.job-index': index } })),
  )
  for (const result of results) expectStep(result, { exitCode: 0, outputs: { conclusion: 'completed' } })
  assert.equal(new Set(results.map(({ outputs }) => outputs['run-id'])).size, 2)
  assert.ok(
    results.some(({ stdout }) => /slot/i.test(stdout)),
    `neither log speaks of a free slot\n${results[1]?.stdout}`,
  )
}

export const TRIGGER: readonly Case[] = [
  { name: 'connection reset before the trigger', runs: 1, run: throughFault({ kind: 'reset-before' }) },
  { name: 'answer to the trigger lost', runs: 1, run: throughFault({ kind: 'reset-after' }) },
  { name: 'answer to the trigger cut', runs: 1, run: throughFault({ kind: 'cut-body' }) },
  { name: 'gateway error, run made', runs: 1, run: throughFault(gatewayError(504, true)) },
  { name: 'refusal of a gateway, run made', runs: 1, run: throughFault(gatewayError(403, true)) },
  { name: 'answer to the trigger lost, run-name, a clock that is ahead', runs: 1, run: clockAhead },
  { name: 'answer to the trigger lost, run-name taken by another step', runs: 1, run: nameTakenByAnother },
  { name: 'gateway error, no run made', runs: 1, run: throughFault(gatewayError(502, false)) },
  {
    name: 'slow trigger, 2-second server limit',
    environment: SLOW,
    runs: 1,
    settle: 6_000,
    run: slowTrigger,
  },
  {
    name: 'server killed in mid-trigger and restarted',
    environment: SLOW,
    runs: 1,
    settle: 6_000,
    run: killedBeforeTheRunWasMade,
  },
  {
    name: 'server killed after the run was made and restarted, tokens lost',
    where: (target) => !showsHandOver(target),
    environment: { E2E_SLOW_ANSWER: '5', ZENML_SERVER_JWT_SECRET_KEY: undefined },
    runs: 1,
    settle: 6_000,
    run: killedAfterTheRunWasMade,
  },
  {
    name: 'server killed before it handed the run over, and restarted, tokens lost',
    where: showsHandOver,
    slow: true,
    environment: { E2E_SLOW_ANSWER: '5', ZENML_SERVER_JWT_SECRET_KEY: undefined },
    runs: 2,
    settle: 6_000,
    run: killedBeforeTheHandOver,
  },
  {
    name: 'no free slot',
    where: hasIdempotency,
    environment: {
      E2E_SLOW_BUILD: '8',
      ZENML_SERVER_MAX_CONCURRENT_SNAPSHOT_RUNS: '1',
      ZENML_SERVER_MAX_CONCURRENT_TEMPLATE_RUNS: '1',
    },
    runs: 2,
    settle: 2_000,
    run: noFreeSlot,
  },
]
