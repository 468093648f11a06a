/** A reader mends these first; one mistake can make hundreds of others. */
const MAX_LINES = 20

/** The first lines of many, and how many there are. */
export class FirstLines {
  readonly #lines: string[] = []
  #count = 0

  /** @param line is asked for its text only if it will be shown */
  add(line: () => string): void {
    this.#count += 1
    if (this.#lines.length < MAX_LINES) this.#lines.push(line())
  }

  /** The first ones, and in a line of its own how many more there are. */
  shown(): string[] {
    const left = this.#count - this.#lines.length
    return left === 0 ? [...this.#lines] : [...this.#lines, `and ${left} more like these`]
  }
}
