import { afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ParameterSpec, PipelineSpec } from '../../../simulator/index.ts'
import type { ValueChange } from '../../../src/run/configure/difference.ts'
import type { RunRequest } from '../../../src/run/start-and-follow-run.ts'
import { closeScenes, openScene, TRIGGER, type Scene } from '../scene.ts'
import { written } from './written.ts'

afterEach(closeScenes)

const epochs = { default: 3, jsonSchema: { type: 'integer' } } as const
const rate = { default: 0.1, jsonSchema: { type: 'number' } } as const

/** Two steps that share a parameter's name, and one whose name is a parameter of another. */
const shared: PipelineSpec = {
  name: 'shared',
  steps: [
    { name: 'load', seconds: 1, parameters: { rows: epochs, rate } },
    { name: 'train', seconds: 1, upstream: ['load'], parameters: { epochs, rate, report: epochs } },
    { name: 'report', seconds: 1, upstream: ['train'] },
  ],
}

const nested: PipelineSpec = {
  name: 'nested',
  steps: [
    {
      name: 'train',
      seconds: 1,
      parameters: { epochs, options: { default: { a: 1, b: 2 }, jsonSchema: { type: 'object' } } },
    },
  ],
}

function changesOf(scene: Scene): readonly ValueChange[] {
  return scene.events.flatMap((event) => (event.kind === 'configured' ? event.changes : []))
}

async function overrides(parameters: string, configuration?: string): Promise<Partial<RunRequest>> {
  const layers = configuration === undefined ? [] : [await written(configuration, 'configuration')]
  const given = { layers, parameters: await written(parameters), tags: undefined, enableCache: undefined }
  return { target: { kind: 'template', reference: 'shared-template' }, wait: false, overrides: given }
}

async function errorOf(scene: Scene, parameters: string, configuration?: string): Promise<string> {
  const error: unknown = await scene
    .execute(await overrides(parameters, configuration))
    .catch((e: unknown) => e)
  expect(scene.sent(TRIGGER)).toEqual([])
  expect(scene.planned).toEqual([])
  return error instanceof Error ? error.message : ''
}

test.each([
  ['with a dot', 'train.epochs: 5'],
  ['nested', 'train: {epochs: 5}'],
  ['by a bare name that one step has', 'epochs: 5'],
  ['in JSON', '{"train.epochs": 5}'],
  ['as the log shows it', 'steps.train.parameters.epochs: 5'],
  ['as the log shows it, without its beginning', 'train.parameters.epochs: 5'],
  ['as in a run configuration', 'steps: {train: {parameters: {epochs: 5}}}'],
  ['as in a run configuration, below its step', 'train: {parameters: {epochs: 5}}'],
  ['in a mixture of both', 'steps.train: {parameters: {epochs: 5}}'],
  ['in another mixture', 'steps.train.parameters: {epochs: 5}'],
  ['with the steps in front', 'steps: {train: {epochs: 5}}'],
])('a parameter given %s reaches its step', async (_, text) => {
  const scene = await openScene({ pipelines: [shared] })
  await scene.execute(await overrides(text))
  expect(scene.server.runs[0]?.configuration['steps']).toEqual({ train: { parameters: { epochs: 5 } } })
})

test.each([
  'steps: {train: {parameters: {epochs: 5, rate: 0.5}}}',
  'steps: {load: {parameters: {rate: 0.5}}, train: {parameters: {report: 7}}}',
])('the changed values of %s can be copied into parameters as they are shown', async (configuration) => {
  const scene = await openScene({ pipelines: [shared] })
  await scene.execute(await overrides('{}', configuration))
  const shown = changesOf(scene).map(({ path, after }) => `${path}: ${after}`)
  await scene.execute(await overrides(shown.join('\n')))
  const [first, second] = scene.server.runs
  expect(second?.configuration['steps']).toEqual(first?.configuration['steps'])
})

test('changed values of all kinds are shown in one form', async () => {
  const scene = await openScene({ pipelines: [nested] })
  const configuration =
    'steps: {train: {parameters: {options: {a: 5}, epochs: 4}, enable_cache: true}}\ntags: [x]'
  const given = {
    layers: [await written(configuration, 'configuration')],
    tags: undefined,
    enableCache: undefined,
  }
  await scene.execute({
    target: { kind: 'template', reference: 'nested-template' },
    wait: false,
    overrides: given,
  })
  expect(changesOf(scene).map(({ path }) => path)).toEqual([
    'train.options.a',
    'train.epochs',
    'steps.train.enable_cache',
    'tags',
  ])
})

