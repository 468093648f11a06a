import { z } from 'zod'
import type { ZenServer } from './servers.ts'

/** One run as the server holds it. */
export interface SeenRun {
  readonly id: string
  readonly name: string
  readonly status: string
}

/** One step of a run; times are UTC without a zone, as ZenML gives them. */
export interface SeenStep {
  readonly name: string
  readonly status: string
  readonly endTime: string | undefined
  /** The parameters that the step ran with. */
  readonly parameters: Readonly<Record<string, unknown>>
}

const Login = z.object({ access_token: z.string() })

const Runs = z.object({
  items: z.array(z.object({ id: z.string(), name: z.string(), body: z.object({ status: z.string() }) })),
})

const Steps = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      body: z.object({ status: z.string(), end_time: z.string().nullish() }),
      metadata: z.object({
        end_time: z.string().nullish(),
        config: z.object({ parameters: z.record(z.string(), z.unknown()).nullish() }),
      }),
    }),
  ),
})

const Metadata = z.object({
  metadata: z.object({ run_metadata: z.record(z.string(), z.unknown()) }),
})

/**
 * An independent look at what a server holds: it shares no code with the action, logs in as
 * the administrator, and leaves nothing out, so that a second run cannot hide.
 */
export class ServerView {
  readonly #server: ZenServer

  constructor(server: ZenServer) {
    this.#server = server
  }

  /** Every run on the server, the newest first. */
  async runs(): Promise<SeenRun[]> {
    const { items } = Runs.parse(await this.#get('/runs?size=1000&sort_by=desc:created&hydrate=false'))
    return items.map(({ id, name, body }) => ({ id, name, status: body.status }))
  }

  /** The last known status of a run. */
  async status(runId: string): Promise<string> {
    return z.string().parse(await this.#get(`/runs/${runId}/status`))
  }

  /** The steps of a run that have been started. */
  async steps(runId: string): Promise<SeenStep[]> {
    const { items } = Steps.parse(await this.#get(`/steps?pipeline_run_id=${runId}&size=100&hydrate=true`))
    return items.map(({ name, body, metadata }) => ({
      name,
      status: body.status,
      endTime: metadata.end_time ?? body.end_time ?? undefined,
      parameters: metadata.config.parameters ?? {},
    }))
  }

  /** What is noted on a run under a key. */
  async metadata(runId: string, key: string): Promise<unknown> {
    const { metadata } = Metadata.parse(await this.#get(`/runs/${runId}?hydrate=true`))
    return metadata.run_metadata[key]
  }

  async #get(path: string): Promise<unknown> {
    const login = await fetch(`${this.#server.url}/api/v1/login`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'default', password: 'e2e' }),
    })
    const { access_token: token } = Login.parse(await login.json())
    const answer = await fetch(`${this.#server.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
}
