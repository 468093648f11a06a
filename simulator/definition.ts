import { readFileSync } from 'node:fs'
import { isObject, objectAt, type Json, type JsonObject } from './json.ts'
import type { Parameters, PipelineSpec, StepSpec, ZenmlVersion } from './types.ts'

/** What every pipeline's schema has in common; trimmed from real servers, without the descriptions. */
interface SchemaParts {
  readonly definitions: JsonObject
  readonly step: JsonObject
  readonly run: JsonObject
}

const loaded = new Map<ZenmlVersion, SchemaParts>()

function schemaParts(version: ZenmlVersion): SchemaParts {
  const known = loaded.get(version)
  if (known !== undefined) return known
  const file = new URL(`./definitions/${version}.json`, import.meta.url)
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isObject(content)) throw new Error(`${file.pathname} is not a mapping.`)
  const parts = {
    definitions: objectAt(content, 'definitions'),
    step: objectAt(content, 'step'),
    run: objectAt(content, 'run'),
  }
  loaded.set(version, parts)
  return parts
}

/** A server from 0.90 on knows snapshots; templates are a wrapper of them there. */
export function hasSnapshots(version: ZenmlVersion): boolean {
  return version === '0.98.0'
}

/** The parameters with the values that the pipeline was made with. */
export function defaultsOf(parameters: Parameters | undefined): JsonObject {
  return Object.fromEntries(Object.entries(parameters ?? {}).map(([name, spec]) => [name, spec.default]))
}

export function executionMode(pipeline: PipelineSpec): 'continue_on_failure' | 'stop_on_failure' {
  return pipeline.dynamic ? 'stop_on_failure' : 'continue_on_failure'
}

/** A run configuration with all parameters and their values; its run_name is a pattern. */
export function configTemplate(pipeline: PipelineSpec, version: ZenmlVersion): JsonObject {
  const run_name = `${pipeline.name}-{date}-{time}`
  const steps = Object.fromEntries(pipeline.steps.map((step) => [step.name, stepTemplate(step, version)]))
  if (version === '0.74.0') return { run_name, steps, ...oldShared, tags: pipeline.tags ?? null }
  const tags = pipeline.tags === undefined ? {} : { tags: pipeline.tags }
  const template: JsonObject = { run_name, steps, enable_cache: false, ...tags }
  if (pipeline.dynamic === undefined) return template
  const parameters = defaultsOf(pipeline.dynamic.parameters)
  return { ...template, execution_mode: executionMode(pipeline), parameters }
}

function stepTemplate(step: StepSpec, version: ZenmlVersion): JsonObject {
  const parameters = defaultsOf(step.parameters)
  if (version === '0.74.0') return { ...oldStepTemplate, parameters }
  return Object.keys(parameters).length === 0 ? { enable_cache: false } : { enable_cache: false, parameters }
}

const oldShared: JsonObject = {
  enable_cache: false,
  enable_artifact_metadata: null,
  enable_artifact_visualization: null,
  enable_step_logs: null,
  settings: {},
  extra: {},
  failure_hook_source: null,
  success_hook_source: null,
  model: null,
  retry: null,
  substitutions: {},
}
const oldStepTemplate: JsonObject = { ...oldShared, step_operator: null, experiment_tracker: null }

/** The JSON schema of a run configuration for this pipeline: stricter than the server itself. */
export function configSchema(pipeline: PipelineSpec, version: ZenmlVersion): JsonObject {
  const parts = schemaParts(version)
  const steps = pipeline.steps.flatMap((step) => Object.entries(stepSchema(step, parts, version)))
  const needed = pipeline.steps.filter((step) => hasParameters(step)).map((step) => step.name)
  const stepProperties = pipeline.steps.map((step): [string, JsonObject] => [
    step.name,
    hasParameters(step) ? reference(step.name) : { ...nullable(reference(step.name)), default: null },
  ])
  const stepsSchema: JsonObject = {
    properties: Object.fromEntries(stepProperties),
    ...(needed.length > 0 ? { required: needed } : {}),
    title: 'Steps',
    type: 'object',
  }
  const dynamic = pipeline.dynamic && untypedParameters('Parameters', pipeline.dynamic.parameters)
  const optional = needed.length === 0
  return {
    $defs: {
      ...parts.definitions,
      ...(version === '0.98.0' ? pipeline.definitions : {}),
      ...Object.fromEntries(steps),
      ...(dynamic ? { Parameters: dynamic } : {}),
      Steps: stepsSchema,
    },
    properties: {
      ...parts.run,
      ...(dynamic ? { parameters: { ...reference('Parameters'), default: null } } : {}),
      steps: optional ? { ...nullable(reference('Steps')), default: null } : reference('Steps'),
    },
    ...(optional ? {} : { required: ['steps'] }),
    title: 'Result',
    type: 'object',
  }
}

