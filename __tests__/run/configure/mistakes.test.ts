import { expect, test } from '@jest/globals'
import { parseMapping } from '../../../src/github/inputs/yaml.ts'
import { assemble } from '../../../src/run/configure/assemble.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import { toDefinition } from '../../../src/zenml/model.ts'
import { definitionSchema } from '../../../src/zenml/schemas.ts'
import { written } from './written.ts'

const integer = { type: 'integer' }
const schedule = { type: 'object', properties: { warmup: integer } }

function definition(properties: JsonObject, values: JsonObject = {}) {
  const metadata = {
    config_template: { steps: { train: { parameters: values } } },
    config_schema: {
      properties: {
        run_name: { type: 'string' },
        enable_cache: { type: 'boolean' },
        settings: { type: 'object' },
        success_hook_source: { type: 'string' },
        steps: { properties: { train: { properties: { enable_cache: {}, secrets: {}, settings: {} } } } },
      },
    },
    pipeline_spec: { steps: [{ invocation_id: 'train', parameter_spec: { properties } }] },
  }
  return toDefinition('template', definitionSchema.parse({ id: 'a', metadata }))
}

async function check(
  of: ReturnType<typeof definition>,
  given: { readonly parameters?: string; readonly configuration?: string },
  version = '0.98.0',
): Promise<readonly string[]> {
  const { parameters, configuration } = given
  const layers = configuration === undefined ? [] : [await written(configuration, 'configuration')]
  const short = parameters === undefined ? undefined : await written(parameters, 'parameters')
  try {
    const overrides = { layers, parameters: short, tags: undefined, enableCache: undefined }
    const { warnings, unchecked } = assemble(overrides, of, version)
    return [...warnings, ...(unchecked === undefined ? [] : [unchecked])]
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : []
  }
}

async function starts(of: ReturnType<typeof definition>, configuration: string): Promise<boolean> {
  const layers = [await written(configuration, 'configuration')]
  try {
    assemble({ layers, tags: undefined, enableCache: undefined }, of, '0.98.0')
    return true
  } catch {
    return false
  }
}

test.each(['0.74.0', '0.85.0', '0.98.0'])('%s: a hook can be a mapping', async (version) => {
  const hook = 'success_hook_source: {module: hooks, attribute: done, type: user}'
  expect(await check(definition({}), { configuration: hook }, version)).toEqual([])
})

test('an item of a list is shown at its own place', async () => {
  const layers = { type: 'array', items: integer }
  const configuration = 'steps:\n  train:\n    parameters:\n      layers:\n        - 1\n        - x\n'
  expect(await check(definition({ layers }), { configuration })).toEqual([
    'configuration, line 6, column 11: "1" in parameter "layers" of step "train" must be an integer, not "x"',
  ])
})

test.each([
  [
    'train.schedule.warmup: 5',
    'step "train" has no parameter "schedule.warmup"; write schedule: {warmup: 5}',
  ],
  ['schedule.warmup: 5', 'no step has a parameter "schedule.warmup"; write schedule: {warmup: 5}'],
  [
    'trian:',
    'no step has a parameter "trian"; did you mean train? That is a step, which takes a mapping (parameter: value)',
  ],
])('%s: the message says how it is written', async (parameters, problem) => {
  expect(await check(definition({ schedule }), { parameters })).toEqual([
    `parameters, line 1, column 1: ${problem}`,
  ])
})

test.each([
  [
    'parametrs: {seconds: 1}',
    'the configuration of step "train" has no key "parametrs"; did you mean parameters?',
  ],
  ['seconds: 2', '"seconds" is a parameter of the step "train": write it below parameters:'],
  [
    'enable_cahce: true',
    'the configuration of step "train" has no key "enable_cahce"; did you mean enable_cache?',
  ],
])('{train: {%s}} trains with no defaults by mistake: it is an error', async (step, problem) => {
  const text = `steps: {train: {${step}}}`
  const run = check(definition({ seconds: integer }), { configuration: text }, '0.98.0')
  expect(await run).toEqual([`configuration, line 1, column 17: ${problem}`])
  await expect(starts(definition({ seconds: integer }), text)).resolves.toBe(false)
})

