import type { Http, HttpRequest } from '../../http/http.ts'

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE'] as const

/** What a fetch is asked for by GitHub's client. */
export interface FetchOptions {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/** What is read of an answer by GitHub's client. */
export interface FetchAnswer {
  readonly status: number
  readonly url: string
  readonly headers: ReadonlyMap<string, string>
  readonly text: () => Promise<string>
  readonly arrayBuffer: () => Promise<ArrayBuffer>
}

/**
 * A fetch that sends its requests as all others of the action go: through the proxies of the environment, with the
 * authorities of `ca-certificate`, following no redirect.
 */
export function fetchThrough(
  http: Pick<Http, 'send'>,
  signal: AbortSignal,
): (url: string, options: FetchOptions) => Promise<FetchAnswer> {
  return async (url, { method, headers, body }) => {
    const answer = await http.send({
      method: methodOf(method),
      url,
      headers,
      ...(body !== undefined && { body }),
      signal,
    })
    const answered = Object.entries(answer.headers).map(
      ([name, value]) => [name, [value ?? []].flat().join(', ')] as const,
    )
    return {
      status: answer.status,
      url,
      headers: new Map(answered),
      text: () => Promise.resolve(answer.body),
      arrayBuffer: () => Promise.resolve(new TextEncoder().encode(answer.body).buffer),
    }
  }
}

function methodOf(method: string): HttpRequest['method'] {
  const known = METHODS.find((each) => each === method)
  if (known === undefined) throw new Error(`requests to GitHub are not sent with ${method}`)
  return known
}
