import { isJsonList, isJsonObject, member, type JsonObject, type JsonValue } from '../../base/json.ts'

/** Keys from the outermost mapping inwards. */
export type Path = readonly string[]

/** A place in a text; lines and columns count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A part of a run configuration, and where a person wrote it. */
export interface Layer {
  /** What the person calls it, such as `configuration`. */
  readonly source: string
  readonly value: JsonObject
  /** Where a key stands; for one without a place of its own, where the nearest mapping around it does. */
  readonly locate?: (path: Path) => Place | undefined
}

/** The value at a path, or undefined. */
export function valueAt(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(member, value)
}

/**
 * Where the value comes from that counts at a path: the topmost layer that has it, as `configuration, line 3,
 * column 5`. Undefined if no layer has it.
 *
 * @param layers lowest precedence first
 */
export function placeOf(layers: readonly Layer[], path: Path): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length)
    const layer = layers.findLast(
      ({ value }) => part.reduce<JsonValue | undefined>(inside, value) !== undefined,
    )
    if (layer !== undefined) return describePlace(layer, part)
  }
  return undefined
}

/** Of a list, the item of that number. */
function inside(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonList(value) ? value[Number(key)] : member(value, key)
}

/** A layer's name and the place of a path in it. */
export function describePlace({ source, locate }: Layer, path: Path): string {
  const place = locate?.(path)
  return place === undefined ? source : `${source}, line ${place.line}, column ${place.column}`
}

/** The keys of a mapping, none for anything else. */
export function keysOf(value: JsonValue | undefined): string[] {
  return isJsonObject(value) ? Object.keys(value) : []
}
