import { placeOf, type Layer, type Path } from '../layers.ts'
import { FirstLines } from './first-lines.ts'

/** What the checks have to say; one line each, with the place in the user's text at its beginning. */
export interface CheckResult {
  /** The server would refuse it, the run would fail for it, or what was written would be ignored as a whole. */
  readonly errors: FirstLines
  readonly warnings: FirstLines
}

/** A problem, made when it is to be shown: looking for near names takes its time. */
type Problem = string | (() => string)

/** Collects what is found, and says where it stands. */
export class Findings implements CheckResult {
  readonly errors = new FirstLines()
  readonly warnings = new FirstLines()
  readonly #layers: readonly Layer[]

  /** @param layers lowest precedence first */
  constructor(layers: readonly Layer[]) {
    this.#layers = layers
  }

  error(path: Path, problem: Problem): void {
    this.errors.add(() => this.#line(path, problem))
  }

  warn(path: Path, problem: Problem): void {
    this.warnings.add(() => this.#line(path, problem))
  }

  #line(path: Path, problem: Problem): string {
    const place = placeOf(this.#layers, path)
    const text = typeof problem === 'string' ? problem : problem()
    return place === undefined ? text : `${place}: ${text}`
  }
}
