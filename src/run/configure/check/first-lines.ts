import { show, type Show } from '../../../base/words.ts'

/** Made when it is to be shown, with the user's values as `show` has them: looking for near names takes its time. */
export type Problem = string | ((show: Show) => string)

/** A reader mends these first; one mistake can make hundreds of others. */
const MAX_LINES = 20

/** The first lines of many, and how many there are. */
export class FirstLines {
  readonly #lines: ((show: Show) => string)[] = []
  #count = 0

  /** @param place in the user's text, if it has one there */
  add(placeOf: () => string | undefined, problem: Problem): void {
    this.#count += 1
    if (this.#lines.length === MAX_LINES) return
    const place = placeOf()
    const text = typeof problem === 'string' ? () => problem : problem
    this.#lines.push(place === undefined ? text : (shown) => `${place}: ${text(shown)}`)
  }

  /** The first ones, and in a line of its own how many more there are. */
  shown(values: Show = show): string[] {
    const lines = this.#lines.map((line) => line(values))
    const left = this.#count - lines.length
    return left === 0 ? lines : [...lines, `and ${left} more like these`]
  }
}
