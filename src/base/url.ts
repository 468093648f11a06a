/**
 * The text as a URL; undefined if it is none. Not by URL.canParse: on Node 20 it refuses every host with a letter beyond
 * ASCII once it has been called some thousand times.
 */
export function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
