import { ageOf } from '../age.ts'
import { runUrl } from '../../zenml/run-link.ts'
import type { FoundTarget } from '../find/target.ts'
import { findEarlierRun } from '../find/earlier-run.ts'
import type { Begun, RunDependencies } from '../follow.ts'
import { kinOfRun } from '../watch/usual.ts'
import { originOfRun } from '../origin.ts'
import type { Requester } from './run-name.ts'

/** Takes up the run that an earlier attempt of the step left; undefined where there is none, or that is not clear. */
export async function resumeRun(
  requester: Requester,
  { server, account, definition, project }: FoundTarget,
  { client, journal, reporter }: RunDependencies,
): Promise<Begun | undefined> {
  const found = await findEarlierRun(client, requester, definition)
  if (found.kind === 'several') reporter.tell({ kind: 'resume-unclear', names: found.names })
  if (found.kind === 'foreign') reporter.tell({ kind: 'resume-foreign', names: found.names })
  if (found.kind === 'none' && requester.attempt > 1) reporter.tell({ kind: 'resume-none' })
  if (found.kind !== 'one') return undefined
  const { run, name, attempt } = found
  const url = runUrl(client.serverUrl, server, run.id, project)
  const started = { id: run.id, projectId: run.projectId, name, url, status: run.status }
  journal.started(started)
  const ageMs = ageOf(run, client.serverNow)
  reporter.tell({ kind: 'resumed', run, url, ageMs, attempt })
  const noted = originOfRun(run, { server, account, project: definition.project ?? project })
  return { started, kin: kinOfRun(run), ageMs, server, project, origin: noted }
}
