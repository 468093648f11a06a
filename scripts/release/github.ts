/**
 * GitHub's REST API, as much of it as a release needs, with nothing but Node: it is used where a token can write.
 */

export interface GithubOptions {
  /** As in GITHUB_API_URL. */
  readonly apiUrl: string
  readonly token: string
  /** `owner/name`. */
  readonly repository: string
}

export interface Asset {
  readonly id: number
  readonly name: string
  /** `sha256:…`; null for what is left of an upload that broke off. */
  readonly digest: string | null
}

export interface Release {
  readonly id: number
  readonly tag_name: string
  readonly target_commitish: string
  readonly draft: boolean
  readonly prerelease: boolean
  /** Whether tag and assets are locked for ever. */
  readonly immutable?: boolean
  readonly html_url: string
  readonly upload_url: string
  readonly assets: readonly Asset[]
}

export interface NamedRef {
  readonly ref: string
  readonly object: { readonly type: string; readonly sha: string }
}

/** GitHub said no. */
export class GithubRefusal extends Error {
  override readonly name = 'GithubRefusal'
  readonly status: number

  constructor(call: string, status: number, reason: string) {
    super(`GitHub answers ${call} with ${status}: ${reason}`)
    this.status = status
  }
}

/** There was no answer, or one that says to try again; whether the deed was done is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

const WAITED_SECONDS = 60

export class Github {
  readonly repository: string
  readonly #options: GithubOptions

  constructor(options: GithubOptions) {
    this.repository = options.repository
    this.#options = options
  }

  /** The commit of a branch or tag, as in `heads/main`; undefined if there is none. */
  async commitOf(ref: string): Promise<string | undefined> {
    const found = await this.#optional<NamedRef>(`/git/ref/${ref}`)
    if (found === undefined || found.object.type === 'commit') return found?.object.sha
    const tag = await this.#ask<NamedRef>('GET', `/git/tags/${found.object.sha}`)
    return tag.object.sha
  }

  /** All tags that begin with this, as name → commit. */
  async tags(beginning: string): Promise<Map<string, string>> {
    const refs = await this.#ask<NamedRef[]>('GET', `/git/matching-refs/tags/${beginning}`)
    return new Map(refs.map(({ ref, object }) => [ref.replace('refs/tags/', ''), object.sha]))
  }

  async createTag(tag: string, sha: string): Promise<void> {
    await this.#ask('POST', '/git/refs', { ref: `refs/tags/${tag}`, sha })
  }

  async moveTag(tag: string, sha: string): Promise<void> {
    await this.#ask('PATCH', `/git/refs/tags/${tag}`, { sha, force: true })
  }

  /** The published release of a tag. */
  async release(tag: string): Promise<Release | undefined> {
    return this.#optional(`/releases/tags/${tag}`)
  }

  /** Published or not; GitHub allows several drafts of one tag. */
  async releasesAndDrafts(tag: string): Promise<Release[]> {
    const newest = await this.#ask<Release[]>('GET', '/releases?per_page=100')
    return newest.filter((release) => release.tag_name === tag)
  }

  async createDraft(draft: object): Promise<Release> {
    return this.#ask('POST', '/releases', { ...draft, draft: true })
  }

  async releaseById(id: number): Promise<Release> {
    return this.#ask('GET', `/releases/${id}`)
  }

  async upload({ upload_url: address }: Release, name: string, content: Uint8Array): Promise<void> {
    const url = `${address.replace(/\{.*$/, '')}?name=${encodeURIComponent(name)}`
    await this.#request('POST', url, content, { 'content-type': 'application/octet-stream' })
  }

  async deleteAsset({ id }: Asset): Promise<void> {
    await this.#request('DELETE', this.#url(`/releases/assets/${id}`))
  }

  async download({ id }: Asset): Promise<Buffer> {
    const accept = { accept: 'application/octet-stream' }
    const response = await this.#request('GET', this.#url(`/releases/assets/${id}`), undefined, accept)
    return Buffer.from(await answered(() => response.arrayBuffer()))
  }

  /** How the runs of a workflow ended for a commit, the newest first; null for one that goes on. */
  async conclusions(workflow: string, sha: string): Promise<(string | null)[]> {
    const path = `/actions/workflows/${workflow}/runs?head_sha=${sha}`
    const { workflow_runs: runs } = await this.#ask<{ workflow_runs: { conclusion: string | null }[] }>(
      'GET',
      path,
    )
    return runs.map(({ conclusion }) => conclusion)
  }

  async #optional<Answer>(path: string): Promise<Answer | undefined> {
    try {
      return await this.#ask<Answer>('GET', path)
    } catch (error) {
      if (error instanceof GithubRefusal && error.status === 404) return undefined
      throw error
    }
  }

  async #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await this.#request(method, this.#url(path), body && JSON.stringify(body))
    return (await answered(() => response.json())) as Answer
  }

  #url(path: string): string {
    return `${this.#options.apiUrl}/repos/${this.repository}${path}`
  }

  async #request(
    method: string,
    url: string,
    body?: string | Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const response = await answered(() =>
      fetch(url, {
        method,
        headers: {
          accept: 'application/vnd.github+json',
          // A connection that waits for the next request may be gone by then.
          connection: 'close',
          'x-github-api-version': '2022-11-28',
          authorization: `Bearer ${this.#options.token}`,
          ...headers,
        },
        body: body ?? null,
        signal: AbortSignal.timeout(WAITED_SECONDS * 1000),
      }),
    )
    if (response.ok) return response
    const reason = reasonOf(await answered(() => response.text()))
    const call = `${method} ${new URL(url).pathname}`
    if (response.status >= 500 || response.status === 429) {
      throw new NoAnswer(`GitHub answers ${call} with ${response.status}: ${reason}`)
    }
    throw new GithubRefusal(call, response.status, reason)
  }
}

/** Anything that goes wrong on the way means that nobody knows what was done. */
async function answered<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw new NoAnswer('GitHub did not answer.', { cause: error })
  }
}

/** GitHub's message, with the details of what it calls a failed validation. */
function reasonOf(text: string): string {
  try {
    const { message, errors = [] } = JSON.parse(text) as { message: string; errors?: object[] }
    return [message, ...errors.map((error) => JSON.stringify(error))].join(' ').replaceAll(/\s+/g, ' ').trim()
  } catch {
    return text.slice(0, 200)
  }
}

const PAUSES_SECONDS = [2, 10, 30]

/**
 * Begins the work again while GitHub does not answer. All that is done here looks first at what is there, so beginning
 * again does what is left.
 *
 * @param pause waits so many seconds
 */
export async function untilAnswered<Result>(
  work: () => Promise<Result>,
  say: (line: string) => void,
  pause: (seconds: number) => Promise<void> = (seconds) =>
    new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
): Promise<Result> {
  for (const seconds of PAUSES_SECONDS) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      say(`${error.message} Trying again in ${seconds} s.`)
      await pause(seconds)
    }
  }
  return work()
}
