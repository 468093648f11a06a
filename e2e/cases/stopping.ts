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

/** Pipelines that call others; their steps are parts of one process, which a stop does not end (seen). */
const hasChildRuns = since('0.98')

const SECONDS = 15

/** A run of a pipeline that calls another one, and the called one's run, whose second of three steps has begun. */
interface Family {
  readonly runId: string
  readonly childId: string
}

async function childTrains(scene: Scene, runId: string): Promise<Family> {
  const until = Date.now() + 2 * PATIENCE_MS
  for (;;) {
    const child = (await scene.newRuns()).find(({ id }) => id !== runId)
    const steps = child === undefined ? [] : await scene.view.steps(child.id)
    if (child !== undefined && steps.some(({ name }) => name === 'train')) return { runId, childId: child.id }
    assert.ok(Date.now() < until, 'no child run trains')
    await sleep(300)
  }
}

async function startParent(scene: Scene, snapshot = 'parent', parameters: object = {}): Promise<string> {
  const inputs = {
    snapshot: `${snapshot}-template`,
    parameters: JSON.stringify({ seconds: SECONDS, ...parameters }),
  }
  const { outputs } = await scene.action({ ...inputs, wait: 'false' })
  return outputs['run-id'] ?? ''
}

/** Nothing of the two goes on now, and the child run was cut short. */
async function expectStopped(scene: Scene, { runId, childId }: Family, after: ActionResult): Promise<void> {
  const seen = [await scene.view.status(runId), await scene.view.status(childId)]
  assert.deepEqual(seen, ['stopped', 'stopped'], lastLines(after.stdout, 25))
  const steps = await scene.view.steps(childId)
  assert.ok(
    steps.every(({ name, status }) => name !== 'report' && ENDED.includes(status)),
    JSON.stringify(steps),
  )
}

/** Does `deed` to a step whose run's child run trains, and then runs its post step. */
async function interruptParent(scene: Scene, deed: 'SIGINT' | 'SIGKILL'): Promise<void> {
  const running = await scene.start({
    snapshot: 'parent-template',
    parameters: JSON.stringify({ seconds: SECONDS }),
  })
  while ((await scene.newRuns()).length === 0) await sleep(200)
  const [run] = await scene.newRuns()
  const family = await childTrains(scene, run?.id ?? '')
  running.signal(deed)
  const result = await running.done
  assert.doesNotMatch(result.stdout, /was stopped/, 'its child run goes on')
  const after = await post(scene, result)
  assert.match(after.stdout, /was stopped/)
  await expectStopped(scene, family, after)
}

async function stopParent(scene: Scene): Promise<void> {
  const family = await childTrains(scene, await startParent(scene))
  const stopped = await scene.action({ run: family.runId }, { entry: 'stop' })
  expectStep(stopped, { exitCode: 0, outputs: { conclusion: 'stopped', status: 'stopped' } })
  await expectStopped(scene, family, stopped)
}

async function waitForParent(scene: Scene): Promise<void> {
  const family = await childTrains(scene, await startParent(scene))
  const inputs = { run: family.runId, timeout: '1s', 'on-timeout': 'stop' }
  const waited = await scene.action(inputs, { entry: 'wait' })
  expectStep(waited, { exitCode: 1, outputs: { conclusion: 'timed-out' }, log: [/It was stopped: /] })
  await expectStopped(scene, family, waited)
}

/** ZenML calls it stopped as soon as its question is answered, while its child run goes on. */
async function abortAskingParent(scene: Scene, entry: 'stop' | 'resolve'): Promise<void> {
  const runId = await startParent(scene, 'asking_parent')
  const family = await childTrains(scene, runId)
  const inputs = entry === 'stop' ? {} : { resolution: 'abort' }
  const ended = await scene.action({ run: runId, ...inputs }, { entry })
  expectStep(ended, { exitCode: 0, outputs: { status: 'stopped' } })
  await expectStopped(scene, family, ended)
}

/** Its process does not notice that it is to be stopped, and calls the child when its own step is done. */
async function childAfterStop(scene: Scene): Promise<void> {
  const runId = await startParent(scene, 'parent', { before: 20 })
  while (!(await scene.view.steps(runId)).some(({ name }) => name === 'train')) await sleep(200)
  const stopping = await scene.start({ run: runId }, { entry: 'stop' })
  while ((await scene.view.status(runId)) !== 'stopping') await sleep(200)
  assert.equal((await scene.newRuns()).length, 1, 'the child run is there before the stop')
  const stopped = await stopping.done
  expectStep(stopped, { exitCode: 0, outputs: { conclusion: 'stopped', status: 'stopped' } })
  const child = (await scene.newRuns()).find(({ id }) => id !== runId)
  await expectStopped(scene, { runId, childId: child?.id ?? '' }, stopped)
}

const CHILD_RUNS: readonly Case[] = [
  {
    name: 'child runs: cancelled while one runs',
    where: hasChildRuns,
    runs: 2,
    run: (scene) => interruptParent(scene, 'SIGINT'),
  },
  {
    name: 'child runs: killed while one runs, then post',
    where: hasChildRuns,
    runs: 2,
    run: (scene) => interruptParent(scene, 'SIGKILL'),
  },
  { name: 'child runs: stop/', where: hasChildRuns, runs: 2, run: stopParent },
  { name: 'child runs: wait/ with a timeout', where: hasChildRuns, runs: 2, run: waitForParent },
  {
    name: 'child runs: stop/ while the parent asks a person',
    where: hasChildRuns,
    runs: 2,
    run: (scene) => abortAskingParent(scene, 'stop'),
  },
  {
    name: 'child runs: resolve/ with abort',
    where: hasChildRuns,
    runs: 2,
    run: (scene) => abortAskingParent(scene, 'resolve'),
  },
  { name: 'child runs: one is called after the stop', where: hasChildRuns, runs: 2, run: childAfterStop },
]

export const STOPPING: readonly Case[] = [
  { name: 'cancelled while running', core: true, runs: 1, run: cancelWhileRunning },
  { name: 'cancelled while initializing', runs: 1, run: cancelWhileInitializing },
  { name: 'timeout, on-timeout: stop', runs: 1, run: timeout },
  { name: 'killed while running, then post', core: true, runs: 1, run: killThenPost },
  { name: 'killed before the answer to the trigger, then post', runs: 1, run: killInTriggerThenPost },
  ...CHILD_RUNS,
  { name: 'workflow: cancelled in mid-run', where: since('0.98'), runs: 1, run: cancelledWorkflow },
  {
    name: 'cancelled during the trigger',
    environment: { E2E_SLOW_TRIGGER: '5' },
    runs: 1,
    settle: 6_000,
    run: cancelDuringTrigger,
  },
]
