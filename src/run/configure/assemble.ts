import type { Definition } from '../../zenml/model.ts'
import { checkConfiguration } from './check/check-configuration.ts'
import { checkExpectedNames, type ExpectedName } from './check/expected-names.ts'
import { Findings } from './check/findings.ts'
import { FirstLines } from './check/first-lines.ts'
import { readOutline } from './check/outline.ts'
import { mergeOverrides, type Configuration, type Overrides } from './merge.ts'
import { ConfigurationError } from '../errors.ts'
import { hide, plain, quoted } from '../../base/words.ts'
import { expandParameters } from './expand-parameters.ts'
import { roundedParameters } from './older-servers.ts'

/** A run configuration that has been compared with what it is for. */
export interface Assembled extends Configuration {
  /** Lines for a person; nothing in them keeps the run from starting. */
  readonly warnings: readonly string[]
  /** Why the configuration could not be compared; undefined if it was, or if there is none. */
  readonly unchecked: string | undefined
}

const NOT_TOLD = 'The server does not list the parameters, so the configuration is sent unchecked'

/**
 * Merges all that the user wants to differ, and checks it against the definition.
 *
 * @param version the server's
 * @param expected what the finished run is to have logged
 * @throws ConfigurationError with a line for each error, all at once
 */
export function assemble(
  overrides: Overrides,
  definition: Definition,
  version: string,
  expected: readonly ExpectedName[] = [],
): Assembled {
  const outline = readOutline(definition)
  const errors = new FirstLines()
  const short = [overrides.parameters, overrides.cell].filter((layer) => layer !== undefined)
  const expanded = short.map((layer) => expandParameters(layer, outline, errors))
  const layers = [...overrides.layers, ...expanded.flatMap((each) => each.layers)]
  const configuration = mergeOverrides({ ...overrides, layers }, definition.documents.configTemplate)
  const { body } = configuration
  const findings = new Findings(layers, errors)
  const isGiven = Object.keys(body).length > 0
  if (isGiven && outline !== undefined) checkConfiguration(body, { outline, version, findings })
  if (outline !== undefined) checkExpectedNames(expected, outline, errors)
  for (const each of roundedParameters(version, definition, body)) errors.add(undefined, rounded(each))
  const faults = errors.shown()
  if (faults.length > 0) throw new ConfigurationError(faults, errors.shown(hide))
  const unchecked = isGiven && outline === undefined ? NOT_TOLD : undefined
  const warnings = [...findings.warnings.shown(), ...keptLines(expanded.flatMap(({ kept }) => kept))]
  return { ...configuration, warnings, unchecked }
}

function rounded(name: string): string {
  return `the current value of ${quoted(name)} has more digits than JSON can carry exactly, and this version of ZenML needs it sent again; set it in the input parameters, with the number in quotes`
}

/** A form that was not filled in, or a variable that does not exist: whoever wrote it knows which. */
function keptLines(kept: readonly string[]): string[] {
  return kept.length === 0
    ? []
    : [`parameters: empty, so these keep the value that they have: ${kept.map(plain).join(', ')}`]
}
