import { AnswerError } from '../zenml/errors.ts'
import type { ZenmlClient } from '../zenml/client.ts'
import { isUuid, type Named, type Run } from '../zenml/model.ts'
import { runUrl } from '../zenml/run-url.ts'
import { RunError } from './errors.ts'
import { connect, projectForLink } from './prepare.ts'
import { followRun, type FollowPolicy, type RunDependencies, type RunResult } from './step-run.ts'

export interface AttachRequest extends FollowPolicy {
  readonly serverUrl: string
  /** Id or exact name. */
  readonly run: string
  readonly project: string | undefined
}

/**
 * Waits for a run that something else started, exactly as for one of our own.
 *
 * @throws RunError if there is no such run, or if several have the name
 */
export async function attachRun(request: AttachRequest, deps: RunDependencies): Promise<RunResult> {
  return followRun(request, deps, async (journaled) => {
    const { client, reporter, journal } = journaled
    const { server, project } = await connect(request, journaled)
    const run = await findRun(request.run, project, client)
    const of = run.projectId === undefined ? undefined : { id: run.projectId, name: undefined }
    const url = runUrl(
      request.serverUrl,
      server,
      run.id,
      project ?? (await projectForLink(client, server, of)),
    )
    const started = { id: run.id, name: run.name ?? run.id, url, status: run.status }
    journal.started(started)
    reporter.tell({ kind: 'attached', run, url })
    return started
  })
}

async function findRun(reference: string, project: Named | undefined, client: ZenmlClient): Promise<Run> {
  if (isUuid(reference)) {
    try {
      return await client.run(reference, { hydrate: true })
    } catch (error) {
      if (!(error instanceof AnswerError && error.status === 404 && error.exception !== undefined))
        throw error
      throw new RunError(`run: there is no run with the id ${reference}, or the account may not read it`)
    }
  }
  const [run, ...others] = await client.runsByName(reference, project?.id)
  if (run === undefined) {
    throw new RunError(`run: there is no run named "${reference}", or the account may not read it`)
  }
  if (others.length > 0) {
    const ids = [run, ...others].map(({ id }) => id).join(', ')
    throw new RunError(
      `run: several projects have a run named "${reference}": ${ids}. Use one of the ids, or name the project`,
    )
  }
  return run
}
