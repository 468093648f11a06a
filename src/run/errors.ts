import type { Conclusion } from './conclusion.ts'

/**
 * The run cannot be started, followed or ended as wished; the message is one line that says what failed, why,
 * and what to do.
 */
export class RunError extends Error {
  override readonly name: string = 'RunError'
  readonly conclusion: Conclusion
  /** Whether the server had made a run, though it refused it. */
  readonly hadRun: boolean

  /** @param conclusion what the step's outputs say; `lost` where a run may go on that is out of our sight */
  constructor(message: string, conclusion: Conclusion = 'failed', hadRun = false) {
    super(message)
    this.conclusion = conclusion
    this.hadRun = hadRun
  }
}

/** There is no run of the name or id that was given. */
export class NoSuchRunError extends RunError {
  override readonly name = 'NoSuchRunError'
}

/** Several things are wrong with what the run was to be given; the message has a line for each. */
export class ConfigurationError extends RunError {
  override readonly name = 'ConfigurationError'
  /** One line each. */
  readonly faults: readonly string[]
  /** The same lines without the user's values. */
  readonly faultsWithoutValues: readonly string[]

  constructor(faults: readonly string[], faultsWithoutValues: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
    this.faultsWithoutValues = faultsWithoutValues
  }
}
