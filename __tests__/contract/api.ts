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
  target: Target,
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
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ password }).toString()
  return send(target, 'POST', '/api/v1/login', { headers, body })
}

/** A client with a token; paths are below /api/v1. */
export class Api {
  readonly #target: Target
  readonly #token: string

  private constructor(target: Target, token: string) {
    this.#target = target
    this.#token = token
  }

  static async login(target: Target): Promise<Api> {
    const { body } = await login(target, target.apiKey)
    return new Api(target, textAt(body, 'access_token'))
  }

  get(path: string): Promise<Reply> {
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
