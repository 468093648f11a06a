/** How the step ended, as the output `conclusion` gives it. */
export type Conclusion =
  | 'completed'
  | 'failed'
  | 'stopped'
  | 'timed-out'
  | 'cancelled'
  | 'lost'
  | 'started'
  /** The run was handed over while it was going on: nothing of it was judged yet. */
  | 'running'
  /** The run completed, and a condition on its metadata does not hold. */
  | 'expectation-missed'
  /** Nothing was to be started. */
  | 'dry-run'
  /** What the run asked was answered: of resolve/. */
  | 'resolved'

/** What became of a run that was started or looked at. */
export interface Outcome {
  readonly conclusion: Conclusion
  /** ZenML's last known state of the run. */
  readonly status: string
  /** One line for a person, with what to do. Undefined means success: only then is the step green. */
  readonly error: string | undefined
  /** Name of the step that failed first; undefined if none did, or that is not known. */
  readonly failedStep: string | undefined
  /** True if the step is red only because the run waits for an answer. */
  readonly waitsForPerson?: true
  /** True if a run may have been started, and nobody could say whether one was. */
  readonly inDoubt?: boolean
  /** True if there was a run, though the step never followed one. */
  readonly hadRun?: boolean
  /** True if it is not as expected only because something could not be read: the same run may be as expected. */
  readonly isUnjudged?: true
  /** True if the run that was named is not there. */
  readonly isMissing?: boolean
}
