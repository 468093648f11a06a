import { cutAtSpace } from '../../base/cut.ts'
import { parseJson } from '../../base/json.ts'
import type { HttpAnswer } from '../../http/http.ts'

/** The text of an answer that is not the one wanted, made readable. */
export interface ErrorBody {
  /** Who wrote it, in words that begin a clause. */
  readonly source: 'the server' | 'something that is not a ZenML API'
  readonly exception?: string
  /** One line, at most 600 characters; not trusted. */
  readonly message: string
}

const MESSAGE_LIMIT = 600
const TITLE_LIMIT = 120

/** Enough to see what kind of thing answered. */
const MOST_KEYS = 6

/** Patterns look no further: on megabytes of a hostile text they would take minutes. */
const READ_LIMIT = 10_000

/**
 * Reads the six shapes of errors that ZenML servers and what stands before them give (0.98: zenml/zen_server/exceptions.py and
 * request_management.py):
 * `{"detail": ["Class", "message"]}`, `{"detail": "message"}`, a bare `["Class", "message"]`,
 * `{"error": "message"}`, plain text, HTML. Also says what is odd about an answer that is no error.
 *
 * @param addressInput the input to check where no API answers
 */
export function readErrorBody(answer: HttpAnswer, addressInput = 'server-url'): ErrorBody {
  if (answer.status >= 300 && answer.status < 400) return redirect(answer, addressInput)
  if (isHtml(answer)) {
    const title = /<title[^>]*>([^<]+)/i.exec(answer.body.slice(0, READ_LIMIT))?.[1]
    const named = title === undefined ? '' : ` titled "${cutAtSpace(oneLine(title), TITLE_LIMIT)}"`
    return {
      source: 'something that is not a ZenML API',
      message: `a web page${named} instead of JSON; check ${addressInput} (a dashboard or a proxy answers there)`,
    }
  }
  const json = parseJson(answer.body)
  const pair = exceptionPair(json) ?? exceptionPair(property(json, 'detail'))
  if (pair !== undefined) {
    return {
      source: 'the server',
      exception: pair[0],
      message: cut(withoutInputs(readable(pair[1].slice(0, READ_LIMIT)))),
    }
  }
  const text = property(json, 'detail') ?? property(json, 'error')
  // Of ZenML's own answers that is all there is; a gateway's say more, or have a type of their own (RFC 9457).
  const isOwn = hasOnly(json, 'detail') && !isOfType(answer, 'problem+json')
  if (answer.status < 300 && !isOwn) {
    return {
      source: 'something that is not a ZenML API',
      message: `an unexpected answer: ${shape(answer.body, json)}; check ${addressInput} (a proxy may answer there), or update this action if ZenML is newer`,
    }
  }
  // A ZenML that says no gives a reason in `detail`; only one that fails, or is too busy, says it otherwise.
  const isFailure = answer.status >= 500 || answer.status === 429 || answer.status === 408
  return {
    source: isOwn || isFailure ? 'the server' : 'something that is not a ZenML API',
    message:
      cut(withoutInputs(oneLine(problemsIn(text) ?? (text === undefined ? answer.body : written(text))))) ||
      '(no text)',
  }
}

/** No token is shorter; a token in pieces is none. */
const LIKE_A_TOKEN = /[\w.~+/%=-]{16}/

/**
 * A login's answer that is not the one wanted, fit to be shown. It may hold a token that nobody has masked yet: in a
 * value, a key or a title. So of what is none of ZenML's own errors and has a long word, only type and length are left.
 */
export function withoutToken(answer: HttpAnswer): HttpAnswer {
  const isRedirect = answer.status >= 300 && answer.status < 400
  const json = parseJson(answer.body)
  if (isRedirect || isOwnError(json)) return answer
  const { exception = '', message } = readErrorBody(answer)
  // What says yes in no form that can be read may hold a token in an encoding that nobody recognizes.
  const isUnread = answer.status < 300 && json === undefined && answer.body !== '' && !isHtml(answer)
  if (!isUnread && !LIKE_A_TOKEN.test(`${exception} ${message}`)) return answer
  if (isHtml(answer)) return { ...answer, body: '<html>' }
  const given = answer.headers['content-type']
  const type = /^[a-z]+\/[a-z.+-]{1,60}/.exec(typeof given === 'string' ? given : '')?.[0] ?? 'no known type'
  return { ...answer, body: `(${answer.body.length} characters of ${type})` }
}

/** Whether all that is in an error is text, and its exception named as a class of Python. */
function isOwnError(json: unknown): boolean {
  const detail = property(json, 'detail') ?? property(json, 'error') ?? json
  if (!Array.isArray(detail)) return detail !== json && typeof detail === 'string'
  const parts: readonly unknown[] = detail
  return /^[A-Z][A-Za-z]{2,60}$/.test(String(parts[0])) && parts.every((part) => typeof part === 'string')
}