test.each(['train: {seconds: 2}', 'train.seconds: 2'])(
  'a configuration with %s, as the input parameters takes it, is an error, not a run with defaults',
  async (text) => {
    const key = text.slice(0, text.indexOf(':'))
    expect(await check(definition({ seconds: integer }), { configuration: text })).toEqual([
      `configuration, line 1, column 1: a run configuration has no key "${key}"; parameters of the step "train" belong below ` +
        'steps.train.parameters, or in the input parameters',
    ])
    await expect(starts(definition({ seconds: integer }), text)).resolves.toBe(false)
  },
)

test('a key of a step that is close to no known one may be new: a warning', async () => {
  const text = 'steps: {train: {invented_later: 2}}'
  expect(await check(definition({ seconds: integer }), { configuration: text })).toEqual([
    'configuration, line 1, column 17: the configuration of step "train" has no key "invented_later"',
  ])
  await expect(starts(definition({ seconds: integer }), text)).resolves.toBe(true)
})

test.each([
  ['enable_cache: false', 1, '"enable_cache" is not a parameter; write it in the input configuration'],
  ['settings: {a: 1}', 1, '"settings" is not a parameter; write it in the input configuration'],
  ['others: {a: 1}', 1, 'the pipeline has no step "others". It has: train'],
  ['build: x', 1, '"build" is not a parameter; write it in the input configuration'],
  [
    'train: {enable_cache: false}',
    9,
    '"enable_cache" is not a parameter, but belongs to the configuration of step "train"; write it in the input configuration, next to parameters:',
  ],
])('parameters: %s: the message says where it belongs', async (parameters, column, problem) => {
  expect(await check(definition({ seconds: integer }), { parameters })).toEqual([
    `parameters, line 1, column ${column}: ${problem}`,
  ])
})

test('errors come in the order of the lines, the configuration before the parameters', async () => {
  const parameters = 'trian.a: 1\nepoch: 3\nepochs: ten\ntrain: 5'
  const configuration = 'enable_cahce: true\nsteps:\n  tran: {}\nrun_nme: x'
  const lines = await check(definition({ epochs: integer }), { parameters, configuration })
  expect(lines.map((line) => line.replace(/, column.*/, ''))).toEqual([
    'configuration, line 1',
    'configuration, line 3',
    'configuration, line 4',
    'parameters, line 1',
    'parameters, line 2',
    'parameters, line 3',
    'parameters, line 4',
  ])
})

test('of hundreds of faults the first ones are shown, and how many more there are', async () => {
  const parameters = Array.from({ length: 300 }, (_, i) => `q${i}: 1`).join('\n')
  const lines = await check(definition({ epochs: integer }), { parameters })
  expect(lines).toHaveLength(21)
  expect(lines.at(-1)).toBe('and 280 more like these')
})

test.each(['prototype', 'constructor'])('%s can be the name of a parameter and of a field', async (name) => {
  const of = definition({ [name]: integer, options: { type: 'object' } }, { options: {} })
  const parameters = `${name}: 1\noptions: {${name}: {a: 1}}`
  expect(await check(of, { parameters })).toEqual([])
  expect(await check(definition({ a: integer }), { parameters: `${name}: 1` })).toEqual([
    `parameters, line 1, column 1: no step has a parameter "${name}". The steps have: a`,
  ])
})

test('a definition that is nested too deeply is not understood, and the configuration is sent', async () => {
  const deep = Array.from({ length: 20_000 }).reduce<JsonObject>((a) => ({ a }), {})
  expect(await check(definition({}, { deep }), { configuration: 'enable_cache: true' })).toEqual([
    'The server does not list the parameters, so the configuration is sent unchecked',
  ])
})

