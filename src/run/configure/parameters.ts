import { isJsonObject, type JsonObject, type JsonValue } from '../../base/json.ts'
import type { FirstLines, Problem } from './check/first-lines.ts'
import type { Outline } from './check/outline.ts'
import { alternatives, asNested, didYouMean, hide, quoted, type Show } from '../../base/words.ts'
import { describePlace, type Layer, type Path } from './layers.ts'

type Target = { readonly path: Path } | { readonly problem: Problem }

/**
 * Finds out what the keys of the input `parameters` mean: a step's name with a mapping, `step.parameter` (the
 * first dot splits), or the bare name of a parameter that exactly one step has; with a dynamic pipeline, a
 * parameter of its own.
 *
 * @param outline undefined where the definition tells nothing; then only the first two forms can be understood
 * @param errors gets to know what is wrong with them, one line each
 * @returns the same as a part of a run configuration
 */
export function expandParameters(layer: Layer, outline: Outline | undefined, errors: FirstLines): Layer {
  return new Expansion(layer, outline, errors).run()
}

class Expansion {
  readonly #layer: Layer
  readonly #outline: Outline | undefined
  /** Which steps have a parameter; made once, since a pipeline may have hundreds. */
  readonly #owners: ReadonlyMap<string, readonly string[]>
  readonly #errors: FirstLines
  /** From a path in the configuration, as JSON, to where it stands in the short form. */
  readonly #origins = new Map<string, Path>()
  readonly #ofPipeline: [string, JsonValue][] = []
  readonly #ofSteps = new Map<string, [string, JsonValue][]>()

  constructor(layer: Layer, outline: Outline | undefined, errors: FirstLines) {
    this.#layer = layer
    this.#outline = outline
    this.#errors = errors
    this.#owners = ownersOf(outline)
  }

  run(): Layer {
    for (const [key, value] of Object.entries(this.#layer.value)) {
      const target = this.#targetOf(key, value)
      if ('problem' in target) this.#complain([key], target.problem)
      else if (target.path.at(-1) === 'parameters') this.#placeMapping(key, value, target.path)
      else this.#place([key], value, target.path)
    }
    const { source } = this.#layer
    const locate = (path: Path) => this.#layer.locate?.(this.#originOf(path))
    return { source, value: this.#configuration(), locate }
  }

  #targetOf(key: string, value: JsonValue): Target {
    const isStep = this.#outline?.steps.has(key) === true
    const owners = this.#owners.get(key) ?? []
    if (isStep && owners.length > 0) {
      return {
        problem: `${quoted(key)} is a step, and also a parameter of ${places(owners, key)}. Write ${ways(owners, key)}, or ${key}.<parameter>`,
      }
    }
    if (isStep) return stepTarget(key, value)
    if (owners.length > 1)
      return { problem: `several have a parameter ${quoted(key)}: write ${ways(owners, key)}` }
    const [owner] = owners
    if (owner !== undefined) return { path: pathOf(owner, key) }
    const nested = (show: Show): string | undefined => this.#nested(key, value, show)
    if (nested(hide) !== undefined)
      return { problem: (show) => `no step has a parameter ${quoted(key)}${nested(show) ?? ''}` }
    const dot = key.indexOf('.')
    if (dot > 0 && dot < key.length - 1) {
      return { path: ['steps', key.slice(0, dot), 'parameters', key.slice(dot + 1)] }
    }
    return this.#unknown(key, value)
  }

  #unknown(key: string, value: JsonValue): Target {
    const outline = this.#outline
    // A mapping can only be meant for a step; whether there is such a step, the checks say.
    if (isJsonObject(value)) return stepTarget(key, value)
    if (outline === undefined) {
      return { problem: `whose parameter ${quoted(key)} is cannot be told here; write <step>.${key}` }
    }
    if (outline.isDynamic) return { path: ['parameters', key] }
    return {
      problem: () => {
        const parameters = [...this.#owners.keys()]
        const step = didYouMean(key, parameters) === '' ? didYouMean(key, [...outline.steps]) : ''
        const fix =
          step === ''
            ? alternatives(key, parameters)
            : `${step} That is a step, which takes a mapping (parameter: value)`
        return `no step has a parameter ${quoted(key)}${fix}`
      },
    }
  }

  /** Not with a step of that name, nor where there may be steps that are not listed. */
  #nested(key: string, value: JsonValue, show: Show): string | undefined {
    const isStep = this.#outline?.steps.has(key.slice(0, Math.max(0, key.indexOf('.')))) === true
    return isStep || this.#outline?.isDynamic === true
      ? undefined
      : asNested(key, value, (name) => this.#owners.has(name), show)
  }

  #placeMapping(key: string, value: JsonValue, target: Path): void {
    if (!isJsonObject(value)) return
    for (const [name, inner] of Object.entries(value)) this.#place([key, name], inner, [...target, name])
  }

