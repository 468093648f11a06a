/** Time as the other folders see it; injected so that tests can let hours pass at once. */
export interface Clock {
  /**
   * Milliseconds since the epoch, for names, for dates, and to compare with a server's times. Somebody may set it at any
   * moment, so two of them do not tell how much time lies between.
   */
  now(): number
  /**
   * Milliseconds since some moment, of a clock that nobody sets: what limits, waits and durations are measured by. It is
   * compared with itself only.
   */
  elapsed(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Uniform in [0, 1), for jitter. */
  random(): number
}
