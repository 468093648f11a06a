import type { Http, HttpRequest } from '../../http/http.ts'

const METHODS = ['GET', 'POST', 'PATCH', 'DELETE'] as const

/** What a fetch is asked for by GitHub's client. */
export interface FetchOptions {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

/**
 * A fetch that sends its requests as all others of the action go: through the proxies of the environment, with the
 * authorities of `ca-certificate`, following no redirect.
 */
export function fetchThrough(
  http: Pick<Http, 'send'>,
  signal: AbortSignal,
): (url: string, options: FetchOptions) => Promise<Response> {
  return async (url, { method, headers, body }) => {
    const answer = await http.send({
      method: methodOf(method),
      url,
      headers,
      ...(body !== undefined && { body }),
      signal,
    })
    const answered = new Headers()
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const each of [value ?? []].flat()) answered.append(name, each)
    }
    // These have no body by definition, and Response refuses one, even an empty text.
    const isBodiless = [204, 205, 304].includes(answer.status)
    return new Response(isBodiless ? null : answer.body, { status: answer.status, headers: answered })
  }
}

function methodOf(method: string): HttpRequest['method'] {
  const known = METHODS.find((each) => each === method)
  if (known === undefined) throw new Error(`requests to GitHub are not sent with ${method}`)
  return known
}
