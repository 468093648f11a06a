import type { z, ZodError } from 'zod'

import { readAuthorities } from './ca-certificate.ts'
import {
  credentialOf,
  readGivenInputs,
  readServer,
  type ConnectionInputs,
  type ParseServerUrl,
} from './connection.ts'
import type { Environment } from '../workflow/environment.ts'
import type { ReadFile } from '../workflow/files.ts'
import { readWorkflowContext } from '../workflow/context.ts'
import { InputFaults, inputFault, type InputFault } from './faults.ts'
import { holdsKey, keysInInputs } from '../workflow/input-variables.ts'
import { checkUnknownInputs } from './unknown-inputs.ts'
import { connectionFaults, isOff } from './rules-between-inputs.ts'
import type { InputName, RawInputs } from './table.ts'
import { whySecretsAreMissing } from '../workflow/missing-secrets.ts'
import { InputSecrets } from '../secrets/input-secrets.ts'

export type { ConnectionInputs } from './connection.ts'

/** What inputs are read with; everything that touches the world is passed in. */
export interface InputSources {
  readonly env: Environment
  readonly readFile: ReadFile
  /** Hides a value in the log; called for every secret before anything is checked. */
  readonly mask: (secret: string) => void
  readonly parseServerUrl: ParseServerUrl
}

/** Checked inputs, and lines that a person should see although nothing is wrong. */
export interface ReadInputs<T> {
  readonly inputs: T
  readonly notices: readonly string[]
  readonly warnings: readonly string[]
  /** For the log: where server and credential come from; undefined if the inputs say it. */
  readonly source: string | undefined
}

/** The inputs of one action, as {@link inputTables} describes them. */
interface InputTable<Values> {
  readonly schema: z.ZodType<Values>
  readonly names: readonly InputName[]
  readonly secrets: readonly InputName[]
}

/** What an action's own part of the reading starts from. */
export interface Given<Values> {
  readonly raw: RawInputs
  /** `undefined` if an input has a fault. */
  readonly values: Values | undefined
  /** `undefined` if what names it is missing, or has a fault. */
  readonly server: ConnectionInputs['server'] | undefined
  /** Where relative paths begin. */
  readonly workspace: string
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string
}

/** What an action's own part of the reading ends with; `inputs` is only missing if there is a fault. */
export interface OwnPart<T> {
  readonly faults: readonly InputFault[]
  readonly notices?: readonly string[]
  readonly warnings?: readonly string[]
  readonly inputs: T | undefined
}

/**
 * Reads and checks the inputs of one action: what all actions share, and, through `readOwn`, the rest.
 *
 * @throws {InputFaults} with every fault that was found, in the order of the action's file.
 */
export async function readChecked<Values, T extends object>(
  table: InputTable<Values>,
  sources: InputSources,
  readOwn: (given: Given<Values>) => OwnPart<T> | Promise<OwnPart<T>>,
): Promise<ReadInputs<ConnectionInputs & T>> {
  const { env, readFile, parseServerUrl } = sources
  const { raw, source, called, faults: variableFaults } = readGivenInputs(env, table.names, parseServerUrl)
  const secrets = new InputSecrets([
    ...table.secrets.flatMap((name) => raw[name] ?? []),
    ...keysInInputs(env),
  ])
  for (const secret of secrets.values) sources.mask(secret)

  const context = readWorkflowContext(env)
  const redact = (text: string): string => secrets.redact(text)
  const credential = credentialOf(raw)
  const missingSecrets = credential === undefined ? await whySecretsAreMissing(context, readFile) : undefined
  const names = checkUnknownInputs(env, table.names)
  const server = readServer(raw, parseServerUrl)
  const ca = await readAuthorities(raw['ca-certificate'], { workspace: context.workspace, readFile })
  // Compiling the schema pays only where it is used again.
  const parsed = table.schema.safeParse(withoutUnused(raw), { jitless: true })
  const own = await readOwn({
    raw,
    values: parsed.data,
    server: server.server,
    workspace: context.workspace,
    redact,
  })
  const faults = withoutSecrets(table, raw, secrets, [
    ...names.faults,
    ...server.faults,
    ...schemaFaults(parsed.error),
    ...(variableFaults.length > 0 ? variableFaults : connectionFaults(raw, table.names, missingSecrets)),
    ...ca.faults,
    ...own.faults,
  ])
  if (faults.length > 0 || own.inputs === undefined || !credential || !server.server) {
    const ordered = inOrder(table.names, faults)
    throw new InputFaults(ordered.map(({ input, line }) => ({ input: called(input), line: called(line) })))
  }
  return {
    inputs: {
      ...own.inputs,
      server: server.server,
      credential,
      ...(ca.authorities.length > 0 && { authorities: ca.authorities }),
    },
    notices: [...server.notices.map(called), ...ca.notices, ...(own.notices ?? [])].map(redact),
    warnings: [...names.warnings, ...(own.warnings ?? [])].map(redact),
    source,
  }
}

/** GitHub's token is there by default, and used for the comment only: without one, nothing about it can be wrong. */
function withoutUnused({ 'github-token': token, ...raw }: RawInputs): RawInputs {
  return token === undefined || isOff(raw.comment) ? raw : { ...raw, 'github-token': token }
}

function schemaFaults(error: ZodError | undefined): InputFault[] {
  return (error?.issues ?? []).map(({ path, message }) => inputFault(String(path[0]), message))
}

const MAY_PASS_ON: readonly InputName[] = ['parameters', 'configuration']

/** A configuration may pass the key on to its steps; in any other input it is a slip, and is not shown. */
function withoutSecrets(
  { names, secrets: secretNames }: Pick<InputTable<unknown>, 'names' | 'secrets'>,
  raw: RawInputs,
  secrets: InputSecrets,
  faults: readonly InputFault[],
): InputFault[] {
  const misplaced = names.filter((name) => {
    const text = raw[name] ?? ''
    if (secretNames.includes(name)) return name !== 'api-key' && holdsKey(text)
    return !MAY_PASS_ON.includes(name) && secrets.areIn(text)
  })
  const heldBy = (text = ''): InputName[] =>
    secretNames.filter((name) => new InputSecrets([raw[name] ?? '']).areIn(text))
  const problemOf = (input: InputName): string => {
    if (secretNames.includes(input)) return 'contains an API key; write it as api-key'
    const owners = heldBy(raw[input])
    return owners.length > 0
      ? `contains the value of ${owners.join(' or ')}; remove it from here`
      : 'contains an API key; was it swapped with api-key? Replace that key: it can be read in the log of the workflow'
  }
  return [
    ...misplaced.map((input) => inputFault(input, problemOf(input))),
    ...faults
      .filter((fault) => !misplaced.some((name) => name === fault.input))
      .map(({ input, line }) => ({ input, line: secrets.redact(line) })),
  ]
}

/** Misspelled names come first: they are often the reason why another input is missing. */
function inOrder(names: readonly InputName[], faults: readonly InputFault[]): InputFault[] {
  const place = (fault: InputFault): number => names.findIndex((name) => name === fault.input)
  return [...faults].sort((a, b) => place(a) - place(b))
}