test('parameters go over configuration, and only over what they name', async () => {
  const scene = await openScene({ pipelines: [shared] })
  await scene.execute(await overrides('epochs: 7', 'steps: {train: {parameters: {epochs: 5, rate: 1}}}'))
  expect(scene.server.runs[0]?.configuration['steps']).toEqual({
    train: { parameters: { epochs: 7, rate: 1 } },
  })
})

test("a misspelt parameter is shown with its place, the nearest name and the step's parameters", async () => {
  const scene = await openScene({ pipelines: [shared] })
  expect(await errorOf(scene, '{train.epochss: "ten"}')).toBe(
    'parameters, line 1, column 2: step "train" has no parameter "epochss"; did you mean epochs? It has: epochs, rate, report',
  )
})

test('every fault is told at once, each with its place', async () => {
  const scene = await openScene({ pipelines: [shared] })
  const message = await errorOf(
    scene,
    'rate: 1\nreport: 2\ntrian.epochs: 1\nepoch: 3\nload: 5\nepochs: ten\n',
    'steps:\n  load:\n    parameters:\n      rows: 1.5\n',
  )
  expect(message.split('\n')).toEqual([
    'configuration, line 4, column 7: parameter "rows" of step "load" must be an integer, not 1.5',
    'parameters, line 1, column 1: more than one parameter is named "rate": write load.rate or train.rate',
    'parameters, line 2, column 1: "report" is a step, and also a parameter of step "train". Write train.report, or report.<parameter>',
    'parameters, line 3, column 1: the pipeline has no step "trian"; did you mean train? It has: load, train, report',
    'parameters, line 4, column 1: no step has a parameter "epoch"; did you mean epochs? The steps have: rows, rate, epochs, report',
    'parameters, line 5, column 1: "load" is a step, which takes a mapping (parameter: value), not 5',
    'parameters, line 6, column 1: parameter "epochs" of step "train" must be an integer, not "ten"',
  ])
})

test('a long form is checked as any other, and shown at its own place', async () => {
  const scene = await openScene({ pipelines: [shared] })
  const message = await errorOf(
    scene,
    'steps.train.parameters.epochss: 5\nsteps: {trian: {parameters: {a: 1}}}\ntrain.parameters.epochs: x\nsteps.train: 5',
  )
  expect(message.split('\n')).toEqual([
    'parameters, line 1, column 1: step "train" has no parameter "epochss"; did you mean epochs? It has: epochs, rate, report',
    'parameters, line 2, column 9: the pipeline has no step "trian"; did you mean train? It has: load, train, report',
    'parameters, line 3, column 1: parameter "epochs" of step "train" must be an integer, not "x"',
    'parameters, line 4, column 1: the pipeline has no step "steps". It has: load, train, report',
  ])
})

const mapping = { default: {}, jsonSchema: { type: 'object' } } as const

/** A step that is named steps, and a parameter that is named parameters. */
const confusing: PipelineSpec = {
  name: 'shared',
  steps: [
    { name: 'steps', seconds: 1, parameters: { options: mapping } },
    { name: 'train', seconds: 1, upstream: ['steps'], parameters: { parameters: mapping, epochs } },
  ],
}

test.each([
  [
    'steps: {options: {parameters: {a: 1}}}',
    { steps: { parameters: { options: { parameters: { a: 1 } } } } },
  ],
  ['steps.options: {parameters: {}}', { steps: { parameters: { options: { parameters: {} } } } }],
  ['train: {parameters: {epochs: 5}}', { train: { parameters: { parameters: { epochs: 5 } } } }],
  ['train.parameters: {epochs: 5}', { train: { parameters: { parameters: { epochs: 5 } } } }],
  ['parameters: {epochs: 5}', { train: { parameters: { parameters: { epochs: 5 } } } }],
])('%s: with a step or parameter of such a name the short meaning counts', async (text, steps) => {
  const scene = await openScene({ pipelines: [confusing] })
  await scene.execute(await overrides(text))
  expect(scene.server.runs[0]?.configuration['steps']).toEqual(steps)
})

