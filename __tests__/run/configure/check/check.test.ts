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
    const { warnings } = assemble({ layers, tags: undefined, useCache: undefined }, definition, version)
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
    const shown = /"epochs".*will reach it as (.*)$/.exec(check(row, '0.98.0').warnings.join())?.[1]
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
      "configuration: parameter "epochs" of step "typed_step": "5" will reach it as 5",
      "configuration: parameter "epochs" of step "typed_step": " 5 " will reach it as 5",
      "configuration: parameter "epochs" of step "typed_step": "5.0" will reach it as 5",
      "configuration: parameter "epochs" of step "typed_step": "1_000" will reach it as 1000",
      "configuration: parameter "epochs" of step "typed_step": true will reach it as 1",
      "configuration: parameter "rate" of step "typed_step": "0.25" will reach it as 0.25",
      "configuration: parameter "rate" of step "typed_step": "1e-3" will reach it as 0.001",
      "configuration: parameter "rate" of step "typed_step": "1_000.5" will reach it as 1000.5",
      "configuration: parameter "rate" of step "typed_step": true will reach it as 1",
      "configuration: parameter "shuffle" of step "typed_step": "no" will reach it as false",
      "configuration: parameter "shuffle" of step "typed_step": "OFF" will reach it as false",
      "configuration: parameter "shuffle" of step "typed_step": "t" will reach it as true",
      "configuration: parameter "shuffle" of step "typed_step": 1 will reach it as true",
      "configuration: parameter "shuffle" of step "typed_step": 0 will reach it as false",
      "configuration: parameter "layers" of step "typed_step": [1,"2"] will reach it as [1,2]",
      "configuration: parameter "schedule" of step "typed_step": {"warmup":"5"} will reach it as {"warmup":5,"decay":0.1}",
      "configuration: parameter "schedule" of step "typed_step" has no field "warmups", so it is ignored; did you mean warmup?",
      "configuration: parameter "seed" of step "typed_step": "1" will reach it as 1",
      "configuration: parameter "seed" of step "typed_step": true will reach it as 1",
      "configuration: parameter "threshold" of step "typed_step": true will reach it as 1",
      "configuration: parameter "rounds" of the pipeline: "1" will reach it as 1",
      "configuration: parameter "seconds" of the pipeline: "0.1" will reach it as 0.1",
    ]
  `)
})

test('the lines about what cannot run', () => {
  const lines = went.flatMap(({ version, row }) => (version === '0.98.0' ? check(row, version).errors : []))
  expect(lines).toMatchInlineSnapshot(`
    [
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which "0x10" cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which 5.5 cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which "5.5" cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which "five" cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which "" cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which null cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which [5] cannot become",
      "configuration: parameter "epochs" of step "typed_step" takes an integer, which 1e+300 cannot become",
      "configuration: parameter "rate" of step "typed_step" takes a number, which "0x10" cannot become",
      "configuration: parameter "rate" of step "typed_step" takes a number, which "" cannot become",
      "configuration: parameter "rate" of step "typed_step" takes a number, which "fast" cannot become",
      "configuration: parameter "rate" of step "typed_step" takes a number, which null cannot become",
      "configuration: parameter "rate" of step "typed_step" takes a number, which [0.1] cannot become",
      "configuration: parameter "shuffle" of step "typed_step" takes true or false, which " yes " cannot become",
      "configuration: parameter "shuffle" of step "typed_step" takes true or false, which 2 cannot become",
      "configuration: parameter "shuffle" of step "typed_step" takes true or false, which "maybe" cannot become",
      "configuration: parameter "shuffle" of step "typed_step" takes true or false, which "" cannot become",
      "configuration: parameter "shuffle" of step "typed_step" takes true or false, which null cannot become",
      "configuration: parameter "name" of step "typed_step" takes a text, which 5 cannot become",
      "configuration: parameter "name" of step "typed_step" takes a text, which true cannot become",
      "configuration: parameter "name" of step "typed_step" takes a text, which null cannot become",
      "configuration: parameter "name" of step "typed_step" takes a text, which ["a"] cannot become",
      "configuration: "0" in parameter "layers" of step "typed_step" takes an integer, which 1.5 cannot become",
      "configuration: "0" in parameter "layers" of step "typed_step" takes an integer, which null cannot become",
      "configuration: parameter "layers" of step "typed_step" takes a list, which "1,2" cannot become",
      "configuration: parameter "layers" of step "typed_step" takes a list, which {"0":1} cannot become",
      "configuration: parameter "layers" of step "typed_step" takes a list, which 5 cannot become",
      "configuration: parameter "layers" of step "typed_step" takes a list, which null cannot become",
      "configuration: parameter "options" of step "typed_step" takes a mapping, which "x" cannot become",
      "configuration: parameter "options" of step "typed_step" takes a mapping, which [1] cannot become",
      "configuration: parameter "options" of step "typed_step" takes a mapping, which [["a",1]] cannot become",
      "configuration: parameter "options" of step "typed_step" takes a mapping, which null cannot become",
      "configuration: parameter "mode" of step "typed_step" takes "fast" or "slow", which "Slow" cannot become",
      "configuration: parameter "mode" of step "typed_step" takes "fast" or "slow", which "other" cannot become",
      "configuration: parameter "mode" of step "typed_step" takes "fast" or "slow", which null cannot become",
      "configuration: parameter "mode" of step "typed_step" takes "fast" or "slow", which 1 cannot become",
      "configuration: parameter "optimizer" of step "typed_step" takes "sgd" or "adam", which "ADAM" cannot become",
      "configuration: parameter "optimizer" of step "typed_step" takes "sgd" or "adam", which "other" cannot become",
      "configuration: parameter "optimizer" of step "typed_step" takes "sgd" or "adam", which null cannot become",
      "configuration: parameter "optimizer" of step "typed_step" takes "sgd" or "adam", which 1 cannot become",
      "configuration: "warmup" in parameter "schedule" of step "typed_step" takes an integer, which "x" cannot become",
      "configuration: "warmup" in parameter "schedule" of step "typed_step" takes an integer, which 5.5 cannot become",
      "configuration: "warmup" in parameter "schedule" of step "typed_step" takes an integer, which null cannot become",
      "configuration: parameter "schedule" of step "typed_step" takes a mapping, which "x" cannot become",
      "configuration: parameter "schedule" of step "typed_step" takes a mapping, which [] cannot become",
      "configuration: parameter "schedule" of step "typed_step" takes a mapping, which null cannot become",
      "configuration: parameter "seed" of step "typed_step" takes an integer or null, which "x" cannot become",
      "configuration: parameter "seed" of step "typed_step" takes an integer or null, which 1.5 cannot become",
      "configuration: parameter "threshold" of step "typed_step" takes an integer or a text, which 5.5 cannot become",
      "configuration: parameter "threshold" of step "typed_step" takes an integer or a text, which null cannot become",
      "configuration: parameter "threshold" of step "typed_step" takes an integer or a text, which [1] cannot become",
      "configuration: parameter "rounds" of the pipeline takes an integer, which "x" cannot become",
      "configuration: parameter "rounds" of the pipeline takes an integer, which 1.5 cannot become",
      "configuration: parameter "rounds" of the pipeline takes an integer, which null cannot become",
      "configuration: parameter "seconds" of the pipeline takes a number, which "x" cannot become",
      "configuration: the pipeline has no parameter "round"; did you mean rounds? It has: rounds, seconds",
      "configuration: step "typed_step" has no parameter "epochss"; did you mean epochs? It has: epochs, rate, shuffle, name, layers, options, mode, optimizer, schedule, seed, threshold",
      "configuration: step "typed_step" has no parameter "epochss"; did you mean epochs? It has: epochs, rate, shuffle, name, layers, options, mode, optimizer, schedule, seed, threshold",
      "configuration: step "typed_step" has no parameter "rates"; did you mean rate? It has: epochs, rate, shuffle, name, layers, options, mode, optimizer, schedule, seed, threshold",
      "configuration: only a dynamic pipeline has parameters of its own, and this one is static; move them to steps.typed_step.parameters",
      "configuration: schedule cannot be set: a run that is started from outside has no schedule; put it on the workflow (on: schedule)",
      "configuration: build cannot be set: a run uses the build of its snapshot or template; make a new one to change it",
      "configuration: build cannot be set: a run uses the build of its snapshot or template; make a new one to change it",
      "configuration: steps takes a mapping (step: {parameters: …}), not ["typed_step"]",
      "configuration: step "typed_step" takes a mapping (parameters: …), not null",
      "configuration: step "typed_step" takes a mapping (parameters: …), not "x"",
      "configuration: parameters takes a mapping (name: value), not [{"epochs":5}]",
      "configuration: "enable_cache" takes true or false or null, which "maybe" cannot become",
      "configuration: "enable_cache" takes true or false or null, which "maybe" cannot become",
      "configuration: "tags" takes a list or null, which "a" cannot become",
      "configuration: "tags.0" takes a text or a mapping, which 1 cannot become",
      "configuration: "extra" takes a mapping or null, which "x" cannot become",
      "configuration: "settings.resources.cpu_count" takes a number, above 0 or null, which "many" cannot become",
      "configuration: settings.docker cannot be set: the image is part of the snapshot or template; make a new one to change it",
      "configuration: "settings.resources.memory" takes a text like ^[0-9]+(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB|PB|PiB)$ or null, which "1" cannot become",
      "configuration: "model" takes a mapping with "name" or null, which {"version":"v1"} cannot become",
      "configuration: "retry.max_retries" takes an integer, above 0, which "x" cannot become",
      "configuration: "environment.A" takes a text, which 1 cannot become",
      "configuration: "execution_mode" takes "fail_fast" or "stop_on_failure" or "continue_on_failure" or null, which "stop" cannot become",
      "configuration: "substitutions.a" takes a text, which 1 cannot become",
      "configuration: step "train" has no parameter "rows". It has: seconds, accuracy, fail",
      "configuration: step "report" has no parameter "rows". It has none",
    ]
  `)
})
