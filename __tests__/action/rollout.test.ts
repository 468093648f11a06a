import { expect, jest, test } from '@jest/globals'
import { startAction } from '../../e2e/action.ts'
import type { FaultAction } from '../../simulator/index.ts'
import { expectGreen, logLines, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/*
 * While a server is rolled out, what stands before it answers for some seconds in its place: of a run it says nothing.
 */

const KUBERNETES = { orchestrator: 'kubernetes' } as const
const LONG = { pipeline: 'training', configuration: 'steps: {train: {parameters: {seconds: 36000}}}' }

/** What such answers can look like, and that each is one to look again after, is in zenml/retry.test.ts. */
const NOT_FOUND: FaultAction = {
  kind: 'answer',
  status: 404,
  body: '404 page not found',
  contentType: 'text/plain',
}
const SPRING: FaultAction = {
  kind: 'answer',
  status: 404,
  body: '{"status":404,"error":"Not Found","path":"/x"}',
}
const DENIED: FaultAction = {
  kind: 'answer',
  status: 403,
  body: 'RBAC: access denied',
  contentType: 'text/plain',
}
const SIGN_IN: FaultAction = { kind: 'html', status: 401 }

test.concurrent.each([
  ['RBAC: access denied', DENIED],
  ['Sign in', SIGN_IN],
] as const)('%s in mid-run: the run is watched on', (_, front) =>
  withServer({ faults: [{ on: 'run', occurrence: { from: 1, to: 2 }, do: front }] }, async (scene) => {
    expectGreen(await scene.step({ pipeline: 'training', 'poll-interval': '1s' }), 'completed')
  }),
)

const unix = process.platform === 'win32' ? test.concurrent.skip : test.concurrent

unix('404 page not found while the post step looks for a run: it looks again, and stops it', () =>
  withServer(
    { ...KUBERNETES, faults: [{ on: 'trigger', do: { kind: 'hang', work: true } }] },
    async (scene) => {
      const { server } = scene
      const inputs = { 'server-url': server.url, 'api-key': server.apiKey, ...LONG }
      const running = await startAction({
        inputs,
        onLine: (line) => {
          if (line.startsWith('Starting the run'))
            void scene.triggered().then(() => running.signal('SIGKILL'))
        },
      })
      const { state } = await running.done
      server.addFault({ on: 'runs', do: NOT_FOUND })
      server.addFault({ on: 'stop', do: NOT_FOUND })
      const post = await (await startAction({ entry: 'post', inputs, state })).done
      expect(logLines(post).join('\n')).toMatch(/^The run ".*" was stopped( and is now failed)?/m)
      expect(scene.runs).toMatchObject([{ busy: false }])
    },
  ),
)

test.concurrent('a web page that answers a request to stop is not taken for a yes', () =>
  withServer(KUBERNETES, async (scene) => {
    expectGreen(await scene.step({ ...LONG, wait: 'false' }), 'started')
    const page: FaultAction = { kind: 'html', status: 200 }
    scene.server.addFault({ on: 'stop', do: page })
    const result = await scene.step({ run: scene.runs[0]?.id ?? '' }, { entry: 'stop' })

    expectGreen(result, 'stopped')
    expect(scene.requests('POST', /\/stop$/).length).toBeGreaterThan(1)
    expect(scene.runs).toMatchObject([{ status: 'stopped', busy: false }])
  }),
)

test.concurrent('404 of a Spring gateway to the first look at a run: stop/ looks again, and stops it', () =>
  withServer(KUBERNETES, async (scene) => {
    expectGreen(await scene.step({ ...LONG, wait: 'false' }), 'started')
    scene.server.addFault({ on: 'run', do: SPRING })
    const result = await scene.step({ run: scene.runs[0]?.id ?? '' }, { entry: 'stop' })

    expectGreen(result, 'stopped')
    expect(scene.runs).toMatchObject([{ status: 'stopped', busy: false }])
  }),
)
