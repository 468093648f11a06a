import type { Api, Read } from './api.ts'
import type { z } from 'zod'
import { TransportError } from '../http/transport-error.ts'
import { AnswerError, UnreachableError } from './errors.ts'
import {
  DEFINITION_NOUNS,
  isAbout,
  isUuid,
  toDefinition,
  toGraph,
  toInfo,
  toRun,
  toStep,
  type Account,
  type Definition,
  type DefinitionKind,
  type Project,
  type Run,
  type RunGraph,
  type RunReference,
  type ServerInfo,
  type StepState,
} from './model.ts'
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
import {
  logSchema,
  runDetailSchema,
  stepDetailSchema,
  toStepDetail,
  type Log,
  type RunDetail,
  type StepDetail,
} from './step-detail.ts'
import { artifactLooksSchema, toArtifactLooks, visualizationSchema } from './answers/visualization.ts'
import type { ArtifactLooks, VisualizationAnswer } from './answers/visualization.ts'
import type { JsonObject } from '../base/json.ts'
import { ModelsClient } from './model-versions.ts'
import { pathSegment } from '../http/path-segment.ts'
import {
  ACCOUNT,
  INFO,
  PROJECTS,
  completedRunsParameters,
  definitionCall,
  definitionsCall,
  namedRunsParameters,
  noteMetadataCall,
  projectCall,
  type MetadataScope,
  runsOfIdsParameters,
  stepsOfIdsParameters,
  triggerCall,
  type StartSource,
  type CompletedRunsQuery,
  type RunPage,
  type DefinitionQuery,
  type StepPage,
} from './calls.ts'
import { readResolveAnswer, toWaitCondition, waitConditionSchema } from './answers/resolve-answer.ts'
import type { Resolution, ResolveAnswer, WaitCondition } from './answers/resolve-answer.ts'
import { isYes, readStopAnswer, type StopAnswer } from './answers/stop-answer.ts'
import { readTriggerAnswer, type TriggerAnswer } from './answers/trigger-answer.ts'

/** 20,000 steps; a server that never comes to an end must not hold the step for ever. */
const MOST_STEP_PAGES = 200

/**
 * ZenML's workspace API: one method an endpoint, for servers from 0.74 on.
 *
 * Reads are repeated while a failure looks passing. Every method can throw a ZenmlError that says what
 * was being done: AnswerError (the server said no), UnreachableError (no answer), CredentialError.
 */
