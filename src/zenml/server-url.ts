import { urlOf } from '../base/url.ts'
import { isLoopback } from '../http/loopback.ts'

/** Where a ZenML workspace or server is. */
export interface ServerAddress {
  /** Origin and path prefix, no trailing slash: `https://zenml.example.com/prefix`. */
  readonly url: string
  /** The management API that an organization's key may be sent to; no trailing slash. */
  readonly proApiUrl: string
}

/** A workspace of ZenML Pro that is to be looked up. */
export interface ProWorkspace {
  /** Name or id. */
  readonly workspace: string
  /** The management API; no trailing slash. */
  readonly proApiUrl: string
  /** Whether the workspace's own address may be plain http to another machine. */
  readonly allowPlainHttp: boolean
}

/** `workspace` has the runs; `management` is ZenML Pro's own, which knows organizations and workspaces. */
export type ZenmlApi = 'workspace' | 'management'

/** What {@link parseServerUrl} made of a text. Problems and notices are one line each and hold no secret. */
export type ParsedServerUrl =
  | {
      readonly ok: true
      /** Origin and path prefix, no trailing slash. */
      readonly url: string
      /** The credential would cross a network unencrypted: `http:` to something else than this machine. */
      readonly plainHttp: boolean
      /** What was removed, in words. */
      readonly notices: readonly string[]
    }
  | { readonly ok: false; readonly problem: string }

/** Longer than any address in use; browsers and proxies stop at about this length too. */
const MAX_LENGTH = 2048
const EXAMPLE = 'https://zenml.example.com'
/** The management API of ZenML's own cloud. */
const PRO_API = 'https://cloudapi.zenml.io'

/** Last path segments of pages and endpoints that every ZenML server has. */
const PAGES = new Set(['docs', 'redoc', 'openapi.json', 'login', 'health', 'index.html'])

/** Path segments with which the addresses of ZenML's dashboard begin. */
const SECTIONS = new Set([
  'projects',
  'workspaces',
  'runs',
  'pipelines',
  'run-templates',
  'pipeline-snapshots',
  'snapshots',
  'stacks',
  'components',
  'models',
  'artifacts',
  'artifact-versions',
  'settings',
  'onboarding',
])

/** Path segments behind the address of ZenML Pro's management API. */
const MANAGEMENT_SECTIONS = new Set([
  'auth',
  'docs',
  'redoc',
  'openapi.json',
  'organizations',
  'workspaces',
  'tenants',
  'users',
])

const CREDENTIAL_PARAMETER = /token|key|secret|passw|auth|credential|signature/i

/**
 * Reads the address of a ZenML server as people paste it: what the browser or the API's documentation adds is
 * removed with a notice; what is no server of the wanted API, or holds a credential, is a problem.
 */
export function parseServerUrl(text: string, api: ZenmlApi = 'workspace'): ParsedServerUrl {
  const trimmed = text.trim()
  const problem = textProblem(trimmed) ?? schemeProblem(trimmed)
  if (problem !== undefined) return { ok: false, problem }
  const url = urlOf(trimmed)
  if (url === undefined) {
    return { ok: false, problem: `is not a valid URL; check host and port, it should look like ${EXAMPLE}` }
  }
  const isOther = api === 'workspace' ? dashboardProblem(url) : noManagementProblem(url)
  const unusable = credentialProblem(trimmed, url) ?? isOther
  if (unusable !== undefined) return { ok: false, problem: unusable }
  return { ok: true, ...address(url, api) }
}

function textProblem(text: string): string | undefined {
  if (text === '') return `is empty; write an address such as ${EXAMPLE}`
  if (text.length > MAX_LENGTH) {
    return `is ${text.length} characters long; write only the server's address, such as ${EXAMPLE}`
  }
  if (/^["'`<].*["'`>]$/u.test(text)) {
    return 'contains quotes or brackets; remove them'
  }
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) {
    return 'contains a line break or an invisible character; write the address on one line'
  }
  if (/\s/u.test(text)) return 'contains a space; write one address without spaces'
  if (text.includes('\\')) return 'contains a backslash; write / instead'
  return undefined
}

