import type { ParsedServerUrl, ProWorkspace, ServerAddress, ZenmlApi } from '../../zenml/server-url.ts'
import { inputFault, type InputFault } from './faults.ts'
import { isTrue } from './rules.ts'
import { inputTables, type InputName, type RawInputs } from './table.ts'

export type Credential =
  | { readonly kind: 'api-key'; readonly key: string }
  | { readonly kind: 'access-token'; readonly token: string }
  /** ZenML Pro's older login, with a workspace only. */
  | { readonly kind: 'client'; readonly clientId: string; readonly clientSecret: string }

/** What every action needs to send anything. */
export interface ConnectionInputs {
  readonly server: ServerAddress | ProWorkspace
  readonly credential: Credential
  /** CA certificates to trust in addition to Node's, a PEM text each; not set: none. */
  readonly authorities?: readonly string[]
}

export type ParseServerUrl = (text: string, api?: ZenmlApi) => ParsedServerUrl

/** What the inputs name; undefined without it, or if it has a fault. */
export interface ReadServer {
  readonly server?: ConnectionInputs['server']
  readonly notices: readonly string[]
  readonly faults: readonly InputFault[]
}

/** Reads which server is meant: by its address, or as a workspace of ZenML Pro. */
export function readServer(raw: RawInputs, parse: ParseServerUrl): ReadServer {
  const proApi = raw['pro-api-url'] ?? inputTables.main.defaults['pro-api-url']
  const pro = readAddress('pro-api-url', raw, proApi, parse)
  const workspace = raw.workspace?.trim()
  const own = workspace === undefined ? readAddress('server-url', raw, raw['server-url'], parse) : NO_ADDRESS
  const notices = [...own.notices, ...pro.notices]
  const faults = [...own.faults, ...pro.faults]
  if (pro.url === undefined) return { notices, faults }
  if (workspace === undefined) {
    return { ...(own.url !== undefined && { server: { url: own.url, proApiUrl: pro.url } }), notices, faults }
  }
  const allowPlainHttp = isTrue(raw['allow-insecure-http'])
  return { server: { workspace, proApiUrl: pro.url, allowPlainHttp }, notices, faults }
}

interface ReadAddress extends Omit<ReadServer, 'server'> {
  readonly url?: string
}

const NO_ADDRESS: ReadAddress = { notices: [], faults: [] }

function readAddress(
  input: 'server-url' | 'pro-api-url',
  raw: RawInputs,
  text: string | undefined,
  parse: ParseServerUrl,
): ReadAddress {
  if (text === undefined) return NO_ADDRESS
  const parsed = parse(text, input === 'server-url' ? 'workspace' : 'management')
  if (!parsed.ok) return { notices: [], faults: [inputFault(input, parsed.problem)] }
  const notices = parsed.notices.map((notice) => `${input}: ${notice}`)
  const { url } = parsed
  if (!parsed.plainHttp || isTrue(raw['allow-insecure-http'])) return { url, notices, faults: [] }
  const problem =
    'http:// would send the credential unencrypted; use https://, or set allow-insecure-http: true'
  return { url, notices, faults: [inputFault(input, problem)] }
}

/** The credential that is given, the first of several. */
export function credentialOf(raw: RawInputs): Credential | undefined {
  const given = (input: InputName): string | undefined => raw[input]?.trim()
  const key = given('api-key')
  if (key !== undefined) return { kind: 'api-key', key }
  const token = given('access-token')
  if (token !== undefined) return { kind: 'access-token', token }
  const clientId = given('client-id')
  const clientSecret = given('client-secret')
  if (clientId === undefined || clientSecret === undefined) return undefined
  return { kind: 'client', clientId, clientSecret }
}

/** What the inputs named, in words that differ whenever a credential could go to another place. */
export function named(server: ConnectionInputs['server']): string {
  const place = 'url' in server ? server.url : `workspace ${server.workspace}`
  return `${place} of ${server.proApiUrl}`
}