/** What an answer looks like, without its values. */
function shape(body: string, json: unknown): string {
  if (Array.isArray(json)) return `a list of ${json.length}`
  if (typeof json === 'object' && json !== null) {
    const keys = Object.keys(json)
    const more = keys.length > MOST_KEYS ? ', …' : ''
    return keys.length === 0 ? '{}' : cut(oneLine(`{${keys.slice(0, MOST_KEYS).join(', ')}${more}}`))
  }
  if (json !== undefined) return json === null ? 'null' : `a ${typeof json}`
  // What begins so is JSON that was cut or damaged, and may hold a token as well.
  if (/^[\s\uFEFF]*[[{"]/.test(body)) return `damaged JSON of ${body.length} characters`
  return cut(oneLine(body)) || '(empty)'
}

function redirect(answer: HttpAnswer, addressInput: string): ErrorBody {
  const location = answer.headers['location']
  const target = typeof location === 'string' ? withoutSecrets(location) : 'another address'
  return {
    source: 'something that is not a ZenML API',
    message: `a redirect to ${target}; redirects are not followed with a credential, so use the final address as ${addressInput}`,
  }
}

/** An address to show: user, password, query and fragment can hold secrets. */
function withoutSecrets(location: string): string {
  try {
    const url = new URL(location)
    return cut(`${url.origin}${url.pathname}`)
  } catch {
    const path = oneLine(location.replace(/[?#].*$/s, ''))
    // What stands before an @ may be a user and a password.
    return path.includes('@') ? 'another address' : cut(path)
  }
}

/** True for a body that is a web page, whatever its content type claims. */
export function isHtml(answer: HttpAnswer): boolean {
  return isOfType(answer, 'text/html') || /^\s*<(!doctype|html)/i.test(answer.body)
}

function isOfType({ headers }: HttpAnswer, type: string): boolean {
  const given = headers['content-type']
  return typeof given === 'string' && given.includes(type)
}

function hasOnly(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === name
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

function exceptionPair(value: unknown): [string, string] | undefined {
  if (!Array.isArray(value) || value.length < 1 || value.length > 4) return undefined
  const parts: readonly unknown[] = value
  const [exception, ...rest] = parts
  if (typeof exception !== 'string' || !/^[A-Za-z_][\w.]{0,80}$/.test(exception)) return undefined
  return [exception, rest.map(written).join(' ')]
}

function written(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value)
  } catch {
    // Reading JSON has no limit of depth, writing it has.
    return '(nested too deeply to be shown)'
  }
}

/** FastAPI's own list of what is wrong with a request, without what was sent. */
function problemsIn(detail: unknown): string | undefined {
  if (!Array.isArray(detail) || detail.length === 0) return undefined
  const parts: readonly unknown[] = detail
  const lines = parts.map((part) => {
    const [location, message] = [property(part, 'loc'), property(part, 'msg')]
    return Array.isArray(location) && typeof message === 'string'
      ? `${location.join('.')}: ${message}`
      : undefined
  })
  return lines.includes(undefined) ? undefined : lines.join('; ')
}

/** Pydantic repeats what it was given, which may be a secret that was sent as a parameter. */
function withoutInputs(line: string): string {
  return line
    .slice(0, READ_LIMIT)
    .replace(/(\binput_value=).*?(?=, input_type=\w+\]|$)/g, '$1…')
    .replace(/([{,] ?["']input["']: ?).*/g, '$1…')
}

/** Python shows a KeyError's message in quotes, and FastAPI a validation error as a list of dictionaries. */
function readable(message: string): string {
  const problems = [...message.matchAll(/'loc': \(([^)]*)\), 'msg': (?:'([^']*)'|"([^"]*)")/g)]
  if (problems.length > 0) {
    return problems
      .map(
        ([, location = '', single, double]) =>
          `${location.replace(/['\s]/g, '').replaceAll(',', '.')}: ${single ?? double ?? ''}`,
      )
      .join('; ')
  }
  const line = oneLine(message)
  const quote = line[0]
  const quoted = line.length > 1 && (quote === '"' || quote === "'") && line.endsWith(quote)
  return quoted ? line.slice(1, -1).replaceAll(`\\${quote}`, quote) : line
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function cut(text: string): string {
  return cutAtSpace(text, MESSAGE_LIMIT)
}

/**
 * Milliseconds that a Retry-After header asks for (RFC 9110: seconds, or a date); undefined if it is absent
 * or says nothing usable. `now` is in milliseconds since the epoch.
 */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const value = (Array.isArray(header) ? header[0] : header)?.trim()
  if (value === undefined || value === '') return undefined
  if (/^\d{1,12}(\.\d+)?$/.test(value)) return Number(value) * 1000
  // Date.parse alone takes "try 2049" for a year.
  const date = /^[A-Z][a-z]+, .* GMT$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
