import { createHash } from 'node:crypto'

import type { ParsedServerUrl, ProWorkspace, ServerAddress, ZenmlApi } from '../../zenml/server-url.ts'
import type { Environment } from '../workflow/environment.ts'
import { inputFault, type InputFault } from './faults.ts'
import { ABOUT_CONNECTION, readRawInputs, VARIABLES } from '../workflow/input-variables.ts'
import { isTrue } from './rules-between-inputs.ts'
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

/** An action's inputs; where none of them says where to connect, server and credential are those of variables. */
export interface GivenInputs {
  readonly raw: RawInputs
  /** For the log: which variables were taken; undefined if none was. */
  readonly source: string | undefined
  /** What is wrong with the variables. */
  readonly faults: readonly InputFault[]
  /** Gives an input's name, or a line about an input, with the variable that took its place. */
  readonly called: (text: string) => string
}

/**
 * What login/ exports beside server and token, so that a step that changes only one of the two is noticed. Not
 * `ZENML_STORE_…`: ZenML's client takes every such variable for a setting of its own.
 */
export const PAIR_VARIABLE = 'ZENML_RUN_ACTION_PAIR'

/** The SHA-256 of a server's address and a token for it, in hex: no secret, but good for no other pair. */
export function pairOf(serverUrl: string, token: string): string {
  return createHash('sha256').update(`${serverUrl}\n${token}`).digest('hex')
}

/**
 * Reads an action's inputs. Server and credential come from ZenML's own variables as a pair or not at all: job, step
 * and login/ may each have set one, for different servers.
 */
export function readGivenInputs(
  env: Environment,
  names: readonly InputName[],
  parse: ParseServerUrl,
): GivenInputs {
  const raw = readRawInputs(env, names)
  const none: GivenInputs = { raw, source: undefined, faults: [], called: (text) => text }
  if (ABOUT_CONNECTION.some((name) => raw[name] !== undefined)) return none
  const url = env[VARIABLES['server-url']]?.trim() ?? ''
  const isSet = (name: keyof typeof VARIABLES): boolean => (env[VARIABLES[name]] ?? '').trim() !== ''
  // A token that the action does not take shows all the same that the key may be for another server.
  const usable = (['api-key', 'access-token'] as const).filter(
    (name) => names.includes(name) || isSet('api-key'),
  )
  const [credential, second] = usable.filter(isSet)
  if (url === '' && credential === undefined) return none
  const fault = (variable: string, problem: string): GivenInputs => ({
    ...none,
    faults: [inputFault(variable, problem)],
  })
  if (credential === undefined) {
    const problem =
      'missing, although ZENML_STORE_URL is set; set both, or give the inputs server-url and api-key'
    return fault('ZENML_STORE_API_KEY', problem)
  }
  if (url === '') {
    const problem = `missing, although ${VARIABLES[credential]} is set; set both, or give the inputs server-url and api-key`
    return fault('ZENML_STORE_URL', problem)
  }
  if (!/^https?:\/\//i.test(url)) {
    const problem =
      'is not a web address (not shown, as it may hold a password); ' +
      'set it to the https:// address of the ZenML server, or give the inputs server-url and api-key'
    return fault('ZENML_STORE_URL', problem)
  }
  if (second !== undefined) {
    const problem =
      'cannot be combined with ZENML_STORE_API_TOKEN: one may be for another server; ' +
      'set only one, or give the inputs server-url and api-key'
    return fault('ZENML_STORE_API_KEY', problem)
  }
  if (credential === 'access-token' && !isExportedPair(url, env, parse)) {
    const problem =
      'does not belong to ZENML_STORE_URL: login/ exported another pair; ' +
      'give the inputs server-url and api-key, or set neither variable again'
    return fault('ZENML_STORE_API_TOKEN', problem)
  }
  return {
    raw: { ...raw, 'server-url': url, [credential]: env[VARIABLES[credential]] },
    source: `Server and credential come from ZENML_STORE_URL and ${VARIABLES[credential]}`,
    faults: [],
    called: (text) =>
      Object.entries(VARIABLES).reduce(
        (named, [input, variable]) => named.replace(new RegExp(`^${input}(?=:|$)`), variable),
        text,
      ),
  }
}

/** Whether it is the variables, right or wrong, that say where to connect. */
export function isFromVariables(env: Environment, parse: ParseServerUrl): boolean {
  const { source, faults } = readGivenInputs(env, inputTables.main.names, parse)
  return source !== undefined || faults.length > 0
}

/** Whether the variables name another ZenML server than this one; false if they name none. */
export function isOtherServer(serverUrl: string, env: Environment, parse: ParseServerUrl): boolean {
  const parsed = parse(env[VARIABLES['server-url']]?.trim() ?? '', 'workspace')
  return parsed.ok && parsed.url !== serverUrl
}

/** Also true where login/ exported nothing: then all variables are the user's own. */
function isExportedPair(url: string, env: Environment, parse: ParseServerUrl): boolean {
  const exported = env[PAIR_VARIABLE]?.trim() ?? ''
  const parsed = parse(url, 'workspace')
  const token = env[VARIABLES['access-token']]?.trim() ?? ''
  return exported === '' || exported === pairOf(parsed.ok ? parsed.url : url, token)
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
