/** What a person can still read, and GitHub's page of a log can still show. */
const MOST_LINES_OF_STEP = 5_000
const MOST_LINES = 20_000
const MOST_BYTES = 4 * 1024 * 1024

/** What may be told of some lines; `why` says, as a clause, that no more of the step is told, or of the run. */
interface Taken {
  readonly shown: readonly string[]
  readonly why: string | undefined
  readonly isOverAll: boolean
}

/** How much of the steps' logs is told at all. */
export class LineBudget {
  readonly #ofSteps = new Map<string, number>()
  #lines = 0
  #bytes = 0

  take(step: string, lines: readonly string[]): Taken {
    const shown: string[] = []
    let ofStep = this.#ofSteps.get(step) ?? 0
    let why: string | undefined
    let isOverAll = false
    for (const line of lines) {
      const bytes = Buffer.byteLength(line) + 1
      if (ofStep >= MOST_LINES_OF_STEP) why = 'the limit of 5,000 lines per step is reached'
      else if (this.#lines >= MOST_LINES) why = 'the limit of 20,000 lines is reached'
      else if (this.#bytes + bytes > MOST_BYTES) why = 'the limit of 4 MB is reached'
      if (why !== undefined) {
        isOverAll = ofStep < MOST_LINES_OF_STEP
        break
      }
      shown.push(line)
      ofStep += 1
      this.#lines += 1
      this.#bytes += bytes
    }
    this.#ofSteps.set(step, ofStep)
    return { shown, why, isOverAll }
  }
}
