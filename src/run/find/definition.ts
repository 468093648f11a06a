import leven from 'leven'
import { didYouMean } from '../../base/words.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { isNotFound, isZenmlError } from '../../zenml/errors.ts'
import {
  DEFINITION_NOUNS,
  isUuid,
  type Definition,
  type DefinitionKind,
  type Named,
  type ServerInfo,
} from '../../zenml/model.ts'
import type { DefinitionQuery } from '../../zenml/calls.ts'
import { isAtLeast } from '../../zenml/version.ts'
import { RunError } from '../errors.ts'
import type { ProjectChoice } from '../facts.ts'

/** What the user wants to run. */
export type Target = NamedTarget | { readonly kind: 'pipeline'; readonly pipeline: string }

interface NamedTarget {
  readonly kind: DefinitionKind
  /** Name or id. */
  readonly reference: string
  readonly pipeline?: string | undefined
}

export interface Wanted {
  readonly client: ZenmlClient
  readonly server: ServerInfo
  readonly target: Target
  /** Where names are looked up, and where an id has to be; undefined for an id without one, and before 0.80. */
  readonly project: Named | undefined
  /** How the project was named, if it was. */
  readonly choice: ProjectChoice | undefined
  /** Whether something is to be compared with the definition's own values. */
  readonly needsValues: boolean
}

/** What lists those of the name. A list holds the parameters of templates; those of a snapshot are asked for by its id. */
export function namedQuery(
  { kind, reference: name, pipeline }: NamedTarget,
  project: string | undefined,
  needsValues: boolean,
): DefinitionQuery {
  return { name, pipeline, project, size: 100, hydrate: kind === 'template' || !needsValues }
}

/** How many of a server's definitions are looked through for names to suggest. */
const SUGGESTION_POOL = 200
const MOST_SUGGESTIONS = 10

const notAllowedHint = (kind: DefinitionKind): string =>
  `, or the account has no permission to read ${DEFINITION_NOUNS[kind]}s`

/**
 * Finds what is to be run: by id, by exact name, by name within a pipeline, or the newest of a pipeline.
 *
 * @throws RunError with the nearest names if there is none, with all ids if there are several, or if it is not runnable
 */
export async function resolveTarget(wanted: Wanted): Promise<Definition> {
  const { server, target } = wanted
  if (target.kind === 'snapshot' && !isAtLeast(server.version, 0, 90)) {
    throw new RunError(
      `snapshot: this server is ZenML ${server.version}, which has no snapshots yet; use template instead`,
    )
  }
  const finder = new Finder(wanted)
  if (target.kind === 'pipeline') return finder.newestOf(target.pipeline)
  return isUuid(target.reference) ? finder.byId(target.kind, target.reference) : finder.byName(target)
}

class Finder {
  readonly #client: ZenmlClient
  readonly #server: ServerInfo
  readonly #target: Target
  readonly #project: Named | undefined
  readonly #choice: ProjectChoice | undefined
  readonly #needsValues: boolean

  constructor({ client, server, target, project, choice, needsValues }: Wanted) {
    this.#client = client
    this.#server = server
    this.#target = target
    this.#project = project
    this.#choice = choice
    this.#needsValues = needsValues
  }

  async byId(kind: DefinitionKind, id: string): Promise<Definition> {
    let definition: Definition
    try {
      definition = await this.#client.definition(kind, id, this.#needsValues)
    } catch (error) {
      if (isNotFound(error)) throw await this.#notFound(kind, `with the ID ${id}`, id)
      throw error
    }
    if (!this.#isInPipeline(definition)) {
      const name = definition.pipeline?.name
      const actual = name === undefined ? 'another pipeline' : `the pipeline "${name}"`
      throw new RunError(
        `pipeline: the ${DEFINITION_NOUNS[kind]} ${id} belongs to ${actual}. Correct or remove the input`,
      )
    }
    if (!this.#isInProject(definition)) {
      throw new RunError(
        `project: the ${DEFINITION_NOUNS[kind]} ${id} belongs to another project. Correct or remove the input`,
      )
    }
    return runnable(definition)
  }

