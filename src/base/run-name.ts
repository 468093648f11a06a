import { closestMatch } from 'leven'
import { quote } from './printable.ts'

/** The longest name that ZenML's database takes. */
export const MAX_NAME_LENGTH = 255

/** How long ZenML's values for the placeholders are: `2024_01_31` and `23_59_59_123456`. */
const PLACEHOLDER_LENGTHS: Readonly<Record<string, number>> = { date: 10, time: 15 }

/**
 * What is wrong with a run's name as a user wrote it; undefined if nothing is. The server fills placeholders of
 * its own, and a name that it changes could not be looked up.
 */
export function runNameProblem(text: string): string | undefined {
  if (text.trim() === '') return 'is empty; remove it, or give it a value'
  const known = Object.keys(PLACEHOLDER_LENGTHS)
  let length = 0
  for (const part of text.split(/(\{[^{}]*\})/)) {
    const placeholder = /^\{(.*)\}$/.exec(part)?.[1]
    if (placeholder === undefined) {
      if (/[{}]/.test(part)) return 'contains a single { or }, which ZenML cannot read; remove it'
      length += Array.from(part).length
    } else if (known.includes(placeholder)) {
      length += PLACEHOLDER_LENGTHS[placeholder] ?? 0
    } else {
      const near = closestMatch(placeholder, known, { maxDistance: 2 })
      const advice = near === undefined ? 'only {date} and {time} are' : `did you mean {${near}}?`
      return `contains {${quote(placeholder, 30).slice(1, -1)}}, which is not filled in; ${advice}`
    }
  }
  return length > MAX_NAME_LENGTH
    ? `becomes ${length} characters long; a run's name has at most ${MAX_NAME_LENGTH}`
    : undefined
}
