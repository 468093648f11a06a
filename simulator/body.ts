import type { Refusal } from './answers.ts'
import { isObject, type JsonObject } from './json.ts'
import { documented, invalidRequest } from './query.ts'
import type { ZenmlVersion } from './types.ts'

interface Place {
  readonly version: ZenmlVersion
  readonly method: string
  readonly endpoint: { readonly function: string; readonly line: number; readonly path: string }
}

/** The request's body as a mapping; no body at all is an empty one. Refuses anything else with 422. */
export function mappingOf(body: string, place: Place): JsonObject {
  if (body.trim() === '') return {}
  const value = parse(body, place)
  if (isObject(value)) return value
  const text = `{'type': 'model_attributes_type', 'loc': ('body',), 'msg': 'Input should be a valid dictionary or object to extract fields from', 'input': ${JSON.stringify(value)}`
  throw fault('model_attributes_type', text, place)
}

function parse(body: string, place: Place): unknown {
  try {
    return JSON.parse(body)
  } catch {
    const text = `{'type': 'json_invalid', 'loc': ('body', 1), 'msg': 'JSON decode error', 'input': {}, 'ctx': {'error': 'Expecting property name enclosed in double quotes'}}`
    throw invalidRequest(place.version, text, place.endpoint, place.method)
  }
}

/** The top-level keys of a run configuration that 0.74 knows; it refuses any other one. */
const OLD_KEYS = new Set([
  'run_name',
  'enable_cache',
  'enable_artifact_metadata',
  'enable_artifact_visualization',
  'enable_step_logs',
  'schedule',
  'build',
  'steps',
  'settings',
  'tags',
  'extra',
  'model',
  'parameters',
  'retry',
  'failure_hook_source',
  'success_hook_source',
  'substitutions',
])

const MODES = ['fail_fast', 'stop_on_failure', 'continue_on_failure']

/** Refuses with 422 what the run configuration's own model refuses; unknown keys only on 0.74. */
export function checkShape(configuration: JsonObject, place: Place): void {
  const unknown = Object.keys(configuration).find((key) => !OLD_KEYS.has(key))
  if (place.version === '0.74.0' && unknown !== undefined) {
    const input = JSON.stringify(configuration[unknown]).replaceAll('"', "'")
    const text = `{'type': 'extra_forbidden', 'loc': ('body', '${unknown}'), 'msg': 'Extra inputs are not permitted', 'input': ${input}`
    throw fault('extra_forbidden', text, place)
  }
  const { steps, enable_cache: cache, execution_mode: mode } = configuration
  if (steps !== undefined && steps !== null && !isObject(steps)) {
    const text = `{'type': 'dict_type', 'loc': ('body', 'steps'), 'msg': 'Input should be a valid dictionary', 'input': ${JSON.stringify(steps)}`
    throw fault('dict_type', text, place)
  }
  if (typeof cache === 'string') {
    const text = `{'type': 'bool_parsing', 'loc': ('body', 'enable_cache'), 'msg': 'Input should be a valid boolean, unable to interpret input', 'input': '${cache}'`
    throw fault('bool_parsing', text, place)
  }
  if (typeof mode === 'string' && !MODES.includes(mode)) {
    throw enumFault(['body', 'execution_mode'], mode, MODES, place)
  }
}

/** 422 for a value that is none of the allowed ones. */
export function enumFault(
  path: readonly string[],
  value: string,
  allowed: readonly string[],
  place: Place,
): Refusal {
  const last = allowed.at(-1) ?? ''
  const choice = `${allowed
    .slice(0, -1)
    .map((each) => `'${each}'`)
    .join(', ')} or '${last}'`
  const location = path.map((part) => `'${part}'`).join(', ')
  const text = `{'type': 'enum', 'loc': (${location}), 'msg': "Input should be ${choice}", 'input': '${value}', 'ctx': {'expected': "${choice}"}`
  return fault('enum', text, place)
}

/** 422 for a text of more characters than are taken. */
export function tooLong(path: readonly string[], value: string, most: number, place: Place): Refusal {
  const location = path.map((part) => `'${part}'`).join(', ')
  const text = `{'type': 'string_too_long', 'loc': (${location}), 'msg': 'String should have at most ${String(most)} characters', 'input': '${value}', 'ctx': {'max_length': ${String(most)}}`
  return fault('string_too_long', text, place)
}

function fault(type: string, text: string, place: Place): Refusal {
  return invalidRequest(
    place.version,
    `${text}${documented(place.version, type)}}`,
    place.endpoint,
    place.method,
  )
}
