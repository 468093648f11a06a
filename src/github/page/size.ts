import { blocks } from './markdown.ts'

/** A part of a document: what it is called where it is left out, and its Markdown. */
export type Section = readonly [name: string, markdown: string]

/**
 * The parts below one another. One that does not fit any more is left out as a whole, and named: half a table is
 * none.
 *
 * @param max of all parts together, without the line that names those left out
 */
export function withinSize(
  sections: readonly Section[],
  max: number,
  sizeOf: (markdown: string) => number,
): string {
  const kept: string[] = []
  const left: string[] = []
  let size = 0
  for (const [name, markdown] of sections) {
    // An empty line stands between two parts.
    const needed = sizeOf(markdown) + 2
    if (size + needed > max) {
      left.push(name)
    } else {
      size += needed
      kept.push(markdown)
    }
  }
  return blocks(...kept, left.length === 0 ? '' : `Too long to show here: ${left.join(', ')}.`)
}
