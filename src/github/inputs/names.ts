import { closestMatch } from 'leven'

import type { Environment } from '../workflow/environment.ts'
import type { InputFault } from './faults.ts'
import type { InputName, RawInputs } from './table.ts'
import { quote } from '../../base/printable.ts'

const PREFIX = 'INPUT_'
/** Two slips of the finger; with more, a name is as likely one of something else. */
const MAX_SLIPS = 2

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

/** Keys of ZenML in whatever input, known or not: one that came by the wrong input is a secret all the same. */
export function keysInInputs(env: Environment): string[] {
  return Object.entries(env).flatMap(([variable, text = '']) =>
    variable.startsWith(PREFIX) ? (text.match(/ZEN(?:PRO)?KEY_[\w+/=-]{9,}/g) ?? []) : [],
  )
}

/**
 * Looks for inputs that the action does not have. GitHub hands them over with a warning only, so a misspelt
 * one would be ignored in silence: close to a known name it is a fault. Others are only noted, because such a
 * variable can come from somewhere else.
 */
export function checkNames(
  env: Environment,
  names: readonly InputName[],
): { faults: InputFault[]; notices: string[] } {
  const faults: InputFault[] = []
  const notices: string[] = []
  const known = new Set(names.map(variableOf))
  for (const variable of Object.keys(env).sort()) {
    if (!variable.startsWith(PREFIX) || known.has(variable)) continue
    const input = variable.slice(PREFIX.length).toLowerCase()
    const near = nearest(input, names)
    if (near === undefined) {
      notices.push(`the action has no input ${quote(input, 50)}, so it is ignored${related(input, names)}`)
    } else {
      faults.push({ input, line: `${quote(input, 50)}: the action has no such input; did you mean ${near}?` })
    }
  }
  return { faults, notices }
}

function nearest(input: string, names: readonly InputName[]): string | undefined {
  const written = input.replaceAll('_', '-')
  // At least as many letters must be right as wrong: `tag` is near `tags`, `tz` is near nothing.
  const maxDistance = Math.min(MAX_SLIPS, Math.floor((written.length - 1) / 2))
  return maxDistance < 1 ? undefined : closestMatch(written, [...names], { maxDistance })
}

function related(input: string, names: readonly InputName[]): string {
  const written = `-${input.replaceAll('_', '-')}-`
  const found = names.find((name) => written.includes(`-${name}-`))
  return found === undefined ? '' : `; did you mean ${found}?`
}
