import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import { ZENML_VERSIONS, type ZenmlVersion } from '../../../../simulator/index.ts'
import { assemble } from '../../../../src/run/configure/assemble.ts'
import { RunError } from '../../../../src/run/errors.ts'
import type { Definition } from '../../../../src/zenml/model.ts'
import { configurations, type WrittenConfiguration } from './configurations.ts'
import { closeScenes, openScene } from '../../scene.ts'

/*
 * The table of configurations, held against what real servers answered (e2e/record-configurations.ts), how the
 * runs then ended, and what the check says beforehand.
 */

const Facts = z.object({
  status: z.number(),
  refusal: z.string().optional(),
  end: z.string().optional(),
  printed: z.string().optional(),
  exception: z.string().optional(),
})
const recorded = z
  .record(z.string(), z.record(z.string(), Facts))
  .parse(JSON.parse(readFileSync(new URL('./recorded-configurations.json', import.meta.url), 'utf8')))

/** Completed runs in which the server left out what was written: to let that pass would be a false result. */
const IGNORED: readonly string[] = [
  'typed, an unknown step',
  'typed, an unknown step without parameters',
  'typed, an unknown top-level key',
  'typed, an unknown key of a step',
  'dynamic, a step that is not listed',
  'dynamic, a step that never is',
]

const UNTYPED = 'before 0.90 a definition has the parameters without their types'

/** What no look at a definition tells, and why. */
function whyUnknowable({ title, pipeline }: WrittenConfiguration, version: ZenmlVersion): string | undefined {
  if (title.includes('secrets that do not exist')) return 'secrets are not part of a definition'
  if (title.includes('operator that does not exist')) return 'stack components are not part of a definition'
  if (version !== '0.98.0' && pipeline === 'typed' && /^typed, \w+: /.test(title)) {
    return UNTYPED
  }
  return undefined
}

const definitions = new Map<string, Definition>()

beforeAll(async () => {
  for (const version of ZENML_VERSIONS) {
    const { client } = await openScene({ version })
    for (const { id, pipeline } of await client.definitions('template', { size: 10 })) {
      definitions.set(`${version} ${pipeline?.name ?? ''}`, await client.definition('template', id))
    }
  }
})
afterAll(closeScenes)

