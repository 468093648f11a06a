import type { ParsedServerUrl } from '../zenml/server-url.ts'
import type { Environment } from './environment.ts'
import type { Credential } from './inputs.ts'

/** What a post step takes from its inputs. */
export interface CredentialAgain {
  /** Where the credential may be sent. */
  readonly serverUrl: string
  readonly credential: Credential
}

/**
 * Reads the credential once more, for a post step: the runner evaluates inputs again, and everything else may
 * have become something else. Undefined if it is no longer there.
 *
 * @param mask called with the secret before anything else is done with it
 */
export function readCredentialAgain(
  env: Environment,
  mask: (secret: string) => void,
  parseServerUrl: (text: string) => ParsedServerUrl,
): CredentialAgain | undefined {
  const key = env['INPUT_API-KEY']?.trim() ?? ''
  const token = env['INPUT_ACCESS-TOKEN']?.trim() ?? ''
  for (const secret of [key, token]) if (secret !== '') mask(secret)
  const server = parseServerUrl(env['INPUT_SERVER-URL']?.trim() ?? '')
  if (!server.ok || (key === '' && token === '')) return undefined
  const credential: Credential = key === '' ? { kind: 'access-token', token } : { kind: 'api-key', key }
  return { serverUrl: server.url, credential }
}
