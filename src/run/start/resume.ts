import { ageOf } from '../run-duration.ts'
import { runUrl } from '../../zenml/run-link.ts'
import type { FoundTarget } from '../find/target.ts'
import { chooseEarlierRun, findEarlierRuns, stillEnding, type LeftRun } from '../find/earlier-run.ts'
import type { Begun, RunDependencies } from '../run-supervisor.ts'
import type { RunIdentity } from '../recovery-journal.ts'
import { kinOfRun } from '../watch/usual-duration.ts'
import { originOfRun } from '../origin.ts'
import type { Requester } from './run-name.ts'

/** What a re-run of the job does with what earlier attempts left: only takes up, or also replays what failed. */
export type ResumeMode = true | 'replay'

/** Neither: a new run is to be started. */
export interface Earlier {
  /** The run that is taken up. */
  readonly begun?: Begun
  /** The failed run that is to be replayed. */
  readonly replayed?: RunIdentity
}

/** Takes up the run that an earlier attempt of the step left; where there is none, or that is not clear, says so. */
export async function resumeRun(
  requester: Requester,
  target: FoundTarget,
  deps: RunDependencies,
  mode: ResumeMode = true,
): Promise<Earlier> {
  const { client, journal, reporter } = deps
  const left = await findEarlierRuns(client, requester, target.definition)
  const found = chooseEarlierRun(left, target.definition)
  if (found.kind === 'several') reporter.tell({ kind: 'resume-unclear', names: found.names })
  if (found.kind === 'foreign') reporter.tell({ kind: 'resume-foreign', names: found.names })
  if (found.kind === 'one') return { begun: takeUp(found, target, { client, journal, reporter }) }
  if (found.kind !== 'none' || requester.attempt <= 1) return {}
  if (mode === 'replay') {
    const { planReplay } = await import('./replay.ts')
    const plan = await planReplay(left, target, deps)
    reporter.tell({ kind: 'replay', plan })
    if (plan.kind === 'replay') return { replayed: plan }
  }
  const names = await stillEnding(left, deps)
  if (names.length > 0) reporter.tell({ kind: 'resume-beside', names })
  else if (mode === true) reporter.tell({ kind: 'resume-none' })
  return {}
}

function takeUp(
  { run, name, attempt }: LeftRun,
  { server, account, definition, project }: FoundTarget,
  { client, journal, reporter }: Pick<RunDependencies, 'client' | 'journal' | 'reporter'>,
): Begun {
  const url = runUrl(client.serverUrl, server, run.id, project)
  const { id, projectId, status, isDynamic } = run
  const started = { id, projectId, name, url, status, isDynamic }
  journal.started(started)
  const ageMs = ageOf(run, client.serverNow)
  reporter.tell({ kind: 'resumed', run, url, ageMs, attempt })
  const noted = originOfRun(run, { server, account, project: definition.project ?? project })
  return { started, kin: kinOfRun(run), ageMs, server, project, origin: noted }
}
