import { setTimeout } from 'node:timers/promises'
import { expect, jest, test } from '@jest/globals'
import { startAction } from '../../e2e/action.ts'
import type { Fault, PipelineSpec } from '../../simulator/index.ts'
import { annotations, logLines, PATIENCE_MS, withServer, type Scene } from './scene.ts'
import { BASE, entries, LONG, sweep } from './sweeps.ts'

jest.setTimeout(PATIENCE_MS)

/*
 * Cells that are to end while the server is still at work on their start: whether there is a run is not known then.
 */

/** A sweep of two cells that is cancelled while the answer to its first trigger is on its way. */
async function cancelledWhileStarting(scene: Scene, given: Readonly<Record<string, string>>) {
  const connection = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
  const inputs = { ...LONG, ...connection, 'max-parallel': '2', ...given }
  const running = await startAction({ entry: 'sweep', inputs })
  while (scene.triggers.length === 0) await setTimeout(20)
  running.signal('SIGINT')
  return running.done
}

test.concurrent(
  'cancelled while a cell is being started: a run that goes on is not called never started',
  () =>
    withServer({ orchestrator: 'kubernetes', triggerSeconds: 2 }, async (scene) => {
      const result = await cancelledWhileStarting(scene, { 'on-cancel': 'keep-running' })
      expect(scene.runs.map(({ status }) => status)).toEqual([expect.not.stringContaining('stop')])
      expect(result.outputs['error']).toBe('Cancelled. Cells completed: 0, cancelled: 1, never started: 2')
      expect(result.summary).not.toContain('No ZenML run was started')
    }),
)

test.concurrent(
  'cancelled while a cell is being started: its run is found, and handed on with its link',
  () =>
    withServer({ orchestrator: 'kubernetes', triggerSeconds: 2 }, async (scene) => {
      const result = await cancelledWhileStarting(scene, { 'on-cancel': 'keep-running' })
      const [run] = scene.runs
      const url = `${scene.server.url}/projects/default/runs/${run?.id ?? ''}`
      expect(entries(result)[0]).toMatchObject({
        'run-id': run?.id,
        'run-name': run?.name,
        'run-url': url,
        conclusion: 'cancelled',
        error: `Cancelled. The run "${run?.name ?? ''}" was left running, as requested (keep-running): ${url}`,
      })
      expect(logLines(result).join('\n')).toMatch(/Cell 1 of 3 started \(train\.accuracy: 0\.7\): http/)
      expect(result.summary).toContain(`](${url})`)
      expect(scene.triggers).toHaveLength(1)
    }),
)

test.concurrent(
  'cancelled while a cell is being started, and the server is silent: nothing is called never started',
  () =>
    withServer(
      {
        faults: [
          { on: 'trigger', do: { kind: 'hang' } },
          { on: 'runs', occurrence: 'always', do: { kind: 'hang' } },
        ],
      },
      async (scene) => {
        const result = await cancelledWhileStarting(scene, {})
        expect(logLines(result).join('\n')).toContain('was started is not known: the server did not answer')
        expect(result.outputs['error']).toBe('Cancelled. Cells completed: 0, cancelled: 1, never started: 2')
        expect(result.summary).not.toContain('No ZenML run was started')
      },
    ),
)

test.concurrent(
  'cancelled while a cell is being started, and its run is not there yet: it is not called never started',
  () =>
    withServer({ orchestrator: 'kubernetes', triggerSeconds: 300 }, async (scene) => {
      const result = await cancelledWhileStarting(scene, {})
      expect(scene.runs).toEqual([])
      const counts = 'Cancelled. Cells completed: 0, cancelled: 1, never started: 2'
      expect(result.outputs['error']).toBe(counts)
      expect(annotations('error', result)).toEqual([counts])
      expect(entries(result)[0]?.error).toMatch(
        /^Cancelled\. No run named ".*" is on the server\. The request to start it was sent/,
      )
    }),
)

/** The server is at work on the start of the second cell for ten seconds of real time. */
const BUSY: Fault = { on: 'trigger', occurrence: 2, do: { kind: 'too-busy', seconds: 200 } }

/** The first cell fails; the second one is still being started then. */
const ONE_FAILS: PipelineSpec = {
  name: 'training',
  steps: [
    {
      name: 'train',
      seconds: 36_000,
      parameters: { lr: { default: 0.5, jsonSchema: { type: 'number' } } },
      effect: ({ lr }) =>
        lr === 0.1
          ? { seconds: 1, fails: { type: 'ValueError', message: 'NaN', traceback: '', userCodeLine: 1 } }
          : {},
    },
  ],
}

test.concurrent(
  'a run that the server starts seconds after fail-fast ended the others is stopped before the step ends',
  () =>
    withServer(
      { orchestrator: 'kubernetes', requestTimeout: 1, pipelines: [ONE_FAILS], faults: [BUSY] },
      async (scene) => {
        const inputs = { 'fail-fast': 'true', matrix: 'lr: [0.1, 0.2]', 'max-parallel': '2' }
        const result = await sweep(scene, { ...BASE, parameters: '', ...inputs })
        expect(scene.runs.map(({ status, busy }) => [status, busy])).toEqual([
          ['failed', false],
          [expect.not.stringContaining('running'), false],
        ])
        expect(entries(result)[1]).toMatchObject({ 'run-id': scene.runs[1]?.id, conclusion: 'cancelled' })
        expect(logLines(result).join('\n')).toContain('Cell 2: checking whether its run was started')
      },
    ),
)

test.concurrent(
  'killed while it stops runs whose time is up, its post step stops them, whatever on-cancel says',
  () => {
    const faults: Fault[] = [{ on: 'stop', occurrence: 1, do: { kind: 'hang' } }]
    return withServer({ orchestrator: 'kubernetes', faults }, async (scene) => {
      const connection = { 'server-url': scene.server.url, 'api-key': scene.server.apiKey }
      const inputs = { ...LONG, ...connection, matrix: 'train.accuracy: [0.7]', timeout: '1s' }
      const given = { ...inputs, 'on-cancel': 'keep-running' }
      const running = await startAction({ entry: 'sweep', inputs: given })
      while (scene.requests('POST', /\/stop(\?|$)/).length === 0) await setTimeout(20)
      running.signal('SIGKILL')
      const { state } = await running.done
      const post = await (await startAction({ entry: 'post', inputs: given, state })).done
      expect(logLines(post).join('\n')).toMatch(/^The run ".*" was stopped$/m)
      expect(scene.runs.map(({ status }) => status)).toEqual(['stopped'])
    })
  },
)
