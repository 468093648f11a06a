import { z } from 'zod'
import { pathSegment } from '../http/path-segment.ts'
import { TransportError } from '../http/transport-error.ts'
import type { Api, Call } from './api.ts'
import { isYes } from './answers/stop-answer.ts'
import { AnswerError, UnreachableError } from './errors.ts'
import { isAbout, type Named } from './model.ts'
import { isPassing } from './retry.ts'
import { id, pageOf } from './schemas.ts'

/** The stages that a version is given; ZenML also has `none`. */
export type Stage = 'staging' | 'production' | 'archived'

/** A model, and the project without which the server lists nothing of it; undefined before 0.80. */
export interface Model extends Named {
  readonly projectId: string | undefined
}

export interface ModelVersion {
  readonly id: string
  /** Unique within the model; ZenML's own are the number as text. */
  readonly name: string
  /** Counted up from 1 within the model. */
  readonly number: number
  /** As ZenML writes it; undefined if it has none. */
  readonly stage: string | undefined
  readonly model: Model
}

/** What a list of versions is asked for; nothing: all of them. */
export type VersionQuery = Partial<Pick<ModelVersion, 'stage' | 'number' | 'name'>>

/** What a request to set a stage came to. */
export type StageAnswer =
  /** What is so now, a look has to tell. */
  | { readonly kind: 'accepted' }
  /** Not set, and asking again will not help. */
  | { readonly kind: 'refused'; readonly error: AnswerError }
  /** It may have been set or not. A stage that another version has is such an answer, too: a 500. */
  | { readonly kind: 'unclear'; readonly error: AnswerError | UnreachableError }

const modelSchema = z.object({
  id,
  name: z.string().nullish(),
  body: z.object({ project_id: id.nullish() }).nullish(),
})

const versionSchema = z.object({
  id,
  name: z.string(),
  body: z.object({
    number: z.int(),
    stage: z.string().nullish(),
    project_id: id.nullish(),
    model: z.object({ id, name: z.string().nullish() }),
  }),
})

const linkSchema = z.object({
  body: z.object({ model_version: id, pipeline_run: z.object({ id }) }),
})

/** More versions than any stage but `archived` has, and than any run is linked to. */
const PAGE = '100'

/** The part of ZenML's workspace API that is about models and their versions; as {@link ZenmlClient}. */
export class ModelsClient {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  /** @throws AnswerError, also if the account may not read it */
  async model(modelId: string): Promise<Model> {
    const call = { path: `/models/${pathSegment(modelId)}`, query: { hydrate: 'false' } }
    return toModel(await this.#api.read('read the model', call, modelSchema, isAbout(modelId)))
  }

  /** The models that the account may read, by name, at most 100; with a name only the one of exactly that name. */
  async models(projectId: string | undefined, name?: string): Promise<Model[]> {
    const query = {
      name: name === undefined ? undefined : `equals:${name}`,
      project: projectId,
      sort_by: 'asc:name',
      size: PAGE,
      hydrate: 'false',
    }
    const page = await this.#api.read('list the models', { path: '/models', query }, pageOf(modelSchema))
    return page.items.map(toModel).filter((model) => name === undefined || model.name === name)
  }

  /** @throws AnswerError, also if the account may not read its model */
  async version(versionId: string): Promise<ModelVersion> {
    const call = { path: `/model_versions/${pathSegment(versionId)}`, query: { hydrate: 'false' } }
    return toVersion(await this.#api.read('read the model version', call, versionSchema, isAbout(versionId)))
  }

  /** A model's versions as far as the account may read it, the highest number first, at most 100. */
  async versions(model: Model, wanted: VersionQuery = {}): Promise<ModelVersion[]> {
    const query = {
      stage: wanted.stage,
      number: wanted.number?.toString(),
      name: wanted.name === undefined ? undefined : `equals:${wanted.name}`,
      project: model.projectId,
      sort_by: 'desc:number',
      size: PAGE,
      hydrate: 'false',
    }
    const call = { path: `/models/${pathSegment(model.id)}/model_versions`, query }
    const page = await this.#api.read('list the model versions', call, pageOf(versionSchema))
    return page.items.map(toVersion).filter((version) => isAmong(version, model, wanted))
  }

  /** The ids of all versions that a run made or used, its steps' own included. */
  async versionIdsOfRun(runId: string): Promise<string[]> {
    const query = { pipeline_run_id: runId, size: PAGE, hydrate: 'false' }
    const call = { path: '/model_version_pipeline_runs', query }
    const page = await this.#api.read("read the run's model versions", call, pageOf(linkSchema))
    const own = page.items.filter(({ body }) => isAbout(runId)(body.pipeline_run))
    return [...new Set(own.map(({ body }) => body.model_version))]
  }

  /**
   * Asks once to give a version a stage; asking again for the same does no harm.
   *
   * @param force archives another version that has the stage; a stage that several may have is refused without it, too
   */
  async setStage(
    { id: versionId, model }: ModelVersion,
    stage: Stage,
    { force }: { readonly force: boolean },
  ): Promise<StageAnswer> {
    const call: Call = {
      method: 'PUT',
      path: `/model_versions/${pathSegment(versionId)}`,
      // Before 0.80 the model has to be named; later servers ignore it.
      json: { stage, force, model: model.id },
    }
    try {
      const answer = await this.#api.exchange(call)
      if (isYes(answer)) return { kind: 'accepted' }
      return sorted(new AnswerError('set the stage of the model version', answer, this.#api.now()))
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      return { kind: 'unclear', error: new UnreachableError('set the stage of the model version', error) }
    }
  }
}

function sorted(error: AnswerError): StageAnswer {
  // Whatever says yes without saying to what, it is no refusal.
  return { kind: error.status < 300 || isPassing(error) ? 'unclear' : 'refused', error }
}

/** Servers ignore filters that they do not know. */
function isAmong(version: ModelVersion, model: Model, wanted: VersionQuery): boolean {
  return (
    isAbout(model.id)(version.model) &&
    Object.entries(wanted).every(([field, value]) => Reflect.get(version, field) === value)
  )
}

function toModel({ id: modelId, name, body }: z.infer<typeof modelSchema>): Model {
  return { id: modelId, name: name ?? undefined, projectId: body?.project_id ?? undefined }
}

function toVersion({ id: versionId, name, body }: z.infer<typeof versionSchema>): ModelVersion {
  const { number, stage, model } = body
  return {
    id: versionId,
    name,
    number,
    stage: stage == null || stage === 'none' ? undefined : stage,
    model: { id: model.id, name: model.name ?? undefined, projectId: body.project_id ?? undefined },
  }
}