interface Said {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

function check({ pipeline, body }: WrittenConfiguration, version: ZenmlVersion): Said {
  const definition = definitions.get(`${version} ${pipeline}`)
  if (definition === undefined) throw new Error(`no definition of ${pipeline} on ${version}`)
  const layers = [{ source: 'configuration', value: body }]
  try {
    const { warnings } = assemble({ layers, tags: undefined, enableCache: undefined }, definition, version)
    return { errors: [], warnings }
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    return { errors: error.message.split('\n'), warnings: [] }
  }
}

const rows = ZENML_VERSIONS.flatMap((version) =>
  configurations.flatMap((row) => {
    const facts = recorded[version]?.[row.title]
    return facts === undefined ? [] : [{ version, title: row.title, row, facts }]
  }),
)
const wentWell = rows.filter(({ facts }) => facts.end === 'completed')
const went = rows.filter(({ facts }) => facts.end !== 'completed')

test('the table has at least 80 configurations, each asked of every version that has its pipeline', () => {
  expect(configurations.length).toBeGreaterThanOrEqual(80)
  expect(new Set(configurations.map(({ title }) => title)).size).toBe(configurations.length)
  const expected = ZENML_VERSIONS.flatMap((version) =>
    configurations.filter(({ pipeline }) => definitions.has(`${version} ${pipeline}`)),
  )
  expect(rows).toHaveLength(expected.length)
})

test.each(wentWell)(
  '$version, $title: the server runs it well, and it is not refused',
  ({ version, title, row }) => {
    const { errors } = check(row, version)
    expect(errors).toHaveLength(IGNORED.includes(title) ? 1 : 0)
  },
)

test.each(went)(
  '$version, $title: it cannot run, and is found beforehand, or why it cannot be is said',
  ({ version, row }) => {
    const { errors } = check(row, version)
    const why = whyUnknowable(row, version)
    expect(errors.length > 0 || why !== undefined).toBe(true)
    if (why === UNTYPED) expect(errors).toEqual([])
  },
)

test('a step gets what the warning shows', () => {
  const printed = rows.flatMap(({ version, title, row, facts }) => {
    const shown = /"epochs".*will be converted to (.*)$/.exec(check(row, '0.98.0').warnings.join())?.[1]
    // The same pydantic rules on both; this one's logs have what the step printed.
    return version === '0.85.0' && shown !== undefined && facts.printed !== undefined
      ? [{ title, shown, got: facts.printed.split(' ')[1] }]
      : []
  })
  expect(printed.length).toBeGreaterThan(3)
  // Python writes the integer that a boolean becomes as 1.
  expect(printed).toEqual(printed.map((each) => ({ ...each, got: each.shown })))
})

test('what is turned into another value is a warning that shows it', () => {
  const warned = wentWell.flatMap(({ version, title, row }) =>
    version === '0.98.0' && /^\w+, \w+: /.test(title) ? check(row, version).warnings : [],
  )
  expect(warned).toMatchInlineSnapshot(`
    [
      "configuration: parameter "epochs" of step "typed_step": "5" will be converted to 5",
      "configuration: parameter "epochs" of step "typed_step": " 5 " will be converted to 5",
      "configuration: parameter "epochs" of step "typed_step": "5.0" will be converted to 5",
      "configuration: parameter "epochs" of step "typed_step": "1_000" will be converted to 1000",
      "configuration: parameter "epochs" of step "typed_step": true will be converted to 1",
      "configuration: parameter "rate" of step "typed_step": "0.25" will be converted to 0.25",
      "configuration: parameter "rate" of step "typed_step": "1e-3" will be converted to 0.001",
      "configuration: parameter "rate" of step "typed_step": "1_000.5" will be converted to 1000.5",
      "configuration: parameter "rate" of step "typed_step": true will be converted to 1",
      "configuration: parameter "shuffle" of step "typed_step": "no" will be converted to false",
      "configuration: parameter "shuffle" of step "typed_step": "OFF" will be converted to false",
      "configuration: parameter "shuffle" of step "typed_step": "t" will be converted to true",
      "configuration: parameter "shuffle" of step "typed_step": 1 will be converted to true",
      "configuration: parameter "shuffle" of step "typed_step": 0 will be converted to false",
      "configuration: parameter "layers" of step "typed_step": [1,"2"] will be converted to [1,2]",
      "configuration: parameter "schedule" of step "typed_step": {"warmup":"5"} will be converted to {"warmup":5,"decay":0.1}",
      "configuration: parameter "schedule" of step "typed_step" has no field "warmups", so it is ignored; did you mean warmup?",
      "configuration: parameter "seed" of step "typed_step": "1" will be converted to 1",
      "configuration: parameter "seed" of step "typed_step": true will be converted to 1",
      "configuration: parameter "threshold" of step "typed_step": true will be converted to 1",
      "configuration: parameter "rounds" of the pipeline: "1" will be converted to 1",
      "configuration: parameter "seconds" of the pipeline: "0.1" will be converted to 0.1",
    ]
  `)
})

test('the lines about what cannot run', () => {
  const lines = went.flatMap(({ version, row }) => (version === '0.98.0' ? check(row, version).errors : []))
  expect(lines).toMatchInlineSnapshot(`
    [
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not "0x10"",
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not 5.5",
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not "5.5"",
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not "five"",
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not """,
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not null",
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not [5]",
      "configuration: parameter "epochs" of step "typed_step" must be an integer, not 1e+300",
      "configuration: parameter "rate" of step "typed_step" must be a number, not "0x10"",
      "configuration: parameter "rate" of step "typed_step" must be a number, not """,
      "configuration: parameter "rate" of step "typed_step" must be a number, not "fast"",
      "configuration: parameter "rate" of step "typed_step" must be a number, not null",
      "configuration: parameter "rate" of step "typed_step" must be a number, not [0.1]",
      "configuration: parameter "shuffle" of step "typed_step" must be true or false, not " yes "",
      "configuration: parameter "shuffle" of step "typed_step" must be true or false, not 2",
      "configuration: parameter "shuffle" of step "typed_step" must be true or false, not "maybe"",
      "configuration: parameter "shuffle" of step "typed_step" must be true or false, not """,
      "configuration: parameter "shuffle" of step "typed_step" must be true or false, not null",
      "configuration: parameter "name" of step "typed_step" must be a string, not 5",
      "configuration: parameter "name" of step "typed_step" must be a string, not true",
      "configuration: parameter "name" of step "typed_step" must be a string, not null",
      "configuration: parameter "name" of step "typed_step" must be a string, not ["a"]",
      "configuration: "0" in parameter "layers" of step "typed_step" must be an integer, not 1.5",
      "configuration: "0" in parameter "layers" of step "typed_step" must be an integer, not null",
      "configuration: parameter "layers" of step "typed_step" must be a list, not "1,2"",
      "configuration: parameter "layers" of step "typed_step" must be a list, not {"0":1}",
      "configuration: parameter "layers" of step "typed_step" must be a list, not 5",
      "configuration: parameter "layers" of step "typed_step" must be a list, not null",
      "configuration: parameter "options" of step "typed_step" must be a mapping, not "x"",
      "configuration: parameter "options" of step "typed_step" must be a mapping, not [1]",
      "configuration: parameter "options" of step "typed_step" must be a mapping, not [["a",1]]",
      "configuration: parameter "options" of step "typed_step" must be a mapping, not null",
      "configuration: parameter "mode" of step "typed_step" must be "fast" or "slow", not "Slow"",
      "configuration: parameter "mode" of step "typed_step" must be "fast" or "slow", not "other"",
      "configuration: parameter "mode" of step "typed_step" must be "fast" or "slow", not null",
      "configuration: parameter "mode" of step "typed_step" must be "fast" or "slow", not 1",
      "configuration: parameter "optimizer" of step "typed_step" must be "sgd" or "adam", not "ADAM"",
      "configuration: parameter "optimizer" of step "typed_step" must be "sgd" or "adam", not "other"",
      "configuration: parameter "optimizer" of step "typed_step" must be "sgd" or "adam", not null",
      "configuration: parameter "optimizer" of step "typed_step" must be "sgd" or "adam", not 1",
      "configuration: "warmup" in parameter "schedule" of step "typed_step" must be an integer, not "x"",
      "configuration: "warmup" in parameter "schedule" of step "typed_step" must be an integer, not 5.5",
      "configuration: "warmup" in parameter "schedule" of step "typed_step" must be an integer, not null",
      "configuration: parameter "schedule" of step "typed_step" must be a mapping, not "x"",
      "configuration: parameter "schedule" of step "typed_step" must be a mapping, not []",
      "configuration: parameter "schedule" of step "typed_step" must be a mapping, not null",
      "configuration: parameter "seed" of step "typed_step" must be an integer or null, not "x"",
      "configuration: parameter "seed" of step "typed_step" must be an integer or null, not 1.5",
      "configuration: parameter "threshold" of step "typed_step" must be an integer or a string, not 5.5",
      "configuration: parameter "threshold" of step "typed_step" must be an integer or a string, not null",
      "configuration: parameter "threshold" of step "typed_step" must be an integer or a string, not [1]",
      "configuration: parameter "rounds" of the pipeline must be an integer, not "x"",
      "configuration: parameter "rounds" of the pipeline must be an integer, not 1.5",
      "configuration: parameter "rounds" of the pipeline must be an integer, not null",
      "configuration: parameter "seconds" of the pipeline must be a number, not "x"",
      "configuration: the pipeline has no parameter "round"; did you mean rounds? It has: rounds, seconds",
      "configuration: step "typed_step" has no parameter "epochss"; did you mean epochs? It has: epochs, rate, shuffle, name, layers, options, mode, optimizer, schedule, seed, threshold",
      "configuration: step "typed_step" has no parameter "epochss"; did you mean epochs? It has: epochs, rate, shuffle, name, layers, options, mode, optimizer, schedule, seed, threshold",
      "configuration: step "typed_step" has no parameter "rates"; did you mean rate? It has: epochs, rate, shuffle, name, layers, options, mode, optimizer, schedule, seed, threshold",
      "configuration: only a dynamic pipeline has parameters of its own, and this one is static; move them to steps.typed_step.parameters",
      "configuration: schedule cannot be set: schedule the workflow instead (on: schedule)",
      "configuration: build cannot be set: the build is part of the snapshot or template; to change it, create that again",
      "configuration: build cannot be set: the build is part of the snapshot or template; to change it, create that again",
      "configuration: steps takes a mapping (step: {parameters: …}), not ["typed_step"]",
      "configuration: step "typed_step" takes a mapping (parameters: …), not null",
      "configuration: step "typed_step" takes a mapping (parameters: …), not "x"",
      "configuration: parameters takes a mapping (name: value), not [{"epochs":5}]",
      "configuration: "enable_cache" must be true or false or null, not "maybe"",
      "configuration: "enable_cache" must be true or false or null, not "maybe"",
      "configuration: "tags" must be a list or null, not "a"",
      "configuration: "tags.0" must be a string or a mapping, not 1",
      "configuration: "extra" must be a mapping or null, not "x"",
      "configuration: "settings.resources.cpu_count" must be a number, above 0 or null, not "many"",
      "configuration: settings.docker cannot be set: the image is part of the snapshot or template; to change it, create that again",
      "configuration: "settings.resources.memory" must be a string matching ^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB|PB|PiB)$ or null, not "1"",
      "configuration: "model" must be a mapping with "name" or null, not {"version":"v1"}",
      "configuration: "retry.max_retries" must be an integer, above 0, not "x"",
      "configuration: "environment.A" must be a string, not 1",
      "configuration: "execution_mode" must be "fail_fast" or "stop_on_failure" or "continue_on_failure" or null, not "stop"",
      "configuration: "substitutions.a" must be a string, not 1",
      "configuration: step "train" has no parameter "rows". It has: seconds, accuracy, fail",
      "configuration: step "report" has no parameter "rows". It has none",
    ]
  `)
})
