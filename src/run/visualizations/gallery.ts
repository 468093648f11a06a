import type { ArtifactLooks } from '../../zenml/answers/visualization.ts'
import type { ArtifactInfo, Gallery, RunDetails, Visualization, VisualizationType } from '../facts.ts'
import { readBestEffort, type Reading, type ReadingDependencies } from '../best-effort-read.ts'

/** A person scrolls through no more; numbers, which ZenML shows as JSON, come last. */
const MOST_SHOWN = 50
/** Further artifacts are not asked what they show. */
const MOST_ARTIFACTS = 500
const MEGABYTE = 1024 * 1024
const MOST_MEGABYTES_EACH = 2
const MOST_MEGABYTES_IN_ALL = 10
/** Of one answer: base64 takes a third more, and JSON may double a text. */
const MOST_ANSWER_BYTES = 2 * MOST_MEGABYTES_EACH * MEGABYTE

/** For all of it; the page still has to be written in the 20 s that a step is delayed at most. */
const TIME_LIMIT_MS = 15_000
/** For asking what there is, so that some of it is shown in any case. */
const LIST_LIMIT_MS = 7_000

/** Requests under way at the same time. */
const LISTED_AT_ONCE = 8
const READ_AT_ONCE = 4

const MAX_NAME_LENGTH = 120

const TYPES: readonly string[] = ['html', 'image', 'csv', 'markdown', 'json'] satisfies VisualizationType[]

/** Where a visualization is, and what it is called. */
interface Place {
  readonly artifactId: string
  readonly index: number
  readonly name: string
  readonly type: string
  /** Whether somebody chose it for the run's page. */
  readonly isChosen: boolean
}

/**
 * Reads what the artifacts of a run show: first what somebody chose for the run's page, then by step. It takes 15 s at
 * most. What is left out or cannot be read is named.
 *
 * @throws nothing that a server can cause; once the workflow is cancelled it ends at once, with nothing to show
 */
export async function readGallery(details: RunDetails, deps: ReadingDependencies): Promise<Gallery> {
  try {
    return await new GalleryReader(details, deps).read()
  } catch (error) {
    if (deps.signal?.aborted !== true) throw error
    return { shown: [], missing: ['the visualizations: the workflow was cancelled'] }
  }
}

class GalleryReader {
  readonly #details: RunDetails
  readonly #deps: ReadingDependencies
  readonly #limit: AbortSignal
  readonly #listLimit: AbortSignal
  readonly #looks = new Map<string, Reading<ArtifactLooks>>()
  readonly #missing = new Missing()

  constructor(details: RunDetails, deps: ReadingDependencies) {
    this.#details = details
    this.#deps = deps
    this.#limit = deps.timeLimit(TIME_LIMIT_MS)
    this.#listLimit = deps.timeLimit(LIST_LIMIT_MS)
  }

  async read(): Promise<Gallery> {
    const artifacts = inOrder(this.#details.artifacts)
    const chosen = this.#details.curated ?? []
    await this.#list([...chosen.map(({ artifactId }) => artifactId), ...artifacts.map(({ id }) => id)])
    const first = this.#chosenPlaces()
    const taken = new Set(first.map(keyOf))
    const others = artifacts.flatMap((artifact) => this.#placesOf(artifact))
    const places = [...first, ...others.filter((place) => !taken.has(keyOf(place)))]
    const wanted = this.#select(places.filter((place) => this.#isKnown(place)))
    const read = await this.#readAll(wanted)
    return {
      shown: places.flatMap((place) => read.get(keyOf(place)) ?? []),
      missing: this.#missing.clauses,
    }
  }

  async #list(all: readonly string[]): Promise<void> {
    const ids = [...new Set(all)]
    for (const batch of batchesOf(ids.slice(0, MOST_ARTIFACTS), LISTED_AT_ONCE)) {
      const looks = await Promise.all(
        batch.map(async (id) => {
          return readBestEffort(async (client) => client.artifactLooks(id), this.#deps, this.#listLimit)
        }),
      )
      for (const [index, id] of batch.entries()) this.#looks.set(id, looks[index] ?? NOT_ASKED)
    }
    const left = ids.length - MOST_ARTIFACTS
    if (left > 0)
      this.#missing.note(`the visualizations of ${left} more artifacts`, `at most ${MOST_ARTIFACTS} are read`)
  }

  #chosenPlaces(): Place[] {
    return (this.#details.curated ?? []).flatMap(({ artifactId, visualizationId, name }) => {
      const looks = this.#looksOf(artifactId, name ?? 'a chosen visualization')
      const index = looks?.visualizations.findIndex(({ id }) => id === visualizationId) ?? -1
      const type = looks?.visualizations[index]?.type
      if (type === undefined) return []
      return [{ artifactId, index, name: name ?? looks?.name ?? artifactId, type, isChosen: true }]
    })
  }

