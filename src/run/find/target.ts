import { isUuid, type Definition, type Named, type ServerInfo } from '../../zenml/model.ts'
import type { ProjectChoice } from '../facts.ts'
import { projectForLink } from './project.ts'
import { readServerAndProject } from './server-and-project.ts'
import { namedQuery, resolveTarget, type Target } from './definition.ts'
import type { Read } from '../../zenml/api.ts'
import { definitionCall, definitionsCall } from '../../zenml/calls.ts'
import type { RunDependencies } from '../run-supervisor.ts'

export interface FindRequest {
  readonly target: Target
  readonly project: ProjectChoice | undefined
  /** Whether something is to be compared with the definition's own values; default: true. */
  readonly needsValues?: boolean
  /** Check and show everything, and start nothing of what is found; default: no. */
  readonly dryRun?: boolean
}

/** What is known before anything is started. */
export interface FoundTarget {
  readonly server: ServerInfo
  readonly account: Named
  /** With its project, where the server has projects. */
  readonly definition: Definition
  /** The same with its name where a link needs that; undefined if the server does not say. */
  readonly project: Named | undefined
}

type Dependencies = Pick<RunDependencies, 'client' | 'reporter'>

/** Connects, finds what is to be run, and reports it. */
export async function findTarget(request: FindRequest, deps: Dependencies): Promise<FoundTarget> {
  const { client, reporter } = deps
  const { target, needsValues = true } = request
  const isById = target.kind !== 'pipeline' && isUuid(target.reference)
  const scope = { isById, project: request.project, isForStart: request.dryRun !== true }
  const connected = await readServerAndProject(scope, deps, (choice) => readsOf(target, choice, needsValues))
  const { server, account, project: wanted, choice } = connected
  const found = await resolveTarget({ client, server, target, project: wanted, choice, needsValues })
  const definition = { ...found, project: found.project ?? wanted }
  const project = await projectForLink(client, server, wanted ?? found.project)
  if (wanted === undefined && project !== undefined && server.hasProjects) {
    reporter.tell({ kind: 'project', project, source: 'definition' })
  }
  const { documents: _, stepParameters: __, ...known } = definition
  reporter.tell({ kind: 'resolved', definition: known })
  return { server, account, definition, project }
}

function readsOf(target: Target, choice: ProjectChoice | undefined, needsValues: boolean): Read[] {
  if (target.kind === 'pipeline') return []
  const { kind, reference } = target
  return [
    isUuid(reference)
      ? definitionCall(kind, reference, needsValues)
      : definitionsCall(kind, namedQuery(target, choice?.nameOrId, needsValues)),
  ]
}
