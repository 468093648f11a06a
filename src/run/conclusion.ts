/** How the step ended, as the output `conclusion` gives it. */
export type Conclusion = 'completed' | 'failed' | 'stopped' | 'timed-out' | 'cancelled' | 'lost' | 'started'

/** What became of a run that was started or looked at. */
export interface Outcome {
  readonly conclusion: Conclusion
  /** ZenML's last known state of the run. */
  readonly status: string
  /** One line for a person, with what to do; undefined if all is well. */
  readonly error: string | undefined
}

/** Green means that the run completed, or that nobody asked to wait for it. */
export function isSuccess(conclusion: Conclusion): boolean {
  return conclusion === 'completed' || conclusion === 'started'
}
