import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http'
import { CommentStore, type StoredComment } from './comments.ts'
import { badCredentials, conversationLocked, GithubAnswer, notFound, refused } from './answers.ts'
import { RefStore } from './refs.ts'
import { ReleaseStore } from './releases.ts'

/** What a token may do in the repository. */
export type GithubRights = 'write' | 'read' | 'none'

export interface GithubAccount {
  /** As GitHub shows it: `github-actions[bot]` for a workflow's own token. */
  readonly login: string
  readonly rights: GithubRights
  /** A person's token is refused in other words. Default: integration. */
  readonly kind?: 'integration' | 'personal'
  /** Whether it may change workflow files; a workflow's own token never may. */
  readonly workflows?: boolean
}

export interface GithubRequest {
  readonly method: string
  /** With the query, without the API's own path. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly status: number
}

/**
 * What happens to a request instead of its answer: another answer, the connection is cut before or (`lost`) after the
 * deed is done, or nothing at all for ever.
 */
export type GithubInterference = GithubAnswer | 'cut' | 'lost' | 'silence'

/** Undefined lets the request through. */
export type GithubFault = (request: Pick<GithubRequest, 'method' | 'path'>) => GithubInterference | undefined

export interface GithubOptions {
  /** By token. */
  readonly accounts: Readonly<Record<string, GithubAccount>>
  /** `owner/name`; default `example/models`. */
  readonly repository?: string
  /** Where the REST API begins; `/api/v3` on GitHub Enterprise Server, empty on github.com. */
  readonly apiPath?: '' | '/api/v3'
  /** A bare clone on this disk: the repository's branches and tags, which releases are made of. Default: none. */
  readonly git?: string
  /** Whether the repository has the setting "release immutability". Default: true. */
  readonly immutableReleases?: boolean
}

/** How CI ended for a commit. */
export interface GithubWorkflowRun {
  readonly head_sha: string
  readonly conclusion: 'success' | 'failure' | null
}

/** The few calls of GitHub's API that a comment or a release needs, with their documented shapes, in this process. */
export interface GithubSimulator {
  /** As in GITHUB_API_URL. */
  readonly apiUrl: string
  readonly requests: readonly GithubRequest[]
  /** All comments on a pull request, the oldest first. */
  comments(issue: number): readonly StoredComment[]
  /** Writes a comment as anybody may have done it before. */
  write(issue: number, author: string, body: string): StoredComment
  remove(id: number): void
  /** Notes a run of CI, the newest one so far. */
  ran(run: GithubWorkflowRun): void
  /** All releases, drafts too, the oldest first. Only with `git`. */
  readonly releases: ReleaseStore['all']
  /** From now on nobody may comment there. */
  lock(issue: number): void
  /** For all requests from now on; undefined ends it. */
  interfere(fault: GithubFault | undefined): void
  close(): Promise<void>
}

/** Starts GitHub's API on 127.0.0.1; resolves when it listens. */
export async function startGithub(options: GithubOptions): Promise<GithubSimulator> {
  const { apiPath = '' } = options
  const github = new Github(options)
  const requests: GithubRequest[] = []
  let fault: GithubFault | undefined
  const server = createServer((request, response) => {
    void bytesOf(request).then((bytes) => {
      const { method = 'GET', url = '/', headers } = request
      const path = pathOf(url, apiPath)
      const asked = { method, path: path ?? url, headers, body: bytes.toString('utf8') }
      const interference = fault?.(asked)
      const isDone = interference === undefined || interference === 'lost'
      const result = path === undefined ? notFound() : isDone ? github.answer(asked, bytes) : undefined
      if (interference === 'cut') github.breakOff(asked)
      const answer = interference ?? result ?? notFound()
      requests.push({ ...asked, status: answer instanceof GithubAnswer ? answer.status : 0 })
      if (answer instanceof GithubAnswer) response.writeHead(answer.status, answer.headers).end(answer.body)
      else if (answer !== 'silence') request.socket.destroy()
    })
  })
  const port = await listen(server)
  const apiUrl = `http://127.0.0.1:${port}${apiPath}`
  github.apiUrl = apiUrl
  return {
    apiUrl,
    requests,
    comments: (issue) => github.store.of(issue),
    write: (issue, author, body) => github.store.add(issue, author, body),
    remove: (id) => github.store.remove(id),
    ran: (run) => github.runs.push(run),
    get releases() {
      return github.releases?.all ?? []
    },
    lock: (issue) => github.locked.add(issue),
    interfere: (next) => {
      fault = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** GraphQL lies beside the REST API on GitHub Enterprise Server, and below it on github.com. */
function pathOf(url: string, apiPath: string): string | undefined {
  if (apiPath === '/api/v3' && url === '/api/graphql') return '/graphql'
  return url.startsWith(`${apiPath}/`) ? url.slice(apiPath.length) : undefined
}

/** GitHub takes files at an address of its own, which it tells with the release. */
const UPLOAD = /^\/uploads\/releases\/(\d+)\/assets\?name=([^&]+)$/

type Asked = Omit<GithubRequest, 'status'>

class Github {
  readonly store = new CommentStore()
  readonly locked = new Set<number>()
  readonly runs: GithubWorkflowRun[] = []
  readonly refs: RefStore | undefined
  readonly releases: ReleaseStore | undefined
  apiUrl = ''
  readonly #repository: string
  readonly #accounts: GithubOptions['accounts']

  constructor({ repository = 'example/models', accounts, git, immutableReleases = true }: GithubOptions) {
    this.#repository = repository
    this.#accounts = accounts
    this.refs = git === undefined ? undefined : new RefStore(git)
    this.releases = this.refs && new ReleaseStore(this.refs, immutableReleases, () => this.apiUrl)
  }

  /** An upload that is cut leaves something behind. */
  breakOff({ path }: Asked): void {
    const [, id, name] = UPLOAD.exec(path) ?? []
    if (name !== undefined) this.releases?.upload(Number(id), decodeURIComponent(name), Buffer.alloc(0), true)
  }

  answer(asked: Asked, bytes: Buffer): GithubAnswer {
    const token = /^(?:token|bearer) (.+)$/i.exec(asked.headers.authorization ?? '')?.[1]
    const account = token === undefined ? undefined : this.#accounts[token]
    if (account === undefined) return badCredentials()
    if (asked.method === 'POST' && asked.path === '/graphql') {
      return GithubAnswer.json(200, { data: { viewer: { login: account.login } } })
    }
    if (account.rights === 'none') return notFound()
    const ofCode = this.#ofCode(asked, bytes, account)
    if (ofCode !== undefined) return ofCode
    const prefix = `/repos/${this.#repository}/issues/`
    if (!asked.path.startsWith(prefix)) return notFound()
    const url = new URL(asked.path.slice(prefix.length), 'http://issues/')
    const issue = /^\/(\d+)\/comments$/.exec(url.pathname)?.[1]
    if (issue !== undefined) return this.#ofIssue(Number(issue), url.searchParams, asked, account)
    const comment = /^\/comments\/(\d+)$/.exec(url.pathname)?.[1]
    return comment === undefined ? notFound() : this.#ofComment(Number(comment), asked, account)
  }

  /** Refs, releases and what CI said; undefined for all other calls. */
  #ofCode(asked: Asked, bytes: Buffer, account: GithubAccount): GithubAnswer | undefined {
    const { method, path, body } = asked
    const mayWrite = account.rights === 'write'
    const [, id, name] = UPLOAD.exec(path) ?? []
    const { pathname, searchParams } = new URL(path, 'http://github/')
    const prefix = `/repos/${this.#repository}`
    const below = pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : undefined
    if (/^\/actions\/workflows\/[\w.]+\/runs$/.test(below ?? '')) {
      // The newest first.
      const found = this.runs.filter((run) => run.head_sha === searchParams.get('head_sha')).reverse()
      return GithubAnswer.json(200, { total_count: found.length, workflow_runs: found })
    }
    const isOfCode = name !== undefined || /^\/(?:git|releases)\b/.test(below ?? '')
    if (isOfCode && !mayWrite && method !== 'GET') return refused(account, 'releases')
    if (name !== undefined) return this.releases?.upload(Number(id), decodeURIComponent(name), bytes)
    return (
      this.refs?.answer(method, below ?? '', body, account) ??
      this.releases?.answer(method, below ?? '', bytes, account)
    )
  }

  #ofIssue(issue: number, query: URLSearchParams, { method, body }: Asked, account: GithubAccount) {
    if (method === 'GET') return this.store.page(issue, query, `${this.apiUrl}/repositories/1`)
    if (method !== 'POST') return notFound()
    if (account.rights !== 'write') return refused(account, 'create-an-issue-comment')
    if (this.locked.has(issue)) return conversationLocked()
    return this.store.create(issue, account.login, body)
  }

  #ofComment(id: number, { method, body }: Asked, account: GithubAccount): GithubAnswer {
    if (method !== 'PATCH' && method !== 'DELETE') return notFound()
    const change = method === 'PATCH' ? 'update-an-issue-comment' : 'delete-an-issue-comment'
    if (account.rights !== 'write') return refused(account, change)
    if (!this.store.has(id)) return notFound()
    if (method === 'PATCH') return this.store.update(id, body)
    this.store.remove(id)
    return new GithubAnswer(204, '')
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
