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
  /** Whether a key has nothing at all behind it, not even the word null. */
  readonly isEmpty?: (path: Path) => boolean
  /** Whether a value is a number written with a fraction or an exponent, as 1.0 is. */
  readonly isFloat?: (path: Path) => boolean
}

/** What a message is about: a layer, and the place in it if that is known. */
export interface Spot {
  readonly source: string
  readonly place: Place | undefined
}

/** The value at a path, or undefined. */
export function valueAt(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(member, value)
}

/**
 * Where the value comes from that counts at a path: the topmost layer that has it. Undefined if no layer has it.
 *
 * @param layers lowest precedence first
 */
export function spotOf(layers: readonly Layer[], path: Path): Spot | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length)
    const layer = layers.findLast(
      ({ value }) => part.reduce<JsonValue | undefined>(inside, value) !== undefined,
    )
    if (layer !== undefined) return spotIn(layer, part)
  }
  return undefined
}

/** Of a list, the item of that number. */
function inside(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonList(value) ? value[Number(key)] : member(value, key)
}

/** A number and where it is, from the value on that it is a part of. */
export interface NumberAt {
  readonly path: Path
  readonly value: number
}

/**
 * The numbers in a value that were written as 1.0 is, and that JSON.stringify writes as 1.
 *
 * @param layers lowest precedence first. @param path of the value
 */
export function wholeFloats(layers: readonly Layer[], path: Path, value: JsonValue): NumberAt[] {
  if (typeof value === 'number') {
    const top = layers.findLast(
      (each) => path.reduce<JsonValue | undefined>(inside, each.value) !== undefined,
    )
    return Number.isInteger(value) && top?.isFloat?.(path) === true ? [{ path: [], value }] : []
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, JsonValue]) =>
    wholeFloats(layers, [...path, key], inner).map((each) => ({ ...each, path: [key, ...each.path] })),
  )
}

/** A layer and the place of a path in it. */
export function spotIn({ source, locate }: Layer, path: Path): Spot {
  return { source, place: locate?.(path) }
}

/** As `configuration, line 3, column 5`. */
export function describeSpot({ source, place }: Spot): string {
  return place === undefined ? source : `${source}, line ${place.line}, column ${place.column}`
}

/** In the order of the layers' names and of the lines in each; what has no place in a text comes last. */
export function compareSpots(a: Spot | undefined, b: Spot | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  if (a.source !== b.source) return a.source < b.source ? -1 : 1
  return (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0)
}

/** The keys of a mapping, none for anything else. */
export function keysOf(value: JsonValue | undefined): string[] {
  return isJsonObject(value) ? Object.keys(value) : []
}
