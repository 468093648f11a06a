import { z } from 'zod'

import type { Clock } from '../../base/clock.ts'
import type { Http } from '../../http/http.ts'
import { GithubError, githubErrorOf, retryWaitMs } from './github-error.ts'
import { fetchThrough } from './github-fetch.ts'
import type { WorkflowContext } from '../workflow/context.ts'
import type { Redactor } from '../secrets/redactor.ts'

/** GitHub's largest page. */
const PAGE_SIZE = 100
/** How often one request is sent at most. */
const MAX_ATTEMPTS = 2

/** A comment on an issue or pull request. */
export interface IssueComment {
  readonly id: number
  /** Login; undefined if the account was deleted. */
  readonly author: string | undefined
  readonly body: string
}

const issueComment = z.object({
  id: z.int(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
})
const viewer = z.object({ viewer: z.object({ login: z.string().min(1) }) })

/** The part of GitHub's client that is used. Both reject if the status is 400 or above, or no answer came. */
interface Client {
  readonly request: (
    route: string,
    parameters: Readonly<Record<string, unknown>>,
  ) => Promise<{
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly data: unknown
  }>
  readonly graphql: (query: string) => Promise<unknown>
}

export interface GithubApiOptions {
  readonly token: string
  readonly context: Pick<WorkflowContext, 'apiUrl' | 'repository'>
  readonly http: Pick<Http, 'send'>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly redactor: Redactor
}

/** The calls of GitHub's REST API that a comment needs. Every method throws {@link GithubError}. */
export class GithubApi {
  readonly #client: Client
  readonly #repository: { readonly owner: string; readonly repo: string }
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #redactor: Redactor

  private constructor(client: Client, { context, clock, signal, redactor }: GithubApiOptions) {
    const [owner = '', repo = ''] = context.repository.split('/')
    this.#client = client
    this.#repository = { owner, repo }
    this.#clock = clock
    this.#signal = signal
    this.#redactor = redactor
  }

  /** Loads GitHub's client, which most steps never need. Nothing is sent yet. */
  static async open(options: GithubApiOptions): Promise<GithubApi> {
    const { token, context, http, signal } = options
    const { Octokit } = await import('@octokit/core')
    const silent = (): void => undefined
    const octokit = new Octokit({
      auth: token,
      baseUrl: context.apiUrl,
      request: { fetch: fetchThrough(http, signal) },
      log: { debug: silent, info: silent, warn: silent, error: silent },
    })
    return new GithubApi(octokit, options)
  }

  /** The comments of an issue or pull request whose text is wanted, the oldest first; the others are not kept. */
  async listComments(issue: number, isWanted: (body: string) => boolean): Promise<IssueComment[]> {
    const found: IssueComment[] = []
    for (let page = 1; ; page += 1) {
      const { data, headers } = await this.#request(
        'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
        { issue_number: issue, per_page: PAGE_SIZE, page },
      )
      const comments = read(z.array(issueComment), data).map(toComment)
      found.push(...comments.filter(({ body }) => isWanted(body)))
      // Its address is not followed: a token goes nowhere but to the API.
      if (typeof headers['link'] !== 'string' || !headers['link'].includes('rel="next"')) return found
    }
  }

  async createComment(issue: number, body: string): Promise<void> {
    const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments'
    await this.#request(route, { issue_number: issue, body: this.#redactor.redact(body) })
  }

  async updateComment(id: number, body: string): Promise<void> {
    const route = 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}'
    await this.#request(route, { comment_id: id, body: this.#redactor.redact(body) })
  }

  async deleteComment(id: number): Promise<void> {
    await this.#request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', { comment_id: id })
  }

  /**
   * Login of whoever the token belongs to. Asked of GraphQL, because `GET /user` answers 403 for the token of a
   * workflow or an app (GitHub's documentation of that call); this one knows all kinds.
   */
  async login(): Promise<string> {
    return this.#attempt(true, async () => {
      return read(viewer, await this.#client.graphql('{ viewer { login } }')).viewer.login
    })
  }

  async #request(route: string, parameters: Readonly<Record<string, unknown>>) {
    return this.#attempt(!route.startsWith('POST'), async () => {
      const answer = await this.#client.request(route, { ...this.#repository, ...parameters })
      // A redirect was not followed, so nothing was done.
      if (answer.status >= 300) throw new GithubError({ kind: 'unreadable' })
      return answer
    })
  }

  async #attempt<T>(isRepeatable: boolean, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work()
      } catch (error) {
        const failure = githubErrorOf(error, this.#signal)
        const waitMs = attempt < MAX_ATTEMPTS ? retryWaitMs(failure.fault, isRepeatable) : undefined
        if (waitMs === undefined) throw failure
        await this.#clock.sleep(waitMs, this.#signal).catch(() => {
          throw failure
        })
      }
    }
  }
}

function toComment({ id, body, user }: z.infer<typeof issueComment>): IssueComment {
  return { id, author: user?.login, body: body ?? '' }
}

function read<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  throw new GithubError({ kind: 'unreadable' })
}
