import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** Lines of JSON that are kept at once, so that a run that was broken off goes on where it stopped. */
export class Journal<T> {
  readonly #file: string
  readonly entries: T[]

  constructor(file: string) {
    this.#file = file
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    // A line that was being written when the machine went down has no end.
    lines.pop()
    this.entries = lines.map((line) => JSON.parse(line) as T)
  }

  add(entry: T): void {
    this.entries.push(entry)
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`)
  }
}

/** Does the work for each item, a few at once. */
export async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
