import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Where the stories of cases that failed are kept. */
const FOLDER = path.join(tmpdir(), 'zenml-run-action-chaos')

/** What happened in one case, in order. */
export class Story {
  readonly #lines: string[] = []
  #begin: number | undefined

  /** @param at milliseconds; shown as seconds since the first line */
  line(at: number, text: string): void {
    this.#begin ??= at
    const seconds = ((at - this.#begin) / 1000).toFixed(1)
    this.#lines.push(`${seconds.padStart(8)} s  ${text}`)
  }

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('')
  }

  /** Writes it to a file for a person to read, and gives the path. */
  async keep(name: string, more: string): Promise<string> {
    await mkdir(FOLDER, { recursive: true })
    const file = path.join(FOLDER, `${name}.txt`)
    await writeFile(file, `${this.text}\n${more}\n`)
    return file
  }
}
