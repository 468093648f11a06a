import { expect, test } from '@jest/globals'
import { parseMapping } from '../../../src/github/inputs/yaml.ts'
import { assemble } from '../../../src/run/configure/assemble.ts'
import type { Layer } from '../../../src/run/configure/layers.ts'
import type { JsonObject } from '../../../src/base/json.ts'
import { toDefinition } from '../../../src/zenml/model.ts'
import { definitionSchema } from '../../../src/zenml/schemas.ts'

const integer = { type: 'integer' }
const schedule = { type: 'object', properties: { warmup: integer } }

function definition(properties: JsonObject, values: JsonObject = {}) {
  const metadata = {
    config_template: { steps: { train: { parameters: values } } },
    config_schema: {
      properties: { run_name: { type: 'string' }, success_hook_source: { type: 'string' } },
    },
    pipeline_spec: { steps: [{ invocation_id: 'train', parameter_spec: { properties } }] },
  }
  return toDefinition('template', definitionSchema.parse({ id: 'a', metadata }))
}

async function written(source: string, text: string): Promise<Layer> {
  const parsed = await parseMapping(text, (words) => words)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return { source, value: parsed.value, locate: parsed.locate }
}

async function check(
  of: ReturnType<typeof definition>,
  given: { readonly parameters?: string; readonly configuration?: string },
  version = '0.98.0',
): Promise<readonly string[]> {
  const { parameters, configuration } = given
  const layers = configuration === undefined ? [] : [await written('configuration', configuration)]
  const short = parameters === undefined ? undefined : await written('parameters', parameters)
  try {
    const overrides = { layers, parameters: short, tags: undefined, useCache: undefined }
    const { warnings, unchecked } = assemble(overrides, of, version)
    return [...warnings, ...(unchecked === undefined ? [] : [unchecked])]
  } catch (error) {
    return error instanceof Error ? error.message.split('\n') : []
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
    'configuration, line 6, column 11: "1" in parameter "layers" of step "train" takes an integer, which "x" cannot become',
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
    `parameters, line 1, column 1: no step has a parameter "${name}". It has: a`,
  ])
})

test('a definition that is nested too deeply is not understood, and the configuration is sent', async () => {
  const deep = Array.from({ length: 20_000 }).reduce<JsonObject>((a) => ({ a }), {})
  expect(await check(definition({}, { deep }), { configuration: 'enable_cache: true' })).toEqual([
    'The server does not say which parameters there are, so the configuration is sent without a check',
  ])
})

test('aliases cannot make a small text gigabytes', async () => {
  const text = `a: &a "${'x'.repeat(50_000)}"\nb: [${Array(45_000).fill('*a').join(', ')}]`
  const parsed = await parseMapping(text, (words) => words)
  expect(parsed).toMatchObject({
    ok: false,
    problems: [{ problem: expect.stringContaining('more than 1000000 characters') }],
  })
})
