import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { startAction, type ActionResult, type Entry } from '../../e2e/action.ts'
import { startPro } from '../../simulator/index.ts'
import { expectGreen, expectRed, PATIENCE_MS, withServer, withSurvivor, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

// Elsewhere a signal ends a process at once.
const onUnix = process.platform === 'win32' ? test.concurrent.skip : test.concurrent

/** A management API that says where the workspace is only once it is let go. */
interface SlowPro {
  readonly url: string
  readonly apiKey: string
  /** Resolves when something was asked. */
  readonly asked: Promise<void>
  readonly letGo: () => void
}

async function withSlowPro(work: (scene: Scene, pro: SlowPro) => Promise<void>): Promise<void> {
  const pro = await startPro()
  const [asked, going] = [gate(), gate()]
  const front = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request
    asked.open()
    void Promise.all([text(request), going.opened]).then(async ([body]) => {
      const { authorization = '', 'content-type': type = '' } = headers
      const sent = { authorization, ...(type !== '' && { 'content-type': type }) }
      const answer = await fetch(`${pro.url}${url}`, {
        method,
        headers: sent,
        ...(method === 'GET' ? {} : { body }),
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' })
      response.end(await answer.text())
    })
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  const address = front.address()
  const port = typeof address === 'object' ? address?.port : undefined
  try {
    await withServer({ pro, orchestrator: 'kubernetes' }, async (scene) => {
      pro.add({ name: 'research', serverUrl: scene.server.url })
      const { apiKey } = pro
      const url = `http://127.0.0.1:${port ?? ''}`
      await work(scene, { url, apiKey, asked: asked.opened, letGo: going.open })
    })
  } finally {
    front.closeAllConnections()
    front.close()
    await pro.close()
  }
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Cancels the step while it waits for the management API. */
async function cancelled(
  entry: Entry,
  pro: SlowPro,
  inputs: Readonly<Record<string, string>>,
  afterwards: () => void = () => undefined,
): Promise<ActionResult> {
  const connection = { workspace: 'research', 'pro-api-url': pro.url, 'api-key': pro.apiKey }
  const running = await startAction({ entry, inputs: { ...connection, ...inputs } })
  await pro.asked
  running.signal('SIGINT')
  afterwards()
  return running.done
}

onUnix('cancelled before the workspace is found, a step starts nothing and says so', () =>
  withSlowPro(async (scene, pro) => {
    const result = await cancelled('main', pro, { pipeline: 'training' })

    expect(expectRed(result, 'cancelled')).toBe('Cancelled before a run was started')
    expect(scene.server.requests).toEqual([])
  }),
)

onUnix('cancelled before the workspace is found, wait/ leaves the run as it is', () =>
  withSlowPro(async (scene, pro) => {
    const result = await cancelled('wait', pro, { run: 'nightly-5' })

    expect(expectRed(result, 'cancelled')).toBe(
      'Cancelled before the run "nightly-5" could be looked up; it was left as it is',
    )
    expect(scene.server.requests).toEqual([])
  }),
)

// Not beside the others, which count seconds.
const onLinux = process.platform === 'linux' ? test : test.skip

onLinux('given up before the workspace is found, a step that starts a run all the same has it stopped', () =>
  withSlowPro(async (scene, pro) => {
    const inputs = {
      workspace: 'research',
      'pro-api-url': pro.url,
      'api-key': pro.apiKey,
      pipeline: 'training',
      parameters: 'train.seconds: 36000',
    }
    await withSurvivor(
      inputs,
      async () => pro.asked,
      async ({ main, post }) => {
        pro.letGo()
        await scene.isThere('running')
        const { stdout } = await post()

        expect((await main.done).signal).toBe('SIGKILL')
        expect(stdout).toMatch(/^The step was still running, so it was killed\n[^]*was stopped/m)
        expect(scene.runs).toMatchObject([{ status: 'stopped', busy: false }])
      },
    )
  }),
)

test.concurrent(
  'where ZenML Pro never says where the workspace is, the step ends within trigger-timeout',
  () =>
    withSlowPro(async (scene, pro) => {
      const connection = { workspace: 'research', 'pro-api-url': pro.url, 'api-key': pro.apiKey }
      const inputs = { ...connection, pipeline: 'training', 'trigger-timeout': '2s' }
      const result = await (await startAction({ inputs })).done

      expect(expectRed(result, 'failed')).toBe(
        'workspace: ZenML Pro did not say within 2 s where it is. Check pro-api-url, or try again later',
      )
      expect(scene.server.requests).toEqual([])
    }),
)

test.concurrent('what the look-up of the workspace takes is part of trigger-timeout', () =>
  withSlowPro(async (scene, pro) => {
    scene.server.addFault({ on: 'info', occurrence: 'always', do: { kind: 'hang' } })
    const connection = { workspace: 'research', 'pro-api-url': pro.url, 'api-key': pro.apiKey }
    const inputs = { ...connection, pipeline: 'training', 'trigger-timeout': '16s' }
    const running = await startAction({ inputs })
    await pro.asked
    await delay(8_000)
    pro.letGo()
    const from = performance.now()

    expect(expectRed(await running.done, 'timed-out')).toMatch(
      /^No run could be started within trigger-timeout: /,
    )
    expect(performance.now() - from).toBeLessThan(14_000)
  }),
)

onUnix(
  'while ZenML Pro never says where the workspace is, a cancelled stop/ says that the run was not reached',
  () =>
    withSlowPro(async (scene, pro) => {
      const runId = '00000000-0000-4000-8000-000000000000'
      const result = await cancelled('stop', pro, { run: runId })

      expect(expectRed(result, 'cancelled')).toBe(
        `Cancelled before the run "${runId}" could be looked up; it was not asked to stop`,
      )
      expect(scene.server.requests).toEqual([])
    }),
)

onUnix('cancelled before the workspace is found, stop/ stops the run all the same', () =>
  withSlowPro(async (scene, pro) => {
    const started = await scene.step({
      pipeline: 'training',
      parameters: 'train.seconds: 36000',
      wait: 'false',
    })
    const runId = started.outputs['run-id'] ?? ''
    const result = await cancelled('stop', pro, { run: runId }, pro.letGo)

    expectGreen(result, 'stopped')
    expect(scene.runs).toMatchObject([{ busy: false }])
  }),
)
