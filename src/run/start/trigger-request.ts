import type { ZenmlClient } from '../../zenml/client.ts'
import type { Clock } from '../../base/clock.ts'
import type { Deadline } from '../../base/deadline.ts'
import type { JsonObject } from '../../base/json.ts'
import type { Definition, Run } from '../../zenml/model.ts'
import type { RecoveryJournal, RunIdentity } from '../recovery-journal.ts'
import type { Reporter } from '../events.ts'

export interface TriggerRequest {
  readonly definition: Definition
  /** The run of this definition that is replayed instead of starting from the definition. */
  readonly replayed?: RunIdentity | undefined
  /** The run configuration without a name. */
  readonly configuration: JsonObject
  /** Known before the run is, and unique in its project: what makes a lost answer harmless. */
  readonly name: string
  /** True if the name holds random digits of ours, so that a run of this name can only be ours. */
  readonly nameIsOurs: boolean
  /** The first idempotency key, a UUID. */
  readonly key: string
  /** After it nothing more is sent. */
  readonly deadline: Deadline
  /** Whether a run shows that the server handed it to its executor (from ZenML 0.96 on). */
  readonly showsHandOver: boolean
  /** What ZenML shows as the reason where a run is ended that never began. */
  readonly endReason: string
}

export interface TriggerDependencies {
  readonly client: ZenmlClient
  readonly clock: Clock
  readonly reporter: Reporter
  readonly journal: RecoveryJournal
  /** Gives a new UUID. */
  readonly newKey: () => string
  /** Gives a signal that is aborted after so many milliseconds of real time. */
  readonly timeLimit: (ms: number) => AbortSignal
  readonly signal?: AbortSignal | undefined
}

/** A run, and whether it was found by its name because the answer that it was started got lost. */
export interface TriggeredRun {
  readonly run: Run
  readonly name: string
  readonly adopted: boolean
}
