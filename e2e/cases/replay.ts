import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ActionResult } from '../action.ts'
import { gatewayError, startFaultProxy, type Fault, type SeenRequest } from '../faults.ts'
import { expectStep, type Case, type Scene } from '../scene.ts'
import { since, type Condition } from '../target.ts'

const canReplay = since('0.95')
const cannotReplay: Condition = (target) => !canReplay(target)

/** A job that is run again: what its last step needs is missing until the test makes it. */
class Job {
  readonly #scene: Scene
  readonly #file: string
  readonly #runId = String(Date.now())

  private constructor(scene: Scene, file: string) {
    this.#scene = scene
    this.#file = file
  }

  static async play(scene: Scene, work: (job: Job) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), 'replay-'))
    try {
      await work(new Job(scene, path.join(folder, 'ready')))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  /** From now on the last step succeeds. */
  async repair(): Promise<void> {
    await writeFile(this.#file, '')
  }

  async attempt(number: number, inputs: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    const parameters = { seconds: 0.1, accuracy: 0.8 }
    const steps = { train: { parameters }, deliver: { parameters: { fail: this.#file } } }
    return this.#scene.action(
      {
        template: 'delivery-template',
        configuration: JSON.stringify({ steps }),
        tags: 'e2e-replay',
        resume: 'replay',
        ...inputs,
      },
      { env: { GITHUB_RUN_ID: this.#runId, GITHUB_RUN_ATTEMPT: String(number) } },
    )
  }
}

/** States of the steps, by name. */
async function statesOf(scene: Scene, { outputs }: ActionResult): Promise<Record<string, string>> {
  const steps = await scene.view.steps(outputs['run-id'] ?? '')
  return Object.fromEntries(steps.map(({ name, status }) => [name, status]))
}

const REUSED = { load: 'skipped', train: 'skipped' }

async function onlyWhatFailed(scene: Scene): Promise<void> {
  await Job.play(scene, async (job) => {
    const expect = 'train.accuracy >= 0.8'
    const first = await job.attempt(1, { expect })
    expectStep(first, { exitCode: 1, outputs: { conclusion: 'failed' } })
    const second = await job.attempt(2, { expect })
    expectStep(second, {
      exitCode: 1,
      outputs: { conclusion: 'failed', 'failed-step': 'deliver' },
      log: [
        `Replaying only the steps that did not complete in the run ${first.outputs['run-name'] ?? ''} of attempt 1, which failed`,
      ],
    })
    assert.deepEqual(await statesOf(scene, second), { ...REUSED, deliver: 'failed' })
    await job.repair()
    const third = await job.attempt(3, { expect })
    expectStep(third, {
      exitCode: 0,
      outputs: { conclusion: 'completed', metadata: /"accuracy":\s*0\.8/ },
      log: [
        `Reused from the run ${second.outputs['run-name'] ?? ''}: load, train`,
        /Expectation met: train\.accuracy >= 0\.8/,
      ],
    })
    assert.match(third.summary, /Reused from the run `[^`]+`: `load`, `train`\./)
    assert.deepEqual(await statesOf(scene, third), { ...REUSED, deliver: 'completed' })
    const fourth = await job.attempt(4, { expect })
    expectStep(fourth, {
      exitCode: 0,
      outputs: { conclusion: 'completed', 'run-id': third.outputs['run-id'] ?? '' },
      log: ['Reattached to the run of attempt 3', /Expectation met: train\.accuracy >= 0\.8/],
    })
  })
}

/** Two attempts, the second of them through a proxy that does this to its first start. */
async function throughFault(scene: Scene, fault: Fault): Promise<readonly SeenRequest[]> {
  const rule = { method: 'POST', path: /\/replay$/, occurrence: 1, fault }
  const proxy = await startFaultProxy(scene.server.url, [rule])
  try {
    await Job.play(scene, async (job) => {
      await job.attempt(1)
      await job.repair()
      const second = await job.attempt(2, { 'server-url': proxy.url })
      expectStep(second, { exitCode: 0, outputs: { conclusion: 'completed' } })
      assert.deepEqual(await statesOf(scene, second), { ...REUSED, deliver: 'completed' })
    })
  } finally {
    await proxy.close()
  }
  return proxy.requests.filter(({ method, path: at }) => method === 'POST' && /\/(replay|runs)$/.test(at))
}

async function lostAnswer(scene: Scene): Promise<void> {
  const sent = await throughFault(scene, { kind: 'reset-after' })
  assert.equal(sent.length, 1)
}

async function gatewayInFront(scene: Scene): Promise<void> {
  const sent = await throughFault(scene, gatewayError(504, true))
  assert.equal(sent.length, 1)
}

async function lostRequest(scene: Scene): Promise<void> {
  const sent = await throughFault(scene, { kind: 'reset-before' })
  assert.deepEqual(
    sent.map(({ path: at }) => at.replace(/^.*\//, '')),
    ['replay', 'replay'],
  )
}

async function olderServer(scene: Scene): Promise<void> {
  await Job.play(scene, async (job) => {
    const first = await job.attempt(1)
    await job.repair()
    const second = await job.attempt(2)
    expectStep(second, {
      exitCode: 0,
      outputs: { conclusion: 'completed' },
      log: [
        `The run ${first.outputs['run-name'] ?? ''} of attempt 1 failed, but resume: replay needs ZenML 0.95 or newer (this server: ${scene.server.target.version}), so a new run is started`,
      ],
    })
    assert.deepEqual(await statesOf(scene, second), {
      load: 'completed',
      train: 'completed',
      deliver: 'completed',
    })
  })
}

/** A server that is slow with the replay is asked again, and makes one run. */
async function slowReplay(scene: Scene): Promise<void> {
  await Job.play(scene, async (job) => {
    await job.attempt(1)
    await job.repair()
    const second = await job.attempt(2)
    expectStep(second, { exitCode: 0, outputs: { conclusion: 'completed' } })
    assert.match(await scene.server.log(), /"POST [^"]*\/replay HTTP\/1\.1" 429/)
  })
}

/** Triggers are held for 5 seconds; the server gives up on a request after 2. */
const SLOW = { E2E_SLOW_TRIGGER: '5', ZENML_SERVER_REQUEST_TIMEOUT: '2' }

export const REPLAY: readonly Case[] = [
  {
    name: 'resume: replay runs only what failed, also of a replay, and expect sees what the rest logged',
    where: canReplay,
    runs: 3,
    run: onlyWhatFailed,
  },
  { name: 'resume: replay, the answer is lost: one replay', where: canReplay, runs: 2, run: lostAnswer },
  {
    name: 'resume: replay, a gateway gives up on the replay: one replay',
    where: canReplay,
    runs: 2,
    run: gatewayInFront,
  },
  {
    name: 'resume: replay, the request is lost: it is sent again',
    where: canReplay,
    runs: 2,
    run: lostRequest,
  },
  {
    name: 'resume: replay starts a new run on a server before 0.95, and says so',
    where: cannotReplay,
    runs: 2,
    run: olderServer,
  },
  {
    name: 'resume: replay, a slow server is asked again and makes one replay',
    where: canReplay,
    environment: SLOW,
    runs: 2,
    run: slowReplay,
  },
]
