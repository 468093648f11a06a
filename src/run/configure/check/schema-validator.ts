import { isJsonList, isJsonObject, member, type JsonObject, type JsonValue } from '../../../base/json.ts'
import { keysOf, valueAt } from '../layers.ts'
import {
  asItIs,
  converted,
  gather,
  mayFit,
  misfit,
  nearest,
  type ValidationResult,
  type Part,
} from './validation-result.ts'
import { validateScalar } from './scalar.ts'
import { orList } from '../../../base/words.ts'

/** Deeper than any schema of a parameter; a reference can lead to itself. */
const MAX_DEPTH = 50
/** Types that are looked at for one value; a schema can lead to more than anybody can wait for. */
const MAX_STEPS = 50_000

/** Types that can still be looked at, for all the values of a configuration. */
export class Budget {
  left = 500_000
}

/** JSON schemas, with the definitions that they refer to. */
export class SchemaValidator {
  readonly #definitions: JsonObject
  readonly #budget: Budget
  #steps = 0

  /** @param definitions what `#/$defs/<name>` means */
  constructor(definitions: JsonObject, budget: Budget) {
    this.#definitions = definitions
    this.#budget = budget
  }

  /**
   * How a value fits a JSON schema, by the lax rules that pydantic applies in a run (seen on 0.98.0). What
   * is not understood, or takes too long, fits: a check must not refuse what would have run.
   *
   * @param stored what the template has in this place, as ZenML writes it: by the names of fields, where the schema
   * has their aliases
   */
  validate(schema: JsonValue | undefined, value: JsonValue, stored?: JsonValue): ValidationResult {
    this.#steps = Math.min(MAX_STEPS, this.#budget.left)
    const before = this.#steps
    const fit = this.#fit(schema, value, stored, 0)
    this.#budget.left -= before - this.#steps
    return this.#steps > 0 ? fit : asItIs(value)
  }

  /** The definition that a reference names. */
  resolve(reference: string): JsonValue | undefined {
    return member(this.#definitions, reference.replace(/^#\/\$defs\//, ''))
  }

  #fit(
    schema: JsonValue | undefined,
    value: JsonValue,
    stored: JsonValue | undefined,
    depth: number,
  ): ValidationResult {
    if (!isJsonObject(schema) || depth > MAX_DEPTH || !this.#pay(schema, value)) return asItIs(value)
    const reference = schema['$ref']
    if (typeof reference === 'string') return this.#fit(this.resolve(reference), value, stored, depth + 1)
    const whole = schema['allOf']
    if (isJsonList(whole)) {
      return whole.length === 1 ? this.#fit(whole[0], value, stored, depth + 1) : asItIs(value)
    }
    const choices = schema['anyOf'] ?? schema['oneOf']
    if (isJsonList(choices)) {
      return (
        this.#fitTagged(schema, choices, value, stored, depth) ?? this.#fitAny(choices, value, stored, depth)
      )
    }
    if (schema['type'] === 'array') return this.#fitList(schema, value, depth)
    if (schema['type'] === 'object') return this.#fitMapping(schema, value, stored, depth)
    const scalar = validateScalar(schema, value)
    return scalar.kind === 'misfit'
      ? misfit(value, scalar.wanted, scalar.isDoubtful)
      : converted(scalar.value, value)
  }

  #pay(schema: JsonObject, value: JsonValue): boolean {
    const { enum: choices, pattern } = schema
    this.#steps -= 1 + (isJsonList(choices) ? choices.length : 0)
    if (typeof pattern === 'string' && typeof value === 'string') {
      this.#steps -= Math.ceil((pattern.length * value.length) / 10)
    }
    return this.#steps > 0
  }

