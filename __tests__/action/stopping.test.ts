import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { startAction, type ActionOptions, type ActionResult } from '../../e2e/action.ts'
import { ZENML_VERSIONS, type SimulatorOptions } from '../../simulator/index.ts'
import { expectNoSecret } from './secrecy.ts'
import {
  expectGreen,
  expectRed,
  PATIENCE_MS,
  withHostedJob,
  withServer,
  withSurvivor,
  type Scene,
} from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const LONG = 'steps: {train: {parameters: {seconds: 36000}}}'

/** Windows has no signals: there a process that is sent one is ended at once. */
const onUnix = process.platform === 'win32' ? test.concurrent.skip : test.concurrent

/** What the runner does on cancel, at the moment when a line appears in the log. */
async function cancelAt(line: RegExp, { server }: Scene): Promise<ActionResult> {
  const running = await startAction({
    inputs: {
      'server-url': server.url,
      'api-key': server.apiKey,
      pipeline: 'training',
      configuration: LONG,
      'poll-interval': '1s',
    },
    onLine: (printed) => {
      if (line.test(printed)) running.signal('SIGINT')
    },
  })
  const result = await running.done
  expectNoSecret(result, [server.apiKey, ...server.issuedTokens])
  return result
}

/** The orchestrators that can stop runs do so within the seconds that GitHub leaves; 0.98 is in ends.test.ts. */
test.concurrent('ZenML 0.85.0: a run that outlasts the timeout is stopped', () =>
  withServer({ version: '0.85.0', orchestrator: 'kubernetes' }, async (scene) => {
    const result = await scene.step({ pipeline: 'training', configuration: LONG, timeout: '1s' })

    const line = expectRed(result, 'timed-out')
    expect(line).toMatch(/did not finish within the timeout of 1s\. It was stopped: http/)
    expect(line).toContain(result.outputs['run-url'])
    expect(scene.runs[0]).toMatchObject({ status: 'stopped', busy: false })
    expect(result.outputs['status']).toBe('stopped')
  }),
)

test.concurrent.each(['0.74.0', '0.85.0'] as const)(
  'ZenML %s: a run that cannot be stopped is said to go on, and where',
  (version) =>
    withServer({ version, orchestrator: 'local' }, async (scene) => {
      const result = await scene.step({ pipeline: 'training', configuration: LONG, timeout: '1s' })

      const line = expectRed(result, 'timed-out')
      expect(line).toMatch(/It keeps running: http.* It could not be stopped: /)
      expect(line).toContain(result.outputs['run-url'])
      expect(scene.runs[0]!.busy).toBe(true)
    }),
)

onUnix('ZenML 0.85.0: cancelling the job stops the run', () =>
  withServer({ version: '0.85.0', orchestrator: 'kubernetes' }, async (scene) => {
    const result = await cancelAt(/: running/, scene)

    expect(expectRed(result, 'cancelled')).toMatch(/^Cancelled\. The run ".*" was stopped/)
    expect(scene.runs[0]).toMatchObject({ status: 'stopped', busy: false })
  }),
)

onUnix.each(ZENML_VERSIONS)('ZenML %s: cancelled before its first step, a run starts none', (version) =>
  withServer({ version, startupSeconds: 3600, orchestrator: 'kubernetes' }, async (scene) => {
    const result = await cancelAt(/^Started/, scene)

    expect(expectRed(result, 'cancelled')).toMatch(/^Cancelled\. The run ".*" was stopped/)
    expect(scene.runs[0]!.startedSteps).toEqual([])
    expect(scene.runs[0]!.status).toMatch(/failed|stopped/)
  }),
)

onUnix('cancelled while its inputs are read, a step starts nothing and says so', () =>
  withServer({}, async (scene) => {
    const workspace = await mkdtemp(path.join(tmpdir(), 'workspace-'))
    // Takes a while to be read.
    const lines = Array.from({ length: 8_000 }, (_, index) => `  step-${index}: {parameters: {}}`)
    await writeFile(path.join(workspace, 'long.yaml'), `steps:\n${lines.join('\n')}\n`)
    const connection = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
    let isCancelled = false
    const running = await startAction({
      inputs: { ...connection, pipeline: 'training', 'configuration-file': 'long.yaml' },
      workspace,
      onLine: () => {
        // Once, as the runner does: with the last line the process may be past listening.
        if (!isCancelled) running.signal('SIGINT')
        isCancelled = true
      },
    })

    expect(expectRed(await running.done, 'cancelled')).toBe('Cancelled before a run was started')
    expect(scene.triggers).toEqual([])
    await rm(workspace, { recursive: true })
  }),
)