function stepSchema(step: StepSpec, parts: SchemaParts, version: ZenmlVersion): JsonObject {
  const { name, parameters } = step
  if (!hasParameters(step)) return { [name]: { properties: parts.step, title: name, type: 'object' } }
  const own = { required: ['parameters'], title: name, type: 'object' }
  if (version === '0.98.0') {
    return { [name]: { properties: { parameters: typedParameters(step), ...parts.step }, ...own } }
  }
  const parametersName = `${name}_parameters`
  return {
    [name]: { properties: { ...parts.step, parameters: reference(parametersName) }, ...own },
    [parametersName]: untypedParameters(parametersName, parameters ?? {}),
  }
}

/** Before 0.90, and of dynamic pipelines, the schema has the parameters' names and nothing else. */
function untypedParameters(title: string, parameters: Parameters): JsonObject {
  const names = Object.keys(parameters)
  const properties = Object.fromEntries(names.map((name) => [name, { title: titleOf(name) }]))
  return { properties, required: names, title, type: 'object' }
}

function typedParameters(step: StepSpec): JsonObject {
  const properties = propertiesOf(step.parameters ?? {})
  const title = `${titleOf(step.function ?? step.name).replaceAll(' ', '')}Parameters`
  return { additionalProperties: false, properties, title, type: 'object' }
}

function propertiesOf(parameters: Parameters): JsonObject {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { default: value, jsonSchema }]) => [
      name,
      '$ref' in jsonSchema
        ? { ...jsonSchema, default: value }
        : { ...jsonSchema, default: value, title: titleOf(name) },
    ]),
  )
}

/** The pipeline's steps by name. */
export function specsByName(pipeline: PipelineSpec): ReadonlyMap<string, StepSpec> {
  return new Map(pipeline.steps.map((step) => [step.name, step]))
}

/** What the pipeline is made of: its steps, their inputs and, from 0.90 on, the types of the parameters. */
export function pipelineSpec(pipeline: PipelineSpec, version: ZenmlVersion): JsonObject {
  const modern = hasSnapshots(version)
  const parameters = pipeline.dynamic?.parameters ?? {}
  const byName = specsByName(pipeline)
  const input = {
    additionalProperties: false,
    properties: propertiesOf(parameters),
    title: 'PipelineInput',
    type: 'object',
  }
  const output = { properties: {}, title: 'PipelineOutput', type: 'object' }
  return {
    version: modern ? '0.5' : '0.4',
    source: source(pipeline.name),
    parameters: defaultsOf(parameters),
    ...(modern ? { input_schema: input } : {}),
    steps: pipeline.steps.map((step) => stepSpec(step, byName, pipeline.definitions, version)),
    ...(modern
      ? { outputs: [], output_schema: pipeline.dynamic ? { additionalProperties: false, ...output } : output }
      : {}),
  }
}

/** A step's place in the graph, as it stands in the pipeline's spec and in a hydrated step. */
export function stepSpec(
  step: StepSpec,
  steps: ReadonlyMap<string, StepSpec>,
  definitions: JsonObject | undefined,
  version: ZenmlVersion,
): JsonObject {
  const modern = hasSnapshots(version)
  const upstream = [...(step.upstream ?? [])]
  const inputs = inputsOf(step, steps).map(({ from, output }): [string, JsonObject] => [
    output,
    { step_name: from.name, output_name: output, ...(modern ? { chunk_index: null, chunk_size: null } : {}) },
  ])
  const common = {
    source: source(step.function ?? step.name),
    upstream_steps: upstream,
    inputs: Object.fromEntries(inputs),
  }
  if (!modern) return { ...common, pipeline_parameter_name: step.name }
  const defs = definitions ? { $defs: definitions } : {}
  const spec: Json = hasParameters(step) ? { ...defs, ...typedParameters(step) } : {}
  return { ...common, invocation_id: step.name, enable_heartbeat: false, parameter_spec: spec }
}

/** Each output of a step upstream is an input, under the output's name. */
export function inputsOf(
  step: StepSpec,
  steps: ReadonlyMap<string, StepSpec>,
): readonly { readonly from: StepSpec; readonly output: string }[] {
  return (step.upstream ?? []).flatMap((name) => {
    const from = steps.get(name)
    return from === undefined ? [] : Object.keys(from.outputs ?? {}).map((output) => ({ from, output }))
  })
}

function hasParameters(step: StepSpec): boolean {
  return Object.keys(step.parameters ?? {}).length > 0
}

function source(attribute: string): JsonObject {
  return { module: 'e2e_pipelines', attribute, type: 'user' }
}

function reference(name: string): JsonObject {
  return { $ref: `#/$defs/${name}` }
}

function nullable(schema: JsonObject): JsonObject {
  return { anyOf: [schema, { type: 'null' }] }
}

/** `typed_step` → `Typed Step`, as pydantic titles a field. */
function titleOf(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}