function schemeProblem(text: string): string | undefined {
  if (/^https?:\/\/[^/?#]/i.test(text)) {
    return /^[^?#]*:\/\/.*:\/\//.test(text) ? 'contains two addresses; write only one' : undefined
  }
  if (/^https?:/i.test(text)) return `has no host; it should look like ${EXAMPLE}`
  // What stands before an @ is a user name and a password, so such a text is not repeated.
  if (text.includes('@')) return `has no https:// in front; it should look like ${EXAMPLE}`
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d)/i.exec(text)?.[1]
  if (scheme !== undefined) {
    return `begins with ${scheme.slice(0, 20)}:, which is not a web address; it should look like ${EXAMPLE}`
  }
  const host = text.replace(/^\/+/, '').replace(/[/?#].*$/s, '')
  if (host === '') return `has no host; it should look like ${EXAMPLE}`
  const start = isLoopback(host.replace(/:\d*$/, '')) ? 'http://' : 'https://'
  return `has no ${start} in front; write ${start}${host}`
}

function credentialProblem(text: string, url: URL): string | undefined {
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? ''
  if (authority.includes('@')) {
    return 'contains a user name or password before the @; remove it, the action logs in with api-key or access-token'
  }
  const parameters = [
    ...new URLSearchParams(url.search).keys(),
    ...new URLSearchParams(url.hash.slice(1)).keys(),
  ]
  if (parameters.some((name) => CREDENTIAL_PARAMETER.test(name))) {
    return 'contains a token or key after the ? or #; remove it, the action logs in with api-key or access-token'
  }
  return undefined
}

/** ZenML Pro's dashboard and management API have no runs; only a workspace's own server has. */
function dashboardProblem(url: URL): string | undefined {
  const host = url.hostname.replace(/\.$/, '')
  if (host === 'cloudapi.zenml.io' || host.endsWith('.cloudapi.zenml.io')) {
    return `is ZenML Pro's management API, which has no runs; ${whereToFind()}`
  }
  const segments = pathSegments(url)
  const isDashboard = host === 'cloud.zenml.io' || host.endsWith('.cloud.zenml.io')
  if (!isDashboard && segments[0] !== 'organizations') return undefined
  const before = segments.findIndex((part) => part === 'workspaces' || part === 'tenants')
  const workspace = before === -1 ? undefined : segments[before + 1]
  return `is ZenML Pro's dashboard, not a workspace; ${whereToFind(workspace)}`
}

/** The advice for an address of ZenML Pro that is no workspace's. */
function whereToFind(workspace?: string): string {
  const name = workspace === undefined ? 'NAME' : readable(workspace)
  return `write workspace: ${name} instead, or the server URL that the workspace's settings page shows`
}

function noManagementProblem(url: URL): string | undefined {
  const host = url.hostname.replace(/\.$/, '')
  if (host !== 'cloud.zenml.io') return undefined
  return `is ZenML Pro's dashboard; its management API is ${PRO_API}`
}

function address(url: URL, api: ZenmlApi): Omit<Extract<ParsedServerUrl, { ok: true }>, 'ok'> {
  const notices: string[] = []
  if (url.search !== '' || url.hash !== '') notices.push('everything after ? or # was removed')
  const segments = pathSegments(url)
  const end = segments.findIndex((part, index) =>
    api === 'management' ? MANAGEMENT_SECTIONS.has(part) : isBehindServer(segments, index),
  )
  const prefix = end === -1 ? segments : segments.slice(0, end)
  const server = [url.origin, ...prefix].join('/')
  if (end !== -1) {
    const ending = segments.slice(end, end + 2).map(readable)
    const more = segments.length > end + 2 ? '/…' : ''
    notices.push(`the path /${ending.join('/')}${more} is a page of the server and was removed`)
  }
  return {
    url: server,
    plainHttp: url.protocol === 'http:' && !isLoopback(url.hostname),
    notices: notices.map((notice) => `${notice}; the server is ${server}`),
  }
}

function isBehindServer(segments: readonly string[], index: number): boolean {
  const part = segments[index] ?? ''
  return (
    SECTIONS.has(part) ||
    (part === 'api' && /^v\d+$/.test(segments[index + 1] ?? '')) ||
    (index === segments.length - 1 && PAGES.has(part))
  )
}

function pathSegments(url: URL): string[] {
  return url.pathname.split('/').filter((part) => part !== '')
}

/** A path segment in a message; it is percent-encoded, so it has no character that could do harm. */
function readable(segment: string): string {
  return segment.length > 60 ? `${segment.slice(0, 60)}…` : segment
}
