import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, member, type JsonObject, type JsonValue } from '../../base/json.ts'
import { show } from '../../base/words.ts'

const MAX_VALUE_LENGTH = 200

/** A line of a configuration beside the template's: as it was, as it will be, or in both. */
export interface DifferenceLine {
  readonly mark: ' ' | '-' | '+'
  readonly text: string
}

/** A value that a run gets instead of the definition's; texts of both are JSON. */
export interface ValueChange {
  /** As the input `parameters` takes it, such as `train.seconds`; of anything else the keys joined by dots. */
  readonly path: string
  /** Undefined if the definition has none. */
  readonly before: string | undefined
  readonly after: string
}

/** Only what differs, one entry per value that is no mapping. */
export function changedValues(
  base: JsonObject,
  over: JsonObject,
  above: readonly string[] = [],
): ValueChange[] {
  return Object.entries(over).flatMap(([key, after]): ValueChange[] => {
    const before = member(base, key)
    const path = [...above, key]
    if (isUnchanged(before, after)) return []
    if (
      isJsonObject(after) &&
      (isJsonObject(before) || before === undefined) &&
      Object.keys(after).length > 0
    ) {
      return changedValues(isJsonObject(before) ? before : {}, after, path)
    }
    const was = before === undefined ? undefined : valueText(before)
    return [{ path: pathText(path), before: was, after: valueText(after) }]
  })
}

/** Of a parameter without what `parameters` does not take, so that it can be copied there. */
function pathText(path: readonly string[]): string {
  const [first, step = '', second, ...inStep] = path
  const ofStep = first === 'steps' && second === 'parameters' && inStep.length > 0
  const ofPipeline = first === 'parameters' && path.length > 1
  const shown = ofStep ? [step, ...inStep] : ofPipeline ? path.slice(1) : path
  return shown.map(keyText).join('.')
}

/**
 * What a configuration changes in the template's values, as lines of YAML. Mappings without a change are shown
 * by their name only.
 *
 * @param over laid over `base` as the server does it: mappings are merged, all else is replaced
 */
export function difference(base: JsonObject, over: JsonObject, depth = 0): DifferenceLine[] {
  const keys = [...new Set([...Object.keys(base), ...Object.keys(over)])]
  return keys.flatMap((key): DifferenceLine[] => {
    const [before, after] = [member(base, key), member(over, key)]
    if (after === undefined || isUnchanged(before, after)) return line(' ', key, before, depth)
    if (isJsonObject(after) && (isJsonObject(before) || before === undefined)) {
      const mark = before === undefined ? '+' : ' '
      return [
        { mark, text: `${indent(depth)}${keyText(key)}:` },
        ...difference(isJsonObject(before) ? before : {}, after, depth + 1),
      ]
    }
    return [...line('-', key, before, depth), ...line('+', key, after, depth)]
  })
}

function isUnchanged(before: JsonValue | undefined, after: JsonValue): boolean {
  if (!isJsonObject(before) || !isJsonObject(after)) return isDeepStrictEqual(before, after)
  return Object.entries(after).every(
    ([key, value]) => Object.hasOwn(before, key) && isUnchanged(before[key], value),
  )
}

function line(
  mark: DifferenceLine['mark'],
  key: string,
  value: JsonValue | undefined,
  depth: number,
): DifferenceLine[] {
  if (value === undefined) return []
  const isFolded = mark === ' ' && isJsonObject(value) && Object.keys(value).length > 0
  return [{ mark, text: `${indent(depth)}${keyText(key)}: ${isFolded ? '{…}' : valueText(value)}` }]
}

/** What is too long to be shown is described, not cut: a cut secret would no longer be masked in a log. */
function valueText(value: JsonValue): string {
  const text = JSON.stringify(value)
  return text.length <= MAX_VALUE_LENGTH ? text : show(value)
}

function keyText(key: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(key) ? key : JSON.stringify(key)
}

function indent(depth: number): string {
  return '  '.repeat(depth)
}