  /** What a type takes, in a few words. */
  #wanted(schema: JsonValue | undefined, depth: number): string {
    if (!isJsonObject(schema) || depth > MAX_DEPTH || !this.#pay(schema, null)) return 'another value'
    const reference = schema['$ref']
    if (typeof reference === 'string') return this.#wanted(this.resolve(reference), depth + 1)
    const choices = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf']
    if (isJsonList(choices)) return this.#wantedOf(choices, depth)
    if (schema['type'] === 'array') return 'a list'
    if (schema['type'] === 'object') return 'a mapping'
    const scalar = validateScalar(schema, [])
    return scalar.kind === 'misfit' ? scalar.wanted : 'another value'
  }

  #wantedOf(choices: readonly JsonValue[], depth: number): string {
    return orList([...new Set(choices.map((choice) => this.#wanted(choice, depth + 1)))])
  }

  /** By the field that says which of the choices it is, where the schema names one. */
  #fitTagged(
    schema: JsonObject,
    choices: readonly JsonValue[],
    value: JsonValue,
    stored: JsonValue | undefined,
    depth: number,
  ): ValidationResult | undefined {
    const name = valueAt(schema, ['discriminator', 'propertyName'])
    const byTag = valueAt(schema, ['discriminator', 'mapping'])
    if (typeof name !== 'string' || !isJsonObject(byTag) || !isJsonObject(value)) return undefined
    const tag = member(value, name)
    if (tag === undefined) {
      const known = new Set(choices.flatMap((choice) => keysOf(member(this.#model(choice), 'properties'))))
      // The tag can have another name, as any field can.
      const isDoubtful = Object.keys(value).some((key) => !known.has(key))
      const wanted = `a mapping with ${JSON.stringify(name)}`
      return {
        ...asItIs(value),
        misfits: [{ path: [], value, kind: 'missing', wanted, isDoubtful }],
      }
    }
    if (typeof tag !== 'string') return undefined
    const chosen = member(byTag, tag)
    if (typeof chosen === 'string') return this.#fit({ $ref: chosen }, value, stored, depth + 1)
    const wanted = orList(Object.keys(byTag).map((each) => JSON.stringify(each)))
    return gather([[name, misfit(tag, wanted)]], () => value)
  }

  #model(schema: JsonValue | undefined): JsonValue | undefined {
    const reference = member(schema, '$ref')
    return typeof reference === 'string' ? this.resolve(reference) : schema
  }

  /** The first choice that takes the value as it is, or else the first that can convert it, or may. */
  #fitAny(
    choices: readonly JsonValue[],
    value: JsonValue,
    stored: JsonValue | undefined,
    depth: number,
  ): ValidationResult {
    const fits = choices.map((choice) => this.#fit(choice, value, stored, depth + 1))
    const fitting = fits.filter(({ misfits }) => misfits.length === 0)
    const best = fitting.find((fit) => !fit.converted && fit.ignored.length === 0) ?? fitting[0]
    if (best !== undefined) return best
    const possible = fits.find(mayFit)
    if (possible !== undefined) return possible
    const others = fits.filter((_, index) => member(choices[index], 'type') !== 'null')
    const [only] = others
    if (only !== undefined && others.length === 1) {
      // A model or nothing: what is wrong inside the model says more than that it is not nothing.
      return choices.length === 1 ? only : orNull(only)
    }
    return (
      nearest(fits, (index) => this.#tags(choices[index])) ?? misfit(value, this.#wantedOf(choices, depth))
    )
  }

  /** The fields of a model that can have one value only. */
  #tags(choice: JsonValue | undefined): string[] {
    const properties = member(this.#model(choice), 'properties')
    return keysOf(properties).filter((key) => valueAt(properties, [key, 'const']) !== undefined)
  }

  #fitList(schema: JsonObject, value: JsonValue, depth: number): ValidationResult {
    const { minItems, maxItems, prefixItems } = schema
    // A named tuple can be written as a mapping.
    if (isJsonList(prefixItems) && isJsonObject(value)) return asItIs(value)
    if (!isJsonList(value)) return misfit(value, 'a list')
    if (typeof minItems === 'number' && value.length < minItems)
      return misfit(value, `a list of at least ${minItems}`)
    if (typeof maxItems === 'number' && value.length > maxItems)
      return misfit(value, `a list of at most ${maxItems}`)
    const first = isJsonList(prefixItems) ? prefixItems : []
    return gather(
      // A list takes the place of the template's.
      value.map((item, index): Part => [
        String(index),
        this.#fit(first[index] ?? schema['items'], item, undefined, depth + 1),
      ]),
      (parts) => parts.map(([, fit]) => fit.value),
    )
  }

  #fitMapping(
    schema: JsonObject,
    value: JsonValue,
    stored: JsonValue | undefined,
    depth: number,
  ): ValidationResult {
    if (!isJsonObject(value)) return misfit(value, 'a mapping')
    const { minProperties, maxProperties, propertyNames } = schema
    const { length } = Object.keys(value)
    if (typeof minProperties === 'number' && length < minProperties)
      return misfit(value, `a mapping of at least ${minProperties}`)
    if (typeof maxProperties === 'number' && length > maxProperties)
      return misfit(value, `a mapping of at most ${maxProperties}`)
    const fields = member(schema, 'properties')
    const fitted = gather(
      Object.entries(value).map(([key, item]): Part => {
        const name = this.#fit(propertyNames, key, undefined, depth + 1)
        if (!mayFit(name)) return [key, keyMisfit(key, name)]
        const type = member(fields, key) ?? schema['additionalProperties']
        return [key, this.#fit(type, item, member(stored, key), depth + 1)]
      }),
      (parts) => Object.fromEntries(parts.map(([key, fit]) => [key, fit.value])),
    )
    return withFields(fitted, schema, value, stored)
  }
}

function keyMisfit(key: string, { misfits }: ValidationResult): ValidationResult {
  return misfit(key, `a key that is ${orList(misfits.map(({ wanted }) => wanted))}`)
}

function orNull(fit: ValidationResult): ValidationResult {
  return {
    ...fit,
    misfits: fit.misfits.map((each) =>
      each.path.length === 0 ? { ...each, wanted: `${each.wanted} or null` } : each,
    ),
  }
}

/** Adds what a model says of fields that it does not have, and of those that it must have. */
function withFields(
  fitted: ValidationResult,
  schema: JsonObject,
  value: JsonObject,
  stored: JsonValue | undefined,
): ValidationResult {
  const { properties, required, additionalProperties: others } = schema
  if (!isJsonObject(properties)) return fitted
  const isOther = (key: string): boolean => !Object.hasOwn(properties, key)
  // ZenML stores a model whole, by its fields' names. Where those are the schema's, no field has another name.
  const isRenamed = keysOf(stored).some(isOther)
  const isPlain =
    isJsonObject(stored) && !isRenamed && Object.keys(properties).every((key) => Object.hasOwn(stored, key))
  const unknown = Object.keys(value).filter((key) => isOther(key) && member(stored, key) === undefined)
  const needed = isJsonList(required) && !isRenamed ? required.filter((name) => typeof name === 'string') : []
  const missing = needed.filter((name) => !Object.hasOwn(value, name))
  const known = Object.keys(properties)
  return {
    ...fitted,
    misfits: [
      ...fitted.misfits,
      ...missing.map((name) => ({
        path: [],
        value,
        kind: 'missing' as const,
        wanted: `a mapping with ${JSON.stringify(name)}`,
        isDoubtful: unknown.length > 0,
      })),
      ...(others === false ? unknown : []).map((key) => ({
        path: [key],
        value: member(value, key) ?? null,
        kind: 'no-field' as const,
        wanted: 'no such field',
        isDoubtful: !isPlain,
      })),
    ],
    ignored: [
      ...fitted.ignored,
      ...(others === undefined ? unknown : []).map((key) => ({ path: [key], known })),
    ],
  }
}
