import { isJsonObject, member, type JsonObject, type JsonValue } from '../../../base/json.ts'
import { isAtLeast } from '../../../zenml/version.ts'
import { keysOf, type Path } from '../layers.ts'
import { checkKeys, NOT_BY_API } from './check-keys.ts'
import { checkParameters } from './check-parameters.ts'
import type { Check } from './findings.ts'
import type { Outline } from './outline.ts'
import { alternatives, didYouMean, quoted } from '../../../base/words.ts'

/**
 * Compares a run configuration with what a template or snapshot takes, and finds what the server would refuse,
 * ignore, or let a run fail for. Sends nothing.
 *
 * @param body without the template's values
 */
export function checkConfiguration({ steps, parameters, ...others }: JsonObject, check: Check): void {
  checkTopLevelNames(others, check)
  checkKeys(others, [], check.outline.keys, check)
  checkPipelineParameters(parameters, check)
  checkSteps(steps, check)
}

/** Keys that servers know (0.98) and do not name in their schemas. */
const UNNAMED_KEYS: readonly string[] = [
  'skip_successful_steps',
  'steps_to_skip',
  'step_input_overrides',
  'step_default_input_overrides',
]

/** Whether a key is one of a run configuration that is neither its steps nor its parameters. */
export function isRunKey(key: string, outline: Outline | undefined): boolean {
  if (outline?.keys === undefined || key === 'steps' || key === 'parameters') return false
  return Object.hasOwn(outline.keys, key) || NOT_BY_API.includes(key) || UNNAMED_KEYS.includes(key)
}

function checkTopLevelNames(body: JsonObject, { outline, version, findings }: Check): void {
  const { keys, isDynamic } = outline
  if (keys === undefined) return
  const known = [...new Set([...Object.keys(keys), 'steps', ...(isDynamic ? ['parameters'] : [])])]
  const taken = new Set([...known, ...NOT_BY_API, ...UNNAMED_KEYS])
  for (const key of Object.keys(body)) {
    if (taken.has(key)) continue
    const step = [...outline.steps].find((name) => key === name || key.startsWith(`${name}.`))
    if (step !== undefined) {
      findings.error([key], misplaced(key, step))
      continue
    }
    const problem = `a run configuration has no key ${quoted(key)}${alternatives(key, known)}`
    // 0.74 refuses it, others ignore it; what is near to no name may be one that a newer server does not name.
    const isSlip = didYouMean(key, known) !== '' || !isAtLeast(version, 0, 85)
    if (isSlip) findings.error([key], problem)
    else findings.warn([key], problem)
  }
}

/** The short forms of the input parameters, which a server would ignore here. */
function misplaced(key: string, step: string): string {
  return `a run configuration has no key ${quoted(key)}; parameters of the step ${quoted(step)} belong below steps.${step}.parameters, or in the input parameters`
}

function checkPipelineParameters(parameters: JsonValue | undefined, { outline, findings }: Check): void {
  const path = ['parameters']
  if (parameters === undefined || parameters === null) return
  if (!isJsonObject(parameters)) {
    findings.error(path, (show) => `parameters takes a mapping (name: value), not ${show(parameters)}`)
    return
  }
  if (outline.pipeline !== undefined) {
    checkParameters(parameters, path, 'the pipeline', outline.pipeline, findings)
  } else if (Object.keys(parameters).length > 0 && !outline.isDynamic) {
    const [step = 'step', ...more] = outline.steps
    const fix = more.length === 0 ? `steps.${step}.parameters` : 'steps.<step>.parameters'
    findings.error(
      path,
      `only a dynamic pipeline has parameters of its own, and this one is static; move them to ${fix}`,
    )
  }
}

function checkSteps(steps: JsonValue | undefined, check: Check): void {
  const { outline, findings } = check
  if (steps === undefined || steps === null) return
  if (!isJsonObject(steps)) {
    findings.error(['steps'], (show) => `steps takes a mapping (step: {parameters: …}), not ${show(steps)}`)
    return
  }
  for (const [name, step] of Object.entries(steps)) {
    const path = ['steps', name]
    if (!outline.steps.has(name)) checkUnknownStep(name, path, check)
    else if (isJsonObject(step)) checkStep(name, step, path, check)
    if (!isJsonObject(step)) {
      findings.error(
        path,
        (show) => `step ${quoted(name)} takes a mapping (parameters: …), not ${show(step)}`,
      )
    }
  }
  if (!outline.isDynamic) checkMissing(steps, check)
}

function checkUnknownStep(name: string, path: Path, { outline, findings }: Check): void {
  const { isDynamic, steps } = outline
  // ZenML applies a run's configuration only to steps that `depends_on` lists (`get_config_template`; seen on 0.98.0).
  const problem = isDynamic
    ? `the pipeline is dynamic and its depends_on lists no step ${quoted(name)}, so ZenML would ignore this; to pass it a value, give the pipeline a parameter for it`
    : `the pipeline has no step ${quoted(name)}`
  const others = alternatives(name, [...steps], isDynamic ? 'It lists' : undefined)
  findings.error(path, () => `${problem}${others}`)
}

function checkStep(name: string, { parameters, ...others }: JsonObject, path: Path, check: Check): void {
  const { outline, findings } = check
  const known = outline.stepKeys(name)
  if (known !== undefined) {
    checkStepNames(name, others, path, [...Object.keys(known), 'parameters'], check)
    checkKeys(others, path, known, check)
  }
  if (parameters === undefined || parameters === null) return
  const inside = [...path, 'parameters']
  const ofStep = outline.step(name)
  if (!isJsonObject(parameters)) {
    findings.error(inside, (show) => `parameters takes a mapping (name: value), not ${show(parameters)}`)
  } else if (ofStep !== undefined) {
    checkParameters(parameters, inside, `step ${quoted(name)}`, ofStep, findings, Object.keys(known ?? {}))
  }
}

/** Keys of a step that servers know and do not name in their schemas. */
const UNNAMED_STEP_KEYS: readonly string[] = [
  'name',
  'step_operator',
  'experiment_tracker',
  'outputs',
  'runtime',
]

function checkStepNames(
  name: string,
  step: JsonObject,
  path: Path,
  known: readonly string[],
  { outline, version, findings }: Check,
): void {
  for (const key of Object.keys(step)) {
    if (known.includes(key) || UNNAMED_STEP_KEYS.includes(key)) continue
    if (outline.step(name)?.schemas.has(key) === true) {
      findings.error(
        [...path, key],
        `${quoted(key)} is a parameter of the step ${quoted(name)}: write it below parameters:`,
      )
      continue
    }
    const near = didYouMean(key, known)
    const problem = `the configuration of step ${quoted(name)} has no key ${quoted(key)}${near}`
    // Since 0.75 or so servers ignore it; what a newer one knows may be missing from its schema.
    if (near === '' && isAtLeast(version, 0, 85)) findings.warn([...path, key], problem)
    else findings.error([...path, key], problem)
  }
}

function checkMissing(steps: JsonObject, { outline, findings }: Check): void {
  for (const name of outline.steps) {
    const { required = [], values = {} } = outline.step(name) ?? {}
    if (required.length === 0) continue
    const given = keysOf(member(member(steps, name), 'parameters'))
    for (const parameter of required) {
      if (Object.hasOwn(values, parameter) || given.includes(parameter)) continue
      findings.error(
        [],
        `step ${quoted(name)} needs a value for its parameter ${quoted(parameter)}; give it in parameters`,
      )
    }
  }
}