  #placesOf({ id: artifactId, step, output }: ArtifactInfo): Place[] {
    const name = `${step}.${output}`
    const visualizations = this.#looksOf(artifactId, name)?.visualizations ?? []
    return visualizations.map(({ type }, index) => ({
      artifactId,
      index,
      name: visualizations.length === 1 ? name : `${name} (${index + 1})`,
      type,
      isChosen: false,
    }))
  }

  #looksOf(id: string, name: string): ArtifactLooks | undefined {
    const looks = this.#looks.get(id)
    if (looks === undefined) return undefined
    if ('value' in looks) return looks.value
    this.#missing.note(name, looks.missing)
    return undefined
  }

  #isKnown({ name, type }: Place): boolean {
    const isKnown = TYPES.includes(type)
    if (!isKnown) this.#missing.note(name, `a visualization of the unknown type ${type.slice(0, 40)}`)
    return isKnown
  }

  /** Those to be read, the most telling first. */
  #select(places: readonly Place[]): Place[] {
    const isNumber = ({ type, isChosen }: Place): boolean => type === 'json' && !isChosen
    const ordered = [...places.filter((place) => !isNumber(place)), ...places.filter(isNumber)]
    for (const { name } of ordered.slice(MOST_SHOWN)) {
      this.#missing.note(name, `at most ${MOST_SHOWN} visualizations are shown`)
    }
    return ordered.slice(0, MOST_SHOWN)
  }

  async #readAll(places: readonly Place[]): Promise<Map<string, Visualization>> {
    const read = new Map<string, Visualization>()
    let left = MOST_MEGABYTES_IN_ALL * MEGABYTE
    for (const batch of batchesOf(places, READ_AT_ONCE)) {
      const readings =
        left > 0 ? await Promise.all(batch.map(async (place) => this.#readOne(place))) : batch.map(() => FULL)
      for (const [index, place] of batch.entries()) {
        const reading = readings[index] ?? FULL
        left -= 'value' in reading ? sizeOf(reading.value) : 0
        const kept = 'value' in reading && left < 0 ? FULL : reading
        if ('value' in kept) read.set(keyOf(place), kept.value)
        else this.#missing.note(place.name, kept.missing)
      }
    }
    return read
  }

  async #readOne({ artifactId, index, name, type }: Place): Promise<Reading<Visualization>> {
    const read = await readBestEffort(
      async (client) => client.visualization(artifactId, index, MOST_ANSWER_BYTES),
      this.#deps,
      this.#limit,
    )
    if ('missing' in read) return read
    const { value } = read.value
    if (read.value.type !== type || !isType(type)) {
      return { missing: 'the server gave a visualization of a different type than it had announced' }
    }
    const visualization = { name, type, value }
    if (sizeOf(visualization) <= MOST_MEGABYTES_EACH * MEGABYTE) return { value: visualization }
    return { missing: `a visualization larger than ${MOST_MEGABYTES_EACH} MB is not shown` }
  }
}

const NOT_ASKED: Reading<ArtifactLooks> = { missing: 'the server did not answer in time' }

const FULL: Reading<Visualization> = {
  missing: `the visualizations are larger than ${MOST_MEGABYTES_IN_ALL} MB in total`,
}

/** What is not shown, by the reason. */
class Missing {
  readonly #names = new Map<string, string[]>()

  note(name: string, why: string): void {
    const names = this.#names.get(why) ?? []
    names.push(name.slice(0, MAX_NAME_LENGTH))
    this.#names.set(why, names)
  }

  get clauses(): string[] {
    return [...this.#names].map(([why, [first = '', ...others]]) => {
      const more = others.length === 0 ? '' : ` and ${others.length} more`
      return `${first}${more}: ${why}`
    })
  }
}

function isType(type: string): type is VisualizationType {
  return TYPES.includes(type)
}

/** Each once, by step in its order; the outputs of a step by name, as servers list them in any order. */
function inOrder(artifacts: readonly ArtifactInfo[]): ArtifactInfo[] {
  const steps = new Map<string, number>()
  for (const { step } of artifacts) steps.set(step, steps.get(step) ?? steps.size)
  const sorted = artifacts.toSorted(
    (a, b) =>
      (steps.get(a.step) ?? 0) - (steps.get(b.step) ?? 0) ||
      (a.output < b.output ? -1 : Number(a.output > b.output)),
  )
  const ids = new Set<string>()
  return sorted.filter(({ id }) => !ids.has(id) && ids.add(id))
}

function keyOf({ artifactId, index }: Place): string {
  return `${artifactId}/${index}`
}

/** Bytes, of a picture those that base64 stands for. */
function sizeOf({ type, value }: Visualization): number {
  return type === 'image' ? Math.floor((value.length * 3) / 4) : Buffer.byteLength(value)
}

function batchesOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
