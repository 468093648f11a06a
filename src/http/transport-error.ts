/**
 * Codes of Node's TLS and undici that another try will not mend. The words are ours throughout, because
 * undici's own texts can hold the whole URL, user and password included.
 */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed before the answer was complete',
  EHOSTUNREACH: 'the host cannot be reached from this runner',
  ENETUNREACH: 'the network cannot be reached from this runner',
  EPIPE: 'the connection was closed while the request was being sent',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'no connection could be made in time',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was closed before the answer was complete',
}

/** What became of looking up a host name, which is said: with Pro it is the workspace's, which stands in no input. */
const LOOKUP_REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not known',
  EAI_AGAIN: 'could not be looked up',
}

/** No complete answer came. `sent` is false only if the server cannot have seen any of the request. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: string
  readonly sent: boolean
  /** Whether another try is pointless until somebody changes something. */
  readonly permanent: boolean

  constructor(code: string, message: string, sent: boolean, permanent = false) {
    super(message)
    this.code = code
    this.sent = sent
    this.permanent = permanent
  }

  /** Whether the other side showed a certificate that is not trusted. */
  get isAboutCertificate(): boolean {
    return CERTIFICATE_CODES.has(this.code)
  }

  /** Reads an error of undici or Node; only its code is shown, never its text. */
  static from(error: Error, sent: boolean): TransportError {
    const code = errorCode(error) ?? 'UNKNOWN'
    if (CERTIFICATE_CODES.has(code)) {
      return new TransportError(code, `the server's certificate is not trusted (${code})`, sent, true)
    }
    if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO') {
      return new TransportError(
        code,
        'the server does not speak TLS there; is it http:// or another port?',
        sent,
        true,
      )
    }
    if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
      return new TransportError(code, 'the connections were closed, because the step has ended', sent, true)
    }
    const lookup = LOOKUP_REASONS[code]
    if (lookup !== undefined) return new TransportError(code, `the host name ${host(error)}${lookup}`, sent)
    const proxyStatus = /Proxy response \((\d{3})\)|Proxy Authentication Required \((407)\)/.exec(
      error.message,
    )
    if (proxyStatus !== null) return proxyRefusal(proxyStatus[1] ?? proxyStatus[2] ?? '')
    return new TransportError(code, REASONS[code] ?? `the connection failed (${code})`, sent)
  }
}

/** With a space behind it; empty if Node does not say which host it looked up. */
function host(error: object): string {
  return 'hostname' in error && typeof error.hostname === 'string' && /^[\w.-]{1,253}$/.test(error.hostname)
    ? `${error.hostname} `
    : ''
}

/** A proxy that says no does so instead of passing anything on. */
function proxyRefusal(status: string): TransportError {
  const advice =
    status === '407'
      ? "; the runner's HTTPS_PROXY or HTTP_PROXY needs the right user and password, percent-encoded"
      : ''
  const told = `the proxy refused the connection with status ${status}${advice}`
  return new TransportError('PROXY', told, false, status === '407')
}

/** Node's code of an error, or of what lies under it: it tries every address of a host and reports them together. */
function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  // undici's wrap around a proxy's certificate for another host.
  if ('code' in error && error.code === 'UND_ERR_PRX_TLS' && 'cause' in error) return errorCode(error.cause)
  if ('code' in error && typeof error.code === 'string' && /^\w+$/.test(error.code)) return error.code
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0])
  return 'cause' in error ? errorCode(error.cause) : undefined
}
