import { isUtf8 } from 'node:buffer'
import { resolve } from 'node:path'

import type { Layer } from '../../run/configure/layers.ts'
import type { FileContent, ReadFile } from '../workflow/files.ts'
import type { InputFault } from './faults.ts'
import type { InputName } from './table.ts'
import { quote, showOnOneLine } from '../../base/printable.ts'
import { parseMapping } from './yaml.ts'

/**
 * A run configuration and where the user wrote it, for the messages about it. Its source is `parameters`,
 * `configuration`, or `configuration-file: path/as/given.yaml`.
 */
export type ConfigurationSource = Layer

export interface ConfigurationContext {
  /** Where relative paths begin; empty: the current folder. */
  readonly workspace: string
  readonly readFile: ReadFile
  readonly redact: (text: string) => string
}

interface Found {
  readonly sources: readonly ConfigurationSource[]
  readonly faults: readonly InputFault[]
}

/** Far above any configuration; and the YAML library takes up to a second for 100 KB of the worst nonsense. */
const MAX_KILOBYTES = 256
const MAX_PROBLEM_LENGTH = 200
const MAX_WORDS_LENGTH = 60

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
  return { sources: found.flatMap((part) => part.sources), faults: found.flatMap((part) => part.faults) }
}

async function readConfigurationFile(
  path: string | undefined,
  context: ConfigurationContext,
): Promise<Found> {
  if (path === undefined) return { sources: [], faults: [] }
  const input: InputName = 'configuration-file'
  const file = await context.readFile(resolve(context.workspace, path), MAX_KILOBYTES * 1024)
  if (!file.ok) return oneFault(input, `${quote(path)} ${fileProblem(file.reason, file.code, path)}`)
  const text = decode(file.bytes)
  if (text === undefined) {
    return oneFault(input, `${quote(path)} is not a text in UTF-8; save it as YAML or JSON in UTF-8`)
  }
  return await readMapping(input, text, `${input}: ${path}`, `${input}: ${quote(path)}, `, context)
}

/**
 * Reads the input `parameters`, and all that is wrong in it. What its keys mean is known only once it is known
 * what is to be run.
 */
export async function readParameters(
  text: string | undefined,
  context: Pick<ConfigurationContext, 'redact'>,
): Promise<{ readonly source: ConfigurationSource | undefined; readonly faults: readonly InputFault[] }> {
  if (text === undefined) return { source: undefined, faults: [] }
  const input: InputName = 'parameters'
  const { sources, faults } = await readMapping(input, text, input, `${input}: `, context)
  return { source: sources[0], faults }
}

async function readConfigurationText(
  text: string | undefined,
  context: ConfigurationContext,
): Promise<Found> {
  const input: InputName = 'configuration'
  if (text === undefined) return { sources: [], faults: [] }
  if (/^\s*[^\s:{]+\.(?:ya?ml|json)\s*$/i.test(text)) {
    const path = quote(context.redact(text.trim()))
    return oneFault(input, `${path} looks like a file's name; give it as configuration-file`)
  }
  return await readMapping(input, text, input, `${input}: `, context)
}

async function readMapping(
  input: InputName,
  text: string,
  source: string,
  lead: string,
  context: Pick<ConfigurationContext, 'redact'>,
): Promise<Found> {
  const parsed = await parseMapping(text, (words) => quote(context.redact(words), MAX_WORDS_LENGTH))
  if (parsed.ok) return { sources: [{ source, value: parsed.value, locate: parsed.locate }], faults: [] }
  const faults = parsed.problems.map(({ line, column, problem }) => {
    const shown = showOnOneLine(context.redact(problem), MAX_PROBLEM_LENGTH)
    return { input, line: `${lead}line ${line}, column ${column}: ${shown}` }
  })
  return { sources: [], faults }
}

function fileProblem(
  reason: Extract<FileContent, { ok: false }>['reason'],
  code: string,
  path: string,
): string {
  switch (reason) {
    case 'missing':
      if (path.startsWith('~')) return 'does not exist; ~ has no meaning here, write the whole path'
      return 'does not exist; is actions/checkout before this step? Paths are relative to the workspace'
    case 'directory':
      return 'is a folder; write the path of one YAML or JSON file'
    case 'no-file':
      return 'is a device or a pipe; write the path of one YAML or JSON file'
    case 'too-large':
      return `is larger than ${MAX_KILOBYTES} KB; is it the right file?`
    case 'unreadable':
      return `cannot be read${code === '' ? '' : ` (${code})`}; check its path and its permissions`
  }
}

/** `undefined`: binary, or text in another encoding. */
function decode(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) && !bytes.includes(0) ? new TextDecoder().decode(bytes) : undefined
}

function oneFault(input: InputName, problem: string): Found {
  return { sources: [], faults: [{ input, line: `${input}: ${problem}` }] }
}
