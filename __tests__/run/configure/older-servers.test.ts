import { afterEach, describe, expect, test } from '@jest/globals'
import type { ParameterSpec, PipelineSpec } from '../../../simulator/index.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import { completeFor } from '../../../src/run/configure/older-servers.ts'
import { definition } from '../../github/run-events.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from '../scene.ts'
import { written } from './written.ts'

afterEach(closeScenes)

async function overrides(parameters: string, configuration = '{}'): Promise<Partial<RunRequest>> {
  const layers = [await written(configuration, 'configuration')]
  const given = {
    layers,
    parameters: await written(parameters, 'parameters'),
    tags: undefined,
    enableCache: undefined,
  }
  return { target: { kind: 'template', reference: 'night-template' }, wait: false, overrides: given }
}

/** One step with parameters of these values, of which no type is known. */
const reading = (values: Readonly<Record<string, ParameterSpec['default']>>): PipelineSpec => ({
  name: 'night',
  steps: [
    {
      name: 'read',
      seconds: 1,
      parameters: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, { default: value, jsonSchema: {} }]),
      ),
    },
  ],
})

const sentSteps = ({ server }: Scene): unknown => server.runs[0]?.configuration['steps']

describe('0.74.0 wants all values sent again, and JSON rounds a whole number with too many digits', () => {
  const pipeline = reading({
    rows: 10,
    until: 2 ** 53,
    ids: { first: [1, 2 ** 60], last: 7 },
    rate: 0.5,
    cap: 1e18,
    limits: [1e20, 1e30, 2 ** 53 - 1],
  })
  const open = (version: '0.74.0' | '0.85.0' = '0.74.0') => openScene({ version, pipelines: [pipeline] })
  const why =
    'has more digits than JSON can carry exactly, and this version of ZenML needs it sent again; set it in the input parameters, with the number in quotes'

  test.each(['{}', 'rows: 5', 'ids: {last: 8}'])(
    'with the parameters %s nothing is started, and each such value is named',
    async (parameters) => {
      const scene = await open()
      await expect(scene.execute(await overrides(parameters))).rejects.toMatchObject({
        faults: [`the current value of "read.until" ${why}`, `the current value of "read.ids" ${why}`],
      })
      expect(scene.sent(TRIGGER)).toEqual([])
    },
  )

  test('a value that is set is not the one that is there', async () => {
    const scene = await open()
    await scene.execute(
      await overrides('until: "9007199254740995"', 'steps: {read: {parameters: {ids: {first: []}}}}'),
    )
    expect(sentSteps(scene)).toEqual({
      read: {
        parameters: {
          rows: 10,
          until: '9007199254740995',
          ids: { first: [], last: 7 },
          rate: 0.5,
          cap: 1e18,
          limits: [1e20, 1e30, 2 ** 53 - 1],
        },
      },
    })
  })

  test('0.85.0 keeps what is not sent', async () => {
    const scene = await open('0.85.0')
    await scene.execute(await overrides('rows: 5'))
    expect(sentSteps(scene)).toEqual({ read: { parameters: { rows: 5 } } })
  })
})

test.each(['0.85.0', '0.98.0'] as const)(
  '%s, without a type: an empty value is none where None is, and an empty string where a string is',
  async (version) => {
    const pipelines = [reading({ seed: null, note: 'none', epochs: 3 })]
    const scene = await openScene({ version, pipelines })
    await scene.execute(await overrides('{"seed": "", "note": "", "epochs": ""}'))
    expect(sentSteps(scene)).toEqual({ read: { parameters: { note: '' } } })
    const warnings = scene.events.flatMap((event) => (event.kind === 'configured' ? event.warnings : []))
    expect(warnings).toEqual(['parameters: empty, so these keep the value that they have: seed, epochs'])
  },
)

test.each([
  ['0.80.2', { steps: { read: { parameters: { rows: 10 } } } }],
  ['0.81.0', { steps: { read: { parameters: { rows: 10 } } } }],
  ['0.82.0', {}],
  ['0.85.0', {}],
])('ZenML %s is sent the values that it would not keep', (version, sent) => {
  const known = { ...definition, stepParameters: { read: { rows: 10 } } }
  expect(completeFor(version, known, {})).toEqual(sent)
})

// Seen on 0.84.3, which refuses it.
test.each([
  ['0.84.3', { enable_cache: true, steps: { read: { settings: {} } } }],
  [
    '0.85.0',
    { enable_cache: true, settings: null, steps: { read: { settings: {}, parameters: null, extra: null } } },
  ],
])('ZenML %s: a key with nothing behind it', (version, sent) => {
  const body = {
    enable_cache: true,
    settings: null,
    steps: { read: { settings: {}, parameters: null, extra: null } },
  }
  expect(completeFor(version, definition, body)).toEqual(sent)
  expect(completeFor(version, definition, { steps: null })).toEqual(
    version === '0.84.3' ? {} : { steps: null },
  )
})
