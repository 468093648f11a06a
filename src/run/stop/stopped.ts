/** What is known of a run after the attempt to stop it; `status` is the last one seen. */
export type Stopped =
  /** Nothing of it goes on; `byItself` if it had ended before it could be stopped. */
  | { readonly kind: 'ended'; readonly status: string; readonly byItself: boolean }
  /** The server knows no such run any more, so nobody can tell what its steps do. */
  | { readonly kind: 'gone'; readonly status: string }
  /** The server took the request; the run, or the child run that `left` is a clause about, had not ended when the time was up. */
  | { readonly kind: 'asked'; readonly status: string; readonly left?: string }
  /** The run itself has ended; `why` is a clause about a child run that goes on, or may. */
  | { readonly kind: 'left-over'; readonly status: string; readonly why: string }
  /** `why` is a clause. */
  | { readonly kind: 'going-on'; readonly status: string; readonly why: string }
  /** The server could not be asked, so nobody can tell; `why` is a clause. */
  | { readonly kind: 'unknown'; readonly status: string; readonly why: string }

/** @param why often begins with what was tried, which the sentence says already */
export function withoutDeed(why: string): string {
  return why.replace(/^Could not (?:stop|end) the run: /, '')
}
