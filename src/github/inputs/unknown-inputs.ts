import { closestMatch } from 'leven'
import type { Environment } from '../workflow/environment.ts'
import { holdsKey, PREFIX, variableOf } from '../workflow/input-variables.ts'
import type { InputFault } from './faults.ts'
import type { InputName } from './table.ts'
import { quote } from '../../base/printable.ts'

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

/**
 * Looks for inputs that the action does not have. GitHub passes them on with a warning only, so a misspelled one would
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
