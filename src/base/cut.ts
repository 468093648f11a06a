/**
 * Cuts a text, and says so with a `…`. It is cut between two words, or, where there is only one, between parts of JSON:
 * half of a secret would no longer be recognized and hidden in a log.
 */
export function cutAtSpace(text: string, most: number): string {
  if (text.length <= most) return text
  const whole = /^[^]*\s/.exec(text.slice(0, most + 1)) ?? /^[^]*[",;{}[\]<>]/.exec(text.slice(0, most))
  return `${whole?.[0].trimEnd() ?? ''}…`
}
