import { GithubAnswer, refusal } from './answers.ts'

/** The longest body that GitHub takes, in characters. */
const MAX_BODY_LENGTH = 65_536
const MAX_PAGE_SIZE = 100
const DEFAULT_PAGE_SIZE = 30

export interface StoredComment {
  readonly id: number
  readonly issue: number
  readonly author: string
  readonly body: string
}

/** The comments of a repository. */
export class CommentStore {
  #comments: StoredComment[] = []
  #nextId = 2_000_000_001

  of(issue: number): StoredComment[] {
    return this.#comments.filter((comment) => comment.issue === issue)
  }

  has(id: number): boolean {
    return this.#comments.some((comment) => comment.id === id)
  }

  add(issue: number, author: string, body: string): StoredComment {
    const comment = { id: this.#nextId, issue, author, body }
    this.#nextId += 1
    this.#comments.push(comment)
    return comment
  }

  remove(id: number): void {
    this.#comments = this.#comments.filter((comment) => comment.id !== id)
  }

  /** One page, the oldest first, with the addresses of the others in the header `link`. */
  page(issue: number, query: URLSearchParams, baseUrl: string): GithubAnswer {
    const size = Math.min(Number(query.get('per_page') ?? DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
    const page = Math.max(Number(query.get('page') ?? 1), 1)
    const all = this.of(issue)
    const last = Math.max(Math.ceil(all.length / size), 1)
    const address = (number: number): string =>
      `<${baseUrl}/issues/${issue}/comments?per_page=${size}&page=${number}>`
    const links = [
      ...(page > 1 ? [`${address(page - 1)}; rel="prev"`] : []),
      ...(page < last ? [`${address(page + 1)}; rel="next"`, `${address(last)}; rel="last"`] : []),
      ...(page > 1 ? [`${address(1)}; rel="first"`] : []),
    ]
    return GithubAnswer.json(
      200,
      all.slice((page - 1) * size, page * size).map(shown),
      links.length === 0 ? {} : { link: links.join(', ') },
    )
  }

  create(issue: number, author: string, json: string): GithubAnswer {
    const body = bodyOf(json)
    return body instanceof GithubAnswer ? body : GithubAnswer.json(201, shown(this.add(issue, author, body)))
  }

  update(id: number, json: string): GithubAnswer {
    const body = bodyOf(json)
    if (body instanceof GithubAnswer) return body
    this.#comments = this.#comments.map((comment) => (comment.id === id ? { ...comment, body } : comment))
    return GithubAnswer.json(200, this.#comments.filter((comment) => comment.id === id).map(shown)[0])
  }
}

function bodyOf(json: string): string | GithubAnswer {
  const value: unknown = JSON.parse(json)
  const body = typeof value === 'object' && value !== null && 'body' in value ? value.body : undefined
  if (typeof body !== 'string' || body === '') return invalid("Body can't be blank")
  // In characters, not in UTF-16 units.
  return Array.from(body).length > MAX_BODY_LENGTH
    ? invalid(`Body is too long (maximum is ${MAX_BODY_LENGTH} characters)`)
    : body
}

function invalid(message: string): GithubAnswer {
  const { body, headers } = refusal(
    422,
    'Validation Failed',
    'https://docs.github.com/rest/issues/comments#create-an-issue-comment',
  )
  const errors = [{ resource: 'IssueComment', code: 'unprocessable', field: 'data', message }]
  return GithubAnswer.json(422, { ...JSON.parse(String(body)), errors }, headers)
}

/** As GitHub documents an issue comment, as far as anybody reads it. */
function shown({ id, issue, author, body }: StoredComment) {
  const api = 'https://api.github.com'
  return {
    id,
    node_id: `IC_${id}`,
    url: `${api}/repos/example/models/issues/comments/${id}`,
    html_url: `https://github.com/example/models/pull/${issue}#issuecomment-${id}`,
    issue_url: `${api}/repos/example/models/issues/${issue}`,
    body,
    user: { login: author, id: 41898282, type: author.endsWith('[bot]') ? 'Bot' : 'User', site_admin: false },
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    author_association: author.endsWith('[bot]') ? 'NONE' : 'CONTRIBUTOR',
    performed_via_github_app: null,
  }
}
