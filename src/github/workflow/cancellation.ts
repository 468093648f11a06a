/** The workflow, the job or the step was cancelled, or its own time was up. */
export class Cancellation extends Error {
  override readonly name = 'Cancellation'
}

/**
 * Listens for what the runner sends when a step is to end: SIGINT, 7.5 s later SIGTERM (on Windows SIGBREAK), and
 * 2.5 s later it kills. The signal is aborted at the first of them, and the process goes on.
 */
export function listenForCancellation(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const) {
    process.on(name, () => {
      controller.abort(new Cancellation(`cancelled by ${name}`))
    })
  }
  return controller.signal
}

/** The runner sends its second signal 7.5 s after the first, and kills soon after; all must be said before. */
const GOES_ON_MS = 6_000

/** A signal that is aborted some seconds after a cancellation, for work that one does not take back. */
export function later(cancelled: AbortSignal): AbortSignal {
  const controller = new AbortController()
  const onAbort = (): void => {
    // No step waits for it that has nothing else to do.
    setTimeout(() => controller.abort(cancelled.reason), GOES_ON_MS).unref()
  }
  if (cancelled.aborted) onAbort()
  else cancelled.addEventListener('abort', onAbort, { once: true })
  return controller.signal
}
