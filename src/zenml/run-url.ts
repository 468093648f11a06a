import type { Named, ServerInfo } from './model.ts'
import { isAtLeast } from './version.ts'

/**
 * Where a person looks at a run (ZenML API, "Where a person looks at a run"). Undefined if the server tells no
 * address that a browser may follow.
 *
 * @param baseUrl the server's address as the user gave it
 */
export function runUrl(
  baseUrl: string,
  server: ServerInfo,
  runId: string,
  project: Named | undefined,
): string | undefined {
  const id = encodeURIComponent(runId)
  if (server.isPro) {
    const dashboard = httpUrl(server.dashboardUrl)
    if (dashboard === undefined || project === undefined) return undefined
    return `${dashboard}/projects/${encodeURIComponent(project.id)}/runs/${id}`
  }
  if (!isAtLeast(server.version, 0, 82)) return `${baseUrl}/runs/${id}`
  return project?.name === undefined
    ? undefined
    : `${baseUrl}/projects/${encodeURIComponent(project.name)}/runs/${id}`
}

/** A server's text as an address, if it is one with http or https and without user info. */
function httpUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    const url = new URL(text)
    if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined
    return url.href.replace(/\/+$/, '')
  } catch {
    return undefined
  }
}
