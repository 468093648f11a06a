import { readFileSync } from 'node:fs'

/**
 * All certificates to trust when these are added: Node takes a list as all there is, so its own roots and those
 * of NODE_EXTRA_CA_CERTS have to be in it. Undefined, which is Node's default, where nothing is added.
 *
 * @param added PEM texts, one certificate each
 */
export function trustedAuthorities(added: readonly string[]): string[] | undefined {
  return added.length === 0 ? undefined : [...defaultAuthorities(), ...added]
}

function defaultAuthorities(): readonly string[] {
  // An import would load it for every step, and Node takes a while for it.
  const tls = process.getBuiltinModule('node:tls')
  // Node 22.15 and newer tells what it trusts, also what it was told to take from the system or OpenSSL.
  const getCACertificates: unknown = Reflect.get(tls, 'getCACertificates')
  if (typeof getCACertificates === 'function') {
    const told: unknown = Reflect.apply(getCACertificates, tls, ['default'])
    if (isTexts(told)) return told
  }
  return [...tls.rootCertificates, ...extraAuthorities()]
}

/** Node itself only warns when the file cannot be read, so this must not end a step either. */
function extraAuthorities(): readonly string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'] ?? ''
  if (file === '') return []
  try {
    return [readFileSync(file, 'utf8')]
  } catch {
    return []
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
