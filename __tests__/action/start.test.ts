import { expect, jest, test } from '@jest/globals'
import { startAction } from '../../e2e/action.ts'
import type { FaultAction } from '../../simulator/index.ts'
import { withPreload } from '../../e2e/preload.ts'
import { expectGreen, expectRed, logLines, PATIENCE_MS, withServer, type Scene } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/*
 * Starts that went wrong in a way that hides the run: what the step says, and what its post step finds and ends.
 */

const LONG = {
  pipeline: 'training',
  configuration: 'steps: {train: {parameters: {seconds: 36000}}}',
  'poll-interval': '1s',
}
const KUBERNETES = { orchestrator: 'kubernetes' } as const
const OTHER = '99999999-9999-4999-8999-999999999999'

/** Kills the step once its trigger has arrived, and lets its post step do its work. */
async function killedAtTheStart(
  scene: Scene,
  more: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { server } = scene
  const inputs = { 'server-url': server.url, 'api-key': server.apiKey, ...LONG, ...more }
  const running = await startAction({
    inputs,
    env,
    onLine: (line) => {
      if (line.startsWith('Starting the run')) void scene.triggered().then(() => running.signal('SIGKILL'))
    },
  })
  const { state } = await running.done
  const post = await (await startAction({ entry: 'post', inputs, env, state })).done
  expect(post.exitCode).toBe(0)
  return post.stdout
}

const unix = process.platform === 'win32' ? test.concurrent.skip : test.concurrent

const HANGS: FaultAction = { kind: 'hang', work: true }

unix.each([
  ['a space at its end', (name: string) => `${name} `],
  ['capital letters', (name: string) => name.toUpperCase()],
])('the post step finds a run whose name the server gave %s', (_, storesName) =>
  withServer({ ...KUBERNETES, storesName, faults: [{ on: 'trigger', do: HANGS }] }, async (scene) => {
    expect(await killedAtTheStart(scene, {})).toMatch(/^The run ".*" was stopped( and is now failed)?$/m)
    expect(scene.runs).toMatchObject([{ busy: false }])
  }),
)

unix("the post step of a runner whose clock is ahead finds the run under the user's own name", () =>
  withServer({ ...KUBERNETES, faults: [{ on: 'trigger', do: HANGS }] }, async (scene) => {
    await withPreload('const { now } = Date; Date.now = () => now() + 600_000', async (env) => {
      const said = await killedAtTheStart(scene, { 'run-name': 'nightly' }, env)
      expect(said).toMatch(/^The run "nightly" was stopped( and is now failed)?$/m)
      expect(scene.runs).toMatchObject([{ busy: false }])
    })
  }),
)

unix('the post step names a run that nothing shows to be ours, and leaves it alone', () =>
  withServer(KUBERNETES, async (scene) => {
    const nobody = { id: OTHER, name: 'nightly', body: { status: 'running' } }
    const body = JSON.stringify({ total: 1, total_pages: 1, items: [nobody] })
    scene.server.addFault({ on: 'trigger', do: { kind: 'hang' } })
    const shown: FaultAction = { kind: 'answer', status: 200, body }
    scene.server.addFault({ on: 'runs', occurrence: { from: 2, to: 999 }, do: shown })
    expect(await killedAtTheStart(scene, { 'run-name': 'nightly' })).toContain(
      `::warning::A run named "nightly" (${OTHER}) is on the server, but nothing shows that this step started it. It was left alone`,
    )
    expect(scene.requests('POST', /\/stop$/)).toEqual([])
  }),
)

test.concurrent('a 403 of something in between after the start hides no run', () =>
  withServer(
    { faults: [{ on: 'trigger', do: { kind: 'html', status: 403, work: true } }] },
    async (scene) => {
      const result = await scene.step({ pipeline: 'training', 'poll-interval': '1s' })

      expectGreen(result, 'completed')
      expect(result.outputs['run-id']).toBe(scene.runs[0]?.id)
      expect(logLines(result).join('\n')).toContain('found by its name')
    },
  ),
)

test.concurrent("the server answers with somebody else's run: the step ends, and the run is left alone", () =>
  withServer(KUBERNETES, async (scene) => {
    expectGreen(await scene.step({ pipeline: 'wide', wait: 'false' }), 'started')
    const [run] = scene.runs
    const body = JSON.stringify({ id: run?.id, name: run?.name, body: { status: 'running' } })
    scene.server.addFault({ on: 'trigger', do: { kind: 'answer', status: 200, body } })
    const inputs = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey, ...LONG }
    const main = await scene.step(LONG)

    expect(expectRed(main, 'lost')).toContain(`the run "${run?.name}" (${run?.id}), but nothing shows`)
    expect(scene.triggers).toHaveLength(2)
    const post = await (await startAction({ entry: 'post', inputs, state: main.state })).done
    expect(post.stdout).toContain(`A run named "${run?.name}" (${run?.id}) is on the server`)
    expect(scene.requests('POST', /\/stop$/)).toEqual([])
  }),
)
