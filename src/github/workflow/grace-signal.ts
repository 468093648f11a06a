/** The runner sends its second signal 7.5 s after the first, and kills soon after; all must be said before. */
const GOES_ON_MS = 6_000

/** A signal that is aborted some seconds after a cancellation, for work that one does not take back. */
export function graceSignal(cancelled: AbortSignal): AbortSignal {
  const controller = new AbortController()
  const onAbort = (): void => {
    // No step waits for it that has nothing else to do.
    setTimeout(() => controller.abort(cancelled.reason), GOES_ON_MS).unref()
  }
  if (cancelled.aborted) onAbort()
  else cancelled.addEventListener('abort', onAbort, { once: true })
  return controller.signal
}
