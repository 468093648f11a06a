import type { InputName, RawInputs } from '../inputs/table.ts'
import type { Environment } from './environment.ts'

/** What the variable of each input begins with. */
export const PREFIX = 'INPUT_'

/** The variable in which the runner hands over an input: upper case, spaces as underscores, hyphens as they are. */
export function variableOf(name: string): string {
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
