import type { Conclusion } from './conclusion.ts'

/**
 * The run cannot be started, followed or ended as wished; the message is one line that says what failed, why,
 * and what to do.
 */
export class RunError extends Error {
  override readonly name = 'RunError'
  readonly conclusion: Conclusion

  /** @param conclusion what the step's outputs say; `lost` where a run may go on that is out of our sight */
  constructor(message: string, conclusion: Conclusion = 'failed') {
    super(message)
    this.conclusion = conclusion
  }
}
