import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCancelledWorkflow } from '../act.ts'
import type { ActionResult, RunningAction } from '../action.ts'
import { startFaultProxy } from '../faults.ts'
import { lastLines } from '../processes.ts'
import { expectStep, quick, type Case, type Scene } from '../scene.ts'
import { isAtLeast, since } from '../target.ts'
import type { SeenRun } from '../view.ts'

const LONG = { template: 'training-template', configuration: quick({ seconds: 30 }) }

const ENDED = ['completed', 'failed', 'stopped']

/** Steps of a stopped run end at their next heartbeat; until then ZenML calls it stopping. */
const PATIENCE_MS = 45_000

/** The runner sends its second signal after 7.5 seconds. */
const CANCEL_LIMIT_MS = 7_500

const STARTED = /^Started: /
const RUNNING = /: running$/

/** Starts the long run, and does `deed` as soon as a line of the log fits. */
async function interrupt(
  scene: Scene,
  line: RegExp,
  deed: (running: RunningAction) => void,
): Promise<{ result: ActionResult; tookMs: number }> {
  let at = 0
  const running: RunningAction = await scene.start(LONG, {
    onLine: (printed) => {
      if (at > 0 || !line.test(printed)) return
      at = performance.now()
      deed(running)
    },
  })
  const result = await running.done
  assert.ok(at > 0, `no line of the log fits ${String(line)}\n${lastLines(result.stdout, 25)}`)
  return { result, tookMs: performance.now() - at }
}

/** What the runner does after main, with what main saved. */
async function post(scene: Scene, { state }: ActionResult): Promise<ActionResult> {
  return scene.action({}, { entry: 'post', state })
}

/** The run has ended and nothing of it runs, or the last of the steps' lines says that it goes on and why. */
async function accountedFor(scene: Scene, run: SeenRun, text: string): Promise<'ended' | 'said to go on'> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const status = await scene.view.status(run.id)
    const unfinished = (await scene.view.steps(run.id)).filter((step) => !ENDED.includes(step.status))
    if (ENDED.includes(status) && unfinished.length === 0) return 'ended'
    if (text.includes(run.name) && /(keeps|still be) running.* It could not be stopped: /s.test(text))
      return 'said to go on'
    assert.ok(Date.now() < until, `the run is ${status}, and nobody says so\n${lastLines(text, 30)}`)
    await sleep(1_000)
  }
}

/** What becomes of a running run on the local orchestrator: only where the server notes first that it is stopping. */
function wantedEnd({ server }: Scene): 'ended' | 'said to go on' {
  return isAtLeast(server.target, '0.94') ? 'ended' : 'said to go on'
}

async function cancelWhileRunning(scene: Scene): Promise<void> {
  const { result, tookMs } = await interrupt(scene, RUNNING, (running) => {
    running.signal('SIGINT')
  })
  expectStep(result, { exitCode: 1, outputs: { conclusion: 'cancelled' }, log: [/Cancelled\. The run /] })
  assert.ok(tookMs < CANCEL_LIMIT_MS, `took ${Math.round(tookMs)} ms`)
  const after = await post(scene, result)
  const run = await scene.onlyRun(result)
  assert.equal(await accountedFor(scene, run, result.stdout + after.stdout), wantedEnd(scene))
}

async function cancelWhileInitializing(scene: Scene): Promise<void> {
  const { result, tookMs } = await interrupt(scene, STARTED, (running) => {
    running.signal('SIGINT')
  })
  expectStep(result, {
    exitCode: 1,
    outputs: { conclusion: 'cancelled' },
    log: [/was stopped and is now failed/],
  })
  assert.ok(tookMs < CANCEL_LIMIT_MS, `took ${Math.round(tookMs)} ms`)
  const after = await post(scene, result)
  assert.equal(after.stdout, '', 'the post step has nothing left to say')
  await sleep(15_000)
  const run = await scene.onlyRun(result)
  assert.equal(run.status, 'failed')
  assert.deepEqual(await scene.view.steps(run.id), [], 'a step started all the same')
}

