import {
  isJsonList,
  isJsonObject,
  member,
  mergeDeeply,
  type JsonObject,
  type JsonValue,
} from '../../../base/json.ts'
import type { Path } from '../layers.ts'
import type { Findings } from './findings.ts'
import type { Misfit } from './validation-result.ts'
import type { ParameterOutline } from './outline.ts'
import { alternatives, asNested, didYouMean, quoted, type Show } from '../../../base/words.ts'

/** @param owner whose parameters they are, such as `step "train"`. @param otherKeys what else it can be given */
export function checkParameters(
  given: JsonObject,
  path: Path,
  owner: string,
  outline: ParameterOutline,
  findings: Findings,
  otherKeys: readonly string[] = [],
): void {
  const names = [...outline.schemas.keys()]
  for (const [name, value] of Object.entries(given)) {
    const place = [...path, name]
    if (outline.schemas.has(name)) {
      checkValue(name, value, place, owner, outline, findings)
      continue
    }
    if (otherKeys.includes(name)) {
      findings.error(
        place,
        `${quoted(name)} is not a parameter, but belongs to the configuration of ${owner}; write it in the input configuration, next to parameters:`,
      )
      continue
    }
    findings.error(place, (show) => {
      const nested = asNested(name, value, (parameter) => outline.schemas.has(parameter), show)
      return `${owner} has no parameter ${quoted(name)}${nested ?? alternatives(name, names)}`
    })
  }
}

function checkValue(
  name: string,
  given: JsonValue,
  path: Path,
  owner: string,
  outline: ParameterOutline,
  findings: Findings,
): void {
  const below = member(outline.values, name)
  // The server lays a mapping over the template's, and the step gets both.
  const whole = isJsonObject(below) && isJsonObject(given) ? mergeDeeply(below, given) : given
  const { value, misfits, ignored, converted } = outline.types.validate(
    outline.schemas.get(name),
    whole,
    below,
  )
  const what = (inside: Path): string => {
    const parameter = `parameter ${quoted(name)} of ${owner}`
    return inside.length === 0 ? parameter : `${quoted(inside.join('.'))} in ${parameter}`
  }
  for (const misfit of misfits) {
    const place = [...path, ...misfit.path]
    if (misfit.isDoubtful) findings.warn(place, (show) => doubt(misfit, what, show))
    else findings.error(place, (show) => fault(misfit, what, show))
  }
  for (const { path: inside, known } of ignored) {
    const field = inside.at(-1) ?? ''
    findings.warn(
      [...path, ...inside],
      () =>
        `${what(inside.slice(0, -1))} has no field ${quoted(field)}, so it is ignored${didYouMean(field, known)}`,
    )
  }
  for (const { path: inside, value: number } of findings.wholeFloats(path, given)) {
    if (makesFloats(schemaAt(outline.schemas.get(name), inside))) continue
    findings.warn(
      [...path, ...inside],
      (show) =>
        `${what(inside)} is sent as ${show(number)}, without the .0; that matters only to a step that tells 1.0 from 1`,
    )
  }
  if (converted && misfits.length === 0) {
    findings.warn(path, (show) => `${what([])}: ${show(given)} will be converted to ${show(value)}`)
  }
}

/** The schema of what is inside a value; undefined where it is not told. */
function schemaAt(schema: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce(
    (at, key) =>
      member(member(at, 'properties'), key) ?? member(at, 'additionalProperties') ?? member(at, 'items'),
    schema,
  )
}

/** Whether ZenML makes a float of an integer there, or wants none: nothing is lost then. */
function makesFloats(schema: JsonValue | undefined): boolean {
  const options = member(schema, 'anyOf')
  const types = isJsonList(options)
    ? options.map((option) => member(option, 'type'))
    : [member(schema, 'type')]
  const others = types.filter((type) => type !== 'null')
  return others.length === 1 && (others[0] === 'number' || others[0] === 'integer')
}

function fault({ path, kind, wanted, value }: Misfit, what: (inside: Path) => string, show: Show): string {
  return kind === 'no-field'
    ? `${what([])} has no field ${quoted(path.join('.'))}`
    : `${what(path)} must be ${wanted}, not ${show(value)}`
}

/** What is wrong unless the type knows more than its schema tells. */
function doubt({ path, kind, wanted, value }: Misfit, what: (inside: Path) => string, show: Show): string {
  switch (kind) {
    case 'no-field':
      return `${what([])} has no field ${quoted(path.join('.'))}, unless it is an alias`
    case 'missing':
      return `${what(path)} must be ${wanted}, unless a key of ${show(value)} is an alias for it`
    case 'value':
      return `${what(path)} must be ${wanted}; ${show(value)} is right only if these are flags`
  }
}
