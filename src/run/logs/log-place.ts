/** Lines that are alike are common, so many in the same order are not. */
const MOST_REMEMBERED = 20

/** How far a log was read that is given whole each time, or only its newest records. */
export class LogPlace {
  #told = 0
  #last: readonly string[] = []
  #hasMoved = false

  /** Whether the server gave the newest records only, so that a record was found nearer to the beginning than before. */
  get hasMoved(): boolean {
    return this.#hasMoved
  }

  /** What stands behind the last record that was given; undefined where that one is not found, or more than once. */
  next(records: readonly string[]): readonly string[] | undefined {
    const from = this.#isBehind(records, this.#told) ? this.#told : this.#find(records)
    if (from === undefined) return undefined
    if (from !== this.#told) this.#hasMoved = true
    this.#told = records.length
    this.#last = records.slice(-MOST_REMEMBERED)
    return records.slice(from)
  }

  #find(records: readonly string[]): number | undefined {
    const places: number[] = []
    for (let index = this.#last.length; index <= records.length && places.length < 2; index += 1) {
      if (this.#isBehind(records, index)) places.push(index)
    }
    return places.length === 1 ? places[0] : undefined
  }

  #isBehind(records: readonly string[], index: number): boolean {
    const begin = index - this.#last.length
    return index <= records.length && this.#last.every((record, offset) => records[begin + offset] === record)
  }
}
