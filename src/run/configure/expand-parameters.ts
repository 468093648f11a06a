import { isJsonObject, member, type JsonObject, type JsonValue } from '../../base/json.ts'
import { isRunKey } from './check/check-configuration.ts'
import type { FirstLines, Problem } from './check/first-lines.ts'
import { mayFit } from './check/validation-result.ts'
import type { Outline, ParameterOutline } from './check/outline.ts'
import { alternatives, asNested, didYouMean, hide, quoted, type Show } from '../../base/words.ts'
import { spotIn, type Layer, type Path } from './layers.ts'

/** A parameter's path in a run configuration, that of a mapping of parameters, or why there is none. */
type Target = { readonly path: Path } | { readonly mapping: Path } | { readonly problem: Problem }

/** The input `parameters` as a part of a run configuration. */
export interface Expanded {
  readonly layers: readonly Layer[]
  /** Parameters that are left as they are because they were given without a value, as they were written. */
  readonly kept: readonly string[]
}

/**
 * Finds out what the keys of the input `parameters` mean: a step's name with a mapping, `step.parameter` (the
 * first dot splits), or the bare name of a parameter that exactly one step has; with a dynamic pipeline, a
 * parameter of its own. The forms of a run configuration, such as `steps.train.parameters.epochs`, are taken unless
 * a step or parameter has the name `steps` or `parameters`.
 *
 * @param outline undefined where the definition tells nothing; then a bare name cannot be understood
 * @param errors gets to know what is wrong with them, one line each
 */
