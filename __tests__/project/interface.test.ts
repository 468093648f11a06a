import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { ZENML_VERSIONS } from '../../simulator/index.ts'
import { inputDefaults, inputNames } from '../../src/github/input-schema.ts'
import { outputNames } from '../../src/github/outputs.ts'
import type { Conclusion } from '../../src/run/conclusion.ts'
import { USER_AGENT } from '../../src/zenml/user-agent.ts'
import { code, projectFile, table } from './markdown.ts'

const Described = z.object({ description: z.string().min(1) })
const { inputs, outputs } = z
  .object({
    inputs: z.record(z.string(), Described.extend({ default: z.string().optional() })),
    outputs: z.record(z.string(), Described),
  })
  .parse(parse(projectFile('action.yml')))

const readme = projectFile('README.md')
const readmeInputs = table(readme, 'Name', 'Type', 'Default', 'Meaning')
const readmeOutputs = table(readme, 'Name', 'Type', 'Meaning')
const readmeConclusions = table(readme, 'Conclusion', 'Step', 'Meaning')

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

test('action.yml, code and README have the same inputs in the same order', () => {
  expect(Object.keys(inputs)).toEqual([...inputNames])
  expect(readmeInputs.map(([name]) => code(name))).toEqual([...inputNames])
})

test.each(inputNames)('action.yml, code and README have the same default of %s', (name) => {
  const inAction = inputs[name]?.default
  const inReadme = code(readmeInputs.find(([cell]) => code(cell) === name)?.[2])
  expect(inReadme).toBe(inAction)
  // The code's is for an expression that came out empty.
  expect(inputDefaults[name]).toBe(isExpression(inAction) ? '' : inAction)
})

test('action.yml, code and README have the same outputs in the same order', () => {
  expect(Object.keys(outputs)).toEqual([...outputNames])
  expect(readmeOutputs.map(([name]) => code(name))).toEqual([...outputNames])
})

test('action.yml, code and README have the same conclusions', () => {
  const named = Object.keys(CONCLUSIONS).join(', ')
  expect(outputs['conclusion']?.description).toContain(`one of ${named}.`)
  expect(readmeConclusions.map(([name, step]) => [code(name), step])).toEqual(Object.entries(CONCLUSIONS))
})

test('every input and output is explained in the README', () => {
  const meanings = [...readmeInputs.map((row) => row[3]), ...readmeOutputs.map((row) => row[2])]
  expect(meanings.filter((meaning) => meaning === undefined || meaning === '')).toEqual([])
})

test('servers are told the version of package.json', () => {
  const { name, version } = JSON.parse(projectFile('package.json'))
  expect(USER_AGENT).toBe(`${name}/${version}`)
})

test('the README names the ZenML versions that the tests use', () => {
  expect(readme).toContain(`servers ${ZENML_VERSIONS.join(', ')}.`)
})
