import type { ZenmlClient } from '../../zenml/client.ts'
import { AnswerError, isZenmlError } from '../../zenml/errors.ts'

/** Nobody marks a run as failed whose process died; after this time the orchestrator is asked how it is. */
const ASK_AFTER_MS = 600_000
const ASK_EVERY_MS = 300_000

/** Has the server ask the orchestrator about a run that has not changed for long. */
export class Orchestrator {
  readonly #client: ZenmlClient
  readonly #runId: string
  #askedAt = -Infinity
  #answers = true

  constructor(client: ZenmlClient, runId: string) {
    this.#client = client
    this.#runId = runId
  }

  /**
   * @param now on the clock of elapsed time
   * @param changedAt when the run was last seen to have changed
   * @throws ZenmlError if the server does not answer
   */
  async askIfStill(now: number, changedAt: number): Promise<void> {
    if (!this.#answers || now - changedAt < ASK_AFTER_MS) return
    if (now - this.#askedAt < ASK_EVERY_MS) return
    this.#askedAt = now
    try {
      await this.#client.refresh(this.#runId)
    } catch (error) {
      // Whether the server answers at all, the next look at the run tells.
      if (!isZenmlError(error)) throw error
      // 501: this orchestrator cannot say; 404 and 405: this server cannot ask; 403: we may not.
      if (error instanceof AnswerError && [403, 404, 405, 501].includes(error.status)) this.#answers = false
    }
  }
}
