import { isObject, objectAt, type Json, type JsonObject } from './json.ts'

/**
 * Whether a step's parameter takes the value when the run starts: pydantic's lax mode. `definitions` are what
 * `#/$defs/<name>` means. Gives pydantic's own words for the first fault, or undefined.
 */
export function faultOf(schema: JsonObject, value: Json, definitions: JsonObject): string | undefined {
  const reference = schema['$ref']
  if (typeof reference === 'string') {
    return faultOf(objectAt(definitions, reference.replace('#/$defs/', '')), value, definitions)
  }
  const anyOf = schema['anyOf']
  if (Array.isArray(anyOf)) {
    const faults = anyOf.filter(isObject).map((each) => faultOf(each, value, definitions))
    return faults.includes(undefined) ? undefined : faults[0]
  }
  const allowed = schema['enum']
  if (Array.isArray(allowed)) {
    return allowed.includes(value)
      ? undefined
      : `Input should be ${allowed.map((each) => `'${JSON.stringify(each).replaceAll('"', '')}'`).join(' or ')}`
  }
  return faultOfType(schema, value, definitions)
}

function faultOfType(schema: JsonObject, value: Json, definitions: JsonObject): string | undefined {
  const type = schema['type']
  if (typeof type !== 'string') return undefined
  switch (type) {
    case 'integer':
      return integerFault(value)
    case 'number':
      return isNumeric(value)
        ? undefined
        : 'Input should be a valid number, unable to parse string as a number'
    case 'boolean':
      return BOOLEANS.has(JSON.stringify(value).replaceAll('"', '').toLowerCase())
        ? undefined
        : 'Input should be a valid boolean, unable to interpret input'
    case 'string':
      return typeof value === 'string' ? undefined : 'Input should be a valid string'
    case 'null':
      return value === null ? undefined : 'Input should be None'
    case 'array': {
      if (!Array.isArray(value)) return 'Input should be a valid list'
      const items = objectAt(schema, 'items')
      return value.map((item) => faultOf(items, item, definitions)).find((fault) => fault !== undefined)
    }
    case 'object': {
      if (!isObject(value)) return 'Input should be a valid dictionary'
      const properties = Object.entries(objectAt(schema, 'properties'))
      return properties
        .map(([name, each]) =>
          name in value && isObject(each) ? faultOf(each, value[name] ?? null, definitions) : undefined,
        )
        .find((fault) => fault !== undefined)
    }
    default:
      return undefined
  }
}

const BOOLEANS = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 't', 'f', 'y', 'n', '1', '0'])

function integerFault(value: Json): string | undefined {
  if (typeof value === 'boolean') return undefined
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? undefined
      : 'Input should be a valid integer, got a number with a fractional part'
  }
  if (typeof value === 'string' && /^\s*[-+]?\d+(\.0+)?\s*$/.test(value)) return undefined
  return typeof value === 'string'
    ? 'Input should be a valid integer, unable to parse string as an integer'
    : 'Input should be a valid integer'
}

function isNumeric(value: Json): boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return true
  return typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))
}
