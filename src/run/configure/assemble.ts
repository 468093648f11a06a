import type { JsonObject } from '../../base/json.ts'
import type { Definition } from '../../zenml/model.ts'
import { checkConfiguration } from './check/check-configuration.ts'
import { Findings, type CheckResult } from './check/findings.ts'
import { readOutline } from './check/outline.ts'
import { mergeOverrides, type Configuration, type Overrides } from './merge.ts'
import { ConfigurationError } from '../errors.ts'
import { expandParameters } from './parameters.ts'

/** A run configuration that has been compared with what it is for. */
export interface Assembled extends Configuration {
  /** Lines for a person; nothing in them keeps the run from starting. */
  readonly warnings: readonly string[]
  /** Why the configuration could not be compared; undefined if it was, or if there is none. */
  readonly unchecked: string | undefined
}

const NOT_TOLD =
  'The server does not say which parameters there are, so the configuration is sent without a check'

/**
 * Merges all that the user wants to differ, and checks it against the definition.
 *
 * @param version the server's
 * @throws ConfigurationError with a line for each fault, all at once; RunError for a `run_name` that cannot be one
 */
export function assemble(overrides: Overrides, definition: Definition, version: string): Assembled {
  const outline = readOutline(definition)
  const { parameters } = overrides
  const expanded = parameters && expandParameters(parameters, outline)
  const layers = [...overrides.layers, ...(expanded === undefined ? [] : [expanded.layer])]
  const configuration = mergeOverrides({ ...overrides, layers })
  const { body } = configuration
  const result: CheckResult =
    outline === undefined || isEmpty(body)
      ? new Findings(layers)
      : checkConfiguration({ body, layers, outline, version })
  const errors = (expanded?.errors.with(result.errors) ?? result.errors).shown()
  if (errors.length > 0) throw new ConfigurationError(errors)
  const unchecked = outline === undefined && !isEmpty(body) ? NOT_TOLD : undefined
  return { ...configuration, warnings: result.warnings.shown(), unchecked }
}

function isEmpty(body: JsonObject): boolean {
  return Object.keys(body).length === 0
}
