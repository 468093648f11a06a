import { afterEach, describe, expect, test } from '@jest/globals'
import type { PipelineSpec } from '../../../simulator/index.ts'
import { parseMapping } from '../../../src/github/inputs/yaml.ts'
import type { Layer } from '../../../src/run/configure/layers.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from '../scene.ts'

afterEach(closeScenes)

async function written(text: string, source: string): Promise<Layer> {
  const parsed = await parseMapping(text, (words) => words)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const { ok: _, ...layer } = parsed
  return { source, ...layer }
}

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

const sentSteps = ({ server }: Scene): unknown => server.runs[0]?.configuration['steps']

describe('0.74.0 wants all values sent again, and JSON rounds a whole number with too many digits', () => {
  const pipeline: PipelineSpec = {
    name: 'night',
    steps: [
      {
        name: 'read',
        seconds: 1,
        parameters: {
          rows: { default: 10, jsonSchema: {} },
          until: { default: 2 ** 53, jsonSchema: {} },
          ids: { default: { first: [1, 2 ** 60], last: 7 }, jsonSchema: {} },
          rate: { default: 0.5, jsonSchema: {} },
          cap: { default: 1e18, jsonSchema: {} },
          limits: { default: [1e20, 1e30, 2 ** 53 - 1], jsonSchema: {} },
        },
      },
    ],
  }
  const open = (version: '0.74.0' | '0.85.0' = '0.74.0') => openScene({ version, pipelines: [pipeline] })
  const why =
    'has more digits than JSON can carry exactly, and this version of ZenML needs it sent again; set it in the input parameters, a number in quotes'

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

test('0.85.0 tells no types: an empty value is none where None is, and an empty string where a string is', async () => {
  const pipeline: PipelineSpec = {
    name: 'night',
    steps: [
      {
        name: 'read',
        seconds: 1,
        parameters: {
          seed: { default: null, jsonSchema: {} },
          note: { default: 'none', jsonSchema: {} },
          epochs: { default: 3, jsonSchema: {} },
        },
      },
    ],
  }
  const scene = await openScene({ version: '0.85.0', pipelines: [pipeline] })
  await scene.execute(await overrides('{"seed": "", "note": "", "epochs": ""}'))
  expect(sentSteps(scene)).toEqual({ read: { parameters: { note: '' } } })
  const warnings = scene.events.flatMap((event) => (event.kind === 'configured' ? event.warnings : []))
  expect(warnings).toEqual(['parameters: empty, so these keep the value that they have: seed, epochs'])
})
