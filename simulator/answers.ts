import type { Json } from './json.ts'

/** What the server has decided to send; how it gets there is the fault plan's business. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by a route: the request ends with this answer. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`${String(answer.status)} ${answer.body}`)
    this.answer = answer
  }
}

export function json(body: Json, status = 200): Answer {
  return { status, body: JSON.stringify(body), contentType: 'application/json' }
}

export function text(body: string, status: number): Answer {
  return { status, body, contentType: 'text/plain; charset=utf-8' }
}

/** What a dashboard or a proxy answers. */
export function html(status = 200): Answer {
  const title = status === 200 ? 'ZenML Dashboard' : `${String(status)} from the proxy`
  const body = `<!doctype html>\n<html lang="en">\n\t<head>\n\t\t<meta charset="UTF-8" />\n\t\t<title>${title}</title>\n\t</head>\n\t<body></body>\n</html>\n`
  return { status, body, contentType: 'text/html; charset=utf-8' }
}

export function redirect(location: string): Answer {
  return { status: 307, body: '', contentType: 'text/plain', headers: { location } }
}

/** `{"detail": ["ExceptionClass", "message"]}`, ZenML's usual error. */
export function refusal(status: number, exception: string, message: string): Refusal {
  return new Refusal(json({ detail: [exception, message] }, status))
}

/** `{"detail": "message"}`, the web framework's own error. */
export function plainRefusal(status: number, message: string): Refusal {
  return new Refusal(json({ detail: message }, status))
}

/** KeyError messages come wrapped in the quotes of Python's repr. */
export function notFound(message: string): Refusal {
  const quoted = message.includes("'") ? `"${message}"` : `'${message}'`
  return refusal(404, 'KeyError', quoted)
}

export const tooBusy: Answer = json({ error: 'Server too busy. Please try again later.' }, 429)
export const methodNotAllowed: Answer = json({ detail: 'Method Not Allowed' }, 405)
export const routeNotFound: Answer = json({ detail: 'Not Found' }, 404)
