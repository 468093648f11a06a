import { expandName } from './expand-name.ts'
import { isObject, objectAt, type JsonObject } from './json.ts'
import type { Run } from './run.ts'
import type { Project, World } from './world.ts'

export interface ModelEntry {
  readonly id: string
  readonly name: string
  readonly project: Project
  readonly createdAt: number
  owned: boolean
}

export interface VersionEntry {
  readonly id: string
  readonly name: string
  /** Counted up from 1 within the model. */
  readonly number: number
  readonly model: ModelEntry
  readonly createdAt: number
  owned: boolean
  updatedAt: number
  stage: string | null
}

/** Models, their versions, and which runs they belong to. */
export class Models {
  readonly entries: ModelEntry[] = []
  readonly versions: VersionEntry[] = []
  readonly #ofRuns = new Map<Run, VersionEntry>()
  readonly #links = new Map<Run, Set<VersionEntry>>()

  /** The version of the run's own model, which its answer holds. */
  of(run: Run): VersionEntry | undefined {
    return this.#ofRuns.get(run)
  }

  /** Every version of a run, those of its steps' own models included. */
  linkedTo(run: Run): readonly VersionEntry[] {
    return [...(this.#links.get(run) ?? [])]
  }

  /** Makes the versions of a run that was started, or links it to those that are there. */
  start(world: World, run: Run): void {
    const { configuration, pipeline, substitutions } = run.facts
    const { project } = world.entryOf(run)
    const link = (wanted: JsonObject): VersionEntry | undefined => {
      const { name, version } = wanted
      if (typeof name !== 'string') return undefined
      const named = typeof version === 'string' ? expandName(version, substitutions) : undefined
      const entry = this.add(world, { project, name, named, at: run.createdAt })
      this.#links.set(run, (this.#links.get(run) ?? new Set()).add(entry))
      return entry
    }
    const steps = Object.values(objectAt(configuration, 'steps')).filter(isObject)
    // 0.74 takes the model of a run from its configuration only.
    const own = world.version === '0.74.0' || pipeline.model === undefined ? {} : { name: pipeline.model }
    const version = link({ ...own, ...objectAt(configuration, 'model') })
    if (version !== undefined) this.#ofRuns.set(run, version)
    for (const step of steps) link(objectAt(step, 'model'))
  }

  /** From now on another account has made the run's versions, and their models. */
  disown(run: Run): void {
    for (const version of this.linkedTo(run)) {
      version.owned = false
      version.model.owned = false
    }
  }

  /** A new version; or, where one of that name is there, that one. */
  add(
    world: World,
    wanted: {
      readonly project: Project
      readonly name: string
      readonly named: string | undefined
      readonly at: number
      /** Default: the account itself makes it. */
      readonly owned?: boolean
    },
  ): VersionEntry {
    const { project, name, named, at, owned = true } = wanted
    const model = this.#model(world, { project, name, createdAt: at, owned })
    const others = this.versions.filter((each) => each.model === model)
    const known = others.find((each) => each.name === named)
    if (known !== undefined) return known
    const number = Math.max(0, ...others.map((each) => each.number)) + 1
    const entry: VersionEntry = {
      id: world.ids.uuid(),
      name: named ?? String(number),
      ...{ number, model, createdAt: at, updatedAt: at, stage: null, owned },
    }
    this.versions.push(entry)
    return entry
  }

  #model(world: World, made: Omit<ModelEntry, 'id'>): ModelEntry {
    const known = this.entries.find((each) => each.name === made.name && each.project === made.project)
    if (known !== undefined) return known
    const entry = { id: world.ids.uuid(), ...made }
    this.entries.push(entry)
    return entry
  }
}
