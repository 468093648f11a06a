/** What the API sends. */
export class GithubAnswer {
  readonly status: number
  readonly body: string | Buffer
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }

  static json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): GithubAnswer {
    const type = 'application/json; charset=utf-8'
    return new GithubAnswer(status, JSON.stringify(body), { 'content-type': type, ...headers })
  }

  /** A file. */
  static bytes(content: Buffer): GithubAnswer {
    return new GithubAnswer(200, content, { 'content-type': 'application/octet-stream' })
  }
}

/** GitHub's usual error. */
export function refusal(
  status: number,
  message: string,
  documentation: string,
  headers: Readonly<Record<string, string>> = {},
): GithubAnswer {
  const body = { message, documentation_url: documentation, status: String(status) }
  return GithubAnswer.json(status, body, headers)
}

const REST = 'https://docs.github.com/rest'

export function badCredentials(): GithubAnswer {
  return refusal(401, 'Bad credentials', REST)
}

/** Also for what the token may not see. */
export function notFound(): GithubAnswer {
  return refusal(404, 'Not Found', `${REST}/issues/comments`)
}

/** To a workflow of a fork, or a token without the right. */
export function refused(
  { kind = 'integration' }: { readonly kind?: 'integration' | 'personal' },
  call: string,
): GithubAnswer {
  const whose = kind === 'integration' ? 'integration' : 'personal access token'
  return refusal(403, `Resource not accessible by ${whose}`, `${REST}/issues/comments#${call}`)
}

/** Too many writings in a short time; GitHub uses both statuses. */
export function secondaryRateLimit(status: 403 | 429, retryAfterSeconds: number | undefined): GithubAnswer {
  return refusal(
    status,
    'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.',
    `${REST}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits`,
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  )
}

/** Too many requests in an hour. */
export function primaryRateLimit(resetSeconds: number): GithubAnswer {
  return refusal(
    403,
    'API rate limit exceeded for installation ID 1.',
    `${REST}/using-the-rest-api/rate-limits-for-the-rest-api`,
    { 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetSeconds) },
  )
}

export function conversationLocked(): GithubAnswer {
  const message = 'Unable to create comment because issue is locked.'
  return refusal(403, message, 'https://docs.github.com/articles/locking-conversations/')
}
