/** What a step or its post step left behind for a person and for later steps. */
export interface Ending {
  /** The output; undefined if it was killed first. */
  readonly conclusion: string | undefined
  readonly status: string
  readonly runId: string | undefined
  /** Undefined if it was killed. */
  readonly green: boolean | undefined
  /** The last line that a person reads; empty if there is none. */
  readonly line: string
  /** Not empty if it ended in a way that nobody foresaw. */
  readonly unforeseen: string
}

/** A run as the server holds it at one moment. */
export interface HeldRun {
  readonly id: string
  readonly name: string
  /** As the step sent it; the server may have changed it. */
  readonly nameSent: string
  readonly status: string
  /** Steps of it use computing time. */
  readonly busy: boolean
  /** The server does not show it any more. */
  readonly gone: boolean
}

/** All that is known of a case when it is over. */
export interface Observation {
  readonly main: Ending
  /** Whether main said that nothing was left to see to. */
  readonly settled: boolean
  /** Undefined if the post step had nothing to do, or could not run. */
  readonly post: Ending | undefined
  /** This step's runs only, at the end of main, at the end of the post step, and some minutes later. */
  readonly atMainEnd: readonly HeldRun[]
  readonly atPostEnd: readonly HeldRun[]
  readonly later: readonly HeldRun[]
  /** Ids of runs that main, and then the post step, asked the server to end. */
  readonly endedByMain: readonly string[]
  readonly endedByPost: readonly string[]
  /** How many requests the post step sent; undefined where it ran beside a main that outlived its step. */
  readonly postRequests: number | undefined
  /** Ids of runs that the case itself took away. */
  readonly vanished: ReadonlySet<string>
  /** The case itself gave a run a state that no version has. */
  readonly tampered: boolean
  /** Whether the step was cancelled. */
  readonly cancelled: boolean
  /** Everything that was printed or saved for others to read. */
  readonly shown: string
  readonly secrets: readonly string[]
  /** True if it had to be given up. */
  readonly hung: boolean
}
