import type { ZodError } from 'zod'

import type { ParsedServerUrl, ServerAddress } from '../zenml/server-url.ts'
import { readConfiguration } from './configuration.ts'
import type { Environment } from './environment.ts'
import type { ReadFile } from './files.ts'
import { readWorkflowContext } from './identity.ts'
import { InputFaults, type InputFault } from './input-faults.ts'
import { checkNames, readRawInputs } from './input-names.ts'
import { ruleFaults } from './input-rules.ts'
import {
  inputNames,
  inputSchema,
  secretInputs,
  type InputName,
  type InputValues,
  type RawInputs,
} from './input-schema.ts'
import { whySecretsAreMissing } from './missing-secrets.ts'
import { Secrets } from './secrets.ts'

export type Credential =
  | { readonly kind: 'api-key'; readonly key: string }
  | { readonly kind: 'access-token'; readonly token: string }

export type Target =
  | {
      readonly kind: 'template' | 'snapshot'
      /** Id or exact name. */
      readonly reference: string
      /** Narrows the name to one pipeline. */
      readonly pipeline?: string
    }
  /** The pipeline's newest. */
  | { readonly kind: 'pipeline'; readonly pipeline: string }

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** A run configuration and where the user wrote it, for the messages about it. */
export interface ConfigurationSource {
  /** `configuration`, or `configuration-file: path/as/given.yaml`. */
  readonly source: string
  readonly value: JsonObject
}

/** All inputs of the action, checked, as everything behind the edge takes them. */
export interface Inputs {
  readonly server: ServerAddress
  readonly credential: Credential
  readonly target: Target
  /** Name or id. */
  readonly project?: string
  /** Lowest precedence first: the file, then the input. */
  readonly configuration: readonly ConfigurationSource[]
  /** As written: may hold `{date}` and `{time}`; at most 255 characters once they are filled in. */
  readonly runName?: string
  readonly tags?: readonly string[]
  /** Not set: as ZenML decides. */
  readonly useCache?: boolean
  readonly wait: boolean
  /** Limit of the wait; not set: none. */
  readonly timeoutMs?: number
  /** Limit of the time until the run is started. */
  readonly triggerTimeoutMs: number
  /** At least 1000; not set: adaptive. */
  readonly pollIntervalMs?: number
  readonly stepKey: string
  readonly allowInsecureHttp: boolean
}

/** What {@link readInputs} works with; everything that touches the world is passed in. */
export interface InputSources {
  readonly env: Environment
  readonly readFile: ReadFile
  /** Hides a value in the log; called for every secret before anything is checked. */
  readonly mask: (secret: string) => void
  readonly parseServerUrl: (text: string) => ParsedServerUrl
}

/**
 * Reads and checks all inputs at once. Notices are lines that a person should see although nothing is wrong.
 *
 * @throws {InputFaults} with every fault that was found, in the order of action.yml.
 */
export async function readInputs(
  sources: InputSources,
): Promise<{ readonly inputs: Inputs; readonly notices: readonly string[] }> {
  const { env, readFile, parseServerUrl } = sources
  const raw = readRawInputs(env)
  const secrets = new Secrets(secretInputs.flatMap((name) => raw[name] ?? []))
  for (const secret of secrets.values) sources.mask(secret)

  const context = readWorkflowContext(env)
  const redact = (text: string): string => secrets.redact(text)
  const missingSecrets = hasCredential(raw) ? undefined : await whySecretsAreMissing(context, readFile)
  const names = checkNames(env)
  const server = readServer(raw, parseServerUrl)
  const parsed = inputSchema.safeParse(raw)
  const path = inputSchema.shape['configuration-file'].safeParse(raw['configuration-file']).data
  const { workspace } = context
  const configuration = await readConfiguration(path, raw.configuration, { workspace, readFile, redact })
  const faults = withoutSecrets(raw, secrets, [
    ...names.faults,
    ...server.faults,
    ...schemaFaults(parsed.error),
    ...ruleFaults(raw, missingSecrets),
    ...configuration.faults,
  ])

  const values = parsed.data
  const credential = values && credentialOf(values)
  const target = values && targetOf(values)
  if (faults.length > 0 || !values || !credential || !target || !server.address) {
    throw new InputFaults(inOrder(faults))
  }
  return {
    inputs: assemble(values, {
      server: server.address,
      credential,
      target,
      configuration: configuration.sources,
    }),
    notices: [...names.notices, ...server.notices].map(redact),
  }
}

