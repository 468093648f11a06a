import { isJsonList, isJsonObject, member, type JsonObject, type JsonValue } from '../../../base/json.ts'
import type { Definition } from '../../../zenml/model.ts'
import { keysOf, valueAt } from '../layers.ts'
import { Budget, SchemaValidator } from './schema-validator.ts'

/** The parameters of a step or of a pipeline. */
export interface ParameterOutline {
  /** Each parameter's JSON schema; undefined where its type is not known. */
  readonly schemas: ReadonlyMap<string, JsonValue | undefined>
  /** Knows what references in them mean. */
  readonly types: SchemaValidator
  /** The values of the template or snapshot. */
  readonly values: JsonObject
  /** Those that must have a value. */
  readonly required: readonly string[]
}

/** What a definition says about the configurations that it takes, as far as it can be understood. */
export interface Outline {
  readonly isDynamic: boolean
  /** Names of the steps. Those of a dynamic pipeline need not be all. */
  readonly steps: ReadonlySet<string>
  /** The parameters of a step; undefined where nothing is known of them. */
  step(name: string): ParameterOutline | undefined
  /** The parameters of a dynamic pipeline. */
  readonly pipeline: ParameterOutline | undefined
  /** The JSON schemas of a run configuration's and a step's keys, as far as known; for `parameters` see above. */
  readonly keys: JsonObject | undefined
  stepKeys(name: string): JsonObject | undefined
  /** Knows what references in the keys' schemas mean. */
  readonly types: SchemaValidator
}

/**
 * Reads what a template or snapshot says of its parameters; undefined where it says nothing that can be used.
 * Names come from everywhere, types from `pipeline_spec` (from 0.94.1 on) or else from `config_schema`.
 */
export function readOutline(definition: Definition): Outline | undefined {
  const { configTemplate, configSchema, pipelineSpec } = definition.documents
  const templateSteps = member(configTemplate, 'steps')
  if (!isJsonObject(templateSteps)) return undefined
  const budget = new Budget()
  const schema = new ConfigSchema(configSchema, budget)
  const specs = specsByStep(pipelineSpec)
  const isDynamic =
    definition.isDynamic ?? (member(configTemplate, 'parameters') !== undefined || schema.has('parameters'))
  const names = new Set([...Object.keys(templateSteps), ...specs.keys(), ...schema.steps()])
  const steps = new Map(
    [...names].map((name) => [
      name,
      parametersOf(
        specs.get(name),
        schema.stepParameters(name),
        valueAt(templateSteps, [name, 'parameters']),
        schema.types,
        budget,
      ),
    ]),
  )
  const pipeline = parametersOf(
    member(pipelineSpec, 'input_schema'),
    schema.pipelineParameters(),
    member(configTemplate, 'parameters') ?? member(pipelineSpec, 'parameters'),
    schema.types,
    budget,
  )
  return {
    isDynamic,
    steps: names,
    step: (name) => steps.get(name),
    pipeline: isDynamic ? pipeline : undefined,
    keys: schema.keys(),
    stepKeys: (name) => schema.stepKeys(name),
    types: schema.types,
  }
}

function specsByStep(pipelineSpec: JsonObject | undefined): Map<string, JsonValue | undefined> {
  const steps = member(pipelineSpec, 'steps')
  const named = (isJsonList(steps) ? steps : []).flatMap((step) => {
    const name = member(step, 'invocation_id') ?? member(step, 'pipeline_parameter_name')
    return typeof name === 'string' ? [[name, member(step, 'parameter_spec')] as const] : []
  })
  return new Map(named)
}

/** @param spec has types and its own definitions, where the server knows types. */
function parametersOf(
  spec: JsonValue | undefined,
  schema: JsonValue | undefined,
  values: JsonValue | undefined,
  types: SchemaValidator,
  budget: Budget,
): ParameterOutline {
  const typed = isJsonObject(member(spec, 'properties')) ? spec : schema
  const own = member(typed, '$defs')
  const required = member(typed === spec ? spec : undefined, 'required')
  const names = new Set([
    ...keysOf(values),
    ...keysOf(member(typed, 'properties')),
    ...keysOf(member(schema, 'properties')),
  ])
  return {
    schemas: new Map([...names].map((name) => [name, valueAt(typed, ['properties', name])])),
    types: isJsonObject(own) ? new SchemaValidator(own, budget) : types,
    values: isJsonObject(values) ? values : {},
    required: (isJsonList(required) ? required : []).filter((name) => typeof name === 'string'),
  }
}

/** The JSON schema of a run configuration, with its references followed. */
class ConfigSchema {
  readonly #root: JsonObject | undefined
  readonly #steps: JsonValue | undefined
  readonly types: SchemaValidator

  constructor(root: JsonObject | undefined, budget: Budget) {
    this.#root = root
    const definitions = member(root, '$defs')
    this.types = new SchemaValidator(isJsonObject(definitions) ? definitions : {}, budget)
    this.#steps = this.#property(root, 'steps')
  }

  has(key: string): boolean {
    return valueAt(this.#root, ['properties', key]) !== undefined
  }

  keys(): JsonObject | undefined {
    const properties = member(this.#root, 'properties')
    return isJsonObject(properties) ? properties : undefined
  }

  steps(): string[] {
    return keysOf(member(this.#steps, 'properties'))
  }

  stepKeys(name: string): JsonObject | undefined {
    const properties = member(this.#step(name), 'properties')
    return isJsonObject(properties) ? properties : undefined
  }

  stepParameters(name: string): JsonValue | undefined {
    return this.#property(this.#step(name), 'parameters')
  }

  pipelineParameters(): JsonValue | undefined {
    return this.#property(this.#root, 'parameters')
  }

  #step(name: string): JsonValue | undefined {
    return this.#property(this.#steps, name)
  }

  #property(schema: JsonValue | undefined, name: string): JsonValue | undefined {
    return this.#follow(valueAt(schema, ['properties', name]))
  }

  /** What a reference means; of "this or nothing" this. */
  #follow(schema: JsonValue | undefined): JsonValue | undefined {
    const choices = member(schema, 'anyOf')
    const chosen = isJsonList(choices) ? choices.find((choice) => member(choice, 'type') !== 'null') : schema
    const reference = member(chosen, '$ref')
    return typeof reference === 'string' ? this.types.resolve(reference) : chosen
  }
}
