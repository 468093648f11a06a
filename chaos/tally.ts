import type { Case, Part } from './draw.ts'
import type { Observation } from './ending.ts'
import type { Finding, Offence } from './verdict.ts'

const OFFENCES: readonly Offence[] = [
  'second run',
  'lost run',
  'unaccounted run',
  'wrong result',
  'leaked secret',
]

/** What became of the cases of one part. */
export class Tally {
  readonly #part: Part
  readonly #offending = new Map<Offence, Set<string>>(OFFENCES.map((offence) => [offence, new Set()]))
  readonly #endings = new Map<string, number>()
  #cases = 0
  #failed = 0

  constructor(part: Part) {
    this.#part = part
  }

  get failed(): number {
    return this.#failed
  }

  /** @param seen one for each run that was wanted */
  add({ id }: Case, seen: readonly Observation[], findings: readonly Finding[]): void {
    this.#cases += 1
    for (const { main, post } of seen) {
      const ending = `${main.conclusion ?? 'killed'}${post === undefined ? '' : ' and post'}`
      this.#endings.set(ending, (this.#endings.get(ending) ?? 0) + 1)
    }
    if (findings.length > 0) this.#failed += 1
    for (const { offence } of findings) this.#offending.get(offence)?.add(id)
  }

  /** One line of counts, and one of how the steps ended: a part that ends everywhere alike proves little. */
  lines(seconds: number): string[] {
    const counts = OFFENCES.map((offence) => `${offence}s ${String(this.#offending.get(offence)?.size ?? 0)}`)
    const endings = [...this.#endings]
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${name} ${String(n)}`)
    return [
      `part ${this.#part}: cases ${String(this.#cases)}, ${counts.join(', ')}, seconds ${seconds.toFixed(0)}`,
      `        ended as: ${endings.join(', ')}`,
    ]
  }
}
