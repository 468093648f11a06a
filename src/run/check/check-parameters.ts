import { isJsonObject, mergeDeeply, type JsonObject, type JsonValue } from '../../zenml/json.ts'
import type { Path } from '../layers.ts'
import type { Findings } from './findings.ts'
import { fit, NO_SUCH_FIELD } from './fit.ts'
import type { ParameterOutline } from './outline.ts'
import { alternatives, didYouMean, quoted, show } from './words.ts'

/** @param owner whose parameters they are, such as `step "train"` */
export function checkParameters(
  given: JsonObject,
  path: Path,
  owner: string,
  outline: ParameterOutline,
  findings: Findings,
): void {
  const names = [...outline.schemas.keys()]
  for (const [name, value] of Object.entries(given)) {
    const place = [...path, name]
    if (outline.schemas.has(name)) {
      checkValue(name, value, place, owner, outline, findings)
      continue
    }
    findings.error(place, `${owner} has no parameter ${quoted(name)}${alternatives(name, names)}`)
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
  const below = outline.values[name]
  // The server lays a mapping over the template's, and the step gets both.
  const whole = isJsonObject(below) && isJsonObject(given) ? mergeDeeply(below, given) : given
  const { value, misfits, ignored, converted } = fit(outline.schemas.get(name), whole, outline.definitions)
  const what = (inside: Path): string => {
    const parameter = `parameter ${quoted(name)} of ${owner}`
    return inside.length === 0 ? parameter : `${quoted(inside.join('.'))} in ${parameter}`
  }
  for (const misfit of misfits) {
    const { path: inside, wanted } = misfit
    const problem =
      wanted === NO_SUCH_FIELD
        ? `parameter ${quoted(name)} of ${owner} has no field ${quoted(inside.join('.'))}`
        : `${what(inside)} takes ${wanted}, which ${show(misfit.value)} cannot become`
    findings.error([...path, ...inside], problem)
  }
  for (const { path: inside, known } of ignored) {
    const field = inside.at(-1) ?? ''
    findings.warn(
      [...path, ...inside],
      `${what(inside.slice(0, -1))} has no field ${quoted(field)}, so it is ignored${didYouMean(field, known)}`,
    )
  }
  if (converted && misfits.length === 0) {
    findings.warn(path, `${what([])}: ${show(given)} will reach it as ${show(value)}`)
  }
}
