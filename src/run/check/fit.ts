import {
  isJsonList,
  isJsonObject,
  isSame,
  member,
  type JsonObject,
  type JsonValue,
} from '../../zenml/json.ts'
import type { Path } from '../layers.ts'
import { fitScalar } from './scalar.ts'

/** A part of a value that cannot become what its type asks for. */
export interface Misfit {
  /** Within the value; empty for the value itself. */
  readonly path: Path
  readonly value: JsonValue
  /** What the type takes, to stand behind "takes", such as `an integer`. */
  readonly wanted: string
}

/** How a value fits a type. */
export interface Fit {
  /** What the step gets, where nothing is a misfit. */
  readonly value: JsonValue
  readonly misfits: readonly Misfit[]
  /** Fields that a model does not have and leaves out. */
  readonly ignored: readonly { readonly path: Path; readonly known: readonly string[] }[]
  /** Whether a value was turned into another one. */
  readonly converted: boolean
}

/** Deeper than any schema of a parameter; a reference can lead to itself. */
const MAX_DEPTH = 50

/**
 * How a value fits a JSON schema, by the lax rules that pydantic applies in a run (ZenML API, "Trigger"). What
 * is not understood fits: a check must not refuse what would have run.
 *
 * @param definitions what `#/$defs/<name>` means
 */
export function fit(
  schema: JsonValue | undefined,
  value: JsonValue,
  definitions: JsonObject,
  depth = 0,
): Fit {
  if (!isJsonObject(schema) || depth > MAX_DEPTH) return asItIs(value)
  const reference = schema['$ref']
  if (typeof reference === 'string') {
    return fit(resolve(reference, definitions), value, definitions, depth + 1)
  }
  const whole = schema['allOf']
  if (isJsonList(whole)) {
    return whole.length === 1 ? fit(whole[0], value, definitions, depth + 1) : asItIs(value)
  }
  const choices = schema['anyOf'] ?? schema['oneOf']
  if (isJsonList(choices)) return fitAny(choices, value, definitions, depth)
  if (schema['type'] === 'array') return fitList(schema, value, definitions, depth)
  if (schema['type'] === 'object') return fitMapping(schema, value, definitions, depth)
  const scalar = fitScalar(schema, value)
  if (scalar.kind === 'misfit') return misfit(value, scalar.wanted)
  return { ...asItIs(scalar.value), converted: !isSame(scalar.value, value) }
}

/** What a type takes, in a few words. */
export function wantedBy(schema: JsonValue | undefined, definitions: JsonObject, depth = 0): string {
  if (!isJsonObject(schema) || depth > MAX_DEPTH) return 'another value'
  const reference = schema['$ref']
  if (typeof reference === 'string') return wantedBy(resolve(reference, definitions), definitions, depth + 1)
  const choices = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']
  if (isJsonList(choices)) {
    return [...new Set(choices.map((choice) => wantedBy(choice, definitions, depth + 1)))].join(' or ')
  }
  if (schema['type'] === 'array') return 'a list'
  if (schema['type'] === 'object') return 'a mapping'
  const scalar = fitScalar(schema, [])
  return scalar.kind === 'misfit' ? scalar.wanted : 'another value'
}

function resolve(reference: string, definitions: JsonObject): JsonValue | undefined {
  return member(definitions, reference.replace(/^#\/\$defs\//, ''))
}

/** The first choice that takes the value as it is, or else the first that can convert it. */
function fitAny(
  choices: readonly JsonValue[],
  value: JsonValue,
  definitions: JsonObject,
  depth: number,
): Fit {
  const fits = choices.map((choice) => fit(choice, value, definitions, depth + 1))
  const fitting = fits.filter(({ misfits }) => misfits.length === 0)
  const best = fitting.find(({ converted, ignored }) => !converted && ignored.length === 0) ?? fitting[0]
  if (best !== undefined) return best
  const [only, ...others] = choices.filter((choice) => member(choice, 'type') !== 'null')
  if (only !== undefined && others.length === 0) {
    const { misfits, ...fitted } = fit(only, value, definitions, depth + 1)
    // A model or nothing: what is wrong inside the model says more than that it is not nothing.
    return { ...fitted, misfits: misfits.map((each) => orNull(each, choices.length > 1)) }
  }
  return misfit(value, wantedBy({ anyOf: choices }, definitions, depth))
}

function orNull(misfit: Misfit, isNullable: boolean): Misfit {
  return isNullable && misfit.path.length === 0 ? { ...misfit, wanted: `${misfit.wanted} or null` } : misfit
}

function fitList(schema: JsonObject, value: JsonValue, definitions: JsonObject, depth: number): Fit {
  if (!isJsonList(value)) return misfit(value, 'a list')
  const { minItems, maxItems, prefixItems } = schema
  if (typeof minItems === 'number' && value.length < minItems)
    return misfit(value, `a list of at least ${minItems}`)
  if (typeof maxItems === 'number' && value.length > maxItems)
    return misfit(value, `a list of at most ${maxItems}`)
  const first = isJsonList(prefixItems) ? prefixItems : []
  return gather(
    value.map((item, index) => [
      String(index),
      fit(first[index] ?? schema['items'], item, definitions, depth + 1),
    ]),
    (fits) => fits.map(([, item]) => item),
  )
}

function fitMapping(schema: JsonObject, value: JsonValue, definitions: JsonObject, depth: number): Fit {
  if (!isJsonObject(value)) return misfit(value, 'a mapping')
  const { properties, required } = schema
  const others = schema['additionalProperties']
  const known = isJsonObject(properties) ? Object.keys(properties) : []
  const fitted = gather(
    Object.entries(value).map(([key, item]) => [
      key,
      fit(member(properties, key) ?? others, item, definitions, depth + 1),
    ]),
    (fits) => Object.fromEntries(fits),
  )
  const needed = isJsonList(required) ? required.filter((name) => typeof name === 'string') : []
  const missing = needed.filter((name) => !Object.hasOwn(value, name))
  const unknown = isJsonObject(properties)
    ? Object.keys(value).filter((key) => !known.includes(key) && (others === undefined || others === false))
    : []
  const refused = others === false ? unknown : []
  return {
    ...fitted,
    misfits: [
      ...fitted.misfits,
      ...missing.map((name) => ({ path: [], value, wanted: `a mapping with ${JSON.stringify(name)}` })),
      ...refused.map((key) => ({ path: [key], value: member(value, key) ?? null, wanted: NO_SUCH_FIELD })),
    ],
    ignored: [...fitted.ignored, ...(others === false ? [] : unknown.map((key) => ({ path: [key], known })))],
  }
}

/** What a field that a model forbids "takes". */
export const NO_SUCH_FIELD = 'no such field'

function gather(
  parts: readonly (readonly [string, Fit])[],
  join: (values: readonly (readonly [string, JsonValue])[]) => JsonValue,
): Fit {
  return {
    value: join(parts.map(([key, { value }]) => [key, value])),
    misfits: parts.flatMap(([key, { misfits }]) =>
      misfits.map((each) => ({ ...each, path: [key, ...each.path] })),
    ),
    ignored: parts.flatMap(([key, { ignored }]) =>
      ignored.map((each) => ({ ...each, path: [key, ...each.path] })),
    ),
    converted: parts.some(([, { converted }]) => converted),
  }
}

function asItIs(value: JsonValue): Fit {
  return { value, misfits: [], ignored: [], converted: false }
}

function misfit(value: JsonValue, wanted: string): Fit {
  return { ...asItIs(value), misfits: [{ path: [], value, wanted }] }
}
