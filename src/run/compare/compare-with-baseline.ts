import type { ComparedMetric, Comparison } from '../facts.ts'
import {
  nameInMetadata,
  namedValues,
  type Expectation,
  type LoggedMetadata,
} from '../outcome/evaluate-expectations.ts'
import type { Baseline } from './baseline.ts'

/**
 * Puts the numbers of a run beside those of its baseline: those that something is expected of first, then by name.
 *
 * @param input the baseline as the input names it
 */
export function compareWithBaseline(
  input: string,
  logged: LoggedMetadata,
  baseline: Baseline,
  expectations: readonly Expectation[],
): Comparison {
  if (baseline.kind !== 'found') {
    return { input, baseline: undefined, missing: baseline.why, metrics: [] }
  }
  const own = numbersIn(logged)
  const before = numbersIn(baseline.values)
  const wishes = wishesOf(expectations, logged)
  const metrics = [...new Set([...own.keys(), ...before.keys()])]
    .map((name): ComparedMetric => ({
      name,
      value: own.get(name),
      baseline: before.get(name),
      better: wishes.get(name),
    }))
    .toSorted(
      (a, b) => Number(wishes.has(b.name)) - Number(wishes.has(a.name)) || compareNames(a.name, b.name),
    )
  const { id, name, url } = baseline
  return { input, baseline: { id, name, url }, missing: undefined, metrics }
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Which way is good: as the conditions that compare with the baseline say it, or else as all agree. */
function wishesOf(
  expectations: readonly Expectation[],
  logged: LoggedMetadata,
): ReadonlyMap<string, ComparedMetric['better']> {
  const byName = new Map<string, Expectation[]>()
  for (const expectation of expectations) {
    const name = nameInMetadata(expectation.name, logged)
    byName.set(name, [...(byName.get(name) ?? []), expectation])
  }
  return new Map(
    [...byName].map(([name, own]) => {
      const bound = own.filter(({ wanted }) => typeof wanted === 'object')
      const ways = new Set((bound.length > 0 ? bound : own).map(betterOf))
      const [way] = ways
      return [name, ways.size === 1 ? way : undefined]
    }),
  )
}

/** Which way is good, as far as a condition says it. */
function betterOf({ operator }: Expectation): ComparedMetric['better'] {
  if (operator === '>' || operator === '>=') return 'higher'
  return operator === '<' || operator === '<=' ? 'lower' : undefined
}

/** The numbers of a run and its steps. Of a name that stands for two values nobody knows which is meant. */
function numbersIn(logged: LoggedMetadata): Map<string, number> {
  const numbers = new Map<string, number | undefined>()
  for (const [name, value] of namedValues(logged)) {
    if (typeof value === 'number' && Number.isFinite(value)) {
      numbers.set(name, numbers.has(name) ? undefined : value)
    }
  }
  return new Map([...numbers].filter((entry): entry is [string, number] => entry[1] !== undefined))
}
