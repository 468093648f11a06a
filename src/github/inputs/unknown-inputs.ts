import { closestMatch } from 'leven'

import type { Environment } from '../workflow/environment.ts'
import type { InputFault } from './faults.ts'
import type { InputName, RawInputs } from './table.ts'
import { quote } from '../../base/printable.ts'

const PREFIX = 'INPUT_'
/** Two slips of the finger; with more, a name is as likely one of something else. */
const MAX_SLIPS = 2

/** What people call an input who know other actions or ZenML's own client; of several, the first that there is. */
const ALIASES: Readonly<Record<string, readonly InputName[]>> = {
  param: ['parameters'],
  params: ['parameters'],
  args: ['parameters'],
  arguments: ['parameters'],
  inputs: ['parameters'],
  config: ['configuration'],
  'run-config': ['configuration'],
  'config-file': ['configuration-file'],
  'config-path': ['configuration-file'],
  cache: ['enable-cache'],
  'use-cache': ['enable-cache'],
  conditions: ['expect'],
  expectations: ['expect'],
  'timeout-minutes': ['timeout'],
  'timeout-seconds': ['timeout'],
  url: ['server-url'],
  host: ['server-url'],
  server: ['server-url'],
  'store-url': ['server-url'],
  key: ['api-key'],
  token: ['access-token', 'api-key'],
  'api-token': ['access-token', 'api-key'],
  'gh-token': ['github-token'],
  name: ['run-name', 'run'],
  id: ['run'],
  'run-id': ['run'],
  'run-name': ['run'],
  'run-url': ['run'],
  graceful: ['mode'],
  'model-name': ['model'],
  'model-version': ['version'],
  number: ['version'],
  force: ['replace'],
  result: ['answer'],
  value: ['answer'],
  response: ['answer'],
  decision: ['resolution'],
}

/** The variable in which the runner hands over an input: upper case, spaces as underscores, hyphens as they are. */
function variableOf(name: string): string {
  return `${PREFIX}${name.replaceAll(' ', '_').toUpperCase()}`
}

/** Reads the variables of these inputs. */
export function readRawInputs(env: Environment, names: readonly InputName[]): RawInputs {
  const raw: Partial<Record<InputName, string>> = {}
  for (const name of names) {
    const text = env[variableOf(name)]
    if (text !== undefined && text.trim() !== '') raw[name] = text
  }
  return raw
}

/** Variables of ZenML's own client. */
export const VARIABLES = {
  'server-url': 'ZENML_STORE_URL',
  'api-key': 'ZENML_STORE_API_KEY',
  'access-token': 'ZENML_STORE_API_TOKEN',
} as const

/** If one of these is given, no variable is read: a key for one server must never reach another. */
export const ABOUT_CONNECTION: readonly InputName[] = [
  'server-url',
  'workspace',
  'api-key',
  'access-token',
  'client-id',
  'client-secret',
]

/** The server's address as it is given, by input or variable, before anything is checked; undefined for a workspace. */
export function givenAddress(env: Environment): string | undefined {
  const given = readRawInputs(env, ABOUT_CONNECTION)
  if (given.workspace !== undefined) return undefined
  return Object.keys(given).length === 0 ? env[VARIABLES['server-url']] : given['server-url']
}

const ZENML_KEY = /ZEN(?:PRO)?KEY_[\w+/=-]{9,}/g

/** Keys of ZenML in whatever input, known or not: one that came by the wrong input is a secret all the same. */
export function keysInInputs(env: Environment): string[] {
  return Object.entries(env).flatMap(([variable, text = '']) =>
    variable.startsWith(PREFIX) ? (text.match(ZENML_KEY) ?? []) : [],
  )
}

/** Whether a text has an API key of ZenML in it. */
export function holdsKey(text: string): boolean {
  return text.search(ZENML_KEY) !== -1
}

/**
 * Looks for inputs that the action does not have. GitHub passes them on with a warning only, so a misspelt one would
 * be ignored in silence: where it can be told what is meant, it is a fault. Others are a warning, because such a
 * variable can come from somewhere else, and nothing tells the two apart.
 */
export function checkUnknownInputs(
  env: Environment,
  names: readonly InputName[],
): { faults: InputFault[]; warnings: string[] } {
  const faults: InputFault[] = []
  const warnings: string[] = []
  const known = new Set(names.map(variableOf))
  for (const [variable, text = ''] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!variable.startsWith(PREFIX) || known.has(variable)) continue
    const input = variable.slice(PREFIX.length).toLowerCase()
    const meant = holdsKey(text) && names.includes('api-key') ? 'api-key' : nearest(input, names)
    if (meant === undefined) {
      warnings.push(`the action has no input ${quote(input, 50)}, so it is ignored`)
    } else {
      faults.push({
        input,
        line: `${quote(input, 50)}: the action has no such input; did you mean ${meant}? If the job sets the variable ${quote(variable, 50)} for something else, rename it`,
      })
    }
  }
  return { faults, warnings }
}

function nearest(input: string, names: readonly InputName[]): string | undefined {
  const written = input.replaceAll('_', '-').replace(/^zenml-/, '')
  const alias = Object.hasOwn(ALIASES, written) ? ALIASES[written] : undefined
  return alias?.find((name) => names.includes(name)) ?? closest(written, names) ?? contained(written, names)
}

function closest(written: string, names: readonly InputName[]): string | undefined {
  // At least as many letters must be right as wrong: `tag` is near `tags`, `tz` is near nothing.
  const maxDistance = Math.min(MAX_SLIPS, Math.floor((written.length - 1) / 2))
  return maxDistance < 1 ? undefined : closestMatch(written, [...names], { maxDistance })
}

/** As in `my-project-name`. */
function contained(written: string, names: readonly InputName[]): string | undefined {
  return names.find((name) => `-${written}-`.includes(`-${name}-`))
}