function assemble(
  values: InputValues,
  parts: Pick<Inputs, 'server' | 'credential' | 'target' | 'configuration'>,
): Inputs {
  return {
    ...parts,
    ...(values.project !== undefined && { project: values.project }),
    ...(values['run-name'] !== undefined && { runName: values['run-name'] }),
    ...(values.tags !== undefined && { tags: values.tags }),
    ...(values['use-cache'] !== undefined && { useCache: values['use-cache'] }),
    wait: values.wait,
    ...(values.timeout !== undefined && { timeoutMs: values.timeout }),
    triggerTimeoutMs: values['trigger-timeout'],
    ...(values['poll-interval'] !== undefined && { pollIntervalMs: values['poll-interval'] }),
    stepKey: values['step-key'],
    allowInsecureHttp: values['allow-insecure-http'],
  }
}

function hasCredential(raw: RawInputs): boolean {
  return secretInputs.some((name) => raw[name] !== undefined)
}

function credentialOf(values: InputValues): Credential | undefined {
  const key = values['api-key']
  const token = values['access-token']
  if (key !== undefined) return { kind: 'api-key', key }
  return token === undefined ? undefined : { kind: 'access-token', token }
}

function targetOf({ snapshot, template, pipeline }: InputValues): Target | undefined {
  const narrowed = pipeline === undefined ? {} : { pipeline }
  if (snapshot !== undefined) return { kind: 'snapshot', reference: snapshot, ...narrowed }
  if (template !== undefined) return { kind: 'template', reference: template, ...narrowed }
  return pipeline === undefined ? undefined : { kind: 'pipeline', pipeline }
}

interface ReadServer {
  readonly address?: ServerAddress
  readonly notices: readonly string[]
  readonly faults: readonly InputFault[]
}

function readServer(raw: RawInputs, parseServerUrl: InputSources['parseServerUrl']): ReadServer {
  const input: InputName = 'server-url'
  const text = raw[input]
  if (text === undefined) return { notices: [], faults: [] }
  const parsed = parseServerUrl(text)
  if (!parsed.ok) return { notices: [], faults: [{ input, line: `${input}: ${parsed.problem}` }] }
  const notices = parsed.notices.map((notice) => `${input}: ${notice}`)
  const address = { url: parsed.url }
  if (!parsed.plainHttp || /^\s*true\s*$/i.test(raw['allow-insecure-http'] ?? '')) {
    return { address, notices, faults: [] }
  }
  const problem =
    'http:// would send the credential unencrypted; use https://, or set allow-insecure-http: true'
  return { address, notices, faults: [{ input, line: `${input}: ${problem}` }] }
}

function schemaFaults(error: ZodError | undefined): InputFault[] {
  return (error?.issues ?? []).map(({ path, message }) => {
    const input = String(path[0])
    return { input, line: `${input}: ${message}` }
  })
}

/** A configuration may pass the key on to its steps; in any other input it is a slip, and is not shown. */
function withoutSecrets(raw: RawInputs, secrets: Secrets, faults: readonly InputFault[]): InputFault[] {
  const misplaced = inputNames.filter(
    (name) => !secretInputs.includes(name) && name !== 'configuration' && secrets.areIn(raw[name] ?? ''),
  )
  return [
    ...misplaced.map((input) => ({
      input,
      line: `${input}: holds the value of ${secretInputs.join(' or ')}; remove it from here`,
    })),
    ...faults
      .filter((fault) => !misplaced.some((name) => name === fault.input))
      .map(({ input, line }) => ({ input, line: secrets.redact(line) })),
  ]
}

/** Misspelt names come first: they are often the reason why another input is missing. */
function inOrder(faults: readonly InputFault[]): InputFault[] {
  const place = (fault: InputFault): number => inputNames.findIndex((name) => name === fault.input)
  return [...faults].sort((a, b) => place(a) - place(b))
}