onUnix('cancelled while the server does not answer, stop/ says what is known before it is killed', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const started = await scene.step({ pipeline: 'training', configuration: LONG, wait: 'false' })
    const runId = started.outputs['run-id'] ?? ''
    scene.server.addFault({ on: 'stop', do: { kind: 'hang' } })
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, run: runId }
    const stopping = await startAction({ entry: 'stop', inputs })
    await until(() => scene.requests('POST', /\/stop$/).length > 0)
    const cancelledAt = performance.now()
    stopping.signal('SIGINT')
    const result = await stopping.done

    expect(performance.now() - cancelledAt).toBeLessThan(7_500)
    expect(expectRed(result, 'cancelled')).toMatch(
      /^Cancelled\. The run ".*" may still be running: http.* did not answer in time$/,
    )
    expect(result.outputs['status']).toBe('running')
  }),
)

/** Starts a long run, and kills the step as soon as the run goes on. Gives what it left for its post step. */
async function killedMain({ server }: Scene): Promise<ActionOptions> {
  const inputs = {
    'server-url': server.url,
    'api-key': server.apiKey,
    pipeline: 'training',
    configuration: LONG,
  }
  const running = await startAction({
    inputs,
    onLine: (line) => {
      if (line.includes(': running')) running.signal('SIGKILL')
    },
  })
  const { state } = await running.done
  return { inputs, state, entry: 'post' }
}

onUnix('a post step that is signalled stops the run all the same', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const left = await killedMain(scene)
    // Two seconds for the login: the signals come while the post step waits for it.
    scene.server.addFault({ on: 'login', do: { kind: 'delay', seconds: 40 } })
    const post = await startAction(left)
    await until(() => scene.requests('POST', /\/login$/).length > 1)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) post.signal(signal)
    const result = await post.done

    expect(result).toMatchObject({ exitCode: 0, signal: null, stderr: '' })
    expect(result.stdout).toContain('was stopped')
    expect(scene.runs[0]).toMatchObject({ status: 'stopped', busy: false })
  }),
)

onUnix(
  'of a run that wait/ was killed before it had looked up, the post step says that nothing was stopped',
  () =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      const started = await scene.step({ pipeline: 'training', configuration: LONG, wait: 'false' })
      const run = started.outputs['run-id'] ?? ''
      scene.server.addFault({ on: 'run', occurrence: 'always', do: { kind: 'hang' } })
      for (const [onCancel, signal, said] of [
        ['stop', 'SIGKILL', '::warning::'],
        ['keep-running', 'SIGKILL', ''],
        // Then wait/ itself has said so.
        ['stop', 'SIGINT', undefined],
      ] as const) {
        const inputs = { ...connectionTo(scene), run, 'on-cancel': onCancel }
        const before = scene.requests('GET', /\/runs\/[^/]+$/).length
        const waiting = await startAction({ entry: 'wait', inputs })
        await until(() => scene.requests('GET', /\/runs\/[^/]+$/).length > before)
        waiting.signal(signal)
        const { state, summary } = await waiting.done
        const post = await (await startAction({ entry: 'post', inputs, state })).done

        const sentence = `The step ended early, before the run "${run}" could be looked up. It was left as it is`
        expect(post.exitCode).toBe(0)
        expect(post.stdout.replace(/^::add-mask::.*\n+/, '')).toBe(
          said === undefined ? '' : `${said}${sentence}\n`,
        )
        expect(said === undefined ? summary : post.summary).toContain(
          said === undefined ? 'could be looked up; it was left as it is' : sentence,
        )
      }
      expect(scene.requests('POST', /\/stop$/)).toEqual([])
    }),
)

const onLinux = process.platform === 'linux' ? test.concurrent : test.concurrent.skip

function connectionTo({ server }: Scene): Record<string, string> {
  return { 'server-url': server.url, 'api-key': server.apiKey }
}

onLinux('a main step that outlived its step is ended before its run is stopped', () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const inputs = { ...connectionTo(scene), pipeline: 'training', configuration: LONG }
    await withSurvivor(
      inputs,
      async () => scene.isThere('running'),
      async ({ main, post }) => {
        const result = await post()

        expect((await main.done).signal).toBe('SIGKILL')
        expect(result.exitCode).toBe(0)
        expect(result.stdout).toMatch(/^The step was still running, so it was killed\n[^]*was stopped/m)
        expect(scene.runs[0]).toMatchObject({ status: 'stopped', busy: false })
      },
    )
  }),
)

