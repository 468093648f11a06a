/**
 * A text as one segment of an address's path. Half of a surrogate pair, which no address can hold, becomes the
 * replacement character; encodeURIComponent would throw.
 */
export function pathSegment(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\uFFFD'))
}