  async byName(target: NamedTarget): Promise<Definition> {
    const { kind, reference: name } = target
    const found =
      (await this.#foundAhead(target)) ?? (await this.#named(target, this.#client, this.#project?.id))
    const [first, ...others] = found
    if (first === undefined) throw await this.#notFound(kind, `named "${name}"${this.#place()}`, name)
    if (others.length > 0) {
      const list = found.map(({ id, pipeline }) => `${id} (pipeline "${pipeline?.name ?? '?'}")`).join(', ')
      throw new RunError(
        `${kind}: ${found.length} ${DEFINITION_NOUNS[kind]}s are named "${name}": ${list}. Use one of the IDs, or name the pipeline or the project`,
      )
    }
    const isWhole =
      first.documents.configTemplate !== undefined || (kind === 'snapshot' && !this.#needsValues)
    const definition = isWhole ? first : await this.#client.definition(kind, first.id)
    // In a list, 0.74 does not say where an item belongs.
    if (!this.#isInProject(definition))
      throw await this.#notFound(kind, `named "${name}"${this.#place()}`, name)
    return runnable(definition)
  }

  /**
   * What was listed before it was known which project is meant; undefined where that was another one, or the server wanted
   * to be told. A list is that of one project, so it is whole.
   */
  async #foundAhead(target: NamedTarget): Promise<Definition[] | undefined> {
    const id = this.#project?.id
    if (id === undefined) return undefined
    const once = this.#client.with({ retries: 'none' })
    const listed = await this.#named(target, once, this.#choice?.nameOrId).catch(() => [])
    return listed.some(({ project }) => project?.id === id) ? listed : undefined
  }

  /** @param project name or id */
  async #named(target: NamedTarget, client: ZenmlClient, project: string | undefined): Promise<Definition[]> {
    const listed = await client.definitions(target.kind, namedQuery(target, project, this.#needsValues))
    return listed.filter(
      (definition) =>
        definition.name === target.reference &&
        this.#isInPipeline(definition) &&
        this.#isInProject(definition),
    )
  }

  /** The newest that has a name and can be run: every trigger leaves an unnamed one behind as well. */
  async newestOf(pipeline: string): Promise<Definition> {
    const kind = isAtLeast(this.#server.version, 0, 90) ? 'snapshot' : 'template'
    const query = { pipeline, project: this.#project?.id, runnable: true, size: 100 }
    const listed = (await this.#client.definitions(kind, query)).filter(
      (definition) =>
        definition.runnable === true &&
        definition.name !== undefined &&
        this.#isInPipeline(definition) &&
        this.#isInProject(definition),
    )
    for (const { id } of listed) {
      const definition = await this.#client.definition(kind, id, this.#needsValues)
      // In a list, 0.74 does not say where an item belongs.
      if (this.#isInProject(definition)) return runnable(definition)
    }
    throw await this.#nothingOf(kind, pipeline)
  }

  /** Only names that were all listed show that a pipeline is not among them. */
  async #nothingOf(kind: DefinitionKind, pipeline: string): Promise<RunError> {
    const noun = DEFINITION_NOUNS[kind]
    const all = await this.#tryToList(kind)
    const isUnknown =
      all !== undefined &&
      all.length < SUGGESTION_POOL &&
      !all.some((definition) => this.#isInPipeline(definition) && this.#isInProject(definition))
    const names = this.#runnable(all, ({ pipeline: of }) => of?.name)
    const problem = isUnknown
      ? `there is no pipeline named "${pipeline}" with a named ${noun}${this.#place()}`
      : `"${pipeline}" has no named ${noun} that can be run${this.#place()}`
    const others = suggestion(all, names, pipeline, kind, `Pipelines with a runnable ${noun}`)
    return new RunError(`pipeline: ${problem}${notAllowedHint(kind)}${others}`)
  }

  async #notFound(kind: DefinitionKind, which: string, wanted: string): Promise<RunError> {
    const all = await this.#tryToList(kind)
    const names = this.#runnable(all, ({ name }) => name)
    const others = suggestion(all, names, wanted, kind, `Runnable ${DEFINITION_NOUNS[kind]}s`)
    return new RunError(
      `${kind}: there is no ${DEFINITION_NOUNS[kind]} ${which}${notAllowedHint(kind)}${others}`,
    )
  }

  #runnable(
    all: readonly Definition[] | undefined,
    nameOf: (definition: Definition) => string | undefined,
  ): string[] {
    const usable = all?.filter((definition) => definition.runnable === true && this.#isInProject(definition))
    return [...new Set(usable?.flatMap((definition) => nameOf(definition) ?? []))]
  }

  async #tryToList(kind: DefinitionKind): Promise<Definition[] | undefined> {
    try {
      const query = { project: this.#project?.id, size: SUGGESTION_POOL }
      return await this.#client.with({ retries: 'none' }).definitions(kind, query)
    } catch (error) {
      if (!isZenmlError(error)) throw error
      return undefined
    }
  }

  #isInPipeline({ pipeline }: Definition): boolean {
    const wanted = this.#target.pipeline
    return wanted === undefined || pipeline?.name === wanted || pipeline?.id === wanted.toLowerCase()
  }

  /** A definition that does not say where it belongs is not excluded: the server may hide that. */
  #isInProject({ project }: Definition): boolean {
    return this.#project === undefined || project === undefined || project.id === this.#project.id
  }

  #place(): string {
    const pipeline = this.#target.kind === 'pipeline' ? undefined : this.#target.pipeline
    const inPipeline = pipeline === undefined ? '' : ` in the pipeline "${pipeline}"`
    return this.#project === undefined
      ? inPipeline
      : `${inPipeline} in the project "${this.#project.name ?? this.#project.id}"`
  }
}

/** Empty if the server does not give them: what was asked for is not there all the same. */
function suggestion(
  all: readonly Definition[] | undefined,
  names: readonly string[],
  wanted: string,
  kind: DefinitionKind,
  words: string,
): string {
  if (all === undefined) return ''
  if (names.length === 0) return `. The account can see no runnable ${DEFINITION_NOUNS[kind]}`
  const nearest = [...names].sort((a, b) => leven(a, wanted) - leven(b, wanted)).slice(0, MOST_SUGGESTIONS)
  return `${didYouMean(wanted, names) || '.'} ${words}: ${nearest.map((name) => `"${name}"`).join(', ')}`
}

/** Also where the stack is hidden: a run acts as this account, so it would end, or hang, before its first step. */
function runnable(definition: Definition): Definition {
  const { kind, id, name, hidesStack } = definition
  if (definition.runnable !== false && !hidesStack) return definition
  const why = hidesStack
    ? 'the account has no permission to read its stack. Give the account permission to read stacks and stack components'
    : 'its stack or its build is gone, or it was made on a local stack. Create it again on a remote stack'
  throw new RunError(`${kind}: the ${DEFINITION_NOUNS[kind]} "${name ?? id}" cannot be run: ${why}`)
}
