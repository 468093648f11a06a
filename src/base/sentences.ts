/** Two sentences as one line. The first may end with a full stop or not; the second has none at its end. */
export function twoSentences(first: string, second: string): string {
  return `${first.replace(/[\s.]+$/, '')}. ${second}`
}
