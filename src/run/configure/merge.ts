import { isJsonList, member, mergeDeeply, type JsonObject, type JsonValue } from '../../base/json.ts'
import type { Layer } from './layers.ts'

/** What the user wants to differ from the template or snapshot. */
export interface Overrides {
  /** Run configurations, lowest precedence first, each with the place where it was written. */
  readonly layers: readonly Layer[]
  /** What goes over all layers, in the short form of the input `parameters`. */
  readonly parameters?: Layer | undefined
  /** What goes over those, in the same form: what a sweep varies. */
  readonly cell?: Layer | undefined
  /** In addition to those that the run would have without them. */
  readonly tags: readonly string[] | undefined
  readonly enableCache: boolean | undefined
}

/** A run configuration to send; `runName` is kept apart, because a name of ours may take its place. */
export interface Configuration {
  readonly body: JsonObject
  readonly runName: string | undefined
}

/**
 * Merges the layers: mappings deeply, everything else replaced by the later layer.
 *
 * @param base the definition's own configuration; undefined if the server does not say
 */
export function mergeOverrides(
  { layers, tags, enableCache }: Omit<Overrides, 'parameters' | 'cell'>,
  base: JsonObject | undefined,
): Configuration {
  const merged = layers.reduce<JsonObject>((base, { value }) => mergeDeeply(base, value), {})
  const { run_name: runName, ...rest } = merged
  const body: JsonObject = {
    ...rest,
    ...(tags === undefined ? {} : { tags: withTags(rest['tags'] ?? base?.['tags'] ?? [], tags) }),
    ...(enableCache === undefined ? {} : { enable_cache: enableCache }),
  }
  return { body, runName: typeof runName === 'string' ? runName : undefined }
}

/** A server replaces lists, so that those of the definition have to be sent again. What is no list is for the check to tell. */
function withTags(before: JsonValue, added: readonly string[]): JsonValue {
  if (!isJsonList(before)) return before
  const byName = new Map<JsonValue, JsonValue>()
  for (const tag of [...before, ...added]) {
    const name = member(tag, 'name') ?? tag
    if (!byName.has(name)) byName.set(name, tag)
  }
  return [...byName.values()]
}
