import type { JsonValue } from '../../../base/json.ts'
import { spotOf, wholeFloats, type Layer, type NumberAt, type Path } from '../layers.ts'
import { FirstLines, type Problem } from './first-lines.ts'
import type { Outline } from './outline.ts'

/** Collects what the checks find; one line each, with the place in the user's text at its beginning. */
export class Findings {
  /** The server would refuse it, the run would fail for it, or what was written would be ignored as a whole. */
  readonly errors: FirstLines
  readonly warnings = new FirstLines()
  readonly #layers: readonly Layer[]

  /** @param layers lowest precedence first. @param errors those that were found before */
  constructor(layers: readonly Layer[], errors: FirstLines) {
    this.#layers = layers
    this.errors = errors
  }

  error(path: Path, problem: Problem): void {
    this.errors.add(spotOf(this.#layers, path), problem)
  }

  warn(path: Path, problem: Problem): void {
    this.warnings.add(spotOf(this.#layers, path), problem)
  }

  /** The numbers in a value that lose their fraction, because it is 0, on their way to the server. */
  wholeFloats(path: Path, value: JsonValue): NumberAt[] {
    return wholeFloats(this.#layers, path, value)
  }
}

/** What a configuration is compared with, and where it is noted how it differs. */
export interface Check {
  readonly outline: Outline
  /** The server's. */
  readonly version: string
  readonly findings: Findings
}
