/**
 * Cuts a text, and says so with a `…`. It is cut between two words: half of a secret would no longer be recognized and
 * hidden in a log.
 */
export function cutAtSpace(text: string, most: number): string {
  if (text.length <= most) return text
  return `${/^[^]*\s/.exec(text.slice(0, most + 1))?.[0].trimEnd() ?? ''}…`
}
