import type { z } from 'zod'
import type { Clock } from './clock.ts'
import { AnswerError, CredentialError, TransportError, UnreachableError } from './errors.ts'
import { parseJson } from './error-body.ts'
import type { Http, HttpAnswer } from './http.ts'
import {
  stepsOfDag,
  toDefinition,
  toInfo,
  toRun,
  toStep,
  type Definition,
  type DefinitionKind,
  type Named,
  type Run,
  type ServerInfo,
  type StepState,
} from './model.ts'
import { decideRetry } from './retry.ts'
import {
  accountSchema,
  dagSchema,
  definitionSchema,
  infoSchema,
  pageOf,
  projectSchema,
  runSchema,
  stepSchema,
} from './schemas.ts'
import type { Session } from './session.ts'
import { readStopAnswer, type StopAnswer } from './stop-answer.ts'
import { readTriggerAnswer, type TriggerAnswer } from './trigger-answer.ts'

/** What the client needs from outside. */
export interface ClientDependencies {
  readonly http: Http
  /** Origin and path prefix, without a slash at the end. */
  readonly baseUrl: string
  readonly session: Session
  readonly clock: Clock
  /** Told in one line what failed before another try, and in how many milliseconds that is. */
  readonly onRetry: (line: string, waitMs: number) => void
  /** False: a read is tried once, for callers that have their own loop. */
  readonly retries?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface DefinitionQuery {
  readonly name?: string | undefined
  /** Name or id. */
  readonly pipeline?: string | undefined
  readonly projectId?: string | undefined
  /** Only those that can be run; templates cannot be filtered so. */
  readonly runnable?: boolean
  /** The most items to give, at most 10,000; newest first. */
  readonly size: number
}

const ROUTES: Readonly<Record<DefinitionKind, string>> = {
  template: '/run_templates',
  snapshot: '/pipeline_snapshots',
}

const NOUNS: Readonly<Record<DefinitionKind, string>> = { template: 'run template', snapshot: 'snapshot' }

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * ZenML's workspace API: one method an endpoint, for servers from 0.74 on.
 *
 * Reads are repeated while a failure looks passing. Every method can throw a ZenmlError that says what
 * was being done: AnswerError (the server said no), UnreachableError (no answer), CredentialError.
 */
export class ZenmlClient {
  readonly #deps: ClientDependencies

  constructor(deps: ClientDependencies) {
    this.#deps = deps
  }

