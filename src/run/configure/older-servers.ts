import {
  isJsonList,
  isJsonObject,
  member,
  mergeDeeply,
  type JsonObject,
  type JsonValue,
} from '../../base/json.ts'
import type { Definition } from '../../zenml/model.ts'
import { isAtLeast } from '../../zenml/version.ts'
import { valueAt } from './layers.ts'

/** Up to 0.80 a server refuses a partial configuration. 0.82.1 and 0.84.3 were seen to take one; 0.81 was not tried. */
function keepsWhatIsNotSent(version: string): boolean {
  return isAtLeast(version, 0, 82)
}

/**
 * What the server needs in addition to the overrides: an old one wants every parameter of every step (seen on
 * 0.74.0).
 */
export function completeFor(version: string, { stepParameters }: Definition, body: JsonObject): JsonObject {
  if (isAtLeast(version, 0, 85)) return body
  const said = withoutNulls(body)
  if (keepsWhatIsNotSent(version) || stepParameters === undefined) return said
  const steps = Object.entries(stepParameters)
    .filter(([, parameters]) => Object.keys(parameters).length > 0)
    .map(([name, parameters]) => [name, { parameters }] as const)
  return steps.length === 0 ? said : mergeDeeply({ steps: Object.fromEntries(steps) }, said)
}

/**
 * The parameters, as `step.name`, that would be sent again with a whole number in them that was rounded when it was read.
 */
export function roundedParameters(
  version: string,
  { stepParameters = {} }: Definition,
  body: JsonObject,
): string[] {
  if (keepsWhatIsNotSent(version)) return []
  return Object.entries(stepParameters).flatMap(([step, parameters]) =>
    Object.entries(parameters)
      .filter(([name, value]) => isRounded(value, valueAt(body, ['steps', step, 'parameters', name])))
      .map(([name]) => `${step}.${name}`),
  )
}

/** @param over what is laid over the value */
function isRounded(value: JsonValue, over: JsonValue | undefined): boolean {
  if (over !== undefined && !(isJsonObject(value) && isJsonObject(over))) return false
  if (typeof value === 'number') return isInexact(value)
  if (isJsonList(value)) return value.some((each) => isRounded(each, undefined))
  return (
    isJsonObject(value) && Object.entries(value).some(([key, each]) => isRounded(each, member(over, key)))
  )
}

/** Any number of so many digits is read and written exactly. */
const EXACT_DIGITS = 15

/** A large number that is few digits and zeros, such as 1e18, is most likely a float or written just so. */
function isInexact(value: number): boolean {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return false
  const [digits = ''] = value.toExponential().split('e')
  return digits.replace(/\D/g, '').length > EXACT_DIGITS
}

/** Servers take null for "nothing said" from 0.85 on; older ones take it for the value, or refuse it. */
function withoutNulls(body: JsonObject): JsonObject {
  const { steps, ...others } = keysWithValue(body)
  if (!isJsonObject(steps)) return steps === undefined ? others : { ...others, steps }
  const said = Object.entries(steps).map(([name, step]): [string, JsonValue] => [
    name,
    isJsonObject(step) ? keysWithValue(step) : step,
  ])
  return { ...others, steps: Object.fromEntries(said) }
}

function keysWithValue(mapping: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== null))
}
