import type { Named, ServerInfo } from './model.ts'
import { pathSegment } from '../http/path-segment.ts'
import { isAtLeast } from './version.ts'

/** Browsers follow no longer one, and a later step could not take it. */
const MAX_LENGTH = 2_000

/**
 * Where a person looks at a run (0.98: zenml/utils/dashboard_utils.py, `get_run_url`). Undefined if the server tells no
 * address that a browser may follow.
 *
 * @param baseUrl the server's address as the user gave it
 */
export function runUrl(...place: Parameters<typeof address>): string | undefined {
  const url = address(...place)
  return url === undefined || url.length > MAX_LENGTH ? undefined : url
}

/** Where a person looks at a model's version. Only ZenML Pro's dashboard has such a page (ZenML's dashboard_utils.py). */
export function modelVersionUrl(
  server: ServerInfo,
  { id, model }: { readonly id: string; readonly model: { readonly projectId: string | undefined } },
): string | undefined {
  const dashboard = server.isPro ? httpUrl(server.dashboardUrl) : undefined
  if (dashboard === undefined || model.projectId === undefined) return undefined
  const url = `${dashboard}/projects/${pathSegment(model.projectId)}/model-versions/${pathSegment(id)}`
  return url.length > MAX_LENGTH ? undefined : url
}

function address(
  baseUrl: string,
  server: ServerInfo,
  runId: string,
  project: Named | undefined,
): string | undefined {
  const id = pathSegment(runId)
  if (server.isPro) {
    const dashboard = httpUrl(server.dashboardUrl)
    if (dashboard === undefined) return undefined
    // Before there were projects: `…/organizations/{id}/tenants/{id}/runs/{id}` (ZenML's dashboard_utils.py).
    if (!isAtLeast(server.version, 0, 80)) return `${dashboard}/runs/${id}`
    if (project === undefined) return undefined
    return `${dashboard}/projects/${pathSegment(project.id)}/runs/${id}`
  }
  if (!isAtLeast(server.version, 0, 82)) return `${baseUrl}/runs/${id}`
  return project?.name === undefined
    ? undefined
    : `${baseUrl}/projects/${pathSegment(project.name)}/runs/${id}`
}

/** A server's text as an address, if it is one with http or https and without user info. */
function httpUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    const url = new URL(text)
    if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined
    // A query or fragment would swallow the path of the run.
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
  } catch {
    return undefined
  }
}
