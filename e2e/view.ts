import { z } from 'zod'
import type { ZenServer } from './servers.ts'
import { hasProjects, isPro } from './target.ts'

/** One run as the server holds it. */
export interface SeenRun {
  readonly id: string
  readonly name: string
  readonly status: string
}

export interface SeenProject {
  readonly id: string
  readonly name: string
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

const Run = z.object({
  id: z.string(),
  name: z.string(),
  body: z.object({ status: z.string(), created: z.string() }),
})

const Step = z.object({
  name: z.string(),
  body: z.object({ status: z.string(), end_time: z.string().nullish() }),
  metadata: z.object({
    end_time: z.string().nullish(),
    config: z.object({ parameters: z.record(z.string(), z.unknown()).nullish() }),
  }),
})

const Metadata = z.object({
  metadata: z.object({ run_metadata: z.record(z.string(), z.unknown()) }),
})

const Projects = z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })) })

/**
 * An independent look at what a server holds: it shares no code with the action, logs in as the administrator or,
 * on Pro, as an account that no test takes permissions from, and asks in every project, so that a second run cannot
 * hide.
 */
export class ServerView {
  readonly #server: ZenServer
  #token: string | undefined

  constructor(server: ZenServer) {
    this.#server = server
  }

  /** Every run on the server, the newest first. */
  async runs(): Promise<SeenRun[]> {
    const items = await this.#everywhere('/runs?size=1000&hydrate=false', Run)
    return items
      .sort((a, b) => b.body.created.localeCompare(a.body.created))
      .map(({ id, name, body }) => ({ id, name, status: body.status }))
  }

  /** The last known status of a run. */
  async status(runId: string): Promise<string> {
    return z.string().parse(await this.call('GET', `/runs/${runId}/status`))
  }

  /** The steps of a run that have been started. */
  async steps(runId: string): Promise<SeenStep[]> {
    const items = await this.#everywhere(`/steps?pipeline_run_id=${runId}&size=100&hydrate=true`, Step)
    return items.map(({ name, body, metadata }) => ({
      name,
      status: body.status,
      endTime: metadata.end_time ?? body.end_time ?? undefined,
      parameters: metadata.config.parameters ?? {},
    }))
  }

  /** What is noted on a run under a key. */
  async metadata(runId: string, key: string): Promise<unknown> {
    const { metadata } = Metadata.parse(await this.call('GET', `/runs/${runId}?hydrate=true`))
    return metadata.run_metadata[key]
  }

  /** All projects; none on versions that have none. */
  async projects(): Promise<SeenProject[]> {
    if (!hasProjects(this.#server.target)) return []
    return Projects.parse(await this.call('GET', '/projects?size=100&hydrate=false')).items
  }

  /** The project of that name, or the one that all pipelines are in. */
  async project(wanted = this.#server.target.project): Promise<SeenProject> {
    const project = (await this.projects()).find(({ name }) => name === wanted)
    if (project === undefined) throw new Error(`there is no project ${wanted}`)
    return project
  }

  /** A token that is good now. */
  async token(): Promise<string> {
    this.#token ??= await this.#login()
    return this.#token
  }

  /** Sends a request to the server's API; throws on any answer that is not 2xx. */
  async call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    let answer = await this.#send(method, path, body)
    if (answer.status === 401) {
      // The token has ended, or it died with the server.
      this.#token = undefined
      answer = await this.#send(method, path, body)
    }
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }

  /** The items of a list in all projects: servers answer only with those of one. */
  async #everywhere<T>(path: string, item: z.ZodType<T>): Promise<T[]> {
    const page = z.object({ items: z.array(item) })
    const scopes = hasProjects(this.#server.target)
      ? (await this.projects()).map(({ id }) => `&project=${id}`)
      : ['']
    const pages = await Promise.all(scopes.map((scope) => this.call('GET', `${path}${scope}`)))
    return pages.flatMap((each) => page.parse(each).items)
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    const token = await this.token()
    return fetch(`${this.#server.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async #login(): Promise<string> {
    const { url, target } = this.#server
    if (!isPro(target)) {
      return tokenFrom(`${url}/api/v1/login`, { username: 'default', password: 'e2e' })
    }
    const key = this.#server.fact('observer-key')
    const pro = await tokenFrom(`${this.#server.controlPlane.url}/auth/login`, { password: key })
    return tokenFrom(`${url}/api/v1/login`, { grant_type: 'zenml-external' }, pro)
  }
}

async function tokenFrom(
  url: string,
  form: Readonly<Record<string, string>>,
  bearer?: string,
): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
  })
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`)
  return Login.parse(await answer.json()).access_token
}
