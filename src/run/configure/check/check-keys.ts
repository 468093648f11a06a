import { isJsonObject, member, type JsonObject, type JsonValue } from '../../../base/json.ts'
import type { Path } from '../layers.ts'
import type { Check, Findings } from './findings.ts'
import type { SchemaValidator } from './schema-validator.ts'
import { quoted } from '../../../base/words.ts'

/** What a server refuses from everybody who starts a run by its API (0.98: zenml/pipelines/run_utils.py). */
export const NOT_BY_API: readonly string[] = ['schedule', 'build']

/** Servers say that the values are anything, and take texts only. */
const ENVIRONMENT: JsonObject = { type: 'object', additionalProperties: { type: 'string' } }

const REASONS: Readonly<Record<string, string>> = {
  schedule: 'schedule the workflow instead (on: schedule)',
  build: 'the build is part of the snapshot or template; to change it, create that again',
}

/**
 * Checks the values of a run configuration's own keys, or of a step's, against the server's schema of them.
 *
 * @param path where the mapping stands
 */
export function checkKeys(
  configuration: JsonObject,
  path: Path,
  schemas: JsonObject | undefined,
  { outline: { types }, findings }: Pick<Check, 'outline' | 'findings'>,
): void {
  for (const [key, value] of Object.entries(configuration)) {
    const place = [...path, key]
    if (value === null) continue
    if (path.length === 0 && NOT_BY_API.includes(key)) {
      findings.error(place, `${key} cannot be set: ${REASONS[key] ?? ''}`)
    } else if ((member(value, 'docker') ?? null) !== null && key === 'settings') {
      findings.error(
        [...place, 'docker'],
        'settings.docker cannot be set: the image is part of the snapshot or template; to change it, create that again',
      )
    } else {
      checkKey(key, value, place, member(schemas, key), types, findings)
    }
  }
}

function checkKey(
  key: string,
  value: JsonValue,
  place: Path,
  known: JsonValue | undefined,
  types: SchemaValidator,
  findings: Findings,
): void {
  const schema = key === 'environment' && known !== undefined ? ENVIRONMENT : known
  // Servers take a hook as a mapping of module and attribute too, whatever their schema says.
  if (key.endsWith('_hook_source') && isJsonObject(value)) return
  const { misfits, ignored } = types.validate(schema, value)
  const isShort = typeof value === 'string' && SHORT_FORM.test(key)
  for (const { path, value: part, wanted } of isShort ? [] : misfits) {
    const name = quoted([key, ...path].join('.'))
    findings.error([...place, ...path], (show) => `${name} must be ${wanted}, not ${show(part)}`)
  }
  for (const { path } of ignored) {
    // Settings are for whatever the stack is made of; the schema has only some of them.
    if (key === 'settings' && path.length === 1) continue
    findings.warn(
      [...place, ...path],
      `${quoted([key, ...path].join('.'))} is not known to the server, so it is ignored`,
    )
  }
}

/** Servers take a word for these, where their schema has a mapping, and do not say so. */
const SHORT_FORM = /^cache_policy$|_source$/
