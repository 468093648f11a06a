import { request } from 'undici'
import type { Target } from './target.ts'

export interface Reply {
  readonly status: number
  readonly contentType: string
  /** Parsed where it is JSON, otherwise the text. */
  readonly body: unknown
}

export type Headers = Readonly<Record<string, string>>

/** Sends one request as it is; `path` is below the server's URL. */
export async function send(
  target: Pick<Target, 'url'>,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  options: { readonly headers?: Headers; readonly body?: string } = {},
): Promise<Reply> {
  const { statusCode, headers, body } = await request(`${target.url}${path}`, {
    method,
    headers: options.headers ?? {},
    body: options.body ?? null,
  })
  const text = await body.text()
  return { status: statusCode, contentType: String(headers['content-type']), body: parse(text) }
}

export function login(target: Target, password: string): Promise<Reply> {
  return postForm(target, '/api/v1/login', { password })
}

/** Logs in with a token of the management API; without one if undefined. */
export function loginExternal(target: Target, bearer: string | undefined): Promise<Reply> {
  return postForm(target, '/api/v1/login', { grant_type: 'zenml-external' }, bearer)
}

/** A request to a Pro target's management API; `form` makes it a POST. */
export function askManagement(
  { pro }: Target,
  path: string,
  { form, bearer }: { readonly form?: Headers; readonly bearer?: string },
): Promise<Reply> {
  const target = { url: pro?.apiUrl ?? '' }
  if (form !== undefined) return postForm(target, path, form, bearer)
  return send(target, 'GET', path, { headers: bearer === undefined ? {} : authorization(bearer) })
}

export function authorization(bearer: string): Headers {
  return { authorization: `Bearer ${bearer}` }
}

function postForm(target: Pick<Target, 'url'>, path: string, form: Headers, bearer?: string): Promise<Reply> {
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const headers = { ...type, ...(bearer === undefined ? {} : authorization(bearer)) }
  return send(target, 'POST', path, { headers, body: new URLSearchParams(form).toString() })
}

/** The lists of what is in a project. */
const SCOPED =
  /^\/(run_templates|pipeline_snapshots|pipelines|runs|runs\/[^/?]+\/steps|steps|artifact_versions|run_wait_conditions|models|models\/[^/?]+\/model_versions|model_versions)(\?|$)/

/** A client with a token; paths are below /api/v1. */
export class Api {
  readonly #target: Target
  readonly #token: string

  private constructor(target: Target, token: string) {
    this.#target = target
    this.#token = token
  }

  /** On Pro as ZenML's own client does it, on every version: by a token of the management API. */
  static async login(target: Target): Promise<Api> {
    if (target.mode === 'open-source') {
      const { body } = await login(target, target.apiKey)
      return new Api(target, textAt(body, 'access_token'))
    }
    const { apiKey } = target
    const form = { password: apiKey }
    const management = await askManagement(target, '/auth/login', { form, bearer: apiKey })
    const { body } = await loginExternal(target, textAt(management.body, 'access_token'))
    return new Api(target, textAt(body, 'access_token'))
  }

  /** A list is asked for with the project, where the server does not take it by itself. */
  get(path: string): Promise<Reply> {
    const { mode, project } = this.#target
    const byItself = mode === 'open-source' && project === 'default'
    if (byItself || !SCOPED.test(path) || /[?&]project=/.test(path)) return this.bare(path)
    return this.bare(`${path}${path.includes('?') ? '&' : '?'}project=${project}`)
  }

  /** Exactly this. */
  bare(path: string): Promise<Reply> {
    return this.#send('GET', path, undefined)
  }

  /** `body` is sent as it is if it is a string. */
  post(path: string, body?: unknown, headers: Headers = {}): Promise<Reply> {
    return this.#send('POST', path, body, headers)
  }

  put(path: string, body: unknown): Promise<Reply> {
    return this.#send('PUT', path, body)
  }

  #send(method: 'GET' | 'POST' | 'PUT', path: string, body: unknown, extra: Headers = {}): Promise<Reply> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...extra }
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    return send(this.#target, method, `/api/v1${path}`, {
      headers,
      ...(text === undefined ? {} : { body: text }),
    })
  }
}

/** What is at a dotted path of an answer; undefined where there is nothing. */
export function at(value: unknown, path: string): unknown {
  let current = value
  for (const key of path.split('.')) {
    if (typeof current !== 'object' || current === null) return undefined
    current = Reflect.get(current, key)
  }
  return current
}

/** The text at a dotted path; an error that shows the answer where there is none. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path)
  if (typeof found !== 'string') throw new Error(`No text at ${path} of ${JSON.stringify(value)}`)
  return found
}

/** The list at a dotted path. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = at(value, path)
  if (!Array.isArray(found)) throw new Error(`No list at ${path} of ${JSON.stringify(value)}`)
  return found
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
