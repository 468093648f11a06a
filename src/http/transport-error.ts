/** Codes of Node's TLS that another try will not mend. The words are ours throughout: Node's own name addresses. */
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

  /** Reads an error of Node; only its code is shown, never its text. One of ours is given as it is. */
  static from(error: unknown, sent: boolean): TransportError {
    if (error instanceof TransportError) return error
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
    const lookup = LOOKUP_REASONS[code]
    if (lookup !== undefined) return new TransportError(code, `the host name ${host(error)}${lookup}`, sent)
    return new TransportError(code, REASONS[code] ?? `the connection failed (${code})`, sent)
  }
}

/** With a space behind it; empty if Node does not say which host it looked up. */
function host(error: unknown): string {
  return typeof error === 'object' &&
    error !== null &&
    'hostname' in error &&
    typeof error.hostname === 'string' &&
    /^[\w.-]{1,253}$/.test(error.hostname)
    ? `${error.hostname} `
    : ''
}

/** @param sent whether something was given to the proxy that it, or another behind it, may have passed on */
export function proxyRefusal(status: number, sent = false): TransportError {
  const advice =
    status === 407
      ? "; the runner's HTTPS_PROXY or HTTP_PROXY needs the right user and password, percent-encoded"
      : ''
  const told = `the proxy refused the connection with status ${status}${advice}`
  return new TransportError('PROXY', told, sent, status === 407)
}

/** Node's code of an error, or of what lies under it: it tries every address of a host and reports them together. */
function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('code' in error && typeof error.code === 'string' && /^\w+$/.test(error.code)) return error.code
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0])
  return 'cause' in error ? errorCode(error.cause) : undefined
}
