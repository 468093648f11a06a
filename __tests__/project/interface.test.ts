import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { ZENML_VERSIONS } from '../../simulator/index.ts'
import { inputTables, type ActionName, type InputName } from '../../src/github/inputs/table.ts'
import { actionOutputs } from '../../src/github/outputs.ts'
import type { Conclusion } from '../../src/run/conclusion.ts'
import type { PromotionConclusion } from '../../src/run/promote/change-stage.ts'
import { USER_AGENT } from '../../src/http/user-agent.ts'
import { code, projectFile, section, table, tables } from './markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

/** GitHub shows a list of inputs beside the file; longer ones are not read. */
const LONGEST_DESCRIPTION = 120

const Described = z.object({ description: z.string().min(1) })
const ActionFile = z.object({
  description: z.string(),
  inputs: z.record(z.string(), Described.extend({ default: z.string().optional() })),
  outputs: z.record(z.string(), Described),
  runs: z.object({ using: z.literal('node24'), main: z.string(), post: z.string().optional() }),
})

/** Booleans that only a sub-action has. */
const OWN_BOOLEANS: Partial<Readonly<Record<ActionName, readonly string[]>>> = {
  login: ['export-env'],
  sweep: ['fail-fast', 'expect-all'],
}

interface Place {
  /** Folder of the action's file and README. */
  readonly folder: string
  /** The action has a run to look after when its step is killed. */
  readonly hasPost: boolean
}

const PLACES: Readonly<Record<ActionName, Place>> = {
  main: { folder: '.', hasPost: true },
  login: { folder: 'login', hasPost: false },
  wait: { folder: 'wait', hasPost: true },
  sweep: { folder: 'sweep', hasPost: true },
  stop: { folder: 'stop', hasPost: false },
  resolve: { folder: 'resolve', hasPost: false },
  promote: { folder: 'promote', hasPost: false },
}

/** What the three places say about each action. */
const actions = (['main', 'login', 'wait', 'sweep', 'stop', 'resolve', 'promote'] as const).map((name) => {
  const { folder, hasPost } = PLACES[name]
  const readme = projectFile(path.join(folder, 'README.md'))
  return {
    name,
    folder,
    hasPost,
    file: ActionFile.parse(parse(projectFile(path.join(folder, 'action.yml')))),
    code: {
      inputs: inputTables[name].names,
      defaults: inputTables[name].defaults,
      outputs: actionOutputs[name],
    },
    readme: {
      /** The inputs stand in several small tables, by what they are about. */
      inputs: tables(section(readme, '## Inputs'), '').flat(),
      outputs: table(section(readme, '## Outputs'), 'Output', 'Meaning'),
      conclusions: tables(section(readme, '## Outputs'), 'Conclusion').flat(),
    },
  }
})

/** What each conclusion makes of the step; complete, because the compiler refuses it otherwise. */
const CONCLUSIONS: Readonly<Record<Conclusion, 'green' | 'red'>> = {
  completed: 'green',
  failed: 'red',
  stopped: 'red',
  'timed-out': 'red',
  cancelled: 'red',
  lost: 'red',
  started: 'green',
  running: 'green',
  'expectation-missed': 'red',
  'dry-run': 'green',
  resolved: 'green',
}

/** All but that of resolve/. */
const conclusions = Object.entries(CONCLUSIONS).filter(([name]) => name !== 'resolved')

/** The same of promote/. */
const PROMOTIONS: Readonly<Record<PromotionConclusion, 'green' | 'red'>> = {
  promoted: 'green',
  superseded: 'red',
  taken: 'red',
  failed: 'red',
  cancelled: 'red',
  lost: 'red',
}

const promotions = Object.entries(PROMOTIONS)

/** wait/ starts nothing. */
const followed = conclusions.filter(([name]) => name !== 'started' && name !== 'dry-run')

interface Detail {
  readonly name: string
  readonly type: string
  readonly default: string | undefined
  readonly text: string
}

/** The sections of docs/inputs.md, one for each input. */
const details: readonly Detail[] = [
  ...projectFile('docs/inputs.md').matchAll(
    /^### `([\w-]+)`\n\nType: ([^\n·]+?)(?: · Default: `([^`\n]+)`)?\n\n(.*?)(?=^##|(?![^]))/gms,
  ),
].map(([, name = '', type = '', inGuide, text = '']) => ({ name, type, default: inGuide, text }))

/** A default that the runner works out before the action sees it. */
function isExpression(text: string | undefined): boolean {
  return text?.includes('${{') === true
}

