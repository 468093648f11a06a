import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { ZENML_VERSIONS } from '../../simulator/index.ts'
import { inputTables, type ActionName } from '../../src/github/inputs/table.ts'
import { actionOutputs } from '../../src/github/outputs.ts'
import type { Conclusion } from '../../src/run/conclusion.ts'
import { USER_AGENT } from '../../src/http/user-agent.ts'
import { code, projectFile, section, table } from './markdown.ts'

const ROOT = path.join(import.meta.dirname, '../..')

const Described = z.object({ description: z.string().min(1) })
const ActionFile = z.object({
  inputs: z.record(z.string(), Described.extend({ default: z.string().optional() })),
  outputs: z.record(z.string(), Described),
  runs: z.object({ using: z.literal('node24'), main: z.string(), post: z.string().optional() }),
})

interface Place {
  /** Folder of the action's file. */
  readonly folder: string
  /** Headings in the README below which its inputs and its outputs stand. */
  readonly inputs: string
  readonly outputs: string
  /** The action has a run to look after when its step is killed. */
  readonly hasPost: boolean
}

const PLACES: Readonly<Record<ActionName, Place>> = {
  main: { folder: '.', inputs: '## Inputs', outputs: '## Outputs', hasPost: true },
  login: subAction('login', '## Only log in: login/', { hasPost: false }),
  wait: subAction('wait', '## Only wait: wait/', { hasPost: true }),
  stop: subAction('stop', '## Only stop: stop/', { hasPost: false }),
}

function subAction(folder: string, heading: string, { hasPost }: { hasPost: boolean }): Place {
  return { folder, inputs: heading, outputs: heading, hasPost }
}

const readme = projectFile('README.md')

/** What the three places say about each action. */
const actions = (['main', 'login', 'wait', 'stop'] as const).map((name) => {
  const { folder, inputs, outputs, hasPost } = PLACES[name]
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
      inputs: table(section(readme, inputs), 'Name', 'Type', 'Default', 'Meaning'),
      outputs: table(section(readme, outputs), 'Name', 'Type', 'Meaning'),
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
  'expectation-missed': 'red',
  'dry-run': 'green',
}

/** A default that the runner works out before the action sees it. */
function isExpression(text: string | undefined): boolean {
  return text?.includes('${{') === true
}

describe.each(actions)('$name: action.yml, code and README', (action) => {
  const { file, code: inCode, readme: inReadme } = action

  test('have the same inputs in the same order', () => {
    expect(Object.keys(file.inputs)).toEqual([...inCode.inputs])
    expect(inReadme.inputs.map(([name]) => code(name))).toEqual([...inCode.inputs])
  })

  test.each([...inCode.inputs])('have the same default of %s', (name) => {
    const inFile = file.inputs[name]?.default
    expect(code(inReadme.inputs.find(([cell]) => code(cell) === name)?.[2])).toBe(inFile)
    // The code's is for an expression that came out empty.
    expect(inCode.defaults[name]).toBe(isExpression(inFile) ? '' : inFile)
  })

  test('have the same outputs in the same order', () => {
    expect(Object.keys(file.outputs)).toEqual([...inCode.outputs])
    expect(inReadme.outputs.map(([name]) => code(name))).toEqual([...inCode.outputs])
  })

  test('explain every input and output', () => {
    const meanings = [...inReadme.inputs, ...inReadme.outputs].map((row) => row.at(-1))
    expect(meanings.filter((meaning) => meaning === undefined || meaning === '')).toEqual([])
  })

  test('agree on which inputs are secrets and which are booleans', () => {
    const secrets = inReadme.inputs.filter(([, type]) => type === 'secret').map(([name]) => code(name))
    expect(secrets).toEqual([...inputTables[action.name].secrets])
    const booleans = inReadme.inputs
      .filter(([, type]) => type?.startsWith('boolean'))
      .map(([name]) => code(name))
    const defaults = Object.entries(file.inputs).filter(([, input]) =>
      /^(true|false)$/.test(input.default ?? ''),
    )
    expect(booleans).toEqual(expect.arrayContaining(defaults.map(([name]) => name)))
  })
})

test.each(actions)('$name starts files of dist that exist', ({ folder, hasPost, file: { runs } }) => {
  expect(runs.post !== undefined).toBe(hasPost)
  for (const entry of [runs.main, runs.post].filter((each) => each !== undefined)) {
    const started = path.join(folder, entry)
    expect(path.dirname(started)).toBe('dist')
    expect({ started, exists: existsSync(path.join(ROOT, started)) }).toEqual({ started, exists: true })
  }
})

test('action.yml, code and README have the same conclusions', () => {
  const conclusions = Object.keys(CONCLUSIONS)
  const [main, , wait] = actions
  expect(main?.file.outputs['conclusion']?.description).toContain(`one of ${conclusions.join(', ')}.`)
  const followed = conclusions.filter((conclusion) => !['started', 'dry-run'].includes(conclusion))
  expect(wait?.file.outputs['conclusion']?.description).toContain(`one of ${followed.join(', ')}.`)
  const explained = table(readme, 'Conclusion', 'Step', 'Meaning')
  expect(explained.map(([name, step]) => [code(name), step])).toEqual(Object.entries(CONCLUSIONS))
})

test('servers are told the version of package.json', () => {
  const { name, version } = JSON.parse(projectFile('package.json'))
  expect(USER_AGENT).toBe(`${name}/${version}`)
})

test('the table of versions has those that the simulator answers as', () => {
  for (const version of ZENML_VERSIONS) expect(projectFile('docs/versions.md')).toContain(version)
})
