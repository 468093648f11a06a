import { expect, jest, test } from '@jest/globals'
import type { Fault, FaultAction } from '../../simulator/index.ts'
import { expectGreen, expectRed, PATIENCE_MS, withServer } from './scene.ts'

jest.setTimeout(PATIENCE_MS)

const OTHER = '99999999-9999-4999-8999-999999999999'

/** What a confused cache gives: a run that completed long ago, and that nobody asked for. */
const OTHER_RUN: FaultAction = {
  kind: 'answer',
  status: 200,
  body: JSON.stringify({ id: OTHER, name: 'another', body: { status: 'completed', in_progress: false } }),
}

const LONG = 'steps: {train: {parameters: {seconds: 36000}}}'

test.concurrent('a run is not green because another one is', () =>
  withServer({ faults: [{ on: 'run', occurrence: { from: 1, to: 2 }, do: OTHER_RUN }] }, async (scene) => {
    const result = await scene.step({ pipeline: 'training', 'poll-interval': '1s' })

    expectGreen(result, 'completed')
    expect(scene.runs[0]).toMatchObject({ status: 'completed', busy: false })
    expect(scene.requests('GET', /\/runs\/[^/]+$/).length).toBeGreaterThan(2)
  }),
)

test.concurrent('a run of which the server never tells anything times out', () =>
  withServer(
    { faults: [{ on: 'run', occurrence: 'always', do: OTHER_RUN }], orchestrator: 'kubernetes' },
    async (scene) => {
      const result = await scene.step({
        pipeline: 'training',
        configuration: LONG,
        timeout: '2s',
        'on-timeout': 'keep-running',
      })

      expectRed(result, 'timed-out')
      expect(result.outputs['run-id']).toBe(scene.runs[0]?.id)
    },
  ),
)

/** stop/ reads the run before it stops it, and while it stops; "all the time" is among hostile/bad-answers.ts. */
const CONFUSIONS: readonly (readonly [name: string, faults: readonly Fault[]])[] = [
  ['at first', [{ on: 'run', do: OTHER_RUN }]],
  ['while it stops', [{ on: 'run', occurrence: { from: 2, to: 3 }, do: OTHER_RUN }]],
]

test.concurrent.each(CONFUSIONS)(
  'stop/ stops no other run than the one it was given, told of another %s',
  (_, faults) =>
    withServer({ orchestrator: 'kubernetes' }, async (scene) => {
      await scene.step({ pipeline: 'training', configuration: LONG, wait: 'false' })
      const [run] = scene.runs
      for (const fault of faults) scene.server.addFault(fault)
      const result = await scene.step({ run: run?.id ?? '' }, { entry: 'stop' })

      const stopped = scene.requests('POST', /\/stop$/).map(({ path }) => path.split('/').at(-2))
      expect(stopped.filter((id) => id !== run?.id)).toEqual([])
      expect(result.stdout).not.toContain(OTHER)
      expectGreen(result, 'stopped')
      expect(scene.runs[0]).toMatchObject({ status: 'stopped', busy: false })
    }),
)

test.concurrent('a value that is nested too deeply to be written still ends in outputs and one line', () => {
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const body = `{"total":1,"total_pages":1,"items":[{"id":"x","name":"train","body":{"status":"completed"},"metadata":{"run_metadata":{"accuracy":${deep}}}}]}`
  const node = '{"node_id":"x","type":"step","id":"x","name":"train","metadata":{"status":"completed"}}'
  const graph = `{"status":"completed","nodes":[${node}],"edges":[]}`
  const faults: Fault[] = [
    { on: 'steps', occurrence: 'always', do: { kind: 'answer', status: 200, body } },
    { on: 'dag', occurrence: 'always', do: { kind: 'answer', status: 200, body: graph } },
  ]
  return withServer({ faults }, async (scene) => {
    const result = await scene.step({
      pipeline: 'training',
      expect: 'accuracy >= 0.9',
      'poll-interval': '1s',
    })

    expect(expectRed(result, 'expectation-missed')).toContain('got a list of 1')
    expect(result.summary).toContain('a list of 1')
    expect(JSON.parse(result.outputs['metadata'] ?? '')).toMatchObject({ 'left-out': 1 })
  })
})