/** The server holds the trigger for five seconds; the run comes into being after the step was cancelled. */
async function cancelDuringTrigger(scene: Scene): Promise<void> {
  const { result, tookMs } = await interrupt(scene, /^Starting the run /, (running) => {
    setTimeout(() => {
      running.signal('SIGINT')
    }, 1_500)
  })
  expectStep(result, { exitCode: 1, outputs: { conclusion: 'cancelled' } })
  assert.ok(tookMs < CANCEL_LIMIT_MS + 1_500, `took ${Math.round(tookMs)} ms`)
  const after = await post(scene, result)
  const run = await scene.onlyRun(result)
  // It is found when it may be about to begin: ended before that, stopped after it, or said to go on.
  const end = await accountedFor(scene, run, result.stdout + after.stdout)
  const [status, steps] = [await scene.view.status(run.id), await scene.view.steps(run.id)]
  assert.notEqual(status, 'completed')
  if (end === 'ended' && status === 'failed') assert.deepEqual(steps, [], 'a step started all the same')
}

async function killThenPost(scene: Scene): Promise<void> {
  const { result } = await interrupt(scene, RUNNING, (running) => {
    running.signal('SIGKILL')
  })
  assert.equal(result.signal, 'SIGKILL')
  const run = await scene.onlyRun(result)
  assert.equal(result.outputs['run-id'], run.id)
  const after = await post(scene, result)
  assert.equal(await accountedFor(scene, run, after.stdout), wantedEnd(scene))
}

/** Killed after the request was sent and before its answer came: only the name is known. */
async function killInTriggerThenPost(scene: Scene): Promise<void> {
  const proxy = await startFaultProxy(scene.server.url, [
    { method: 'POST', path: /\/runs$/, fault: { kind: 'hold', forward: true } },
  ])
  try {
    const running = await scene.start({ ...LONG, 'server-url': proxy.url })
    while (!proxy.requests.some(({ fault }) => fault !== undefined)) await sleep(50)
    while ((await scene.newRuns()).length === 0) await sleep(200)
    running.signal('SIGKILL')
    const result = await running.done
    const after = await scene.action({ 'server-url': proxy.url }, { entry: 'post', state: result.state })
    const run = await scene.onlyRun(result)
    // The run may have begun by now, and not every orchestrator can stop it then.
    const end = await accountedFor(scene, run, after.stdout)
    assert.ok(end === 'ended' || end === wantedEnd(scene), end)
  } finally {
    await proxy.close()
  }
}

async function timeout(scene: Scene): Promise<void> {
  const result = await scene.action({ ...LONG, timeout: '12s' })
  const run = await scene.onlyRun(result)
  expectStep(result, {
    exitCode: 1,
    outputs: { 'run-id': run.id, conclusion: 'timed-out' },
    log: [/did not finish within the timeout of 12s\. The run /],
  })
  // On a busy machine it has not begun by then, and can be ended on every server.
  const end = await accountedFor(scene, run, result.stdout)
  assert.ok(end === 'ended' || end === wantedEnd(scene), end)
}

/** act kills the step at once, and then runs its post step: no signal ever reaches main. */
async function cancelledWorkflow(scene: Scene): Promise<void> {
  const log = await runCancelledWorkflow('cancelled.yml', scene.server, RUNNING)
  const [run] = await scene.newRuns()
  assert.ok(run !== undefined, `no run\n${lastLines(log, 40)}`)
  assert.match(log, /Post .*|The run "/)
  assert.equal(await accountedFor(scene, run, log), wantedEnd(scene))
}

export const STOPPING: readonly Case[] = [
  { name: 'cancelled while running', core: true, runs: 1, run: cancelWhileRunning },
  { name: 'cancelled while initializing', runs: 1, run: cancelWhileInitializing },
  { name: 'timeout, on-timeout: stop', runs: 1, run: timeout },
  { name: 'killed while running, then post', core: true, runs: 1, run: killThenPost },
  { name: 'killed before the answer to the trigger, then post', runs: 1, run: killInTriggerThenPost },
  { name: 'workflow: cancelled in mid-run', where: since('0.98'), runs: 1, run: cancelledWorkflow },
  {
    name: 'cancelled during the trigger',
    environment: { E2E_SLOW_TRIGGER: '5' },
    runs: 1,
    settle: 6_000,
    run: cancelDuringTrigger,
  },
]
