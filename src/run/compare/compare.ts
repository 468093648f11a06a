import { isJsonObject, type JsonObject } from '../../base/json.ts'
import type { ComparedMetric, Comparison } from '../facts.ts'
import { nameInMetadata, type Expectation, type LoggedMetadata } from '../outcome/expect.ts'
import type { Baseline } from './baseline.ts'

/** Deeper nested values are no metrics that a person compares. */
const MOST_LEVELS = 5

/**
 * Puts the numbers of a run beside those of its baseline: those that something is expected of first, then by name.
 *
 * @param input the baseline as the input names it
 */
export function compareRuns(
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

/** The numbers of a run and its steps, `step.key`, those in mappings as `step.key.inner`. */
function numbersIn({ metadata, stepMetadata }: LoggedMetadata): Map<string, number> {
  const numbers = new Map<string, number | undefined>()
  collect(metadata, '', numbers, MOST_LEVELS)
  for (const { step, metadata: ofStep } of stepMetadata) collect(ofStep, `${step}.`, numbers, MOST_LEVELS)
  return new Map([...numbers].filter((entry): entry is [string, number] => entry[1] !== undefined))
}

/** Of a name that stands for two values nobody knows which is meant. */
function collect(
  values: JsonObject,
  prefix: string,
  numbers: Map<string, number | undefined>,
  levels: number,
): void {
  for (const [key, value] of Object.entries(values)) {
    const name = `${prefix}${key}`
    if (typeof value === 'number' && Number.isFinite(value)) {
      numbers.set(name, numbers.has(name) ? undefined : value)
    }
    if (isJsonObject(value) && levels > 0) collect(value, `${name}.`, numbers, levels - 1)
  }
}
