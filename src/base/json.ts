/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** Whether a value is a mapping, and neither a list nor null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a list; Array.isArray forgets what is in a readonly one. */
export function isJsonList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** A mapping's own value under a key; undefined where the value is no mapping or has no such key. */
export function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** Merges as a ZenML server does: mappings deeply, everything else is replaced. */
export function mergeDeeply(base: JsonObject, over: JsonObject): JsonObject {
  const merged = Object.entries(over).map(([key, value]): [string, JsonValue] => {
    const below = member(base, key)
    return [key, isJsonObject(below) && isJsonObject(value) ? mergeDeeply(below, value) : value]
  })
  return { ...base, ...Object.fromEntries(merged) }
}

/** Whether there are more than so many mappings and lists in each other. */
export function isDeeperThan(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner: unknown) => isDeeperThan(depth - 1, inner))
}

/** As JSON, the same text whatever the order of the keys. */
export function sortedJson(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) => (isJsonObject(inner) ? sortedByKey(inner) : inner))
}

/** The same mapping with its own keys in order; what is inside stays as it is. */
export function sortedByKey(mapping: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(mapping).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The text as JSON; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
