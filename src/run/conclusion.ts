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

/** What a conclusion alone does not say. */
export type Remark =
  /** The step is red only because the run waits for an answer. */
  | 'waits-for-person'
  /** The run that was named is not there. */
  | 'not-found'
  /** A run may have been started, and nobody could say whether one was. */
  | 'in-doubt'
  /** There was a run, though the step never followed one; of a sweep: some run was started, or may have been. */
  | 'had-run'
  /** It is not as expected only because something could not be read: the same run may be as expected. */
  | 'unjudged'

/** What became of a run that was started or looked at. */
export interface Outcome {
  readonly conclusion: Conclusion
  /** ZenML's last known state of the run. */
  readonly status: string
  /** One line for a person, with what to do. Undefined means success: only then is the step green. */
  readonly error: string | undefined
  /** Name of the step that failed first; undefined if none did, or that is not known. */
  readonly failedStep: string | undefined
  readonly remark?: Remark | undefined
}
