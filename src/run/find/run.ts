import { Deadline } from '../../base/deadline.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { isGone } from '../../zenml/errors.ts'
import { isUuid, type Named, type Run, type ServerInfo } from '../../zenml/model.ts'
import { runUrl } from '../../zenml/run-url.ts'
import { RunError } from '../errors.ts'
import { untilAnswered } from '../until-answered.ts'
import { connect } from './connect.ts'
import type { ProjectChoice } from '../facts.ts'
import { findProject, projectForLink } from './project.ts'
import type { RunDependencies } from '../follow.ts'

/** A run that is there already, and where a person looks at it. */
export interface FoundRun {
  readonly run: Run
  readonly url: string | undefined
}

/**
 * Connects, finds a run that something else started, and tells that it is followed.
 *
 * @param reference id or exact name
 * @param input what the user calls it, for the error
 * @throws RunError if there is no such run, or if several have the name
 */
export async function findRun(
  reference: string,
  choice: ProjectChoice | undefined,
  input: string,
  deps: RunDependencies,
): Promise<FoundRun> {
  const { client } = deps
  const { server, account } = await connect(deps)
  const isById = isUuid(reference)
  const wanted =
    isById && choice?.source !== 'project' ? undefined : await findProject({ choice, server, account }, deps)
  const run = isById
    ? await byId(reference, input, wanted, deps)
    : await byName(client, reference, input, wanted)
  const project = wanted ?? (await projectOf(client, server, run))
  const url = runUrl(client.serverUrl, server, run.id, project)
  deps.reporter.tell({ kind: 'attached', run, url })
  return { run, url }
}

/** The server has just said that it is one of ZenML: what something else answers now passes. */
const LOOK_UP_MS = 30_000

async function byId(
  id: string,
  input: string,
  project: Named | undefined,
  deps: RunDependencies,
): Promise<Run> {
  let run: Run
  try {
    const soon = new Deadline(deps.clock, LOOK_UP_MS)
    run = await untilAnswered((client) => client.run(id, { hydrate: true }), soon, deps)
  } catch (error) {
    if (!isGone(error)) throw error
    throw new RunError(
      `${input}: there is no run with the id ${id}, or the account has no permission to read it`,
    )
  }
  if (project === undefined || run.projectId === undefined || run.projectId === project.id) return run
  throw new RunError(`project: the run ${id} belongs to another project. Correct or drop the input`)
}

async function byName(
  client: ZenmlClient,
  name: string,
  input: string,
  project: Named | undefined,
): Promise<Run> {
  const [run, ...others] = await client.runsByName(name, project?.id)
  if (run === undefined) {
    throw new RunError(
      `${input}: there is no run named "${name}", or the account has no permission to read it`,
    )
  }
  if (others.length > 0) {
    const ids = [run, ...others].map(({ id }) => id).join(', ')
    throw new RunError(
      `${input}: several projects have a run named "${name}": ${ids}. Use one of the ids, or name the project`,
    )
  }
  return run
}

async function projectOf(
  client: ZenmlClient,
  server: ServerInfo,
  { projectId }: Run,
): Promise<Named | undefined> {
  return projectForLink(
    client,
    server,
    projectId === undefined ? undefined : { id: projectId, name: undefined },
  )
}
