/** What to do with a run that nobody waits for any more. */
export type StopMode = 'stop' | 'stop-gracefully' | 'keep-running'

/** The same when its time is up: one that is handed over keeps running, and the step is green. */
export type TimeoutMode = StopMode | 'hand-over'

/** What is about to be sent; enough to find and end the run afterwards, whatever happens to this process. */
export interface PlannedRun {
  readonly name: string
  /** True if the name holds random digits of ours, so that a run of this name can only be ours. */
  readonly nameIsOurs: boolean
  /** Ids of the template and snapshot that the run may name as its origin. */
  readonly origins: readonly string[]
  readonly projectId: string | undefined
  /** Of the first sending, on the server's clock, in milliseconds since the epoch; undefined where it is not known. */
  readonly sentFrom: number | undefined
  /** Of the newest sending, on the runner's clock, in milliseconds since the epoch. */
  readonly sentAt: number
  /** The run that the server answered with, where its name is another one. */
  readonly answered: RunIdentity | undefined
  /** What the configuration that is sent holds to tell the run from others of its name; undefined where the name does that. */
  readonly mark: string | undefined
}

export interface RunIdentity {
  readonly id: string
  readonly name: string | undefined
}

export interface StartedRun {
  readonly id: string
  readonly projectId: string | undefined
  readonly name: string
  readonly url: string | undefined
  /** ZenML's state of it when it was last saved. */
  readonly status: string
  /** As {@link Run} says it: only such a run can wait for a person. */
  readonly isDynamic: boolean
}

/**
 * What must be saved before and after a deed, so that it survives the end of this process. Until `settled`, the post step
 * looks for the run that was planned or started and ends it: as the last `stopping` says, or else as `on-cancel` does.
 */
export interface RecoveryJournal {
  /** Called before each sending of a trigger; what it is told must be safe when it returns. */
  planned(run: PlannedRun): void
  /** Called as soon as the run is known, and again when it is seen to have paused, or to be no longer paused. */
  started(run: StartedRun): void
  /** Called before a run is stopped for another reason than a cancelled workflow; says how it is to be stopped. */
  stopping(mode: StopMode): void
  /** Called once nothing is left to see to: nothing was started, the run has ended, or it goes on on purpose. */
  settled(): void
}
