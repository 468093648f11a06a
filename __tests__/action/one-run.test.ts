import { expect, jest, test } from '@jest/globals'
import { ZENML_VERSIONS, type FaultAction } from '../../simulator/index.ts'
import {
  annotations,
  expectGreen,
  expectRed,
  logLines,
  PATIENCE_MS,
  withServer,
  type Scene,
} from './scene.ts'

jest.setTimeout(PATIENCE_MS)

/** All triggers of one step have one key and one name, so that the server can tell that they are one. */
function expectOneRun({ triggers, runs }: Scene): void {
  expect(runs).toHaveLength(1)
  expect(new Set(triggers.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  expect(new Set(triggers.map(({ body }) => body)).size).toBe(1)
}

test.concurrent.each(['0.85.0', '0.98.0'] as const)(
  'ZenML %s: a server that is too busy is asked again and starts one run',
  (version) =>
    withServer(
      { version, faults: [{ on: 'trigger', do: { kind: 'too-busy', seconds: 20 } }] },
      async (scene) => {
        const result = await scene.step({ pipeline: 'training', 'poll-interval': '1s' })

        expectGreen(result, 'completed')
        expect(scene.triggers.length).toBeGreaterThan(1)
        expect(scene.triggers[0]!.status).toBe(429)
        expectOneRun(scene)
        expect(logLines(result).join('\n')).toContain('The server is still working on the request')
      },
    ),
)

const LOST: readonly FaultAction[] = [
  { kind: 'reset', when: 'after-work' },
  { kind: 'cut' },
  { kind: 'html', status: 502, work: true },
]
test.concurrent.each(
  ZENML_VERSIONS.map((version, index) => [version, LOST[index]!.kind, LOST[index]!] as const),
)(
  'ZenML %s: when the answer gets lost (%s) the run is found by its name, and no second one is started',
  (version, _, fault) =>
    withServer({ version, faults: [{ on: 'trigger', do: fault }] }, async (scene) => {
      const result = await scene.step({ pipeline: 'training', 'poll-interval': '1s' })

      expectGreen(result, 'completed')
      expect(scene.triggers).toHaveLength(1)
      expectOneRun(scene)
      expect(result.outputs['run-id']).toBe(scene.runs[0]!.id)
      expect(logLines(result).join('\n')).toContain('found by its name')
    }),
)

test.concurrent('a server without a free slot is asked again until it has one', () =>
  withServer({ faults: [{ on: 'trigger', do: { kind: 'no-slot' } }] }, async (scene) => {
    const result = await scene.step({ pipeline: 'training', wait: 'false' })

    expectGreen(result, 'started')
    expect(scene.triggers).toHaveLength(2)
    expectOneRun(scene)
    expect(logLines(result).join('\n')).toContain('no free slot for another run; trying again')
  }),
)

test.concurrent('a name that is taken already is refused before anything is sent', () =>
  withServer({}, async (scene) => {
    await scene.step({ pipeline: 'training', 'run-name': 'nightly', wait: 'false' })

    const second = await scene.step({ pipeline: 'training', 'run-name': 'nightly', wait: 'false' })

    expect(expectRed(second, 'failed')).toMatch(/a run named "nightly" already exists.*\{date\}-\{time\}/)
    expect(scene.triggers).toHaveLength(1)
  }),
)

test.concurrent(
  'tokens that expire in the middle of the wait are renewed, and the run is seen to its end',
  () =>
    withServer({ tokenLifetime: 30 }, async (scene) => {
      const result = await scene.step({
        pipeline: 'training',
        configuration: 'steps: {train: {parameters: {seconds: 60}}}',
        'poll-interval': '1s',
      })

      expectGreen(result, 'completed')
      expect(scene.requests('POST', /\/login$/).length).toBeGreaterThan(1)
      expect(annotations('warning', result)).toEqual([])
      expectOneRun(scene)
    }),
)