  /** The same client with another signal, or without retries. */
  with(changes: Partial<Pick<ClientDependencies, 'retries' | 'signal'>>): ZenmlClient {
    return new ZenmlClient({ ...this.#deps, ...changes })
  }

  async info(): Promise<ServerInfo> {
    return toInfo(await this.#read("read the server's version", { path: '/info' }, infoSchema))
  }

  /** The account that the credential belongs to. */
  async account(): Promise<Named> {
    const account = await this.#read('read the account', { path: '/current-user' }, accountSchema)
    return { id: account.id, name: account.name ?? undefined }
  }

  /** A project by name or id; before 0.82 a project was called workspace. */
  async project(nameOrId: string, route: 'projects' | 'workspaces'): Promise<z.infer<typeof projectSchema>> {
    const path = `/${route}/${encodeURIComponent(nameOrId)}`
    return this.#read(`find the project "${nameOrId}"`, { path }, projectSchema)
  }

  /** A template or snapshot with its parameters. */
  async definition(kind: DefinitionKind, id: string): Promise<Definition> {
    const query = kind === 'snapshot' ? { include_config_schema: 'true' } : {}
    const call = { path: `${ROUTES[kind]}/${encodeURIComponent(id)}`, query }
    return toDefinition(kind, await this.#read(`read the ${NOUNS[kind]} ${id}`, call, definitionSchema))
  }

  /** Named templates or snapshots, newest first. Servers ignore filters that they do not know: check each item. */
  async definitions(kind: DefinitionKind, query: DefinitionQuery): Promise<Definition[]> {
    const call = {
      path: ROUTES[kind],
      query: {
        name: query.name === undefined ? undefined : `equals:${query.name}`,
        pipeline: query.pipeline,
        project: query.projectId,
        named_only: kind === 'snapshot' ? 'true' : undefined,
        runnable: query.runnable === true && kind === 'snapshot' ? 'true' : undefined,
        sort_by: 'desc:created',
        size: String(query.size),
        hydrate: 'false',
      },
    }
    const page = await this.#read(`list the ${NOUNS[kind]}s`, call, pageOf(definitionSchema))
    return page.items.map((item) => toDefinition(kind, item))
  }

  /**
   * Sends a trigger once; the answer says whether a run was started, was not, or may have been.
   *
   * @param key a UUID; the same key again joins the work of the first (from 0.84 on)
   * @throws CredentialError if the token was refused and no other could be got; then nothing was started
   */
  async trigger(
    definition: Pick<Definition, 'kind' | 'id'>,
    body: unknown,
    key: string,
  ): Promise<TriggerAnswer> {
    const call: Call = {
      method: 'POST',
      path: `${ROUTES[definition.kind]}/${definition.id}/runs`,
      json: definition.kind === 'snapshot' ? { run_configuration: body } : body,
      headers: { 'idempotency-key': key },
    }
    try {
      return readTriggerAnswer(await this.#exchange(call), this.#deps.clock.now())
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      return error.sent ? { kind: 'unclear', error } : { kind: 'not-sent', error }
    }
  }

  /**
   * The runs of that exact name, newest first, with what tells where they came from. A name is unique within a
   * project; a run that does not say its project is not left out.
   */
  async runsByName(name: string, projectId?: string): Promise<Run[]> {
    const query = {
      name: `equals:${name}`,
      project: projectId,
      sort_by: 'desc:created',
      size: '20',
      hydrate: 'true',
    }
    const page = await this.#read(`look up the run "${name}"`, { path: '/runs', query }, pageOf(runSchema))
    return page.items
      .map(toRun)
      .filter((run) => run.name === name && (run.projectId ?? projectId) === (projectId ?? run.projectId))
  }

  /** A run's state; `hydrate` adds the times, and is slower. */
  async run(id: string, { hydrate }: { hydrate: boolean }): Promise<Run> {
    const call = { path: `/runs/${encodeURIComponent(id)}`, query: { hydrate: String(hydrate) } }
    return toRun(await this.#read('read the run', call, runSchema))
  }

  /** A run's steps, those not started included, in the order of the graph. From 0.75 on or so; 0.74 has no such route. */
  async dag(id: string): Promise<StepState[]> {
    return stepsOfDag(
      await this.#read("read the run's steps", { path: `/runs/${encodeURIComponent(id)}/dag` }, dagSchema),
    )
  }

  /** A run's started steps, all pages. */
  async steps(id: string): Promise<StepState[]> {
    const steps: StepState[] = []
    for (let page = 1; ; page += 1) {
      const call = {
        path: `/runs/${encodeURIComponent(id)}/steps`,
        query: { hydrate: 'false', size: '100', page: String(page), sort_by: 'asc:created' },
      }
      const answer = await this.#read("read the run's steps", call, pageOf(stepSchema))
      steps.push(...answer.items.map(toStep))
      if (page >= answer.total_pages) return steps
    }
  }

  /** Asks the server to ask the orchestrator how the run is; most orchestrators cannot say (501). */
  async refresh(id: string): Promise<void> {
    const call: Call = {
      method: 'POST',
      path: `/runs/${encodeURIComponent(id)}/refresh`,
      query: { include_steps: 'true' },
    }
    const answer = await this.#exchange(call)
    if (answer.status >= 300) throw new AnswerError('refresh the run', answer, this.#deps.clock.now())
  }

  /** Asks once to stop a run. Without `graceful` its steps are ended at once; after a graceful stop that is no longer possible. */
  async stop(id: string, { graceful }: { graceful: boolean }): Promise<StopAnswer> {
    const call: Call = {
      method: 'POST',
      path: `/runs/${encodeURIComponent(id)}/stop`,
      query: { graceful: String(graceful) },
    }
    try {
      return readStopAnswer(await this.#exchange(call), this.#deps.clock.now())
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      return { kind: 'unclear', error }
    }
  }

  /**
   * Marks a run as failed that is still initializing; its runner then starts no step (seen on 0.74 to 0.98).
   * The state `stopped` must never be set so: the run would stay `running` for ever.
   */
  async failInitializing(id: string, reason: string): Promise<void> {
    const call: Call = {
      method: 'PUT',
      path: `/runs/${encodeURIComponent(id)}`,
      json: { status: 'failed', status_reason: reason },
    }
    const answer = await this.#exchange(call)
    if (answer.status !== 200) throw new AnswerError('end the run', answer, this.#deps.clock.now())
  }

  /** Reads JSON of a known shape, again and again while the failure looks passing. */
  async #read<Schema extends z.ZodType>(
    doing: string,
    call: Omit<Call, 'method'>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const { clock, onRetry, retries = true, signal } = this.#deps
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#exchange({ method: 'GET', ...call })
        const parsed = answer.status === 200 ? schema.safeParse(parseJson(answer.body)) : undefined
        if (parsed?.success === true) return parsed.data
        throw new AnswerError(doing, answer, clock.now())
      } catch (error) {
        if (!(error instanceof AnswerError || error instanceof TransportError)) throw error
        const told = error instanceof TransportError ? new UnreachableError(doing, error) : error
        const decision = retries ? decideRetry(error, attempt, clock.random()) : undefined
        if (decision?.kind !== 'retry') throw told
        onRetry(told.message, decision.waitMs)
        await clock.sleep(decision.waitMs, signal)
      }
    }
  }

  /** One request with the token. After a 401, which means that nothing was done, once more with a new one. */
  async #exchange(call: Call): Promise<HttpAnswer> {
    const answer = await this.#send(call)
    if (answer.status !== 401) return answer
    await this.#deps.session.renew()
    const second = await this.#send(call)
    if (second.status !== 401) return second
    const { message } = new AnswerError('use the new token', second, this.#deps.clock.now())
    throw new CredentialError(
      `${message}. The login works, but its token is refused: check that the account is active`,
    )
  }

  async #send({ method, path, query = {}, json, headers }: Call): Promise<HttpAnswer> {
    const { http, baseUrl, session, signal } = this.#deps
    const url = new URL(`${baseUrl}/api/v1${path}`)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value)
    const token = await session.token()
    return http.send({
      method,
      url: url.href,
      headers: {
        authorization: `Bearer ${token}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      signal,
    })
  }
}