test('a parameter that is named steps is that parameter, and a long form still its own', async () => {
  const named = { name: 'train', seconds: 1, parameters: { steps: epochs, epochs } }
  const scene = await openScene({ pipelines: [{ name: 'shared', steps: [named] }] })
  await scene.execute(await overrides('steps: 1000\nsteps.train.parameters.epochs: 5'))
  expect(scene.server.runs[0]?.configuration['steps']).toEqual({
    train: { parameters: { steps: 1000, epochs: 5 } },
  })
})

const note = { default: 'none', jsonSchema: { type: 'string' } } as const
const optional: ParameterSpec = {
  default: 7,
  jsonSchema: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
}
const form: PipelineSpec = {
  name: 'shared',
  steps: [{ name: 'train', seconds: 1, parameters: { epochs, rate, note, seed: optional } }],
}

test.each([
  ['epochs:\nrate: 0.5', { rate: 0.5 }, 'epochs'],
  ['train:\n  epochs:\n  note:\nrate: 0.5', { rate: 0.5 }, 'train.epochs, train.note'],
  ['{"epochs": "", "rate": "0.5", "note": "", "seed": ""}', { rate: '0.5', note: '' }, 'epochs, seed'],
  ['{"seed": null, "epochs": ""}', { seed: null }, 'epochs'],
  ['seed: ~\nsteps.train.parameters.epochs:', { seed: null }, 'steps.train.parameters.epochs'],
])('%j: what is left empty keeps its value, and a warning lists it', async (text, sent, kept) => {
  const scene = await openScene({ pipelines: [form] })
  await scene.execute(await overrides(text))
  expect(scene.server.runs[0]?.configuration['steps']).toEqual({ train: { parameters: sent } })
  expect(scene.events).toContainEqual(
    expect.objectContaining({
      warnings: expect.arrayContaining([
        `parameters: empty, so these keep the value that they have: ${kept}`,
      ]),
    }),
  )
})

test('a form without a single value starts what there is', async () => {
  const scene = await openScene({ pipelines: [form] })
  await scene.execute(await overrides('{"epochs": "", "rate": ""}'))
  expect(scene.server.runs[0]?.configuration['steps']).toBeUndefined()
})

test('an empty value keeps that of the configuration below it', async () => {
  const scene = await openScene({ pipelines: [form] })
  await scene.execute(await overrides('epochs:', 'steps: {train: {parameters: {epochs: 9}}}'))
  expect(scene.server.runs[0]?.configuration['steps']).toEqual({ train: { parameters: { epochs: 9 } } })
})

test('an empty value of a misspelt parameter or step is an error all the same', async () => {
  const scene = await openScene({ pipelines: [form] })
  expect((await errorOf(scene, 'epochz:\ntrian.epochs: ""\ntrain.rat:')).split('\n')).toEqual([
    expect.stringContaining('line 1, column 1: no step has a parameter "epochz"; did you mean epochs?'),
    expect.stringContaining('line 2, column 1: the pipeline has no step "trian"; did you mean train?'),
    expect.stringContaining('line 3, column 1: step "train" has no parameter "rat"; did you mean rate?'),
  ])
})

test('a value that is given twice is refused', async () => {
  const scene = await openScene({ pipelines: [shared] })
  expect(await errorOf(scene, 'epochs: 1\ntrain: {epochs: 2}')).toBe(
    'parameters, line 2, column 9: this value is given twice, also as "epochs"; keep one',
  )
})

test.each(['rounds: 1', 'parameters.rounds: 1', 'parameters: {rounds: 1}'])(
  "%s: a dynamic pipeline's own parameter needs no step",
  async (text) => {
    const scene = await openScene()
    const target = { kind: 'template', reference: 'dynamic-template' } as const
    const own = { layers: [], parameters: await written(text), tags: undefined, enableCache: undefined }
    await scene.execute({ target, wait: false, overrides: own })
    expect(scene.server.runs[0]?.configuration['parameters']).toEqual({ rounds: 1 })
  },
)