  #place(origin: Path, value: JsonValue, target: Path): void {
    const key = JSON.stringify(target)
    const before = this.#origins.get(key)
    if (before !== undefined) {
      this.#complain(origin, `this value is given twice, also as ${quoted(before.join('.'))}; keep one`)
      return
    }
    this.#origins.set(key, origin)
    const name = target.at(-1) ?? ''
    const [kind, step = ''] = target
    if (kind === 'parameters') this.#ofPipeline.push([name, value])
    else {
      const ofStep = this.#ofSteps.get(step) ?? []
      ofStep.push([name, value])
      this.#ofSteps.set(step, ofStep)
    }
  }

  #configuration(): JsonObject {
    const steps = [...this.#ofSteps].map(([step, parameters]): [string, JsonObject] => [
      step,
      { parameters: Object.fromEntries(parameters) },
    ])
    return {
      ...(this.#ofPipeline.length > 0 && { parameters: Object.fromEntries(this.#ofPipeline) }),
      ...(steps.length > 0 && { steps: Object.fromEntries(steps) }),
    }
  }

  /** The way back: what lies deeper than a parameter lies as deep in the short form. */
  #originOf(path: Path): Path {
    for (let length = path.length; length > 0; length -= 1) {
      const origin = this.#origins.get(JSON.stringify(path.slice(0, length)))
      if (origin !== undefined) return [...origin, ...path.slice(length)]
    }
    const within = [...this.#origins].find(([key]) => key.startsWith(JSON.stringify(path).slice(0, -1)))
    return within?.[1] ?? []
  }

  #complain(path: Path, problem: Problem): void {
    this.#errors.add(() => describePlace(this.#layer, path), problem)
  }
}

function stepTarget(key: string, value: JsonValue): Target {
  return isJsonObject(value)
    ? { path: ['steps', key, 'parameters'] }
    : {
        problem: (show) =>
          `${quoted(key)} is a step, which takes a mapping (parameter: value), not ${show(value)}`,
      }
}

/** The pipeline itself among the owners of a parameter. */
const PIPELINE = ''

function ownersOf(outline: Outline | undefined): Map<string, string[]> {
  const owners = new Map<string, string[]>()
  const note = (name: string, owner: string): void => {
    const known = owners.get(name)
    if (known === undefined) owners.set(name, [owner])
    else known.push(owner)
  }
  if (outline?.isDynamic === true) {
    for (const name of outline.pipeline?.schemas.keys() ?? []) note(name, PIPELINE)
    return owners
  }
  for (const step of outline?.steps ?? []) {
    for (const name of outline?.step(step)?.schemas.keys() ?? []) note(name, step)
  }
  return owners
}

function pathOf(owner: string, parameter: string): Path {
  return owner === PIPELINE ? ['parameters', parameter] : ['steps', owner, 'parameters', parameter]
}

function places(owners: readonly string[], key: string): string {
  return owners
    .map((owner) => (owner === PIPELINE ? `the pipeline (${key})` : `step ${quoted(owner)}`))
    .join(', ')
}

const MAX_WAYS = 10

function ways(owners: readonly string[], key: string): string {
  const written = owners
    .slice(0, MAX_WAYS)
    .map((owner) => (owner === PIPELINE ? `configuration: {parameters: {${key}: …}}` : `${owner}.${key}`))
  const more = owners.length > MAX_WAYS ? `, … (${owners.length} steps)` : ''
  return `${written.join(' or ')}${more}`
}