export function expandParameters(layer: Layer, outline: Outline | undefined, errors: FirstLines): Expanded {
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
  /** The same for the mappings around those: of each the first that stands in it. */
  readonly #around = new Map<string, Path>()
  readonly #kept: string[] = []
  readonly #ofPipeline: [string, JsonValue][] = []
  readonly #ofSteps = new Map<string, [string, JsonValue][]>()

  constructor(layer: Layer, outline: Outline | undefined, errors: FirstLines) {
    this.#layer = layer
    this.#outline = outline
    this.#errors = errors
    this.#owners = ownersOf(outline)
  }

  run(): Expanded {
    for (const [key, value] of Object.entries(this.#layer.value)) {
      const isLong = key === 'steps' && isJsonObject(value) && !this.#isStep(key) && !this.#owners.has(key)
      if (!isLong) this.#take([key], value, this.#targetOf(key, value))
      else
        for (const [step, own] of Object.entries(value)) this.#take([key, step], own, stepTarget(step, own))
    }
    const { source } = this.#layer
    const locate = (path: Path) => this.#layer.locate?.(this.#originOf(path))
    const isFloat = (path: Path) => this.#layer.isFloat?.(this.#originOf(path)) === true
    return { layers: [{ source, value: this.#configuration(), locate, isFloat }], kept: this.#kept }
  }

  #take(origin: Path, value: JsonValue, target: Target): void {
    if ('problem' in target) this.#complain(origin, target.problem)
    else if ('mapping' in target) this.#placeMapping(origin, value, target.mapping)
    else this.#place(origin, value, target.path)
  }

  #isStep(name: string): boolean {
    return this.#outline?.steps.has(name) === true
  }

  #hasParameter(step: string, name: string): boolean {
    return this.#outline?.step(step)?.schemas.has(name) === true
  }

  #targetOf(key: string, value: JsonValue): Target {
    const isStep = this.#isStep(key)
    const owners = this.#owners.get(key) ?? []
    if (isStep && owners.length > 0) {
      return {
        problem: `${quoted(key)} is a step, and also a parameter of ${places(owners, key)}. Write ${ways(owners, key)}, or ${key}.<parameter>`,
      }
    }
    if (isStep) return stepTarget(key, value)
    if (owners.length > 1)
      return { problem: `more than one parameter is named ${quoted(key)}: write ${ways(owners, key)}` }
    const [owner] = owners
    if (owner !== undefined) return { path: pathOf(owner, key) }
    const long = this.#longForm(key, value)
    if (long !== undefined) return long
    const nested = (show: Show): string | undefined => this.#nested(key, value, show)
    if (nested(hide) !== undefined)
      return { problem: (show) => `no step has a parameter ${quoted(key)}${nested(show) ?? ''}` }
    return this.#dotted(key, value) ?? this.#unknown(key, value)
  }

  /** A key as it stands in a run configuration, with its outermost mapping in front. */
  #longForm(key: string, value: JsonValue): Target | undefined {
    const [first = '', step = ''] = key.split('.')
    if (this.#isStep(first)) return undefined
    const rest = key.slice(first.length + 1)
    if (first === 'steps' && (this.#isStep(step) || !this.#owners.has(first))) {
      const isWhole = rest === step && rest !== '' && isJsonObject(value)
      return isWhole ? stepTarget(step, value) : this.#dotted(rest, value)
    }
    if (first !== 'parameters' || this.#outline?.isDynamic !== true) return undefined
    if (rest !== '') return { path: ['parameters', rest] }
    return key === first && isJsonObject(value) ? { mapping: ['parameters'] } : undefined
  }

  /** `train.epochs`, `train.parameters.epochs`, or `train.parameters` with a mapping. */
  #dotted(key: string, value: JsonValue): Target | undefined {
    const dot = key.indexOf('.')
    const [step, name] = [key.slice(0, dot), key.slice(dot + 1)]
    if (dot < 1 || name === '') return undefined
    const path = ['steps', step, 'parameters']
    const isLong = !this.#hasParameter(step, 'parameters')
    if (isLong && name === 'parameters' && isJsonObject(value)) return { mapping: path }
    return { path: [...path, isLong ? name.replace(/^parameters\.(?=.)/, '') : name] }
  }

  #unknown(key: string, value: JsonValue): Target {
    const outline = this.#outline
    if (isRunKey(key, outline)) {
      return { problem: `${quoted(key)} is not a parameter; write it in the input configuration` }
    }
    // A mapping can only be meant for a step; whether there is such a step, the checks say.
    if (isJsonObject(value)) return stepTarget(key, value)
    if (outline === undefined) {
      return { problem: `the server does not say which step has ${quoted(key)}; write <step>.${key}` }
    }
    if (outline.isDynamic) return { path: ['parameters', key] }
    return {
      problem: () => {
        const parameters = [...this.#owners.keys()]
        const step = didYouMean(key, parameters) === '' ? didYouMean(key, [...outline.steps]) : ''
        const fix =
          step === ''
            ? alternatives(key, parameters, 'The steps have')
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

  #placeMapping(origin: Path, value: JsonValue, target: Path): void {
    if (!isJsonObject(value)) return
    this.#standsIn(target, origin)
    const [kind, step = ''] = target
    const mayBeLong = kind === 'steps' && !this.#hasParameter(step, 'parameters')
    for (const [name, inner] of Object.entries(value)) {
      const isLong = mayBeLong && name === 'parameters' && isJsonObject(inner)
      if (isLong) this.#placeMapping([...origin, name], inner, target)
      else this.#place([...origin, name], inner, [...target, name])
    }
  }

  #place(origin: Path, value: JsonValue, target: Path): void {
    const key = JSON.stringify(target)
    const before = this.#origins.get(key)
    if (before !== undefined) {
      this.#complain(origin, `this value is given twice, also as ${quoted(before.join('.'))}; keep one`)
      return
    }
    this.#origins.set(key, origin)
    this.#standsIn(target.slice(0, -1), origin)
    const name = target.at(-1) ?? ''
    const [kind, step = ''] = target
    if (
      this.#saysNothing(
        origin,
        value,
        kind === 'parameters' ? this.#outline?.pipeline : this.#outline?.step(step),
        name,
      )
    ) {
      this.#kept.push(origin.join('.'))
      return
    }
    if (kind === 'parameters') this.#ofPipeline.push([name, value])
    else {
      const ofStep = this.#ofSteps.get(step) ?? []
      ofStep.push([name, value])
      this.#ofSteps.set(step, ofStep)
    }
  }

  #standsIn(mapping: Path, origin: Path): void {
    for (let length = 1; length <= mapping.length; length += 1) {
      const around = JSON.stringify(mapping.slice(0, length))
      if (!this.#around.has(around)) this.#around.set(around, origin)
    }
  }

  /**
   * Nothing behind the key, or an empty text where none can be: a form's field that was left free. What cannot be
   * looked up is left to the checks, which know misspelt names.
   */
  #saysNothing(origin: Path, value: JsonValue, owner: ParameterOutline | undefined, name: string): boolean {
    const isEmpty = this.#layer.isEmpty?.(origin) === true
    if (!isEmpty && value !== '') return false
    if (owner === undefined) return isEmpty && this.#outline?.isDynamic !== false
    return owner.schemas.has(name) && (isEmpty || !takesEmptyText(owner, name))
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
    return this.#around.get(JSON.stringify(path)) ?? []
  }

  #complain(path: Path, problem: Problem): void {
    this.#errors.add(spotIn(this.#layer, path), problem)
  }
}

function stepTarget(key: string, value: JsonValue): Target {
  return isJsonObject(value)
    ? { mapping: ['steps', key, 'parameters'] }
    : {
        problem: (show) =>
          `${quoted(key)} is a step, which takes a mapping (parameter: value), not ${show(value)}`,
      }
}

/** Where types are not known, the value that there is tells. */
function takesEmptyText({ schemas, types, values }: ParameterOutline, name: string): boolean {
  const schema = schemas.get(name)
  if (tellsType(schema)) return mayFit(types.validate(schema, ''))
  const value = member(values, name)
  return value === undefined || typeof value === 'string'
}

/** Older servers give a parameter a title and nothing else. */
function tellsType(schema: JsonValue | undefined): boolean {
  return isJsonObject(schema) && Object.keys(schema).some((key) => key !== 'title' && key !== 'default')
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