export class ZenmlClient {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  /** The same client with another signal, or other retries. */
  with(changes: Parameters<Api['with']>[0]): ZenmlClient {
    return new ZenmlClient(this.#api.with(changes))
  }

  /** Origin and path prefix, without a slash at the end. */
  get serverUrl(): string {
    return this.#api.baseUrl
  }

  /** What there is to know of models, with the same signal and retries. */
  get models(): ModelsClient {
    return new ModelsClient(this.#api)
  }

  /** What time it is on the server, in milliseconds since the epoch; undefined where no answer has said it. */
  get serverNow(): number | undefined {
    return this.#api.serverNow
  }

  /**
   * Sends the requests of {@link info}, {@link account} and these side by side, before anybody asks for the answers.
   *
   * @param isForStart whether a {@link trigger} comes next
   */
  readAhead(calls: readonly Read[], isForStart = false): void {
    this.#api.readAhead([{ ...INFO, open: true }, ACCOUNT, ...calls], isForStart)
  }

  /** @param open whether to ask without a token, before any login; what is said then proves nothing */
  async info({ open = false } = {}): Promise<ServerInfo> {
    return toInfo(await this.#api.read("read the server's version", { ...INFO, open }, infoSchema))
  }

  /** The account that the credential belongs to. */
  async account(): Promise<Account> {
    const account = await this.#api.read('read the account', ACCOUNT, accountSchema)
    return {
      id: account.id,
      name: account.name ?? undefined,
      defaultProjectId: account.body?.default_project_id ?? undefined,
    }
  }

  /** A project by name or id; before 0.80 a project was called workspace. */
  async project(nameOrId: string, server: Pick<ServerInfo, 'hasProjects'>): Promise<Project> {
    const call = projectCall(nameOrId, server)
    const isAsked = isUuid(nameOrId) ? isAbout(nameOrId) : undefined
    return this.#api.read(`find the project "${nameOrId}"`, call, projectSchema, isAsked)
  }

  /** The projects that the account may see, by name, at most 100, and how many there are. From 0.80 on. */
  async projects(): Promise<{ readonly items: readonly Project[]; readonly total: number }> {
    return this.#api.read('list the projects', PROJECTS, pageOf(projectSchema))
  }

  /** @param needsValues whether with its parameters; a template always has them */
  async definition(kind: DefinitionKind, id: string, needsValues = true): Promise<Definition> {
    const call = definitionCall(kind, id, needsValues)
    return toDefinition(
      kind,
      await this.#api.read(`read the ${DEFINITION_NOUNS[kind]} ${id}`, call, definitionSchema, isAbout(id)),
    )
  }

  /** Named templates or snapshots, newest first. Servers ignore filters that they do not know: check each item. */
  async definitions(kind: DefinitionKind, query: DefinitionQuery): Promise<Definition[]> {
    const call = definitionsCall(kind, query)
    const page = await this.#api.read(`list the ${DEFINITION_NOUNS[kind]}s`, call, pageOf(definitionSchema))
    return page.items.map((item) => toDefinition(kind, item))
  }

  /**
   * Sends a trigger once; the answer says whether a run was started, was not, or may have been.
   *
   * @param key a UUID; the same key again joins the work of the first (from 0.84 on)
   * @throws CredentialError if the token was refused and no other could be got; then nothing was started
   */
  async trigger(source: StartSource, configuration: unknown, key: string): Promise<TriggerAnswer> {
    try {
      const answer = await this.#api.exchange(triggerCall(source, configuration, key))
      return readTriggerAnswer(answer, this.#api.now())
    } catch (error) {
      if (error instanceof UnreachableError) return { kind: 'not-sent', error }
      if (!(error instanceof TransportError)) throw error
      return error.sent ? { kind: 'unclear', error } : { kind: 'not-sent', error }
    }
  }

  /**
   * The runs of that exact name, newest first, with what tells where they came from. A name is unique within a
   * project; a run that does not say its project is not left out.
   */
  async runsByName(name: string, projectId?: string): Promise<Run[]> {
    return (await this.#runs(`equals:${name}`, projectId)).filter((run) => run.name === name)
  }

  /** The runs whose names hold `part`, in whichever case, newest first, at most 100. */
  async runsNamedLike(part: string, projectId?: string): Promise<Run[]> {
    return (await this.#runs(`contains:${part}`, projectId)).filter(
      (run) => run.name?.toLowerCase().includes(part.toLowerCase()) === true,
    )
  }

  /** The runs whose names begin so, newest first, at most 100. */
  async runsByPrefix(prefix: string, projectId?: string): Promise<Run[]> {
    return (await this.#runs(`startswith:${prefix}`, projectId)).filter(
      (run) => run.name?.startsWith(prefix) === true,
    )
  }

  async #runs(name: string, projectId: string | undefined): Promise<Run[]> {
    const call = { path: '/runs', query: namedRunsParameters(name, projectId) }
    const page = await this.#api.read('look up runs by name', call, pageOf(runSchema))
    return page.items
      .map(toRun)
      .filter((run) => (run.projectId ?? projectId) === (projectId ?? run.projectId))
  }

  /**
   * A page of the completed runs of a template or a pipeline, newest first, with what was logged of them. With a branch:
   * of those that say that they are of it, where the server can tell (from 0.85 on, and a branch that reads alike in JSON).
   * Servers ignore filters that they do not know: check each item.
   */
  async completedRuns(query: CompletedRunsQuery): Promise<RunPage> {
    const { templateId, pipelineId, page = 1 } = query
    const call = { path: '/runs', query: completedRunsParameters(query) }
    const { items, total_pages: pages } = await this.#api.read(
      'look up earlier runs',
      call,
      pageOf(runSchema),
    )
    const runs = items
      .map(toRun)
      .filter(
        (run) =>
          run.status === 'completed' &&
          (templateId === undefined || run.templateId === templateId) &&
          (pipelineId === undefined || run.pipeline?.id === pipelineId),
      )
    return { runs, isLast: page >= pages || items.length === 0 }
  }

  /** A run's state; `hydrate` adds the times, and is slower. */
  async run(id: string, { hydrate }: { hydrate: boolean }): Promise<Run> {
    const call = { path: `/runs/${pathSegment(id)}`, query: { hydrate: String(hydrate) } }
    return toRun(await this.#api.read('read the run', call, runSchema, isAbout(id)))
  }

  /** The states of several runs, at most 100, by their ids; what the server does not list is not there. */
  async runsOfIds(ids: readonly string[], projectId?: string): Promise<ReadonlyMap<string, Run>> {
    const call = { path: '/runs', query: runsOfIdsParameters(ids, projectId) }
    const { items } = await this.#api.read('read the runs', call, pageOf(runSchema))
    const runs = items.map(toRun).filter(({ id }) => ids.includes(id))
    return new Map(runs.map((run) => [run.id, run]))
  }

  /** A run's state and its steps, those not started included, in the order of the graph. 0.84.3 has the route, 0.82.1 has not. */
  async dag(id: string): Promise<RunGraph> {
    const call = { path: `/runs/${pathSegment(id)}/dag` }
    return toGraph(await this.#api.read("read the run's steps", call, dagSchema, isAbout(id)))
  }

  /** A run's started steps, all pages. */
  async steps({ id, projectId }: RunReference): Promise<StepState[]> {
    const query = { project: projectId, hydrate: 'false' }
    const path = `/runs/${pathSegment(id)}/steps`
    const steps: StepState[] = []
    for await (const page of this.#stepPages(path, query, stepSchema)) {
      for (const step of page.steps) steps.push(toStep(step))
    }
    return steps
  }

  /** What a step left behind: metadata, outputs, and why it failed. */
  async stepDetail(id: string): Promise<StepDetail> {
    const call = { path: `/steps/${pathSegment(id)}`, query: { hydrate: 'true' } }
    return toStepDetail(await this.#api.read('read the step', call, stepDetailSchema, isAbout(id)))
  }

  /**
   * The same of a run's started steps, the earliest first, in pages of 100. A run's own list of steps has none of it,
   * on no version.
   */
  async *stepDetails({ id, projectId }: RunReference): AsyncGenerator<StepPage<StepDetail>> {
    const query = { pipeline_run_id: id, project: projectId, hydrate: 'true' }
    for await (const { steps, ...counts } of this.#stepPages('/steps', query, stepDetailSchema)) {
      const own = steps.filter(({ metadata }) => (metadata?.pipeline_run_id ?? id) === id)
      yield { steps: own.map(toStepDetail), ...counts }
    }
  }

  /** The same of several steps of any runs, at most 100, by their ids; what the server does not list is not there. */
  async stepDetailsOfIds(
    ids: readonly string[],
    projectId?: string,
  ): Promise<ReadonlyMap<string, StepDetail>> {
    const call = { path: '/steps', query: stepsOfIdsParameters(ids, projectId) }
    const { items } = await this.#api.read("read the run's steps", call, pageOf(stepDetailSchema))
    return new Map(items.filter(({ id }) => ids.includes(id)).map((item) => [item.id, toStepDetail(item)]))
  }

  async *#stepPages<Item extends z.ZodType<{ readonly id: string }>>(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    schema: Item,
  ): AsyncGenerator<StepPage<z.infer<Item>>> {
    const ids = new Set<string>()
    for (let page = 1; page <= MOST_STEP_PAGES; page += 1) {
      const call = { path, query: { ...query, size: '100', page: String(page), sort_by: 'asc:created' } }
      const answer = await this.#api.read("read the run's steps", call, pageOf(schema))
      for (const item of answer.items) ids.add(item.id)
      yield { steps: answer.items, received: ids.size, total: answer.total }
      if (page >= answer.total_pages || answer.items.length === 0) return
    }
  }

  /** A step's log, as far as the server gives it; an answer of more than `bodyBytes` is refused. */
  async stepLog(id: string, bodyBytes?: number): Promise<Log> {
    const call = { path: `/steps/${pathSegment(id)}/logs`, query: { source: 'step' }, bodyBytes }
    return this.#api.read("read the step's log", call, logSchema)
  }

  /** What the runner of a run wrote before any step; from 0.85 on, and mostly empty. */
  async runnerLog(id: string): Promise<Log> {
    const call = { path: `/runs/${pathSegment(id)}/logs`, query: { source: 'runner' } }
    return this.#api.read("read the log of the run's start", call, logSchema)
  }

  /** A run with all that the server knows of it. */
  async runDetail(id: string): Promise<RunDetail> {
    const call = { path: `/runs/${pathSegment(id)}`, query: { hydrate: 'true' } }
    return this.#api.read('read the run', call, runDetailSchema, isAbout(id))
  }

  /** How an artifact version can be looked at. */
  async artifactLooks(id: string): Promise<ArtifactLooks> {
    const call = { path: `/artifact_versions/${pathSegment(id)}`, query: { hydrate: 'true' } }
    return toArtifactLooks(await this.#api.read('read an artifact', call, artifactLooksSchema, isAbout(id)))
  }

  /** One visualization of an artifact version, by its index from 0; an answer of more than `bodyBytes` is refused. */
  async visualization(id: string, index: number, bodyBytes: number): Promise<VisualizationAnswer> {
    const path = `/artifact_versions/${pathSegment(id)}/visualize`
    const call = { path, query: { index: String(index) }, bodyBytes }
    return this.#api.read('read a visualization', call, visualizationSchema)
  }

  /** Attaches mappings to a run as metadata; tried once. */
  async noteMetadata(
    runId: string,
    values: Readonly<Record<string, JsonObject>>,
    scope: MetadataScope,
  ): Promise<void> {
    const call = noteMetadataCall(runId, values, scope)
    const answer = await this.#api.exchange(call)
    if (!isYes(answer)) throw new AnswerError('record metadata on the run', answer, this.#api.now())
  }

  /** Asks the server to ask the orchestrator how the run is; most orchestrators cannot say (501). */
  async refresh(id: string): Promise<void> {
    const path = `/runs/${pathSegment(id)}/refresh`
    const answer = await this.#api.exchange({ method: 'POST', path, query: { include_steps: 'true' } })
    if (answer.status >= 300) throw new AnswerError('refresh the run', answer, this.#api.now())
  }

  /** Asks once to stop a run. Without `graceful` its steps are ended at once; after a graceful stop that is no longer possible. */
  async stop(id: string, { graceful }: { graceful: boolean }): Promise<StopAnswer> {
    const path = `/runs/${pathSegment(id)}/stop`
    const query = { graceful: String(graceful) }
    try {
      return readStopAnswer(await this.#api.exchange({ method: 'POST', path, query }), this.#api.now())
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
    const json = { status: 'failed', status_reason: reason }
    const answer = await this.#api.exchange({ method: 'PUT', path: `/runs/${pathSegment(id)}`, json })
    if (!isYes(answer)) throw new AnswerError('end the run', answer, this.#api.now())
  }

  /** What became of a question of a run; from 0.95 on. */
  async waitCondition(id: string): Promise<WaitCondition> {
    const call = { path: `/run_wait_conditions/${pathSegment(id)}`, query: { hydrate: 'true' } }
    return toWaitCondition(
      await this.#api.read('read what the run asks', call, waitConditionSchema, isAbout(id)),
    )
  }

  /** Asks once to answer a question of a run; ZenML takes the first answer and refuses any further. */
  async resolveQuestion(id: string, json: Resolution): Promise<ResolveAnswer> {
    const path = `/run_wait_conditions/${pathSegment(id)}/resolve`
    try {
      const answer = await this.#api.exchange({ method: 'PUT', path, json })
      return readResolveAnswer(answer, id, json, this.#api.now())
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      return { kind: 'unclear', error: new UnreachableError('answer what the run asks', error) }
    }
  }
}
