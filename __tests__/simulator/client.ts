import { afterEach } from '@jest/globals'
import { request } from 'undici'
import { isObject, type JsonObject } from '../../simulator/json.ts'
import type { Simulator } from '../../simulator/index.ts'

export interface Reply {
  readonly status: number
  readonly body: unknown
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

/** Has simulators closed at the end of the test, in this order. */
export function closeAfterTest(...simulators: readonly { close(): Promise<void> }[]): void {
  open.push(...simulators)
}

/** A bare client: one request, one answer, nothing tried again. */
export class Client {
  readonly #simulator: Simulator
  #token = ''

  constructor(simulator: Simulator) {
    this.#simulator = simulator
  }

  static async login(simulator: Simulator): Promise<Client> {
    const client = new Client(simulator)
    await client.login()
    return client
  }

  async login(password = this.#simulator.apiKey): Promise<Reply> {
    const reply = await this.#send('POST', '/login', new URLSearchParams({ password }).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    })
    if (isObject(reply.body) && typeof reply.body['access_token'] === 'string') {
      this.#token = reply.body['access_token']
    }
    return reply
  }

  get(path: string): Promise<Reply> {
    return this.#send('GET', path)
  }

  post(path: string, body?: JsonObject, key?: string): Promise<Reply> {
    const headers = key === undefined ? {} : { 'idempotency-key': key }
    return this.#send('POST', path, body === undefined ? undefined : JSON.stringify(body), headers)
  }

  put(path: string, body: JsonObject): Promise<Reply> {
    return this.#send('PUT', path, JSON.stringify(body))
  }

  /** Triggers the template of a pipeline. */
  trigger(pipeline: string, configuration: JsonObject = {}, key?: string): Promise<Reply> {
    const id = this.#simulator.seeded.templates[`${pipeline}-template`] ?? ''
    return this.post(`/run_templates/${id}/runs`, configuration, key)
  }

  async #send(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: string,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...extra }
    // A kept connection would be found cut after a restart.
    const reset = true
    const answer = await request(`${this.#simulator.url}/api/v1${path}`, {
      reset,
      method,
      headers,
      body: body ?? null,
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, body: parse(text) }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