test.each([
  ['steps.train.parameters.epochs: 5', { train: { parameters: { epochs: 5 } } }],
  ['steps: {train: {parameters: {epochs: 5}}}', { train: { parameters: { epochs: 5 } } }],
  ['train.parameters.epochs: 5\ntrain.rate:', { train: { parameters: { epochs: 5 } } }],
  ['train.note: ""', { train: { parameters: { note: '' } } }],
])('%j is understood where the server does not say which parameters there are', async (text, steps) => {
  const of = toDefinition('template', definitionSchema.parse({ id: 'a' }))
  const overrides = { layers: [], parameters: await written(text, 'parameters'), tags: undefined }
  expect(assemble({ ...overrides, enableCache: undefined }, of, '0.98.0').body).toEqual({ steps })
  expect(await check(of, { parameters: 'epochs: 5' })).toEqual([
    'parameters, line 1, column 1: the server does not say which step has "epochs"; write <step>.epochs',
  ])
})

test('before types are known, the value of the template tells whether an empty text is a value', async () => {
  const metadata = { config_template: { steps: { train: { parameters: { epochs: 3, note: 'a' } } } } }
  const of = toDefinition('template', definitionSchema.parse({ id: 'a', metadata }))
  const parameters = await written('{"epochs": "", "note": ""}')
  const { body, warnings } = assemble(
    { layers: [], parameters, tags: undefined, enableCache: undefined },
    of,
    '0.85.0',
  )
  expect(body).toEqual({ steps: { train: { parameters: { note: '' } } } })
  expect(warnings).toEqual(['parameters: empty, so these keep the value that they have: epochs'])
})

test('aliases cannot make a small text gigabytes', async () => {
  const text = `a: &a "${'x'.repeat(50_000)}"\nb: [${Array(45_000).fill('*a').join(', ')}]`
  const parsed = await parseMapping(text, (words) => words)
  expect(parsed).toMatchObject({
    ok: false,
    problems: [{ problem: expect.stringContaining('more than 1000000 characters') }],
  })
})

/** As ZenML 0.98.0 describes them; it answers 500 to a model that is a word. */
function withModels() {
  const nullable = ($ref: string) => ({ anyOf: [{ $ref }, { type: 'null' }] })
  const metadata = {
    config_template: { steps: { train: { parameters: {} } } },
    config_schema: {
      $defs: {
        Model: { type: 'object', properties: { name: { type: 'string' } } },
        Retry: { type: 'object', properties: { max_retries: integer } },
        Policy: { type: 'object', properties: {} },
        Source: { type: 'object', properties: {} },
      },
      properties: {
        model: nullable('#/$defs/Model'),
        retry: nullable('#/$defs/Retry'),
        cache_policy: nullable('#/$defs/Policy'),
        failure_hook_source: nullable('#/$defs/Source'),
        steps: { properties: { train: { properties: { retry: nullable('#/$defs/Retry') } } } },
      },
    },
  }
  return toDefinition('template', definitionSchema.parse({ id: 'a', metadata }))
}

test.each([
  ['model: classifier', '"model" must be a mapping or null, not "classifier"'],
  ['retry: 3', '"retry" must be a mapping or null, not 3'],
  ['steps: {train: {retry: 3}}', '"retry" must be a mapping or null, not 3'],
])('%s is no mapping, and nothing is started', async (configuration, problem) => {
  expect(await check(withModels(), { configuration })).toEqual([expect.stringContaining(problem)])
  await expect(starts(withModels(), configuration)).resolves.toBe(false)
})

test.each(['cache_policy: default', 'failure_hook_source: hooks.tell', 'model: null', 'model: {name: m}'])(
  '%s is taken, as the server takes it',
  async (configuration) => {
    expect(await check(withModels(), { configuration })).toEqual([])
  },
)