onLinux.each(['true', 'false'])(
  'a run that a step with wait: %s starts only after the runner has given it up is stopped',
  (wait) =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      scene.server.addFault({ on: 'snapshots', occurrence: 1, do: { kind: 'delay', seconds: 40 } })
      const inputs = { ...connectionTo(scene), pipeline: 'training', configuration: LONG, wait }
      await withSurvivor(
        inputs,
        async () => until(() => scene.requests('GET', /\/pipeline_snapshots$/).length > 0),
        async ({ main, state, post }) => {
          expect(Object.keys(state)).not.toContain('planned')
          await scene.isThere('running')
          // It comes to an end in order, and what it says then nobody reads.
          if (wait === 'false') await main.done
          const { stdout, summary } = await post()

          const { id, name } = scene.runs[0]!
          expect(stdout).toContain(`The run "${name}" was stopped`)
          expect(scene.runs).toMatchObject([{ status: 'stopped', busy: false }])
          expect(summary).toMatch(new RegExp(`/runs/${id}.*was stopped`, 's'))
        },
      )
    }),
)

describe('a run that has called another one', () => {
  /** Calls one that takes an hour. */
  const PARENT = { pipeline: 'parent', parameters: 'seconds: 3600' }
  const runs = (scene: Scene) => scene.server.runs.map(({ status }) => status)
  const bothRun = async (scene: Scene) => {
    await until(() => scene.server.runs[1]?.startedSteps.includes('train') === true)
    return startedId(scene)
  }
  const startedId = ({ server }: Scene) => server.runs[0]!.id

  test.concurrent('is stopped by stop/ together with it', () =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      await scene.step({ ...PARENT, wait: 'false' })
      const result = await scene.step({ run: await bothRun(scene) }, { entry: 'stop' })
      expectGreen(result, 'stopped')
      expect(runs(scene)).toEqual(['stopped', 'stopped'])
    }),
  )

  test.concurrent('is stopped by wait/ at its timeout together with it', () =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      await scene.step({ ...PARENT, wait: 'false' })
      const inputs = { run: await bothRun(scene), timeout: '1s', 'on-timeout': 'stop' }
      const result = await scene.step(inputs, { entry: 'wait' })
      expect(expectRed(result, 'timed-out')).toMatch(/It was stopped: http/)
      expect(runs(scene)).toEqual(['stopped', 'stopped'])
    }),
  )

  onUnix.each(['SIGINT', 'SIGKILL'] as const)(
    'is stopped together with it: main gets %s, then post',
    (signal) =>
      withServer({ orchestrator: 'kubernetes' }, async (scene) => {
        const inputs = { ...connectionTo(scene), ...PARENT }
        const running = await startAction({ inputs })
        await bothRun(scene)
        running.signal(signal)
        const { state, stdout } = await running.done
        const post = await startAction({ entry: 'post', inputs, state })
        const after = await post.done
        expect(stdout + after.stdout).toMatch(/The run "parent-\S+" was stopped/)
        expect(runs(scene)).toEqual(['stopped', 'stopped'])
      }),
  )

  test.concurrent('is not said to be stopped where the other one goes on, which is named', () =>
    withServer({ orchestrator: 'local' }, async (scene) => {
      await scene.step({ ...PARENT, wait: 'false' })
      const inputs = { run: await bothRun(scene), timeout: '3s' }
      const result = await scene.step(inputs, { entry: 'stop' })
      const { id, name } = scene.server.runs[1]!
      expect(expectRed(result, 'failed')).toContain(
        `was asked to stop, but the child run "${name}" (${id}) had not ended in time (last status: stopping): http`,
      )
    }),
  )

  test.concurrent('and many more leaves no warning of Node, which takes many listeners for a leak', () =>
    withServer({ orchestrator: 'local' }, async (scene) => {
      await scene.step({ ...PARENT, wait: 'false' })
      const run = await bothRun(scene)
      const nodes = Array.from({ length: 40 }, (_, index) => ({
        node_id: `child_run/${index}`,
        type: 'child_run',
        id: `b0000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
        name: `child-${index}`,
        metadata: { status: 'running' },
      }))
      const body = JSON.stringify({ id: run, status: 'running', nodes, edges: [] })
      scene.server.addFault({ on: 'dag', occurrence: 'always', do: { kind: 'answer', status: 200, body } })
      const result = await scene.step({ run, timeout: '3s' }, { entry: 'stop' })
      expect(expectRed(result, 'failed')).toMatch(/the child run "child-0" \(b0+-\S+\) \(and 39 more\) /)
      expect(result.stderr).toBe('')
    }),
  )
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20)
}

test.concurrent("stop/ takes a run's name or page, and says what it stopped", () =>
  withServer({ orchestrator: 'kubernetes' }, async (scene) => {
    const started = await scene.step({ pipeline: 'training', configuration: LONG, wait: 'false' })
    const { 'run-id': id, 'run-name': name, 'run-url': page } = started.outputs
    const asking = 'Asking ZenML to stop the run, and watching it for up to 2 min'
    for (const [run, isAsked] of [
      [name ?? '', true],
      [page ?? '', false],
    ] as const) {
      const result = await scene.step({ run }, { entry: 'stop' })
      expectGreen(result, 'stopped')
      expect(result.stdout.includes(asking)).toBe(isAsked)
      expect(result.outputs).toMatchObject({ 'run-id': id, 'run-name': name, 'run-url': page })
    }
    const before = scene.server.requests.length
    const elsewhere = await scene.step({ run: `https://other.example.com/runs/${id}` }, { entry: 'stop' })
    const { url } = scene.server
    expect(expectRed(elsewhere, 'failed')).toBe(
      `run: the page is on https://other.example.com, but the step connects to ${url}; correct one of them, or write only the run's ID, ${id}`,
    )
    expect(scene.server.requests).toHaveLength(before)
  }),
)

describe('cancelled while the answer to the trigger is outstanding, a step that finds its run', () => {
  /** The run is there by then, and its answer never comes. */
  async function cancelled(
    scene: Scene,
    changes: Readonly<Record<string, string>>,
    env: ActionOptions['env'] = {},
  ): Promise<[ActionResult, ActionOptions]> {
    const inputs = { ...connectionTo(scene), pipeline: 'training', configuration: LONG, ...changes }
    const running = await startAction({ inputs, env })
    await until(() => scene.runs.length > 0)
    running.signal('SIGINT')
    const result = await running.done
    return [result, { inputs, state: result.state, entry: 'post' }]
  }

  const SLOW: SimulatorOptions = {
    orchestrator: 'kubernetes',
    faults: [{ on: 'trigger', do: { kind: 'hang', work: true } }],
  }

  /** What it hands on of the run that the server holds. */
  function handedOn({ server, runs }: Scene): Readonly<Record<string, unknown>> {
    const { id, name } = runs[0]!
    return { 'run-id': id, 'run-name': name, 'run-url': `${server.url}/projects/default/runs/${id}` }
  }

  onUnix.each([
    ['stop', 'was stopped', 'stopped'],
    ['keep-running', 'was left running, as requested (keep-running)', expect.not.stringContaining('stop')],
  ])('hands it on, and its link (on-cancel: %s)', (onCancel, said, status) =>
    withServer(SLOW, async (scene) => {
      const [result, left] = await cancelled(scene, { 'on-cancel': onCancel })

      const { name = '' } = scene.runs[0] ?? {}
      const page = String(handedOn(scene)['run-url'])
      expect(expectRed(result, 'cancelled')).toBe(`Cancelled. The run "${name}" ${said}: ${page}`)
      expect(result.outputs).toMatchObject(handedOn(scene))
      expect(result.stdout).toContain(`Started, and found by its name: ${page}\n`)
      expect(result.summary).toContain(`](${page})`)
      expect(scene.runs).toMatchObject([{ status }])
      // Nothing is left to see to, and what the post step would look for is what it was.
      expect(Object.keys(left.state ?? {})).toEqual(expect.arrayContaining(['planned', 'settled']))
      expect(Object.keys(left.state ?? {})).not.toContain('started')
      const requests = scene.server.requests.length
      const post = await startAction(left)
      expect((await post.done).stdout).toBe('')
      expect(scene.server.requests).toHaveLength(requests)
    }),
  )

  onUnix('hands it over in the last minutes of its job, if that is wished', () =>
    withServer(SLOW, (scene) =>
      withHostedJob(357, async (env) => {
        const [result] = await cancelled(scene, { 'on-timeout': 'hand-over' }, env)

        expectHandedOver(result)
        expect(result.outputs).toMatchObject(handedOn(scene))
        expect(scene.requests('POST', /\/stop$/)).toEqual([])
        expect(scene.requests('GET', /\/runs$/)).not.toEqual([])
      }),
    ),
  )

  function expectHandedOver(result: ActionResult): void {
    expect(result.outputs).toMatchObject({ conclusion: 'running', error: '' })
    expect(result.exitCode).toBe(0)
    expect(result.state['settled']).toBe('true')
    expect(result.stdout).toMatch(/^Handed over \(on-timeout: hand-over\)/m)
  }

  onUnix('and cannot stop it within its time has handed it on before', () =>
    withServer(
      { ...SLOW, faults: [...(SLOW.faults ?? []), { on: 'stop', do: { kind: 'hang' } }] },
      async (scene) => {
        const inputs = { ...connectionTo(scene), pipeline: 'training', configuration: LONG }
        const running = await startAction({ inputs })
        await until(() => scene.runs.length > 0)
        running.signal('SIGINT')
        await until(() => scene.requests('POST', /\/stop$/).length > 0)
        running.signal('SIGKILL')

        expect((await running.done).outputs).toMatchObject(handedOn(scene))
      },
    ),
  )
})
