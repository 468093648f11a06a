import { placeOf, type Layer, type Path } from '../layers.ts'

/** What the checks have to say; one line each, with the place in the user's text at its beginning. */
export interface CheckResult {
  /** The server would refuse it, the run would fail for it, or what was written would be ignored as a whole. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** Collects what is found, and says where it stands. */
export class Findings implements CheckResult {
  readonly errors: string[] = []
  readonly warnings: string[] = []
  readonly #layers: readonly Layer[]

  /** @param layers lowest precedence first */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers
  }

  error(path: Path, problem: string): void {
    this.errors.push(this.#line(path, problem))
  }

  warn(path: Path, problem: string): void {
    this.warnings.push(this.#line(path, problem))
  }

  #line(path: Path, problem: string): string {
    const place = placeOf(this.#layers, path)
    return place === undefined ? problem : `${place}: ${problem}`
  }
}
