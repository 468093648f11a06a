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
