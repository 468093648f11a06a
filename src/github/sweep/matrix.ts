import { isDeepStrictEqual } from 'node:util'
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts'
import { quote } from '../../base/printable.ts'

/** As many as GitHub allows a matrix of jobs. */
const MOST_CELLS = 256

/** So many combinations are made before `exclude` is looked at. */
const MOST_COMBINATIONS = 65_536

const MAX_NAME_LENGTH = 60
const MAX_SHOWN = 200

/** The combinations of a matrix, or all that is wrong with it: texts to stand behind the input's name. */
export type Expanded =
  | { readonly cells: readonly JsonObject[]; readonly problems?: undefined }
  | { readonly cells?: undefined; readonly problems: readonly string[] }

/**
 * Makes the combinations as GitHub makes jobs of a matrix: the first key varies slowest; `exclude` removes those that have
 * all that one of its entries says; `include` adds what an entry says to each combination whose own values it leaves alone,
 * or else makes a combination of its own
 * (https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations).
 */
export function expandMatrix({ include = [], exclude = [], ...lists }: JsonObject): Expanded {
  const included = mappingsIn('include', include)
  const excluded = mappingsIn('exclude', exclude)
  const problems = [
    ...Object.entries(lists).flatMap(([key, value]) => problemOf(key, value)),
    ...included.problems,
    ...excluded.problems,
    ...unknownIn(excluded.mappings, lists),
  ]
  if (problems.length > 0) return { problems }
  const keys = Object.entries(lists).map(([key, value]) => [key, isJsonList(value) ? value : []] as const)
  const count = keys.reduce((product, [, values]) => product * values.length, 1)
  if (count > MOST_COMBINATIONS) return { problems: [tooMany(count)] }
  const all = combinations(keys)
  const originals = all.filter((cell) => !excluded.mappings.some((entry) => hasAll(cell, entry)))
  // GitHub takes no notice, and would run what was to be left out.
  const idle = excluded.mappings.filter((entry) => !all.some((cell) => hasAll(cell, entry)))
  if (idle.length > 0) return { problems: idle.map(matchesNothing) }
  const cells = withIncluded(originals, included.mappings)
  if (cells.length === 0) return { problems: ['has no combination, so there is nothing to run'] }
  return cells.length > MOST_CELLS ? { problems: [tooMany(cells.length)] } : { cells }
}

function problemOf(key: string, value: JsonValue): string[] {
  const name = quote(key, MAX_NAME_LENGTH)
  if (!isJsonList(value)) return [`${name} is not a list; write its values in brackets, such as [1, 2]`]
  return value.length === 0 ? [`${name} is an empty list, so there is nothing to run; give it a value`] : []
}

function mappingsIn(
  key: 'include' | 'exclude',
  value: JsonValue,
): { readonly mappings: readonly JsonObject[]; readonly problems: readonly string[] } {
  const entries = isJsonList(value) ? value : [value]
  const mappings = entries.filter(isJsonObject)
  const isFine = isJsonList(value) && mappings.length === entries.length
  const problem = `${key} is not a list of mappings; write it as in ${key}: [{train.epochs: 5}]`
  return { mappings, problems: isFine ? [] : [problem] }
}

/** GitHub takes no notice of such a key, and would run what was to be left out. */
function unknownIn(excluded: readonly JsonObject[], lists: JsonObject): string[] {
  const keys = new Set(
    excluded.flatMap((entry) => Object.keys(entry)).filter((key) => !Object.hasOwn(lists, key)),
  )
  return [...keys].map(
    (key) => `exclude names ${quote(key, MAX_NAME_LENGTH)}, which has no list in the matrix`,
  )
}

function matchesNothing(entry: JsonObject): string {
  const shown = quote(JSON.stringify(entry), MAX_SHOWN)
  return `exclude has ${shown}, which no combination has; write the values as the lists have them, or remove it`
}

function tooMany(count: number): string {
  return `has ${count.toLocaleString('en-US')} combinations, and at most ${MOST_CELLS} are allowed`
}

function combinations(keys: readonly (readonly [string, readonly JsonValue[]])[]): JsonObject[] {
  if (keys.length === 0) return []
  return keys.reduce<JsonObject[]>(
    (cells, [key, values]) => cells.flatMap((cell) => values.map((value) => ({ ...cell, [key]: value }))),
    [{}],
  )
}

function hasAll(cell: JsonObject, entry: JsonObject): boolean {
  return Object.entries(entry).every(([key, value]) => isDeepStrictEqual(cell[key], value))
}

function withIncluded(originals: readonly JsonObject[], included: readonly JsonObject[]): JsonObject[] {
  const cells = [...originals]
  const added: JsonObject[] = []
  for (const entry of included) {
    const fits = originals.map((own) =>
      Object.entries(entry).every(([key, value]) => {
        return !Object.hasOwn(own, key) || isDeepStrictEqual(own[key], value)
      }),
    )
    if (!fits.includes(true)) added.push(entry)
    for (const [index, isFit] of fits.entries()) if (isFit) cells[index] = { ...cells[index], ...entry }
  }
  return [...cells, ...added]
}
