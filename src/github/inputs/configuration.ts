import { isUtf8 } from 'node:buffer'
import { resolve } from 'node:path'

import type { JsonValue } from '../../base/json.ts'
import type { Layer, Path } from '../../run/configure/layers.ts'
import { fileProblem, type ReadFile } from '../workflow/files.ts'
import { inputFault, type InputFault } from './faults.ts'
import type { InputName, RawInputs } from './table.ts'
import { quote, showOnOneLine } from '../../base/printable.ts'
import { runNameProblem } from '../../base/run-name.ts'
import { parseMapping } from './yaml.ts'

export interface ConfigurationContext {
  /** Where relative paths begin; empty: the current folder. */
  readonly workspace: string
  readonly readFile: ReadFile
  readonly redact: (text: string) => string
}

interface Found {
  readonly layers: readonly Layer[]
  readonly faults: readonly InputFault[]
}

/** Far above any configuration; and the YAML library takes up to a second for 100 KB of the worst nonsense. */
const MAX_KILOBYTES = 256
const MAX_PROBLEM_LENGTH = 200
const MAX_WORDS_LENGTH = 60

/** What `toJSON` makes of a context that the event does not have, such as `github.event.inputs` on a schedule. */
const NO_INPUTS = /^\s*null\s*$/

const NOTHING: Found = { layers: [], faults: [] }

/**
 * Reads the two inputs that hold a run configuration, lowest precedence first, and all that is wrong in both.
 *
 * @param file path of the input `configuration-file`. @param text the input `configuration`, untrimmed: white
 * space at its start belongs to its indentation.
 */
export async function readConfiguration(
  file: string | undefined,
  text: string | undefined,
  context: ConfigurationContext,
): Promise<Found> {
  const found = [await readConfigurationFile(file, context), await readConfigurationText(text, context)]
  return { layers: found.flatMap(({ layers }) => layers), faults: found.flatMap(({ faults }) => faults) }
}

async function readConfigurationFile(
  path: string | undefined,
  context: ConfigurationContext,
): Promise<Found> {
  if (path === undefined) return NOTHING
  const input: InputName = 'configuration-file'
  const file = await context.readFile(resolve(context.workspace, path), MAX_KILOBYTES * 1024)
  if (!file.ok) {
    const missing = path.startsWith('~')
      ? '~ has no meaning here, write the whole path'
      : 'is actions/checkout before this step? Paths are relative to GITHUB_WORKSPACE'
    const problem = fileProblem(file, { kind: 'YAML or JSON', maxKilobytes: MAX_KILOBYTES, missing })
    return oneFault(input, `${quote(path)} ${problem}`)
  }
  // Else it is binary, or text in another encoding.
  if (!isUtf8(file.bytes) || file.bytes.includes(0)) {
    return oneFault(input, `${quote(path)} is not UTF-8 text; save it as YAML or JSON in UTF-8`)
  }
  const text = new TextDecoder().decode(file.bytes)
  return readMapping(input, text, context, { source: `${input}: ${path}`, lead: `${quote(path)}, ` })
}

async function readConfigurationText(
  text: string | undefined,
  context: ConfigurationContext,
): Promise<Found> {
  if (text !== undefined && /^\s*[^\s:{]+\.(?:ya?ml|json)\s*$/i.test(text)) {
    const path = quote(context.redact(text.trim()))
    return oneFault('configuration', `${path} looks like a file's name; give it as configuration-file`)
  }
  return readMapping('configuration', text, context)
}

/**
 * Reads a mapping of YAML or JSON, and all that is wrong in it.
 *
 * @param source what the user calls the place of it. @param lead what stands before a place in it.
 */
export async function readMapping(
  input: InputName,
  text: string | undefined,
  { redact }: Pick<ConfigurationContext, 'redact'>,
  { source, lead }: { readonly source: string; readonly lead: string } = { source: input, lead: '' },
): Promise<Found> {
  if (text === undefined) return NOTHING
  const parsed = await parseMapping(text, (words) => quote(redact(words), MAX_WORDS_LENGTH))
  if (parsed.ok) {
    const { ok: _, ...layer } = parsed
    return { layers: [{ source, ...layer }], faults: [] }
  }
  const faults = parsed.problems.map(({ line, column, problem }) => {
    const shown = showOnOneLine(redact(problem), MAX_PROBLEM_LENGTH)
    return inputFault(input, `${lead}line ${line}, column ${column}: ${shown}`)
  })
  return { layers: [], faults }
}

/** The text of an input that a form may fill; undefined where it was given none. */
export function unlessNull(text: string | undefined): string | undefined {
  return text !== undefined && NO_INPUTS.test(text) ? undefined : text
}

/** That is no mistake of a form; but a misspelt name in an expression gives null as well. */
export function nullNotices(raw: RawInputs): string[] {
  return (['configuration', 'parameters'] as const)
    .filter((input) => raw[input] !== unlessNull(raw[input]))
    .map((input) => `${input}: null counts as left empty`)
}

/** What ZenML's own client fills in with an environment variable where it reads a file (0.98, `env_utils.py`); no server does. */
const PLACEHOLDER = /\$\{\w+\}/

/** Warns about `${NAME}`: ZenML's client fills it in, this action does not, because the variable might be a secret. */
export function placeholderWarnings(layer: Layer): string[] {
  const [first, ...others] = placeholders(layer.value, [])
  if (first === undefined) return []
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  const { line, column } = layer.locate?.(first.path) ?? { line: 1, column: 1 }
  return [
    `${layer.source}, line ${line}, column ${column}: ${quote(first.text, MAX_WORDS_LENGTH)}${more} is sent as it is: no environment variable is filled in. If one is meant, use an expression in parameters or configuration`,
  ]
}

function placeholders(value: JsonValue, path: Path): { readonly path: Path; readonly text: string }[] {
  if (typeof value === 'string') {
    const [text] = PLACEHOLDER.exec(value) ?? []
    return text === undefined ? [] : [{ path, text }]
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, JsonValue]) =>
    placeholders(inner, [...path, key]),
  )
}

/** What is wrong with the name that the configurations give the run: that of the topmost one counts. */
export function runNameFaults(layers: readonly Layer[]): InputFault[] {
  const layer = layers.findLast(({ value }) => Object.hasOwn(value, 'run_name'))
  const name = layer?.value['run_name'] ?? null
  if (layer === undefined || name === null) return []
  const problem = typeof name === 'string' ? runNameProblem(name) : 'must be a string; put it in quotes'
  if (problem === undefined) return []
  const [input = '', path] = layer.source.split(/: (.*)/s)
  const { line, column } = layer.locate?.(['run_name']) ?? { line: 1, column: 1 }
  const lead = path === undefined ? '' : `${quote(path)}, `
  return [inputFault(input, `${lead}line ${line}, column ${column}: run_name ${problem}`)]
}

function oneFault(input: InputName, problem: string): Found {
  return { layers: [], faults: [inputFault(input, problem)] }
}
