import { Deadline } from '../../base/deadline.ts'
import type { ZenmlClient } from '../../zenml/client.ts'
import { isUuid, type Named, type Run, type ServerInfo } from '../../zenml/model.ts'
import { runUrl } from '../../zenml/run-link.ts'
import { ageOf } from '../run-duration.ts'
import { NoSuchRunError, RunError } from '../errors.ts'
import { retryUntilAnswered, type AskDependencies } from '../retry-until-answered.ts'
import { readServerAndProject } from './server-and-project.ts'
import type { ProjectChoice } from '../facts.ts'
import { projectForLink } from './project.ts'
import { runOfId } from '../start/own-run.ts'

/** A run that is there already, and where a person looks at it. */
export interface FoundRun {
  readonly run: Run
  readonly url: string | undefined
  /** For how long it has been there; milliseconds. */
  readonly ageMs: number
  readonly server: ServerInfo
  readonly account: Named
  readonly project: Named | undefined
}

/**
 * Connects, finds a run that something else started, and tells that it is followed.
 *
 * @param reference id or exact name; github/inputs/run-reference.ts takes the id out of a pasted address
 * @throws NoSuchRunError if there is none, RunError if several have the name
 */
export async function findRun(
  reference: string,
  choice: ProjectChoice | undefined,
  deps: AskDependencies,
): Promise<FoundRun> {
  const { client } = deps
  const isById = isUuid(reference)
  const { server, account, project: wanted } = await readServerAndProject({ isById, project: choice }, deps)
  const run = await untilThere(
    () => (isById ? byId(reference, wanted, deps) : byName(client, reference, wanted)),
    deps,
  )
  if (run === undefined) {
    throw new NoSuchRunError(
      isById
        ? `run: there is no run with the ID ${reference}, or the account has no permission to read it`
        : `run: there is no run named "${reference}", or the account has no permission to read it`,
    )
  }
  const project = wanted ?? (await projectOf(client, server, run))
  const url = runUrl(client.serverUrl, server, run.id, project)
  const ageMs = ageOf(run, client.serverNow)
  deps.reporter.tell({ kind: 'attached', run, url, ageMs })
  return { run, url, ageMs, server, account, project }
}

/** The server has just said that it is one of ZenML: what something else answers now passes. */
const LOOK_UP_MS = 30_000

/** A replica that lags behind does not know yet a run that was started just now. */
const NEW_RUN_MS = 10_000
const NEW_RUN_PAUSE_MS = 2_000

/** Undefined if it is still not there when a replica that lags behind would know it. */
async function untilThere(
  look: () => Promise<Run | undefined>,
  { clock, signal }: AskDependencies,
): Promise<Run | undefined> {
  const soon = new Deadline(clock, NEW_RUN_MS)
  for (;;) {
    const run = await look()
    if (run !== undefined || soon.isOver) return run
    await clock.sleep(NEW_RUN_PAUSE_MS, signal)
  }
}

async function byId(id: string, project: Named | undefined, deps: AskDependencies): Promise<Run | undefined> {
  const soon = new Deadline(deps.clock, LOOK_UP_MS)
  const run = await retryUntilAnswered((client) => runOfId(client, id), soon, deps)
  if (project === undefined || run?.projectId === undefined || run.projectId === project.id) return run
  throw new RunError(`project: the run ${id} belongs to another project. Correct or remove the input`)
}

async function byName(
  client: ZenmlClient,
  name: string,
  project: Named | undefined,
): Promise<Run | undefined> {
  const [run, ...others] = await client.runsByName(name, project?.id)
  if (run !== undefined && others.length > 0) {
    const ids = [run, ...others].map(({ id }) => id).join(', ')
    throw new RunError(
      `run: several projects have a run named "${name}": ${ids}. Use one of the IDs, or name the project`,
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
