import type { Environment } from './github/workflow/environment.ts'
import { givenAddress, readRawInputs } from './github/workflow/input-variables.ts'
import { Http } from './http/http.ts'
import { turns } from './http/peer.ts'
import { proxyFor } from './http/proxies.ts'
import { USER_AGENT } from './http/user-agent.ts'
import { parseServerUrl } from './zenml/server-url.ts'

/**
 * The connections of a step, the first of which is being opened while the rest of the action is loaded. Nothing is sent
 * on it before all inputs are checked. Undefined where the inputs have to say first what is trusted, or is let through.
 */
export async function openFirstConnection(env: Environment): Promise<Http | undefined> {
  const address = addressAhead(env)
  if (address === undefined) return undefined
  const http = new Http(USER_AGENT)
  http.openAhead(address)
  // Node begins to connect when this part of the work is over, and loading is one with it.
  await turns(1)
  return http
}

/** Where that leads; undefined where there must be none. */
export function addressAhead(env: Environment): string | undefined {
  const text = givenAddress(env)
  if (text === undefined || 'ca-certificate' in readRawInputs(env, ['ca-certificate'])) return undefined
  const parsed = parseServerUrl(text)
  if (!parsed.ok || parsed.plainHttp || needsProxy(parsed.url)) return undefined
  return parsed.url
}

function needsProxy(address: string): boolean {
  try {
    return proxyFor(new URL(address)) !== undefined
  } catch {
    // A variable that holds no proxy, of which the first request says what is wrong.
    return true
  }
}