test('a step that a dynamic pipeline does not list is an error: ZenML would ignore what is set for it', async () => {
  const scene = await openScene()
  const target = { kind: 'template', reference: 'dynamic-template' } as const
  const parameters = await written('train.accuracy: 0.5')
  const own = { layers: [], parameters, tags: undefined, enableCache: undefined }
  await expect(scene.execute({ target, wait: false, overrides: own })).rejects.toThrow(
    /^parameters, line 1, column 1: the pipeline is dynamic and its depends_on lists no step "train", so ZenML would ignore this; to pass it a value, give the pipeline a parameter for it\. It lists/,
  )
  expect(scene.server.runs).toEqual([])
})

test('what the server will convert is a warning, and is sent as it was written', async () => {
  const scene = await openScene({ pipelines: [shared] })
  await scene.execute(await overrides('epochs: "5"'))
  expect(scene.events).toContainEqual(
    expect.objectContaining({
      warnings: [
        'parameters, line 1, column 1: parameter "epochs" of step "train": "5" will be converted to 5',
      ],
    }),
  )
  expect(scene.server.runs[0]?.configuration['steps']).toEqual({ train: { parameters: { epochs: '5' } } })
})

const loose: PipelineSpec = {
  name: 'loose',
  steps: [
    {
      name: 'fit',
      seconds: 1,
      parameters: {
        share: { default: 0.5, jsonSchema: { anyOf: [{ type: 'integer' }, { type: 'number' }] } },
        rate: { default: 0.5, jsonSchema: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
        forest: { default: {}, jsonSchema: { type: 'object' } },
        weights: { default: {}, jsonSchema: { type: 'object', additionalProperties: { type: 'number' } } },
      },
    },
  ],
}

test('a float that JSON sends as an integer is a warning, unless ZenML makes a float of it again', async () => {
  const scene = await openScene({ pipelines: [loose] })
  const given = `
share: 1.0
rate: 1.0
forest: {max_samples: 1.0, trees: 5, depths: [1, 2e0]}
weights: {a: 1.0}`
  await scene.execute({
    ...(await overrides(given, 'steps: {fit: {parameters: {share: 2}}}')),
    target: { kind: 'template', reference: 'loose-template' },
  })
  const [{ warnings } = { warnings: [] }] = scene.events.filter((event) => event.kind === 'configured')
  const without = 'without the .0; that matters only to a step that tells 1.0 from 1'
  expect(warnings).toEqual([
    `parameters, line 2, column 1: parameter "share" of step "fit" is sent as 1, ${without}`,
    `parameters, line 4, column 10: "max_samples" in parameter "forest" of step "fit" is sent as 1, ${without}`,
    `parameters, line 4, column 50: "depths.1" in parameter "forest" of step "fit" is sent as 2, ${without}`,
  ])
})

test('checks send nothing that a run without them would not send', async () => {
  const [plain, checked] = [
    await openScene({ pipelines: [shared] }),
    await openScene({ pipelines: [shared] }),
  ]
  const target = { kind: 'template', reference: 'shared-template' } as const
  await plain.execute({ target, wait: false })
  await checked.execute(await overrides('epochs: 5'))
  const kinds = (scene: Scene): string[] =>
    scene.sent(/./).map((line) => line.replaceAll(/[0-9a-f-]{36}/g, 'ID'))
  expect(kinds(checked)).toEqual(kinds(plain))
})

test('the place of any key is where it stands', async () => {
  const name = fc.string({
    unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '.', 'é'),
    minLength: 1,
    maxLength: 6,
  })
  const value = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 3 }, fc.integer(), fc.dictionary(name, tie('tree'), { maxKeys: 4 })),
  })).tree
  const mapping = fc.dictionary(name, value, { minKeys: 1, maxKeys: 4 })
  await fc.assert(
    fc.asyncProperty(mapping, async (tree) => {
      const text = JSON.stringify(tree, null, 2)
      const layer = await written(text)
      const lines = text.split('\n')
      const visit = (node: unknown, path: readonly string[]): void => {
        if (typeof node !== 'object' || node === null) return
        for (const [key, inner] of Object.entries(node)) {
          const { line = 0, column = 0 } = layer.locate?.([...path, key]) ?? {}
          expect(lines[line - 1]?.slice(column - 1).startsWith(JSON.stringify(key))).toBe(true)
          visit(inner, [...path, key])
        }
      }
      visit(tree, [])
    }),
  )
})