describe.each(actions)('$name: action.yml, code and README', (action) => {
  const { file, code: inCode, readme: inReadme } = action

  test('have the same inputs; file and code in the same order', () => {
    expect(Object.keys(file.inputs)).toEqual([...inCode.inputs])
    expect(inReadme.inputs.map(([name]) => code(name)).sort()).toEqual([...inCode.inputs].sort())
  })

  test.each([...inCode.inputs])('have the same default of %s', (name) => {
    const inFile = file.inputs[name]?.default
    expect(code(inReadme.inputs.find(([cell]) => code(cell) === name)?.[1])).toBe(inFile)
    // The code's is for an expression that came out empty.
    expect(inCode.defaults[name]).toBe(isExpression(inFile) ? '' : inFile)
  })

  test('have the same outputs in the same order', () => {
    expect(Object.keys(file.outputs)).toEqual([...inCode.outputs])
    expect(inReadme.outputs.map(([name]) => code(name))).toEqual([...inCode.outputs])
  })

  test('explain every input, output and conclusion', () => {
    const rows = [...inReadme.inputs, ...inReadme.outputs, ...inReadme.conclusions]
    expect(rows.filter((row) => row.length < 2 || row.at(-1) === '')).toEqual([])
  })

  test('agree on which inputs are booleans', () => {
    const booleans = details.filter(({ type }) => type.startsWith('boolean')).map(({ name }) => name)
    const others = Object.entries(file.inputs)
      .filter(([name, input]) => /^(true|false)$/.test(input.default ?? '') && !booleans.includes(name))
      .map(([name]) => name)
    // What only a sub-action has is explained in its README.
    expect(others).toEqual(OWN_BOOLEANS[action.name] ?? [])
  })

  test(`describe the action, inputs and outputs with at most ${LONGEST_DESCRIPTION} characters each`, () => {
    const described = [
      ['the action', file.description] as const,
      ...[...Object.entries(file.inputs), ...Object.entries(file.outputs)].map(
        ([name, { description }]) => [name, description] as const,
      ),
    ]
    expect(described.filter(([, text]) => text.length > LONGEST_DESCRIPTION)).toEqual([])
  })
})

test('docs/inputs.md has every input of the main action once, with its default', () => {
  const [main] = actions
  expect(details.map(({ name }) => name).sort()).toEqual([...inputTables.main.names].sort())
  for (const detail of details) {
    const { name, text } = detail
    expect({ name, default: detail.default }).toEqual({ name, default: main?.file.inputs[name]?.default })
    expect({ name, isExplained: text.trim() !== '' }).toEqual({ name, isExplained: true })
  }
})

test('docs/inputs.md calls those inputs secrets that the action masks', () => {
  const secrets = details.filter(({ type }) => type === 'secret').map(({ name }) => name)
  for (const { name } of actions) {
    const has = (input: string): boolean =>
      inputTables[name].names.some((known: InputName) => known === input)
    expect(secrets.filter(has).sort()).toEqual([...inputTables[name].secrets].sort())
  }
})

test('docs/outputs.md has every output and every conclusion of the main action', () => {
  const guide = projectFile('docs/outputs.md')
  expect(table(guide, 'Name', 'Type', 'Meaning').map(([name]) => code(name))).toEqual([...actionOutputs.main])
  const explained = [...guide.matchAll(/^- \*\*`([\w-]+)`\*\* \((green|red)\): /gm)]
  expect(explained.map(([, name, color]) => [name, color])).toEqual(conclusions)
})

test.each(actions)('$name starts files of dist that exist', ({ folder, hasPost, file: { runs } }) => {
  expect(runs.post !== undefined).toBe(hasPost)
  for (const entry of [runs.main, runs.post].filter((each) => each !== undefined)) {
    const started = path.join(folder, entry)
    expect(path.dirname(started)).toBe('dist')
    expect({ started, exists: existsSync(path.join(ROOT, started)) }).toEqual({ started, exists: true })
  }
})

test('the READMEs have the conclusions of the code', () => {
  const [main, login, wait, sweep, stop, resolve, promote] = actions.map(({ readme }) =>
    readme.conclusions.map(([name, step]) => [code(name), step]),
  )
  expect(main).toEqual(conclusions)
  expect(wait).toEqual(followed)
  // No sweep is handed over.
  expect(sweep).toEqual(followed.filter(([name]) => name !== 'running'))
  expect(login).toEqual([])
  expect(promote).toEqual(promotions)
  // Two, which its output's row explains.
  expect(stop).toEqual([])
  expect(resolve).toEqual([])
})

test('the action files have the conclusions of the code', () => {
  const [main, , wait, , , , promote] = actions.map(({ file }) => file.outputs['conclusion']?.description)
  const names = (all: readonly (readonly [string, string])[]): string => all.map(([name]) => name).join(', ')
  expect(main).toMatch(new RegExp(`: ${names(conclusions)}\\.$`))
  expect(wait).toMatch(new RegExp(`: ${names(followed)}\\.$`))
  expect(promote).toMatch(new RegExp(`: ${names(promotions)}\\.$`))
})

test('servers are told the version of package.json', () => {
  const { name, version } = JSON.parse(projectFile('package.json'))
  expect(USER_AGENT).toBe(`${name}/${version}`)
})

test('the table of versions has those that the simulator answers as', () => {
  for (const version of ZENML_VERSIONS) expect(projectFile('docs/versions.md')).toContain(version)
})
