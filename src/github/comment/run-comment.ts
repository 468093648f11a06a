import type { RunRecord } from '../run-record.ts'

/** A comment that follows a step. */
export interface RunComment {
  /**
   * Writes what is known now; a record without a conclusion is one of a run that has just started. Never rejects.
   *
   * @param signal ends the work where it is
   */
  update(record: RunRecord, signal: AbortSignal): Promise<void>
}
