import { isJsonObject, member, type JsonObject, type JsonValue } from '../../../base/json.ts'
import { isAtLeast } from '../../../zenml/version.ts'
import { keysOf, type Layer, type Path } from '../layers.ts'
import { checkKeys, NOT_BY_API } from './check-keys.ts'
import { checkParameters } from './check-parameters.ts'
import { Findings, type CheckResult } from './findings.ts'
import type { Outline } from './outline.ts'
import { alternatives, didYouMean, quoted, show } from '../../../base/words.ts'

export interface Checked {
  /** The merged configuration, without the template's values. */
  readonly body: JsonObject
  /** What it was merged from, lowest precedence first, for the places. */
  readonly layers: readonly Layer[]
  readonly outline: Outline
  /** The server's. */
  readonly version: string
}

/**
 * Compares a run configuration with what a template or snapshot takes, and finds what the server would refuse,
 * ignore, or let a run fail for. Sends nothing.
 */
export function checkConfiguration({ body, layers, outline, version }: Checked): CheckResult {
  const findings = new Findings(layers)
  const { steps, parameters, ...others } = body
  checkTopLevelNames(others, outline, version, findings)
  checkKeys(others, [], outline.keys, outline.types, findings)
  checkPipelineParameters(parameters, outline, findings)
  checkSteps(steps, outline, version, findings)
  return findings
}

/** Keys that servers know (0.98) and do not name in their schemas. */
const UNNAMED_KEYS: readonly string[] = [
  'skip_successful_steps',
  'steps_to_skip',
  'step_input_overrides',
  'step_default_input_overrides',
]

function checkTopLevelNames(
  body: JsonObject,
  { keys, isDynamic }: Outline,
  version: string,
  findings: Findings,
): void {
  if (keys === undefined) return
  const known = [...new Set([...Object.keys(keys), 'steps', ...(isDynamic ? ['parameters'] : [])])]
  const taken = new Set([...known, ...NOT_BY_API, ...UNNAMED_KEYS])
  for (const key of Object.keys(body)) {
    if (taken.has(key)) continue
    const problem = `a run configuration has no key ${quoted(key)}${alternatives(key, known)}`
    // 0.74 refuses it, others ignore it; what is near to no name may be one that a newer server does not name.
    const isSlip = didYouMean(key, known) !== '' || !isAtLeast(version, 0, 85)
    if (isSlip) findings.error([key], problem)
    else findings.warn([key], problem)
  }
}

function checkPipelineParameters(
  parameters: JsonValue | undefined,
  outline: Outline,
  findings: Findings,
): void {
  const path = ['parameters']
  if (parameters === undefined || parameters === null) return
  if (!isJsonObject(parameters)) {
    findings.error(path, `parameters takes a mapping (name: value), not ${show(parameters)}`)
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

function checkSteps(
  steps: JsonValue | undefined,
  outline: Outline,
  version: string,
  findings: Findings,
): void {
  if (steps === undefined || steps === null) return
  if (!isJsonObject(steps)) {
    findings.error(['steps'], `steps takes a mapping (step: {parameters: …}), not ${show(steps)}`)
    return
  }
  for (const [name, step] of Object.entries(steps)) {
    const path = ['steps', name]
    if (!outline.steps.has(name)) checkUnknownStep(name, path, outline, findings)
    else if (isJsonObject(step)) checkStep(name, step, path, outline, version, findings)
    if (!isJsonObject(step)) {
      findings.error(path, `step ${quoted(name)} takes a mapping (parameters: …), not ${show(step)}`)
    }
  }
  if (!outline.isDynamic) checkMissing(steps, outline, findings)
}

function checkUnknownStep(name: string, path: Path, { isDynamic, steps }: Outline, findings: Findings): void {
  if (isDynamic) {
    findings.warn(
      path,
      `the pipeline is dynamic and does not list a step ${quoted(name)}; if there is none, this is ignored`,
    )
    return
  }
  findings.error(path, () => `the pipeline has no step ${quoted(name)}${alternatives(name, [...steps])}`)
}

function checkStep(
  name: string,
  { parameters, ...others }: JsonObject,
  path: Path,
  outline: Outline,
  version: string,
  findings: Findings,
): void {
  const known = outline.stepKeys(name)
  if (known !== undefined) {
    checkStepNames(name, others, path, [...Object.keys(known), 'parameters'], version, findings)
    checkKeys(others, path, known, outline.types, findings)
  }
  if (parameters === undefined || parameters === null) return
  const inside = [...path, 'parameters']
  const ofStep = outline.step(name)
  if (!isJsonObject(parameters)) {
    findings.error(inside, `parameters takes a mapping (name: value), not ${show(parameters)}`)
  } else if (ofStep !== undefined) {
    checkParameters(parameters, inside, `step ${quoted(name)}`, ofStep, findings)
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
  version: string,
  findings: Findings,
): void {
  for (const key of Object.keys(step)) {
    if (known.includes(key) || UNNAMED_STEP_KEYS.includes(key)) continue
    const problem = (): string =>
      `the configuration of step ${quoted(name)} has no key ${quoted(key)}${didYouMean(key, known)}`
    // Since 0.75 or so servers ignore it; what a newer one knows may be missing from its schema.
    if (isAtLeast(version, 0, 85)) findings.warn([...path, key], problem)
    else findings.error([...path, key], problem)
  }
}

function checkMissing(steps: JsonObject, outline: Outline, findings: Findings): void {
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
