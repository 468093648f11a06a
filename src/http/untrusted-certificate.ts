import { isIP } from 'node:net'
import tls from 'node:tls'
import { cutAtSpace } from '../base/cut.ts'
import { hostOf, openTunnel, portOf } from './open-socket.ts'
import type { Proxy } from './proxies.ts'

/** Only for a better message, so nobody waits long for it. */
const TIME_LIMIT_MS = 5_000
const MAX_NAME_LENGTH = 100

/** What ingress-nginx and Traefik show for a host that they have no certificate for. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  'Kubernetes Ingress Controller Fake Certificate',
  'TRAEFIK DEFAULT CERT',
])

interface Looked {
  readonly authorized: boolean
  readonly chain: readonly tls.PeerCertificate[]
}

/**
 * Says whose certificate was not trusted, and what to do. Node's error does not tell, so this connects once more
 * and reads the certificate; nothing is sent over that connection.
 *
 * @param code Node's of the first connection
 * @param ending aborted when nobody waits for it any longer
 * @returns the rest of a sentence; undefined if the certificate could not be read
 */
export async function explainUntrusted(
  code: string,
  url: URL,
  proxy: Proxy | undefined,
  ca: readonly string[] | undefined,
  ending: AbortSignal,
): Promise<string | undefined> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(TIME_LIMIT_MS)])
  const options: tls.ConnectionOptions = { ...(ca && { ca: [...ca] }), rejectUnauthorized: false }
  try {
    if (proxy?.url.startsWith('https:') === true) {
      const address = new URL(proxy.url)
      const looked = await look(hostOf(address), { ...options, ...place(address) }, signal)
      if (!looked.authorized) return describe(code, looked.chain, hostOf(address), "the proxy's")
    }
    const socket = proxy && (await openTunnel(url, proxy, { ca, limitMs: TIME_LIMIT_MS, signal }))
    const own = socket === undefined ? place(url) : { socket }
    const looked = await look(hostOf(url), { ...options, ...own }, signal)
    return looked.authorized ? undefined : describe(code, looked.chain, hostOf(url), 'it')
  } catch {
    return undefined
  }
}

function place(url: URL): { readonly host: string; readonly port: number } {
  return { host: hostOf(url), port: portOf(url) }
}

/** Reads the certificates of whoever answers, and hangs up. */
async function look(host: string, options: tls.ConnectionOptions, signal: AbortSignal): Promise<Looked> {
  const servername = isIP(host) === 0 ? { servername: host } : {}
  return new Promise((resolve, reject) => {
    // This option checks the name as well, but leaves the decision to us, and ours is always to hang up.
    const socket = tls.connect({ host, ...options, ...servername })
    const onAbort = (): void => {
      socket.destroy()
      reject(new Error('no time left'))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    socket.once('error', reject)
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort)
      reject(new Error('closed'))
    })
    socket.once('secureConnect', () => {
      const chain = chainOf(socket.getPeerCertificate(true))
      const nameFits = chain[0] !== undefined && tls.checkServerIdentity(host, chain[0]) === undefined
      resolve({ authorized: socket.authorized && nameFits, chain })
      socket.destroy()
    })
  })
}

/** From the server's own certificate upwards, as far as the server sent them. */
function chainOf(leaf: tls.DetailedPeerCertificate): tls.PeerCertificate[] {
  const chain: tls.PeerCertificate[] = []
  const seen = new Set<string>()
  let next: tls.DetailedPeerCertificate | undefined = leaf
  // A root is its own issuer. Without any certificate, Node gives an empty object.
  while (next !== undefined && 'raw' in next && !seen.has(next.fingerprint256)) {
    chain.push(next)
    seen.add(next.fingerprint256)
    next = issuerOf(next)
  }
  return chain
}

/** Node leaves it out where the server did not send it and it is not known. */
function issuerOf(certificate: tls.DetailedPeerCertificate): tls.DetailedPeerCertificate | undefined {
  return certificate.issuerCertificate
}

function describe(
  code: string,
  chain: readonly tls.PeerCertificate[],
  host: string,
  whose: "the proxy's" | 'it',
): string | undefined {
  const [leaf] = chain
  const top = chain.at(-1)
  if (leaf === undefined || top === undefined) return undefined
  const subject = whose === 'it' ? nameOf(leaf.subject) : `${whose} ${nameOf(leaf.subject)}`
  // Whoever trusted it would trust every such ingress.
  if (PLACEHOLDERS.has(String(leaf.subject.CN))) {
    return `${subject} is the placeholder of an ingress, which has no certificate for ${host} (yet); add one to the ingress`
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const wrong = chain.find((each) => !isValidNow(each)) ?? leaf
    return `${wrong === leaf ? subject : nameOf(wrong.subject)} is valid from ${day(wrong.valid_from)} to ${day(wrong.valid_to)}; renew it on the server`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    const names = oneLine(leaf.subjectaltname ?? 'no host at all')
    return `${subject} is for ${names}, not for ${host}; use a host that it names`
  }
  const issuer = nameOf(top.issuer)
  const origin =
    top === leaf && issuer === nameOf(leaf.subject)
      ? 'is self-signed; give it'
      : `was issued by ${issuer}, which this runner does not know; give that CA's certificate`
  return `${subject} ${origin} as ca-certificate`
}

function isValidNow({ valid_from, valid_to }: tls.PeerCertificate): boolean {
  const now = Date.now()
  return Date.parse(valid_from) <= now && now <= Date.parse(valid_to)
}

/** `2030-01-31` of OpenSSL's `Jan 31 12:00:00 2030 GMT`. */
function day(time: string): string {
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? oneLine(time) : new Date(ms).toISOString().slice(0, 10)
}

/** The part of a distinguished name that people know it by. */
function nameOf(name: Partial<Record<'CN' | 'OU' | 'O', unknown>> | undefined): string {
  const text = [name?.CN, name?.OU, name?.O].flat().find((part) => typeof part === 'string' && part !== '')
  return `"${oneLine(typeof text === 'string' ? text : '(no name)')}"`
}

/** Whoever answers wrote it: one line, without quotes or control characters. */
function oneLine(text: string): string {
  return cutAtSpace(text.replace(/[\s"\p{Cc}\p{Cf}]+/gu, ' '), MAX_NAME_LENGTH)
}
