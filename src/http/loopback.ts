/**
 * Whether a URL's host is this machine for certain. Names below localhost are not: RFC 6761 says that they are, but a
 * resolver that does not know it asks its network for them.
 */
export function isLoopback(host: string): boolean {
  return /^localhost$/i.test(host) || /^127(?:\.\d{1,3}){3}$/.test(host) || host === '[::1]'
}
