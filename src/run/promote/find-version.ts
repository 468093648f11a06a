import { didYouMean } from '../../base/words.ts'
import { isNotFound } from '../../zenml/errors.ts'
import { isUuid, type Named, type ServerInfo } from '../../zenml/model.ts'
import type { Model, ModelVersion, VersionQuery } from '../../zenml/model-versions.ts'
import { runPhase } from '../../zenml/status.ts'
import { RunError } from '../errors.ts'
import type { ProjectChoice } from '../facts.ts'
import { findRun } from '../find/run.ts'
import { readServerAndProject } from '../find/server-and-project.ts'
import type { AskDependencies } from '../retry-until-answered.ts'
import { shownVersion } from './words.ts'

/** Where the version comes from: a run that made it (id or exact name), or a model and what names a version of it. */
export type VersionChoice =
  | { readonly kind: 'run'; readonly run: string }
  /** Names or ids; a version also by its number, its stage, or as `latest`, as in ZenML. */
  | { readonly kind: 'model'; readonly model: string; readonly version: string }

export interface FoundVersion {
  readonly version: ModelVersion
  readonly server: ServerInfo
  /** Page of the run that made it; undefined if none was named, or the server does not tell. */
  readonly runUrl: string | undefined
}

const NOT_ALLOWED = 'or the account has no permission to read it'
/** More than a run is ever linked to. */
const MOST_NAMED = 10

/**
 * Connects, and finds the version.
 *
 * @throws RunError that names the input, what is wrong with it, and the fix
 */
export async function findVersion(
  choice: VersionChoice,
  project: ProjectChoice | undefined,
  deps: AskDependencies,
): Promise<FoundVersion> {
  if (choice.kind === 'run') return ofRun(choice.run, project, deps)
  const { model, version } = choice
  const isById = isUuid(model) || isUuid(version)
  const { server, project: scope } = await readServerAndProject({ isById, project }, deps)
  const found = isUuid(version)
    ? await byId(version, model, deps)
    : await byName(version, await theModel(model, scope, deps), deps)
  const isElsewhere = (scope?.id ?? found.model.projectId) !== (found.model.projectId ?? scope?.id)
  if (isElsewhere) {
    throw new RunError(
      `project: the model "${model}" belongs to another project. Correct or remove the input`,
    )
  }
  return { version: found, server, runUrl: undefined }
}

async function ofRun(
  reference: string,
  project: ProjectChoice | undefined,
  deps: AskDependencies,
): Promise<FoundVersion> {
  const { client } = deps
  const { run, server, url } = await findRun(reference, project, deps)
  const named = `the run "${run.name ?? run.id}"`
  if (runPhase(run.status) !== 'succeeded') {
    throw new RunError(
      `run: ${named} is ${run.status}, and only model versions of completed runs are promoted. Name another run, or write model and version`,
    )
  }
  const ids =
    run.modelVersionId === undefined ? await client.models.versionIdsOfRun(run.id) : [run.modelVersionId]
  const [only, ...others] = ids
  if (only === undefined) {
    const older = server.hasProjects
      ? ''
      : '. ZenML before 0.80 takes the model of a run only from its configuration, as in configuration: {model: {name: NAME}}'
    throw new RunError(
      `run: ${named} has no model version. Give its pipeline a model, as in @pipeline(model=Model(name="NAME")), or write model and version${older}`,
    )
  }
  if (others.length > 0) throw await several(named, ids, deps)
  return { version: await client.models.version(only), server, runUrl: url }
}

async function several(
  named: string,
  ids: readonly string[],
  { client }: AskDependencies,
): Promise<RunError> {
  const versions = await Promise.all(ids.slice(0, MOST_NAMED).map((id) => client.models.version(id)))
  const listed = versions.map(shownVersion).join(', ')
  return new RunError(
    `run: ${named} has several model versions: ${listed}. Write model and version in place of run`,
  )
}

async function byId(id: string, model: string, { client }: AskDependencies): Promise<ModelVersion> {
  const found = await client.models.version(id.toLowerCase()).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
    throw new RunError(`version: there is no model version with the ID ${id}, ${NOT_ALLOWED}`)
  })
  if (found.model.name === model || found.model.id === model.toLowerCase()) return found
  throw new RunError(
    `version: ${id} is ${shownVersion(found)}, not one of "${model}". Correct model or version`,
  )
}

async function theModel(
  reference: string,
  project: Named | undefined,
  { client }: AskDependencies,
): Promise<Model> {
  if (isUuid(reference)) {
    return client.models.model(reference.toLowerCase()).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
      throw new RunError(`model: there is no model with the ID ${reference}, ${NOT_ALLOWED}`)
    })
  }
  const [found] = await client.models.models(project?.id, reference)
  if (found !== undefined) return found
  const where = project === undefined ? '' : ` in the project "${project.name ?? project.id}"`
  const names = (await client.models.models(project?.id)).flatMap(({ name }) => name ?? [])
  const meant = didYouMean(reference, names)
  throw new RunError(`model: there is no model named "${reference}"${where}, ${NOT_ALLOWED}${meant}`)
}

/** No version has one of these as its name: ZenML refuses it, as it does digits. */
const STAGES: readonly string[] = ['staging', 'production', 'archived']

async function byName(version: string, model: Model, { client }: AskDependencies): Promise<ModelVersion> {
  const wanted = queryOf(version)
  const [only, ...others] = await client.models.versions(model, wanted)
  const of = `the model "${model.name ?? model.id}"`
  if (only !== undefined && (others.length === 0 || version === 'latest')) return only
  if (only !== undefined) {
    const names = [only, ...others].slice(0, MOST_NAMED).map(({ name }) => name)
    throw new RunError(
      `version: several versions of ${of} are in ${version}: ${names.join(', ')}. Write one of them`,
    )
  }
  if (wanted.stage !== undefined) throw new RunError(`version: no version of ${of} is in ${version}`)
  const [newest] = await client.models.versions(model)
  const hint =
    newest === undefined ? '; it has none that the account may read' : `; the newest is ${newest.name}`
  throw new RunError(`version: ${of} has no version "${version}"${hint}`)
}

function queryOf(version: string): VersionQuery {
  if (version === 'latest') return {}
  if (STAGES.includes(version)) return { stage: version }
  return /^\d{1,9}$/.test(version) ? { number: Number(version) } : { name: version }
}
