import { didYouMean, quoted, unquoted } from '../../../base/words.ts'
import type { FirstLines } from './first-lines.ts'
import type { Outline } from './outline.ts'

/** A name of something that the run is to log, and the input that has it. */
export interface ExpectedName {
  readonly input: 'expect' | 'rank'
  /** As in `Expectation`. */
  readonly name: string
}

/**
 * Finds step names that are misspelled: after a run of hours they would make it a miss. What is near no step's name may be
 * a key of the run's own, and the steps of a dynamic pipeline are not known.
 */
export function checkExpectedNames(
  expected: readonly ExpectedName[],
  { steps, isDynamic }: Outline,
  errors: FirstLines,
): void {
  if (isDynamic) return
  const names = [...steps]
  const seen = new Set<string>()
  for (const { input, name } of expected) {
    const dot = name.indexOf('.')
    const step = name.slice(0, dot)
    const isKey = dot < 1 || unquoted(name) !== undefined
    const isKnown = isKey || names.some((known) => name.startsWith(`${known}.`))
    const near = isKnown ? '' : didYouMean(step, names)
    if (near === '' || seen.has(`${input} ${step}`)) continue
    seen.add(`${input} ${step}`)
    errors.add({ source: input, place: undefined }, problemOf(step, near, name))
  }
}

function problemOf(step: string, near: string, name: string): string {
  return `the pipeline has no step ${quoted(step)}${near} Put a key with a dot in quotes: ${quoted(name)}`
}
