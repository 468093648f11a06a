import { compareSpots, describeSpot, type Spot } from '../layers.ts'
import { show, type Show } from '../../../base/words.ts'

/** Made when it is to be shown, with the user's values as `show` has them: looking for near names takes its time. */
export type Problem = string | ((show: Show) => string)

/** A reader mends these first; one mistake can make hundreds of others. */
const MAX_LINES = 20

/** What was found in the user's texts: the first lines of many, and how many there are. */
export class FirstLines {
  readonly #found: { readonly spot: Spot | undefined; readonly problem: Problem }[] = []

  /** @param spot in the user's text, if it has one there */
  add(spot: Spot | undefined, problem: Problem): void {
    this.#found.push({ spot, problem })
  }

  /** The first ones in the order of the text, and in a line of its own how many more there are. */
  shown(values: Show = show): string[] {
    const sorted = this.#found.toSorted((a, b) => compareSpots(a.spot, b.spot))
    const lines = sorted.slice(0, MAX_LINES).map(({ spot, problem }) => {
      const text = typeof problem === 'string' ? problem : problem(values)
      return spot === undefined ? text : `${describeSpot(spot)}: ${text}`
    })
    const left = sorted.length - lines.length
    return left === 0 ? lines : [...lines, `and ${left} more like these`]
  }
}
