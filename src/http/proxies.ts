import { urlOf } from '../base/url.ts'
import { BlockList, isIP } from 'node:net'
import { TransportError } from './transport-error.ts'
import { isLoopback } from './loopback.ts'

/** A proxy of this runner's environment. */
export interface Proxy {
  /** The variable that names it. */
  readonly variable: string
  /** Origin, without user and password. */
  readonly url: string
  /** The header `proxy-authorization`; undefined without a user. */
  readonly authorization: string | undefined
}

/**
 * The proxy for an address, as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say it, in either case, the lower one first.
 * A proxy without a scheme is an http one, as for curl; for an https address without HTTPS_PROXY, HTTP_PROXY counts.
 * None for plain http to this machine: that is let through because it crosses no network (curl would ask the proxy).
 *
 * @throws TransportError if a variable holds no address of a proxy; it names the variable, not the value, which
 * can hold a password.
 */
export function proxyFor(url: URL): Proxy | undefined {
  if (url.protocol === 'http:' && isLoopback(url.hostname)) return undefined
  const variables = url.protocol === 'https:' ? ['HTTPS_PROXY', 'HTTP_PROXY'] : ['HTTP_PROXY']
  const found = variables
    .flatMap((name) => [name.toLowerCase(), name])
    .map((name) => ({ name, value: process.env[name]?.trim() ?? '' }))
    .find(({ value }) => value !== '')
  if (found === undefined) return undefined
  const exempt = ['no_proxy', 'NO_PROXY'].map((name) => process.env[name]?.trim() ?? '')
  if (isExempt(url, exempt.find((value) => value !== '') ?? '')) return undefined
  return readProxy(found.name, found.value)
}

/** A shorter password would be hidden in half of all words. */
const SHORTEST_SECRET = 6

/** The passwords of this runner's proxies, and the header that they are sent in: a proxy can repeat them. */
export function proxySecrets(): string[] {
  const secrets = new Set<string>()
  for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY']) {
    const value = process.env[name]?.trim() ?? ''
    const address = value.includes('://') ? value : `http://${value}`
    const url = urlOf(address)
    if (url === undefined) continue
    const password = decoded(url.password)
    if (password.length < SHORTEST_SECRET) continue
    secrets.add(password)
    secrets.add(authorizationOf(url)?.replace(/^Basic /, '') ?? password)
  }
  return [...secrets]
}

function readProxy(variable: string, value: string): Proxy {
  const address = value.includes('://') ? value : `http://${value}`
  const url = urlOf(address)
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new TransportError(
      'PROXY',
      `the variable ${variable} of this runner is not the address of an HTTP proxy; it should look like ` +
        'http://proxy.example.com:3128, with special characters of a user or password percent-encoded',
      false,
      true,
    )
  }
  return { variable, url: url.origin, authorization: authorizationOf(url) }
}

/** Such as `the proxy http://proxy.example.com:3128 (HTTPS_PROXY)`. */
export function proxyName({ url, variable }: Proxy): string {
  return `the proxy ${url} (${variable})`
}

const PROXY_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has a host name that is not known',
  EAI_AGAIN: 'has a host name that could not be looked up',
  EHOSTUNREACH: 'cannot be reached from this runner',
  ENETUNREACH: 'cannot be reached from this runner',
  ETIMEDOUT: 'did not answer in time',
  CONNECT_TIMEOUT: 'did not answer in time',
}

/** What is wrong with the proxy if that is what could not be reached; otherwise the error as it is. */
export function blameProxy(error: TransportError, proxy: Proxy): TransportError {
  const reason = error.sent ? undefined : PROXY_REASONS[error.code]
  if (reason === undefined) return error
  const told = `${proxyName(proxy)} ${reason}; check the variable, or name the server in NO_PROXY if it needs no proxy`
  // Not the error's own code: what helps where a server refuses does not where its proxy does.
  return new TransportError('PROXY', told, false)
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`
}

/** A text with a percent sign that encodes nothing is one that nobody encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether NO_PROXY names the address: a host (its subdomains too), an IP address, a range of them, or `*`. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return list.split(/[,\s]+/).some((entry) => entry !== '' && covers(entry.toLowerCase(), host, port))
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true
  const range = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/.exec(entry)
  if (range !== null) return isInRange(host, range[1] ?? '', Number(range[2]))
  // An IPv6 address without brackets is no host with a port.
  const [, name = entry, ownPort] = isIP(entry) === 6 ? [] : (/^(.*?)(?::(\d+))?$/.exec(entry) ?? [])
  if (ownPort !== undefined && ownPort !== port) return false
  const domain = name.replace(/^\*?\./, '').replace(/^\[|\]$/g, '')
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`))
}

function isInRange(host: string, network: string, prefix: number): boolean {
  const family = isIP(host)
  if (family === 0 || isIP(network) !== family || prefix > (family === 4 ? 32 : 128)) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const ranges = new BlockList()
  ranges.addSubnet(network, prefix, type)
  return ranges.check(host, type)
}
