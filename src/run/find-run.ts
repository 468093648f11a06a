import type { ZenmlClient } from '../zenml/client.ts'
import { isGone } from '../zenml/errors.ts'
import { isUuid, type Named, type Run, type ServerInfo } from '../zenml/model.ts'
import { runUrl } from '../zenml/run-url.ts'
import { RunError } from './errors.ts'
import { connect, projectForLink } from './prepare.ts'
import type { RunDependencies } from './step-run.ts'

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
  { serverUrl, project: projectName }: { readonly serverUrl: string; readonly project: string | undefined },
  reference: string,
  input: string,
  deps: RunDependencies,
): Promise<FoundRun> {
  const { client } = deps
  const { server, project } = await connect({ serverUrl, project: projectName }, deps)
  const run = isUuid(reference)
    ? await byId(client, reference, input)
    : await byName(client, reference, input, project)
  const url = runUrl(serverUrl, server, run.id, project ?? (await projectOf(client, server, run)))
  deps.reporter.tell({ kind: 'attached', run, url })
  return { run, url }
}

async function byId(client: ZenmlClient, id: string, input: string): Promise<Run> {
  try {
    return await client.run(id, { hydrate: true })
  } catch (error) {
    if (!isGone(error)) throw error
    throw new RunError(`${input}: there is no run with the id ${id}, or the account may not read it`)
  }
}

async function byName(
  client: ZenmlClient,
  name: string,
  input: string,
  project: Named | undefined,
): Promise<Run> {
  const [run, ...others] = await client.runsByName(name, project?.id)
  if (run === undefined) {
    throw new RunError(`${input}: there is no run named "${name}", or the account may not read it`)
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
